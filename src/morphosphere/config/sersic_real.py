"""Settings of real images of galaxies that structural parameters are measured on."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from morphosphere.config.base import Settings

#: Columns of structural parameters that a table of stamps may give.
_SERSIC = ("magnitude", "radius", "sersic_index", "axis_ratio", "position_angle")
_LABELS = (*_SERSIC, "bulge_radius", "bulge_to_total")


class RealSettings(Settings):
    """A set of real images: a RealGalaxyCatalog of GalSim, or a folder of stamps.

    Numbers such as a pixel size may be given as the name of a column of `table` or of a key of the
    FITS header, in which the number of each stamp is.
    """

    kind: Literal["real_galaxy_catalog", "stamps"] = Field(
        "real_galaxy_catalog",
        description="real_galaxy_catalog: a catalogue of GalSim with its images and PSFs; stamps: "
        "a folder of FITS files, one galaxy in the middle of each.",
    )
    path: str = Field(
        min_length=1,
        description="The catalogue (FITS; images, PSFs and noise are in the same folder), or the "
        "folder of stamps.",
    )
    labels: Literal["auto", "catalogue", "fit", "none"] = Field(
        "auto",
        description="Where structural parameters to compare with come from. catalogue: from the "
        "Sérsic fits of the catalogue, or from `columns` of `table`; fit: a least-squares fit to "
        "the stamp at its own sampling; auto: the catalogue, or the table, where it has all of "
        "them, else a fit; none. Without all of them no model is adapted.",
    )
    rebin: int | None = Field(
        None,
        ge=1,
        le=16,
        description="Pixels that are added up to one, across. Null: 2 for a catalogue of GalSim "
        "(0.06 arcsec), 1 for stamps.",
    )
    size: int = Field(128, ge=16, le=1024, description="Width and height of the images in pixels.")
    padding: Literal["noise", "edge"] = Field(
        "noise",
        description="How stamps narrower than `size` are filled up: with noise as strong as "
        "theirs, which looks like the sky around a galaxy (their own part alone is fitted); or "
        "with their edges repeated.",
    )
    faintest: float | None = Field(
        None,
        description="Take only galaxies up to this magnitude: of the catalogue, or of `columns`.",
    )
    limit: int | None = Field(None, ge=1, description="Take only the first so many; null: all.")
    band: str = Field("F814W", min_length=1, description="Name of the channel.")
    fits: str | None = Field(
        None,
        min_length=1,
        description="Table of fits of the catalogue; null: <catalogue>_fits.fits, if it is there.",
    )

    # of stamps
    pattern: str = Field("*.fits*", min_length=1, description="Which files of the folder.")
    hdu: int = Field(0, ge=0, description="HDU of the stamps.")
    table: str | None = Field(
        None, min_length=1, description="CSV table with a row for each stamp."
    )
    table_id: str = Field(
        "id", min_length=1, description="Its column with the names of files, without suffix."
    )
    columns: dict[str, str] = Field(
        {},
        description="Columns of the table with known structural parameters, by our names: "
        "{magnitude: MAG, radius: RE}. radius is the half-light radius along the major axis in "
        "arcsec, position_angle in degrees from the x axis, counter-clockwise.",
    )
    pixel_size: float | str | None = Field(
        None, description="Arcsec of a pixel: a number or a name; null: from the WCS of the header."
    )
    zero_point: float | str = Field(
        25.94,
        description="AB magnitude of a pixel sum of 1: a number or a name. GalSim's COSMOS: 25.94.",
    )
    gain: float | str = Field(
        2028.0,
        description="Electrons of a unit of the image: a number or a name. Where the unit is "
        "electron/s, it is the exposure time; GalSim's COSMOS: 2028 s.",
    )
    sky_noise: float | str | None = Field(
        None,
        description="Standard deviation of a pixel of a stamp without sources: a number or a "
        "name; null: from the catalogue, or measured in the stamp's border.",
    )
    subtract_sky: bool = Field(
        True, description="Stamps: subtract the median of the border, without its bright pixels."
    )
    psf: str | None = Field(
        None,
        min_length=1,
        description="Stamps: FITS file of the PSF; {id} in it stands for the name of the stamp.",
    )
    psf_scale: float | None = Field(
        None, gt=0, description="Arcsec of a sample of the PSF; null: from its header."
    )
    psf_hdu: int = Field(0, ge=0, description="HDU of the PSF.")
    psf_includes_pixel: bool = Field(
        True, description="Whether samples of the PSF are pixels that gathered light, as of stars."
    )

    @model_validator(mode="after")
    def _agree(self) -> RealSettings:
        if unknown := sorted(set(self.columns) - set(_LABELS)):
            raise ValueError(f"columns: no parameter {unknown[0]!r}; known: {', '.join(_LABELS)}")
        if self.columns and self.table is None:
            raise ValueError("columns needs table")
        if self.kind == "stamps":
            if self.psf is None:
                raise ValueError("psf is required for stamps: without it nothing can be measured")
            missing = {"gain", "zero_point"} - self.model_fields_set
            if missing:
                raise ValueError(f"{sorted(missing)[0]} is required for stamps")
            if self.labels == "catalogue" and not self.columns:
                raise ValueError("labels: catalogue needs table and columns")
        for name in ("pixel_size", "gain", "sky_noise"):
            value = getattr(self, name)
            if isinstance(value, float) and not value > 0:
                raise ValueError(f"{name} must be above 0")
        if self.size % 2:
            raise ValueError("size must be even")
        return self

    @property
    def all_columns(self) -> bool:
        """Whether `columns` names every parameter of a Sérsic profile."""
        return set(_SERSIC) <= set(self.columns)

    @property
    def has_labels(self) -> bool:
        """Whether images may have all structural parameters, to learn from them."""
        if self.kind == "stamps" and self.labels == "catalogue":
            return self.all_columns
        return self.labels != "none"

    @property
    def bins(self) -> int:
        """Pixels that are added up to one, across."""
        return self.rebin or (2 if self.kind == "real_galaxy_catalog" else 1)

    def files(self) -> dict[str, str]:
        """Files and folders that are read, by the keys that name them."""
        named = {"path": self.path, "table": self.table, "fits": self.fits}
        if self.psf is not None:
            named["psf"] = self.psf if "{id}" not in self.psf else str(Path(self.psf).parent)
        return {key: path for key, path in named.items() if path is not None}
