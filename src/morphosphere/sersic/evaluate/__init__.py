"""What predicted structural parameters are worth, on galaxies held out of training."""

from __future__ import annotations

#: Figures of the report, by the stems of their files, with their titles.
FIGURES = {
    "parameters": "Parameters, told and true",
    "errors": "Errors against magnitude, with the Cramér-Rao bound",
    "bound": "Errors in units of the Cramér-Rao bound",
    "residuals": "Images, models from told parameters, residuals",
    "calibration": "Calibration of the intervals",
    "euclid": "Bias, dispersion and outliers by magnitude",
    "peers": "Network and classical fitters on the same galaxies",
    "real": "Real galaxies",
}
