"""Settings of the mock simulation box."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from morphosphere.config.base import Settings


class FamilySettings(Settings):
    """Shares of the families among the galaxies; they are scaled to add up to one."""

    spiral: float = Field(0.45, ge=0, description="Discs with spiral arms, many of them barred.")
    lenticular: float = Field(0.10, ge=0, description="Old smooth discs with a large bulge.")
    elliptical: float = Field(0.17, ge=0, description="Old triaxial galaxies, dwarfs included.")
    irregular: float = Field(0.14, ge=0, description="Lopsided, clumpy, star-forming galaxies.")
    pair: float = Field(
        0.06, ge=0, description="Galaxies in close pairs with tidal debris, a subhalo each."
    )
    merger: float = Field(
        0.08, ge=0, description="Galaxies caught while merging: two nuclei in one subhalo."
    )

    @model_validator(mode="after")
    def _some(self) -> FamilySettings:
        if not sum(self.model_dump().values()) > 0:
            raise ValueError("at least one family must have a share above zero")
        return self


class MockSettings(Settings):
    """A small simulation box in the IllustrisTNG layout, with galaxies that look like galaxies."""

    galaxies: int = Field(
        520, ge=1, le=10_000_000, description="Number of galaxies with stars in the box."
    )
    files: int = Field(
        4, ge=1, le=4096, description="Number of files of the snapshot and of its catalogue."
    )
    snapshot: int = Field(99, ge=0, le=999, description="Snapshot number.")
    redshift: float = Field(0.0, ge=0, le=8, description="Redshift of the snapshot.")
    box_size: float = Field(
        35000.0, ge=1000, le=1e7, description="Side of the periodic box in comoving kpc/h."
    )
    mass_range: tuple[float, float] = Field(
        (9.3, 11.3),
        description="Lowest and highest stellar mass of a galaxy, log10 of solar masses.",
    )
    star_mass: float = Field(
        2.5e6,
        ge=1,
        le=1e9,
        description="Mass resolution: solar masses per star particle; with the galaxy's mass it "
        "sets the number of stars.",
    )
    stars_range: tuple[int, int] = Field(
        (2500, 60000),
        description="Least and greatest number of star particles of a galaxy, whatever its mass.",
    )
    gas_per_star: float = Field(
        0.3, ge=0, le=10, description="Gas cells per star particle in a gas-rich galaxy."
    )
    dark_matter_mass: float = Field(
        2e9, gt=0, le=1e13, description="Solar masses per dark matter particle."
    )
    starless: float = Field(
        0.2, ge=0, le=10, description="Subhalos without any star, per galaxy with stars."
    )
    barred: float = Field(0.45, ge=0, le=1, description="Share of the spirals that have a bar.")
    families: FamilySettings = Field(
        default_factory=FamilySettings, description=FamilySettings.__doc__
    )
    workers: int = Field(
        1, ge=1, le=256, description="Processes that make galaxies; the box is the same for any."
    )

    @field_validator("mass_range")
    @classmethod
    def _masses_rise(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not 6 <= value[0] < value[1] <= 12.5:
            raise ValueError("mass_range must be two rising numbers between 6 and 12.5")
        return value

    @field_validator("stars_range")
    @classmethod
    def _numbers_rise(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not 10 <= value[0] <= value[1] <= 100_000_000:
            raise ValueError("stars_range must be two rising numbers between 10 and 100000000")
        return value
