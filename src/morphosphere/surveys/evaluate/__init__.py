"""What a classifier of survey images is worth, on galaxies that had no part in any choice."""

from __future__ import annotations

#: Figures of the report, by the stems of their files, with their titles.
FIGURES = {
    "roc": "Receiver operating characteristic, precision and recall",
    "confusion": "Confusion of classes",
    "reliability": "Reliability before and after calibration",
    "learning_curve": "How few labels are enough",
    "strata": "Accuracy by brightness and by size",
    "recursion": "Recursive training, before and after",
    "type": "Type, told and true",
    "certain": "Most and least certain test images",
    "certain_target": "Most and least certain images of the target",
    "domain": "Distance from the images of training",
}
