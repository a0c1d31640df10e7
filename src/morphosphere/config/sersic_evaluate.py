"""Settings of the evaluation of structural parameters."""

from __future__ import annotations

from pydantic import Field

from morphosphere.config.base import Settings


class SersicEvaluateSettings(Settings):
    """What is measured of structural parameters on galaxies held out of training, and drawn."""

    bootstrap: int = Field(
        300,
        ge=0,
        le=100_000,
        description="Draws of galaxies for the 95 % intervals of the measures; 0: no intervals.",
    )
    snr: float = Field(
        50.0,
        ge=0,
        description="Only galaxies with a greater signal-to-noise ratio count for the ratio of "
        "errors to the Cramér-Rao bound.",
    )
    snr_bins: int = Field(
        6, ge=1, le=50, description="Bins of signal-to-noise ratio that this ratio is told by."
    )
    magnitude_bins: int = Field(
        5,
        ge=1,
        le=50,
        description="Bins of equal width in true magnitude, for the measures of the Euclid "
        "Morphology Challenge.",
    )
    outlier: float = Field(
        0.5,
        gt=0,
        description="Galaxies with a greater error are outliers: relative for radii, absolute for "
        "the axis ratio and bulge-to-total, in dex for the Sérsic index.",
    )
    score_weights: tuple[float, float, float, float] = Field(
        (2.1, 2.1, 2.1, 1.0),
        description="Weights of bias, dispersion, outliers and incompleteness in the global score "
        "of the Euclid Morphology Challenge.",
    )
    least: int = Field(10, ge=3, description="Groups of fewer galaxies than this are not measured.")
    fitter: str = Field(
        "galsim",
        description="Classical fitter that the speedup is told against, beside the others.",
    )
    timed: int = Field(
        512, ge=1, description="Test galaxies whose prediction is timed on one core, at most."
    )
    batch: int = Field(
        256, ge=1, description="Galaxies that are predicted at a time while it is timed."
    )
    shown: int = Field(
        6, ge=1, le=24, description="Galaxies that the figure of residual images shows."
    )
    dpi: int = Field(130, ge=50, le=600, description="Resolution of the figures.")
