"""Settings of the predict stage."""

from __future__ import annotations

from pydantic import Field

from morphosphere.config.base import Settings


class PredictSettings(Settings):
    """How images are placed on the sphere."""

    neighbours: int = Field(
        12, ge=1, le=1000, description="Most similar images listed for each image."
    )
