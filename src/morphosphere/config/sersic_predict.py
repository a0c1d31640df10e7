"""Settings of predictions of structural parameters."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from morphosphere.config.base import Settings


class FlagSettings(Settings):
    """Beyond what an image is flagged, since its parameters cannot be trusted."""

    faintest: float = Field(
        5.0,
        gt=0,
        description="Signal-to-noise ratio below which there is no source in the middle.",
    )
    masked_core: float = Field(
        0.02,
        ge=0,
        lt=1,
        description="Largest share of pixels without a value within an eighth of the stamp's width "
        "around its middle.",
    )
    masked_stamp: float = Field(
        0.2, ge=0, lt=1, description="Largest share of pixels without a value in the whole stamp."
    )
    plateau: int = Field(
        5,
        ge=2,
        description="So many connected pixels at the largest value, or flatter than their noise "
        "allows, are a saturated core.",
    )
    outside: float = Field(
        0.3,
        gt=0,
        lt=1,
        description="Largest share of the light of the predicted profile beyond the stamp.",
    )
    edge_light: float = Field(
        0.4,
        gt=0,
        description="Largest mean brightness of an edge of the stamp, over that of the stamp.",
    )
    off_centre: float = Field(
        4.0,
        gt=0,
        description="Pixels that the galaxy may lie from the middle of the stamp; the network has "
        "seen galaxies in the middle.",
    )
    neighbour_share: float = Field(
        0.02,
        gt=0,
        lt=1,
        description="Light of a second source over that of the galaxy that counts.",
    )
    neighbour_noise: float = Field(
        4.5, gt=0, description="Signal-to-noise ratio from which a second source counts."
    )
    prior_margin: float = Field(
        0.02,
        ge=0,
        lt=1,
        description="Share of the range of training that a parameter may lie beyond its ends.",
    )


class SersicPredictSettings(Settings):
    """How structural parameters are read from images, and which of them are flagged."""

    chunk: int = Field(
        64, ge=1, le=65536, description="Images held in memory at a time by each process."
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto",
        description="Where the network runs: ONNX Runtime on the CPU, or PyTorch on GPUs (one for "
        "each process of a node, in turn); auto takes a GPU if there is one.",
    )
    samples: int = Field(
        512,
        ge=64,
        le=65536,
        description="Points of the posterior from which the intervals of axis ratio and position "
        "angle follow (a fixed low-discrepancy set, a power of two is best).",
    )
    flags: FlagSettings = Field(FlagSettings(), description="Beyond what an image is flagged.")
