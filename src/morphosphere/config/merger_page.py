"""Settings of the page on which an image of an encounter is read."""

from __future__ import annotations

from pydantic import Field

from morphosphere.config.base import Settings


class MergerPageSettings(Settings):
    """The page: drop in an image, or pick one, and see what it says about the encounter."""

    title: str = Field(
        "What an image of a collision says about the encounter",
        min_length=1,
        description="Title of the page.",
    )
    introduction: str = Field(
        "Give an image of two colliding galaxies. A neural network, trained on simulated "
        "encounters, tells the most likely time since the first pericentre, the mass ratio, "
        "size ratio, inclination and separation, how certain they are, and the simulated moments "
        "that look most alike. Everything is computed in this browser: the image stays on your "
        "device.",
        description="A few sentences for visitors, at the top of the page.",
    )
    library: int = Field(
        20000,
        ge=1,
        le=500_000,
        description="Simulated frames to compare with, at most: whole encounters seen by the "
        "first camera, then by the next ones while there is room.",
    )
    gallery: int = Field(
        480,
        ge=0,
        le=20000,
        description="Held-out images to pick from, at most; drawn at random if there are more.",
    )
    thumbnail: int = Field(64, ge=16, le=256, description="Width of a thumbnail in pixels.")
    sheet_side: int = Field(
        8, ge=2, le=32, description="Thumbnails along the side of a sheet; a sheet is one file."
    )
    jpeg_quality: int = Field(85, ge=30, le=100, description="JPEG quality of the sheets.")
    nearest: int = Field(
        12, ge=1, le=100, description="Most similar frames shown, each of another encounter."
    )
    field_of_view: float | None = Field(
        None,
        gt=0,
        description="Width of the network's images in kpc; from the images' table if not given.",
    )
    map_page: str | None = Field(
        "../../site/index.html",
        description="Page of the map, seen from this page's folder; linked only if it is there.",
    )
