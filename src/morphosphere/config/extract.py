"""Settings of the extract stage."""

from __future__ import annotations

from pydantic import Field

from morphosphere.config.base import Settings


class ExtractSettings(Settings):
    """Which subhalos are taken from a snapshot, and what of them."""

    shards: int = Field(
        2,
        ge=1,
        description="Number of GalaxySet files per snapshot; they share the galaxies evenly.",
    )
