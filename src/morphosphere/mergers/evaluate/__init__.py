"""What a model of mergers is worth, on encounters that it has never seen."""

from __future__ import annotations

#: Figures of the report, by the stems of their files, with their titles.
FIGURES = {
    "times": "Time since pericentre, told and true",
    "mass_ratios": "Mass ratio, told and true",
    "phases": "Errors by phase of the merger",
    "calibration": "Calibration of the intervals",
    "cameras": "Confusion of times by camera",
    "similar": "Most similar images",
    "splits": "Split by encounter and by snapshot",
    "tests": "Runs and real images",
}
