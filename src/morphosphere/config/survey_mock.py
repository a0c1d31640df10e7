"""Settings of the two mock surveys."""

from __future__ import annotations

from pydantic import Field, model_validator

from morphosphere.config.base import Settings


class FootprintSettings(Settings):
    """A piece of the sky between two meridians and two parallels."""

    ra: tuple[float, float] = Field(
        (0.0, 50.0), description="First and last right ascension in degrees."
    )
    dec: tuple[float, float] = Field(
        (-1.25, 1.25), description="First and last declination in degrees."
    )

    @model_validator(mode="after")
    def _rises(self) -> FootprintSettings:
        if not 0 <= self.ra[0] < self.ra[1] <= 360:
            raise ValueError("ra must be two rising numbers from 0 to 360")
        if not -90 <= self.dec[0] < self.dec[1] <= 90:
            raise ValueError("dec must be two rising numbers from -90 to 90")
        return self


class MockSurveySettings(Settings):
    """Two surveys of one sky, made of the pictures of a simulation: one labelled, one not.

    Each galaxy seen by each camera is an object of its own on the sky, at the same place in both.
    """

    sky: FootprintSettings = Field(
        FootprintSettings(), description="Where on the sky the objects are."
    )
    labelled: FootprintSettings = Field(
        FootprintSettings(ra=(0.0, 25.0)), description="What the labelled survey covers."
    )
    target: FootprintSettings = Field(
        FootprintSettings(ra=(20.0, 50.0)),
        description="What the other survey covers. By default a sixth of it has labels.",
    )
    astrometric_error: float = Field(
        0.2,
        ge=0,
        le=60,
        description="Scatter of the other survey's positions in each coordinate, in arcseconds.",
    )
    featured: str = Field(
        "sfr / stellar_mass > 6e-12",
        min_length=1,
        description="Expression of columns that is true of galaxies with features, such as arms "
        "and clumps; the others are smooth. In the mock box, star formation tells the two apart.",
    )
    volunteers: float = Field(
        40.0, ge=1, le=10_000, description="Mean number of volunteers who look at an object."
    )
    sureness: tuple[float, float] = Field(
        (0.6, 0.97),
        description="Chance that a volunteer sees what is there in the smallest and faintest, and "
        "in the largest and brightest galaxy.",
    )
    artifact: float = Field(
        0.02, ge=0, lt=1, description="Chance that a volunteer takes an object for an artefact."
    )

    @model_validator(mode="after")
    def _rises(self) -> MockSurveySettings:
        if not 0.5 <= self.sureness[0] <= self.sureness[1] <= 1:
            raise ValueError("sureness must be two rising numbers from 0.5 to 1")
        return self
