"""Settings of the evaluation of a classifier of survey images."""

from __future__ import annotations

from pydantic import Field

from morphosphere.config.base import Settings


class SurveyEvaluateSettings(Settings):
    """What is measured of a classifier on galaxies that it has never seen, and drawn."""

    bootstrap: int = Field(
        500,
        ge=0,
        le=100_000,
        description="Draws of objects for the 95 % intervals; 0: no intervals.",
    )
    bins: int = Field(
        15,
        ge=2,
        le=200,
        description="Equal bins of confidence of the reliability diagram and of the expected "
        "calibration error.",
    )
    brightness: str | None = Field(
        None,
        description="Column of the brightness or magnitude that accuracies are told by; null: the "
        "flux measured on the images.",
    )
    size: str | None = Field(
        None,
        description="Column of the size that accuracies are told by; null: the half-light radius "
        "measured on the images.",
    )
    type_range: tuple[float, float] | None = Field(
        None,
        description="First and last type of the test images whose told type is compared with it; "
        "null: all that are known.",
    )
    groups: int = Field(
        4,
        ge=1,
        le=20,
        description="Groups of equally many test images, by brightness and by size.",
    )
    least: int = Field(
        10, ge=2, description="Groups of fewer test images than this are not measured."
    )
    curve_images: int = Field(
        1000,
        ge=1,
        description="Test images that the models of the learning curve are scored on, at most.",
    )
    views: int = Field(
        8,
        ge=1,
        le=8,
        description="Turned and mirrored views that the models of the learning curve average over.",
    )
    shown: int = Field(
        8, ge=1, le=24, description="Images in a row of the sheets: of the most certain, and so on."
    )
    dpi: int = Field(130, ge=50, le=600, description="Resolution of the figures.")
