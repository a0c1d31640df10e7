"""Settings of the predict stage."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from morphosphere.config.base import Settings


class PredictSettings(Settings):
    """How images are placed on the sphere and their most similar images found."""

    neighbours: int = Field(
        12,
        ge=1,
        le=1000,
        description="Most similar images listed for each image; the outlier score uses them too.",
    )
    exact_up_to: int = Field(
        50_000,
        ge=0,
        description="Up to so many images the search for neighbours is exhaustive; above, an "
        "inverted-file index looks through the closest lists of images only.",
    )
    probes: int = Field(
        32, ge=1, description="Lists of the inverted-file index that a search looks through."
    )
    chunk: int = Field(
        64, ge=1, le=65536, description="Images held in memory at a time by each process."
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto",
        description="Where the model runs: ONNX Runtime on the CPU, or PyTorch on GPUs (one for "
        "each process of a node, in turn); auto takes a GPU if there is one.",
    )
