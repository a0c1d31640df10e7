"""Settings of the HiPS stage."""

from __future__ import annotations

from pydantic import Field

from morphosphere.config.base import Settings


class HipsSettings(Settings):
    """The map: its layers, tiles and cells."""

    order: int = Field(3, ge=0, le=13, description="Deepest tile order.")
    tile_width: int = Field(256, description="Width of a tile in pixels, a power of two.")
