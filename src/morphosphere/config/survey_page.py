"""Settings of the page on which the catalogue of the target survey is looked through."""

from __future__ import annotations

from pydantic import Field

from morphosphere.config.base import Settings


class SurveyPageSettings(Settings):
    """The page: galaxies of the target in the embedding, their classes and how certain they are."""

    title: str = Field("Galaxy classes carried to a new survey", min_length=1,
                       description="Title of the page.")  # fmt: skip
    introduction: str = Field(
        "Each point is a galaxy of the target survey; points that lie together look alike to the "
        "network. It learned the classes on another survey, and on the few galaxies that both have "
        "seen. Pick a galaxy to see its picture and the probabilities of its classes.",
        description="A few sentences for visitors, in the About box and at the top of the page.",
    )
    points: int = Field(
        100_000,
        ge=1,
        le=1_000_000,
        description="Galaxies on the page, at most; those that were not embedded directly are "
        "left out first, then galaxies at random.",
    )
    sheet: int = Field(
        12, ge=1, le=100, description="Galaxies in each list of the most and of the least certain."
    )
    overview: int = Field(
        256,
        ge=16,
        le=4096,
        description="Galaxies spread over the embedding whose pictures are shown on it from afar.",
    )
    reliability_bins: int = Field(
        10, ge=2, le=50, description="Bins of confidence of the reliability diagram."
    )
    thumbnail: int = Field(80, ge=16, le=256, description="Width of a thumbnail in pixels.")
    sheet_side: int = Field(
        12, ge=2, le=32, description="Thumbnails along the side of a sheet; a sheet is one file."
    )
    jpeg_quality: int = Field(85, ge=30, le=100, description="JPEG quality of the sheets.")
    map_page: str | None = Field(
        "../../site/index.html",
        description="Page of the map, seen from this page's folder; linked only if it is there.",
    )
