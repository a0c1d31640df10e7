"""Settings of the catalogue of a survey."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator

from morphosphere.config.base import Settings
from morphosphere.config.hips import HipsSettings

Format = Literal["fits", "votable", "hats"]


class CatalogueSettings(Settings):
    """What the catalogue of the target survey holds, and its forms."""

    ra: str = Field("ra", description="Column of the right ascension, in degrees.")
    dec: str = Field("dec", description="Column of the declination, in degrees.")
    columns: list[str] = Field(
        [], description="Columns of the target's table to carry over, magnitudes for example."
    )
    formats: list[Format] = Field(
        ["fits", "votable", "hats"],
        description="Forms beside Parquet, which is always written: FITS, VOTable, and partitions "
        "by place on the sky (HATS).",
    )
    hats_rows: int = Field(
        200_000,
        ge=1,
        description="Rows of a HATS partition, at most; one of them is in memory at a time.",
    )
    hips: bool = Field(
        True,
        description="Whether the catalogue is also made as HiPS: on the sky, and on the sphere of "
        "morphology where the galaxies have a place on it.",
    )
    hips_rank: str = Field(
        "confidence",
        description="Column that decides which galaxies are seen first: the largest values, or "
        "with a leading minus the smallest.",
    )
    hips_rows: int = Field(20, ge=1, le=10_000, description="Galaxies that a tile adds.")
    title: str = Field(
        "Galaxy classes", min_length=1, max_length=60, description="Title of the catalogue."
    )
    creator: str = Field("morphosphere", min_length=1, description="Who made the catalogue.")
    authority: str = Field(
        "morphosphere.local",
        description="Naming authority of the HiPS's IVOA identifier (ivo://<authority>/P/...).",
    )

    @field_validator("formats")
    @classmethod
    def _formats_once(cls, value: list[str]) -> list[str]:
        if len(set(value)) < len(value):
            raise ValueError("name each format once")
        return value

    @field_validator("title", "creator", "authority")
    @classmethod
    def _as_in_a_hips(cls, value: str, info: ValidationInfo) -> str:
        try:
            HipsSettings.model_validate({info.field_name: value})
        except ValidationError as error:
            message = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise ValueError(message) from None
        return value

    @property
    def of_hips(self) -> HipsSettings:
        """The settings of the HiPS stage that say the same."""
        return HipsSettings(
            title=self.title,
            creator=self.creator,
            authority=self.authority,
            catalogue_rank=self.hips_rank,
            catalogue_rows=self.hips_rows,
        )
