"""Settings of the classical fitters that the network is compared with."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from morphosphere.config.base import Settings


class FitSettings(Settings):
    """Classical fits of profiles to some of the test images."""

    tools: list[Literal["galsim", "statmorph"]] = Field(
        ["galsim", "statmorph"],
        min_length=1,
        description="galsim: least squares (SciPy) on models as they are simulated, seen through "
        "the PSF; statmorph: its Sérsic fit. statmorph knows profiles of one component only.",
    )
    limit: int | None = Field(
        100, ge=1, description="Test images for each tool, spread evenly over magnitude; null: all."
    )
    index: tuple[float, float] = Field(
        (0.3, 6.2), description="Least and greatest Sérsic index that a fit may take."
    )
    evaluations: int = Field(
        60, ge=2, le=10_000, description="Most evaluations of a model in one least-squares fit."
    )

    @field_validator("tools")
    @classmethod
    def _named_once(cls, value: list[str]) -> list[str]:
        if len(set(value)) < len(value):
            raise ValueError("name each tool once")
        return value

    @field_validator("index")
    @classmethod
    def _rising(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not 0.1 <= value[0] < value[1] <= 12:
            raise ValueError("two rising numbers between 0.1 and 12")
        return value
