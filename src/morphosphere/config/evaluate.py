"""Settings of the evaluate stage."""

from __future__ import annotations

from pydantic import Field

from morphosphere.config.base import Settings


class EvaluateSettings(Settings):
    """What is measured on the finished map, and on how many images at most."""

    neighbours: int = Field(
        20, ge=1, le=1000, description="Neighbours in the k-NN regression of properties."
    )
    properties: list[str] | None = Field(
        None,
        description="Columns whose k-NN R^2 is reported; without it, every numeric property.",
    )
    max_rotated: int = Field(
        500, ge=1, description="Held-out images that are turned to measure the rotation scatter."
    )
    copies: int = Field(
        4, ge=1, le=360, description="Turned copies of each of them; every other one is mirrored."
    )
    max_held_out: int = Field(
        2000, ge=1, description="Held-out images at most on which reconstructions are measured."
    )
    max_train: int = Field(
        4000, ge=2, description="Training images at most on which the PCA for comparison is fitted."
    )
    max_scored: int = Field(
        5000, ge=2, description="Held-out images at most whose properties are predicted."
    )
    max_reference: int = Field(
        200_000, ge=2, description="Images at most among which their neighbours are looked for."
    )
    chunk: int = Field(64, ge=1, le=65536, description="Images held in memory at a time.")
    dpi: int = Field(110, ge=50, le=600, description="Resolution of the figures, in dots per inch.")
