"""Settings of the extract stage."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from pydantic import Field, field_validator, model_validator

from morphosphere.config.base import Settings


class ExtractSettings(Settings):
    """Which subhalos are taken from a snapshot, and what of them."""

    shards: int = Field(
        2,
        ge=1,
        description="Number of GalaxySet files per snapshot; they share the particles evenly. "
        "Each is rendered by a job of its own.",
    )
    min_stellar_mass: float = Field(
        0.0, ge=0, description="Least stellar mass of a subhalo in the catalogue (solMass)."
    )
    max_stellar_mass: float | None = Field(
        None, gt=0, description="Largest stellar mass of a subhalo (solMass); none for no limit."
    )
    min_stars: int = Field(
        100, ge=1, description="Least number of star particles, in the subhalo and in the aperture."
    )
    require_flag: bool = Field(
        True,
        description="Leave out subhalos that SubhaloFlag marks as not of cosmological origin "
        "(where the catalogue has that flag).",
    )
    ids: list[int] | None = Field(
        None,
        min_length=1,
        description="Indices of the subhalos to take, further cut by the other settings; "
        "none for all.",
    )
    maximum: int | None = Field(
        None, ge=1, description="Take at most so many galaxies, the most massive; none for all."
    )
    aperture: float | None = Field(
        None,
        gt=0,
        description="Radius around the centre within which particles are kept, in aperture_unit; "
        "none to keep all particles of the subhalo.",
    )
    aperture_unit: Literal["kpc", "half_mass_radius"] = Field(
        "kpc", description="Unit of aperture: physical kpc, or stellar half-mass radii."
    )
    centre: Literal["catalogue", "shrinking_sphere"] = Field(
        "catalogue",
        description="Centre of a galaxy: the catalogue's most bound position (cutouts: the "
        "particle of lowest potential, or the shrinking sphere if the file has none), or always "
        "the centre of a sphere that shrinks onto the stars.",
    )
    frame_radius: float = Field(
        2.0,
        gt=0,
        description="Stars within so many half-mass radii set the bulk velocity, the disc frame "
        "and the axis ratio.",
    )
    dark_matter: bool = Field(False, description="Keep the dark matter particles too.")
    chunk: int = Field(
        500_000,
        ge=1000,
        description="Particles of a component that a rank reads at once; memory is about 250 bytes "
        "for each. A galaxy with more is read whole.",
    )

    @field_validator("ids")
    @classmethod
    def _ids_stand_once(cls, value: list[int] | None) -> list[int] | None:
        if value is None:
            return value
        if negative := [i for i in value if i < 0]:
            raise ValueError(f"subhalo indices start at 0, but {negative[0]} is listed")
        if twice := [i for i, n in Counter(value).items() if n > 1]:
            raise ValueError(f"{twice[0]} is listed more than once; list each subhalo once")
        return value

    @model_validator(mode="after")
    def _range_is_a_range(self) -> ExtractSettings:
        if self.max_stellar_mass is not None and self.max_stellar_mass <= self.min_stellar_mass:
            raise ValueError("max_stellar_mass must be larger than min_stellar_mass")
        return self
