"""Settings of predictions of mergers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from morphosphere.config.base import Settings


class MergerPredictSettings(Settings):
    """How images are read, and how the most similar ones are found."""

    views: Literal[1, 2, 4, 8] = Field(
        8,
        description="Turned and mirrored views that the posterior of an image is averaged over; "
        "images that the network was trained on are read once.",
    )
    neighbours: int = Field(
        8, ge=0, le=1000, description="Most similar images of other encounters, for each image."
    )
    exact_up_to: int = Field(
        100_000,
        ge=0,
        description="Up to so many images the search is exhaustive; above, an inverted file is "
        "used.",
    )
    probes: int = Field(64, ge=1, description="Lists of the inverted file that are looked through.")
    chunk: int = Field(256, ge=1, description="Images that are read at a time.")
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Where the network runs; auto takes a GPU if there is one."
    )
