"""Settings of the explorer site."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from morphosphere.config.base import Settings


class ExploreDataSettings(Settings):
    """What the web page reads: thumbnails and columns, in pieces that are loaded on demand."""

    thumbnail: int = Field(64, ge=16, le=256, description="Width of a thumbnail in pixels.")
    sheet_side: int = Field(
        8, ge=2, le=32, description="Thumbnails along the side of a sheet; a sheet is one file."
    )
    jpeg_quality: int = Field(88, ge=30, le=100, description="JPEG quality of the sheets.")
    chunk_rows: int = Field(
        65536, ge=16, le=1 << 20, description="Galaxies in one piece of a column."
    )
    columns: list[str] | None = Field(
        None, description="Properties of the catalogue shown on the page; all if not given."
    )


class ExploreSettings(Settings):
    """The web page."""

    title: str = Field("morphosphere", min_length=1, description="Title of the page.")
    introduction: str = Field(
        "Every point of this sphere is a galaxy. Galaxies that look alike lie close together, "
        "however they are turned: a neural network has put them there from their pictures alone.",
        description="A sentence or two for visitors, shown in the About box.",
    )
    base_layer: str | None = Field(
        None, description="HiPS layer shown first; if not given, real, generated, or the first."
    )
    overlay_layer: str | None = Field(
        None, description="HiPS layer blended over the first one at the start."
    )
    overlay_opacity: float = Field(0.5, ge=0, le=1, description="Opacity of the blended layer.")
    colour_by: str | None = Field(
        None, description="Property that colours the galaxies at the start; a physical one if none."
    )
    points: bool = Field(True, description="Whether galaxies are marked at the start.")
    colour_map: Literal["viridis", "plasma", "magma", "cividis", "turbo", "coolwarm"] = Field(
        "viridis", description="Colour map at the start."
    )
    projection: Literal["SIN", "MOL", "AIT", "TAN"] = Field(
        "SIN", description="Projection at the start: SIN is a globe, MOL shows the whole sphere."
    )
    longitude: float = Field(0.0, ge=0, lt=360, description="Centre of the first view, degrees.")
    latitude: float = Field(0.0, ge=-90, le=90, description="Centre of the first view, degrees.")
    field_of_view: float | None = Field(
        None,
        gt=0.01,
        le=360,
        description="Shorter side of the first view in degrees; the whole sphere if not given.",
    )
    data: ExploreDataSettings = Field(
        default_factory=ExploreDataSettings, description=ExploreDataSettings.__doc__
    )
