"""Settings of the mock simulation box."""

from __future__ import annotations

from pydantic import Field

from morphosphere.config.base import Settings


class MockSettings(Settings):
    """A small simulation box in the IllustrisTNG layout, with galaxies that look like galaxies."""

    galaxies: int = Field(500, ge=1, description="Number of galaxies with stars in the box.")
    files: int = Field(3, ge=1, description="Number of files of the snapshot and of its catalogue.")
    snapshot: int = Field(99, ge=0, description="Snapshot number.")
