"""Settings of the render stage."""

from __future__ import annotations

from pydantic import Field

from morphosphere.config.base import Settings


class RenderSettings(Settings):
    """How galaxies become images."""

    size: int = Field(64, ge=8, le=4096, description="Width and height of an image in pixels.")
    channels: list[str] = Field(
        ["i", "r", "g"], min_length=1, description="Channels of an image, in order."
    )
