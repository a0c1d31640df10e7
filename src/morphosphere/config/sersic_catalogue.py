"""Settings of the catalogue of structural parameters."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from morphosphere.config.base import Settings

StructureFormat = Literal["fits", "votable"]


class SersicCatalogueSettings(Settings):
    """What the catalogue of structural parameters holds, and its forms."""

    ra: str = Field("ra", description="Column of the right ascension, where there is one.")
    dec: str = Field("dec", description="Column of the declination, where there is one.")
    columns: list[str] = Field(
        [], description="Columns of the images' table to carry over, redshifts for example."
    )
    flagged: bool = Field(
        True, description="Whether flagged galaxies are in the catalogue; they are not sound."
    )
    formats: list[StructureFormat] = Field(
        ["fits", "votable"],
        description="Forms beside Parquet, which is always written: FITS and VOTable.",
    )
    title: str = Field(
        "Structural parameters",
        min_length=1,
        max_length=60,
        description="Title of the catalogue.",
    )
    creator: str = Field("morphosphere", min_length=1, description="Who made the catalogue.")

    @field_validator("formats", "columns")
    @classmethod
    def _once(cls, value: list[str]) -> list[str]:
        if len(set(value)) < len(value):
            raise ValueError("name each of them once")
        return value


class SersicAttachSettings(Settings):
    """Structural parameters as properties of the galaxies of a map."""

    by: Literal["image_id", "galaxy_id"] = Field(
        "image_id", description="Column by which galaxies of the two tables are the same."
    )
    flagged: bool = Field(
        False,
        description="Whether flagged galaxies have parameters on the map; otherwise they have "
        "none, and the column structure says why.",
    )
