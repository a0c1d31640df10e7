"""Settings of simulated images of galaxies with known structural parameters."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from morphosphere.config.base import Settings

#: Sérsic indices that GalSim can draw, with which ours are compared.
INDEX_LIMITS = (0.3, 6.2)


def _rising(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        raise ValueError("the first number must not be above the second")
    return value


def _positive(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] <= 0:
        raise ValueError("both numbers must be above 0")
    return value


#: Two numbers of which the first is not the larger; and two that are positive as well.
Range = Annotated[tuple[float, float], AfterValidator(_rising)]
PositiveRange = Annotated[Range, AfterValidator(_positive)]


class PsfSettings(Settings):
    """Point-spread functions of the images."""

    kind: Literal["moffat", "airy", "file"] = Field(
        "moffat", description="Moffat or Airy profiles that are drawn at random, or a file."
    )
    number: int = Field(
        64, ge=1, le=4096, description="How many are drawn; each image takes one of them."
    )
    fwhm: PositiveRange = Field(
        (0.09, 0.15), description="Full width at half maximum in arcseconds, without the pixel."
    )
    beta: PositiveRange = Field((3.0, 3.0), description="Exponent of Moffat profiles, above 1.1.")
    obscuration: float = Field(
        0.0, ge=0, lt=0.95, description="Width of the hole of an Airy profile's aperture, over its."
    )
    ellipticity: float = Field(
        0.03, ge=0, lt=0.5, description="Largest ellipticity (1 - q) / (1 + q) of drawn profiles."
    )
    file: str | None = Field(
        None,
        min_length=1,
        description="FITS file of one picture, or of a cube of them, of a point-spread function "
        "(kind: file).",
    )
    hdu: int = Field(0, ge=0, description="HDU of the file.")
    scale: float | None = Field(
        None,
        gt=0,
        description="Arcseconds per sample of the file; null takes them from its header.",
    )
    includes_pixel: bool = Field(
        False,
        description="Whether the file's samples are pixels that gathered light, as those of a "
        "star's image are; what the pixel did to them is then undone.",
    )

    @model_validator(mode="after")
    def _is_sound(self) -> PsfSettings:
        if (self.kind == "file") != (self.file is not None):
            raise ValueError("kind: file and the name of a file go together")
        if self.beta[0] <= 1.1:
            raise ValueError("beta must be above 1.1, or the light has no end")
        return self


class NeighbourSettings(Settings):
    """Other galaxies in the stamp; shapes from the same ranges as those of the galaxy."""

    number: float = Field(0.0, ge=0, le=20, description="Mean number in a stamp (Poisson).")
    magnitude: Range = Field((19.0, 25.0), description="Brightest and faintest, uniform.")
    distance: PositiveRange = Field(
        (1.0, 6.0), description="From the galaxy's centre in arcseconds, uniform in area."
    )


class RealGalaxySettings(Settings):
    """Galaxies of a GalSim RealGalaxyCatalog among those with profiles."""

    catalog: str | None = Field(
        None,
        min_length=1,
        description="The catalogue (FITS); null for none. The fits of Sérsic profiles, which give "
        "the labels, are in the table beside it whose name ends in _fits.",
    )
    fraction: float = Field(
        0.1, ge=0, le=1, description="Share of the simulated galaxies that are real ones."
    )


class SimulateSettings(Settings):
    """Images of galaxies with known structural parameters, drawn with GalSim's conventions."""

    number: int = Field(5000, ge=1, le=10_000_000, description="Galaxies that are drawn.")
    shards: int = Field(4, ge=1, le=1000, description="Files that they are written to.")
    components: Literal[1, 2] = Field(
        1,
        description="1: a Sérsic profile. 2: an exponential disc and a de Vaucouleurs bulge of the "
        "same centre, shape and angle.",
    )
    magnitude: Range = Field((18.0, 23.0), description="Total AB magnitude, uniform.")
    radius: PositiveRange = Field(
        (0.2, 2.0),
        description="Half-light radius along the major axis in arcseconds, uniform in the "
        "logarithm; that of the disc with two components.",
    )
    sersic_index: PositiveRange = Field(
        (0.5, 6.0), description="Sérsic index, uniform in the logarithm; from 0.3 to 6.2."
    )
    axis_ratio: PositiveRange = Field((0.2, 1.0), description="Minor over major axis, uniform.")
    bulge_to_total: Range = Field(
        (0.0, 1.0), description="Light of the bulge over all light, uniform."
    )
    bulge_radius_ratio: PositiveRange = Field(
        (0.1, 0.6),
        description="Half-light radius of the bulge over that of the disc, uniform in the "
        "logarithm.",
    )
    table: str | None = Field(
        None,
        min_length=1,
        description="CSV, FITS or Parquet file with the columns magnitude, radius, sersic_index "
        "and axis_ratio (two components: magnitude, radius, bulge_radius, bulge_to_total and "
        "axis_ratio) from whose rows galaxies are drawn instead of from the ranges; position_angle "
        "is taken from it where it is there.",
    )
    centre: float = Field(
        0.5,
        ge=0,
        le=20,
        description="Largest shift of the galaxy's centre from that of the stamp in each "
        "direction, in pixels, uniform.",
    )
    size: int = Field(
        128, ge=16, le=1024, multiple_of=2, description="Width of the images in pixels."
    )
    stamp_size: tuple[int, int] = Field(
        (96, 192),
        description="Smallest and largest width of the stamps in pixels, uniform and even: larger "
        "ones are cropped to `size`, smaller ones get the pixels of their edge around them.",
    )
    pixel_size: float = Field(0.06, gt=0, description="Width of a pixel in arcseconds.")
    zero_point: float = Field(25.94, description="AB magnitude of one electron per second.")
    exposure: PositiveRange = Field(
        (1000.0, 4000.0), description="Exposure time in seconds, uniform in the logarithm."
    )
    sky: float = Field(
        24.8, ge=0, description="Light of the sky in electrons per second and square arcsecond."
    )
    sky_factor: PositiveRange = Field(
        (1.0, 1.0), description="Factor of the sky's light, uniform in the logarithm."
    )
    read_noise: float = Field(5.0, ge=0, description="Noise of reading a pixel, in electrons.")
    reads: int = Field(4, ge=1, description="Readings that are added up in an image.")
    band: str = Field("F814W", min_length=1, description="Name of the channel.")
    psf: PsfSettings = Field(default_factory=PsfSettings, description=PsfSettings.__doc__)
    neighbours: NeighbourSettings = Field(
        default_factory=NeighbourSettings, description=NeighbourSettings.__doc__
    )
    real: RealGalaxySettings = Field(
        default_factory=RealGalaxySettings, description=RealGalaxySettings.__doc__
    )

    @model_validator(mode="after")
    def _is_sound(self) -> SimulateSettings:
        low, high = INDEX_LIMITS
        if not low <= self.sersic_index[0] <= self.sersic_index[1] <= high:
            raise ValueError(f"sersic_index must be within {low} and {high}")
        if self.axis_ratio[0] < 0.05 or self.axis_ratio[1] > 1:
            raise ValueError("axis_ratio must be within 0.05 and 1")
        if self.bulge_to_total[0] < 0 or self.bulge_to_total[1] > 1:
            raise ValueError("bulge_to_total must be within 0 and 1")
        if not 16 <= self.stamp_size[0] <= self.stamp_size[1] <= 4096:
            raise ValueError("stamp_size must be two rising numbers from 16 to 4096")
        if any(width % 2 for width in self.stamp_size):
            raise ValueError("stamp_size must be even, or the centre would move by half a pixel")
        if self.sky == 0 and self.read_noise == 0:
            raise ValueError("sky and read_noise are both 0: images need some noise")
        if self.shards > self.number:
            raise ValueError("there are more shards than galaxies")
        if self.components == 2 and self.real.catalog is not None:
            raise ValueError("real galaxies have labels of one component; set components: 1")
        return self
