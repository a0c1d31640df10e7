"""Settings of the simulated encounters of galaxies."""

from __future__ import annotations

import math

from pydantic import Field, field_validator, model_validator

from morphosphere.config.base import Settings

Range = tuple[float, float]


class EncounterSettings(Settings):
    """Restricted N-body simulations of encounters: what is drawn, and how it is simulated.

    Ranges are pairs of the least and the greatest value.
    """

    number: int = Field(1500, ge=1, le=100_000, description="Number of encounters.")
    singles: float = Field(
        0.08,
        ge=0,
        le=10,
        description="Undisturbed single galaxies per encounter, with as many moments each.",
    )
    shards: int = Field(
        4, ge=1, le=10_000, description="Files that the encounters are spread over, a job each."
    )
    stars: int = Field(
        4000, ge=20, le=10_000_000, description="Star particles of an encounter, in both galaxies."
    )
    moments: int | None = Field(
        8,
        ge=1,
        description="Moments kept of each encounter, one at random in each of as many equal parts "
        "of its time; null keeps one every `interval`.",
    )
    interval: float = Field(
        5.0, gt=0, le=1000, description="Time between moments that can be kept, in Myr."
    )
    neighbours: int = Field(
        32,
        ge=2,
        le=1024,
        description="Stars within a smoothing length, which is written for the render stage.",
    )
    velocities: bool = Field(
        False, description="Whether velocities are written, which the velocity channels need."
    )
    mass: float = Field(
        6e11, ge=1e8, le=1e14, description="Median total mass of the primary in solar masses."
    )
    mass_scatter: float = Field(0.1, ge=0, le=1, description="Scatter of that mass in dex.")
    mass_ratio: Range = Field(
        (0.25, 1.0), description="Total mass of the secondary over the primary's; log-uniform."
    )
    disc_scale: float = Field(
        3.0,
        gt=0,
        le=100,
        description="Median scale length in kpc of the disc of a primary with the mass `mass`; it "
        "grows with the cube root of the mass.",
    )
    disc_scale_scatter: float = Field(0.08, ge=0, le=1, description="Its scatter in dex.")
    size_scatter: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Scatter in dex of the ratio of scale lengths about the cube root of the mass "
        "ratio.",
    )
    halo_scale: float = Field(
        18.6,
        gt=0,
        le=1000,
        description="Scale radius in kpc of the Hernquist halo of a galaxy with the mass `mass`; "
        "it grows with the cube root of the mass.",
    )
    stellar_fraction: float = Field(
        0.075, gt=0, lt=0.5, description="Stellar over total mass of a galaxy."
    )
    stellar_scatter: float = Field(
        0.05, ge=0, le=0.3, description="Scatter of that fraction in dex, from galaxy to galaxy."
    )
    bulge_fraction: Range = Field(
        (0.05, 0.35), description="Bulge over stellar mass of a galaxy; uniform."
    )
    thickness: float = Field(
        0.2, gt=0.01, le=1, description="Height of the discs (sech^2) over their scale length."
    )
    toomre_q: float = Field(
        1.3, ge=0, le=10, description="Toomre's Q of the discs at 2.5 scale lengths."
    )
    pericentre: Range = Field(
        (2.0, 10.0),
        description="First pericentre of the orbit without friction, in kpc; uniform.",
    )
    eccentricity: Range = Field(
        (0.9, 1.0),
        description="Eccentricity; uniform. 1 is parabolic; the speed at pericentre is the escape "
        "speed there times sqrt((1 + e) / 2), as on Kepler orbits.",
    )
    start_separation: float = Field(
        70.0, gt=0, le=1000, description="Separation at which an encounter starts, in kpc."
    )
    start_time: float = Field(
        250.0,
        gt=0,
        le=10_000,
        description="Longest time before pericentre, in Myr.",
    )
    remnant_time: float = Field(
        50.0, ge=0, le=10_000, description="An encounter ends this after the nuclei merge, in Myr."
    )
    max_time: float = Field(
        1000.0, gt=0, le=20_000, description="It ends at the latest this after pericentre, in Myr."
    )
    friction: float = Field(
        0.885,
        ge=0,
        le=100,
        description="Coulomb logarithm of the dynamical friction; 0 is none.",
    )
    merging_distance: float = Field(
        2.0,
        gt=0,
        le=50,
        description="Nuclei have merged when they can no longer part by more than this, in kpc.",
    )
    softening: float = Field(
        0.2, ge=0, le=10, description="Softening of halo and bulge for the stars, in kpc."
    )
    step: float = Field(1.0, gt=0, le=20, description="Time step of the stars, in Myr.")

    @field_validator("mass_ratio", "bulge_fraction", "pericentre", "eccentricity")
    @classmethod
    def _ranges_rise(cls, value: Range) -> Range:
        if value[0] > value[1]:
            raise ValueError("the least value comes first")
        return value

    @field_validator("mass_ratio")
    @classmethod
    def _ratios(cls, value: Range) -> Range:
        if not 0.001 <= value[0] <= value[1] <= 1:
            raise ValueError("mass ratios are between 0.001 and 1")
        return value

    @field_validator("bulge_fraction")
    @classmethod
    def _shares(cls, value: Range) -> Range:
        if not 0 <= value[0] <= value[1] <= 1:
            raise ValueError("shares are between 0 and 1")
        return value

    @field_validator("eccentricity")
    @classmethod
    def _eccentricities(cls, value: Range) -> Range:
        if not 0.3 <= value[0] <= value[1] <= 10:
            raise ValueError(
                "eccentricities are between 0.3 (rounder orbits have no pericentre to speak of) "
                "and 10"
            )
        return value

    @model_validator(mode="after")
    def _starts_outside(self) -> EncounterSettings:
        if not 0 < self.pericentre[0] <= self.pericentre[1] < self.start_separation:
            raise ValueError(
                "pericentre must be above 0 and below start_separation "
                f"({self.start_separation:g} kpc)"
            )
        steps = self.interval / self.step
        if not math.isclose(steps, round(steps), rel_tol=1e-6) or round(steps) < 1:
            raise ValueError(f"interval must be a multiple of step ({self.step:g} Myr)")
        return self
