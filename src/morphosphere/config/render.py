"""Settings of the render stage."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from morphosphere.config.base import Settings
from morphosphere.stellar_populations import BANDS

#: Channels that are not photometric bands, with their unit and what they show.
MAPS = {
    "stellar_mass": ("solMass/kpc2", "surface density of stars"),
    "gas": ("solMass/kpc2", "surface density of gas"),
    "dark_matter": ("solMass/kpc2", "surface density of dark matter"),
    "sfr": ("solMass/yr/kpc2", "surface density of star formation"),
    "age": ("Gyr", "mean age of the stars, by mass"),
    "metallicity": ("", "mean metallicity of the stars, by mass"),
    "velocity": (
        "km/s",
        "mean velocity of the stars away from the camera",
    ),
    "velocity_dispersion": ("km/s", "velocity dispersion of the stars along the line of sight"),
}
#: Surveys that can be mocked and their bands, see `morphosphere.render.surveys`.
SURVEYS = {
    "SDSS": "ugriz",
    "DES": "griz",
    "LSST": "ugrizy",
    "HSC": "grizy",
    "Euclid": "riz",
    "HST": "iI",
}


class CameraSettings(Settings):
    """How many pictures of each galaxy are taken, and from where."""

    isotropic: int = Field(
        6,
        ge=0,
        le=10_000,
        description="Cameras spread evenly over all directions, turned at random per galaxy.",
    )
    random: int = Field(
        0, ge=0, le=10_000, description="Cameras in directions drawn at random per galaxy."
    )
    face_on: int = Field(
        0,
        ge=0,
        le=10_000,
        description="Cameras along the angular momentum of the stars, rolled in even steps.",
    )
    edge_on: int = Field(
        0, ge=0, le=10_000, description="Cameras in the plane of the disc, in even steps around it."
    )

    @model_validator(mode="after")
    def _at_least_one(self) -> CameraSettings:
        if not self.total:
            raise ValueError("give at least one camera of some kind")
        return self

    @property
    def total(self) -> int:
        """Number of pictures of each galaxy."""
        return self.isotropic + self.random + self.face_on + self.edge_on


class ObservationSettings(Settings):
    """A mock observation: the galaxy at a distance, through a telescope, with noise of the sky.

    Pixels become nanomaggies (AB magnitude 22.5 is one). Only photometric bands can be observed.
    Neither the shift of the spectrum by redshift nor dust are applied.
    """

    survey: Literal["SDSS", "DES", "LSST", "HSC", "Euclid", "HST"] = Field(
        "SDSS", description="Survey whose pixel scale, seeing and sky are used."
    )
    redshift: float | None = Field(
        0.05, gt=0, le=10, description="Redshift at which galaxies are put (Planck 2018 cosmology)."
    )
    distance: float | None = Field(
        None, gt=0, description="Distance in Mpc instead of a redshift, for galaxies nearby."
    )
    pixel_scale: float | None = Field(
        None,
        gt=0,
        description="Arcseconds per pixel, instead of the survey's. "
        "The field of view is size times this.",
    )
    psf: Literal["moffat", "gaussian", "none"] = Field(
        "moffat", description="Profile of the point spread function."
    )
    moffat_beta: float = Field(
        3.5, gt=1.1, le=100, description="Index of the Moffat profile; smaller has broader wings."
    )
    seeing: float | None = Field(
        None, gt=0, description="Full width at half maximum in arcseconds, instead of the survey's."
    )
    noise: bool = Field(True, description="Whether sky and photon noise are added.")

    @model_validator(mode="after")
    def _one_distance(self) -> ObservationSettings:
        if self.distance is None and self.redshift is None:
            raise ValueError("give redshift or distance")
        return self


class RenderSettings(Settings):
    """How galaxies become images."""

    size: int = Field(64, ge=8, le=4096, description="Width and height of an image in pixels.")
    channels: list[str] = Field(
        ["i", "r", "g"],
        min_length=1,
        max_length=12,
        description="Channels of an image, in order: photometric bands "
        f"({', '.join(BANDS)}; from the snapshot if it has them, else from age and metallicity) "
        f"or maps ({', '.join(MAPS)}).",
    )
    cameras: CameraSettings = Field(default_factory=CameraSettings, description="Cameras.")
    field_of_view: float = Field(
        6.0, gt=0, description="Width of the image, in the unit of field_of_view_unit."
    )
    field_of_view_unit: Literal["half_light_radius", "half_mass_radius", "kpc"] = Field(
        "half_light_radius",
        description="Unit of field_of_view; half_mass_radius stands in where there is no light.",
    )
    smallest_field_of_view: float = Field(
        2.0, gt=0, description="The image is never narrower than this, in kpc."
    )
    assumed_age: float | None = Field(
        None,
        gt=0,
        le=20,
        description="Age in Gyr of stars whose birth is not known, for bands computed from ages; "
        "without it, such stars are an error.",
    )
    assumed_metallicity: float = Field(
        0.0127, ge=0, le=1, description="Metallicity of stars for which it is not known."
    )
    smoothing: Literal["snapshot", "neighbours"] = Field(
        "snapshot",
        description="Smoothing lengths of the snapshot, if it has them, or always from neighbours.",
    )
    neighbours: int = Field(
        32, ge=2, le=1024, description="Number of neighbours within the radius of a kernel."
    )
    smoothing_factor: float = Field(
        1.5,
        gt=0,
        le=10,
        description="Factor on all smoothing lengths; above 1 hides the grain of particles.",
    )
    smallest_smoothing: float = Field(
        1.0, ge=0.25, le=100, description="The radius of a kernel is never below this, in pixels."
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "cpu",
        description="Where particles are projected: cpu, cuda for a GPU by PyTorch, auto for a GPU "
        "if there is one. Images differ by less than 1 % between the two.",
    )
    observation: ObservationSettings | None = Field(
        None, description="Mock observation; without it, images are free of noise."
    )

    @field_validator("channels")
    @classmethod
    def _channels_are_known(cls, value: list[str]) -> list[str]:
        known = [*BANDS, *MAPS]
        if unknown := [name for name in value if name not in known]:
            raise ValueError(f"no channel {', '.join(unknown)}; there are {', '.join(known)}")
        if len(set(value)) < len(value):
            raise ValueError("each channel can be named once")
        return value

    @model_validator(mode="after")
    def _bands_are_observed(self) -> RenderSettings:
        if self.observation:
            bands = SURVEYS[self.observation.survey]
            if missing := [name for name in self.channels if name not in tuple(bands)]:
                raise ValueError(
                    f"channels: {self.observation.survey} does not observe {', '.join(missing)}; "
                    f"with observation, name bands of {', '.join(bands)}"
                )
        return self
