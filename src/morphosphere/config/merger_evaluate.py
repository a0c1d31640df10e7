"""Settings of the evaluation of mergers."""

from __future__ import annotations

from pydantic import Field

from morphosphere.config.base import Settings


class MergerEvaluateSettings(Settings):
    """What is measured of a model of mergers, and drawn."""

    bootstrap: int = Field(
        200,
        ge=0,
        le=100_000,
        description="Draws of encounters for the intervals of medians; 0: no intervals.",
    )
    queries: int = Field(
        1000, ge=1, description="Held-out images whose most similar images are measured, at most."
    )
    probes: int = Field(
        16,
        ge=1,
        description="Lists of the inverted file that the approximate search looks through.",
    )
    timed: int = Field(256, ge=1, description="Images whose inference is timed, one by one.")
    nbody_particles: int = Field(
        76_000, ge=100, description="Particles of the N-body simulation that is timed."
    )
    nbody_steps: int = Field(
        2,
        ge=0,
        description="Steps of it that are timed, and multiplied to a whole encounter; 0: none.",
    )
    shown: int = Field(8, ge=1, le=32, description="Held-out images that figures show.")
    dpi: int = Field(130, ge=50, le=600, description="Resolution of the figures.")
