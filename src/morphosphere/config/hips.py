"""Settings of the HiPS stage."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from morphosphere.config.base import Settings

Layer = Literal["generated", "real", "density", "catalogue"]

#: Deepest HEALPix order of cells: 50 million of them, which a rank still holds in memory.
DEEPEST_CELLS = 11
_AUTHORITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,}")


class HipsSettings(Settings):
    """The map: its layers, tiles and cells."""

    layers: list[Layer] = Field(
        ["generated", "real", "density", "catalogue"],
        min_length=1,
        description="Layers to make: generated (the decoder at every cell), real (the galaxy "
        "nearest to every cell), density (images per square degree) and catalogue (all images as "
        "sources).",
    )
    order: int = Field(3, ge=0, le=10, description="Deepest tile order of the image layers.")
    tile_width: int = Field(
        512,
        ge=64,
        le=1024,
        description="Width of a tile in pixels, a power of two. With less than 512, Aladin Lite "
        "shows small copies of order 3 in wide views, instead of the large galaxies of order 0.",
    )
    cells: int = Field(
        4,
        ge=1,
        le=128,
        description="Cells along one side of a tile, a power of two; each cell shows one galaxy. "
        "A cell must be at least 8 pixels wide.",
    )
    tile_format: Literal["jpeg", "png"] = Field("jpeg", description="Format of the image tiles.")
    jpeg_quality: int = Field(90, ge=30, le=100, description="Quality of JPEG tiles.")
    fill: float = Field(
        1.3,
        ge=0.5,
        le=2.0,
        description="Width of a galaxy's picture in widths of its cell. A cell stands on its "
        "corner: 0.7 shows the whole picture, 1.41 fills the cell and cuts the picture's corners.",
    )
    background: Literal["seamless", "gap"] = Field(
        "seamless",
        description="What lies between galaxies: seamless (pictures fade into one sky colour) or "
        "gap (pictures cut hard, with a dark line between cells).",
    )
    align: bool = Field(
        True,
        description="Turn (and mirror) real galaxies into the orientation in which the decoder "
        "draws them; otherwise they stand as in their pictures.",
    )
    unique: Literal["galaxy", "image"] = Field(
        "image",
        description="What is shown at most once per order on the real layer: an image, or a "
        "galaxy, whatever the number of its views.",
    )
    reach: float = Field(
        1.0,
        gt=0,
        le=1.0,
        description="Largest distance between a cell's centre and the galaxy shown in it, in "
        "widths of the cell.",
    )
    density_fwhm: float = Field(
        8.0,
        ge=0.5,
        le=60.0,
        description="Width (FWHM) in degrees of the Gaussian that smooths the density layer.",
    )
    density_colors: str = Field(
        "magma", description="Colour map of the density layer, a name that matplotlib knows."
    )
    catalogue_rank: str = Field(
        "outlier_score",
        description="Column that decides which sources are seen first: the largest values, or "
        "with a leading minus the smallest.",
    )
    catalogue_rows: int = Field(
        20, ge=1, le=10_000, description="Sources that a tile of the catalogue adds."
    )
    title: str = Field(
        "Galaxy morphology", min_length=1, max_length=60, description="Title of the map."
    )
    creator: str = Field(
        "morphosphere", min_length=1, description="Who made the map, for its properties file."
    )
    authority: str = Field(
        "morphosphere.local",
        description="Naming authority of the map's IVOA identifier (ivo://<authority>/P/...).",
    )
    status: Literal[
        "public master clonable",
        "public master clonableOnce",
        "public master unclonable",
        "private master clonable",
        "private master clonableOnce",
        "private master unclonable",
    ] = Field("public master clonableOnce", description="hips_status of the published map.")

    @field_validator("layers")
    @classmethod
    def _layers_once(cls, value: list[str]) -> list[str]:
        if len(set(value)) < len(value):
            raise ValueError("name each layer once")
        return value

    @field_validator("tile_width", "cells")
    @classmethod
    def _power_of_two(cls, value: int) -> int:
        if value & (value - 1):
            raise ValueError("must be a power of two")
        return value

    @field_validator("title", "creator")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if "\n" in value or "=" in value:
            raise ValueError("must be one line without an equals sign")
        return value

    @field_validator("authority")
    @classmethod
    def _authority_is_a_name(cls, value: str) -> str:
        if not _AUTHORITY.fullmatch(value):
            raise ValueError("must be at least three letters, digits, dots and dashes")
        return value

    @model_validator(mode="after")
    def _cells_fit(self) -> HipsSettings:
        if self.tile_width // self.cells < 8:
            raise ValueError(
                f"{self.cells} cells along a tile of {self.tile_width} px are narrower than 8 px; "
                "lower cells or raise tile_width"
            )
        deepest = self.order + self.cells.bit_length() - 1
        if deepest > DEEPEST_CELLS:
            raise ValueError(
                f"order {self.order} with {self.cells} cells makes cells of HEALPix order "
                f"{deepest}, the deepest possible is {DEEPEST_CELLS}; lower order or cells"
            )
        return self
