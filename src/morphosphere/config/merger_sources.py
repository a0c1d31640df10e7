"""Settings of the sources of mergers that are not simulated here: runs, DeepGalaxy, real images."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from morphosphere.config.base import Settings

#: Coordinates x, y, z as names of columns.
_Three = tuple[str, str, str]


class RunTableSettings(Settings):
    """Names of the columns of a run's table."""

    file: str = Field("file", description="Name of the snapshot's file, or its number.")
    time: str = Field("time_myr", description="Time.")
    time_unit: Literal["Myr", "Gyr", "yr"] = Field("Myr", description="Unit of the times.")
    position_1: _Three | None = Field(
        ("x1_kpc", "y1_kpc", "z1_kpc"),
        description="Position of the nucleus of galaxy 1 in kpc, in the axes of the snapshots; "
        "none measures it (needs galaxy_1).",
    )
    position_2: _Three | None = Field(
        ("x2_kpc", "y2_kpc", "z2_kpc"), description="The same of galaxy 2."
    )

    @model_validator(mode="after")
    def _both_or_none(self) -> RunTableSettings:
        if (self.position_1 is None) != (self.position_2 is None):
            raise ValueError("name the columns of position_1 and position_2, or of neither")
        return self


class RunSettings(Settings):
    """One N-body run of a merger: a folder of snapshots."""

    path: str = Field(
        min_length=1,
        description="Folder with snap*_NNN.hdf5 or snapdir_NNN/, or in which each file is a "
        "snapshot.",
    )
    family: Literal["auto", "isolated", "cutouts", "galaxychop"] = Field(
        "auto",
        description="Family of the files, as of a simulation; auto takes numbered snapshots whole "
        "(isolated), else looks at each file.",
    )
    snapshots: list[int] | None = Field(
        None, min_length=1, description="Snapshot numbers; none takes all that are there."
    )
    table: str | None = Field(
        None,
        min_length=1,
        description="CSV, ECSV, FITS, VOTable or Parquet with a row per snapshot: time and "
        "positions of both nuclei. Relative to `path` if it is not found as it stands.",
    )
    columns: RunTableSettings = Field(
        default_factory=RunTableSettings, description="Names of the table's columns."
    )
    galaxy_1: list[tuple[int, int]] | None = Field(
        None,
        min_length=1,
        description="Ranges of particle ids, first and last, that belong to galaxy 1. With them, "
        "the mass ratio is measured at the first snapshot, and without a table also nuclei, "
        "velocities and orbit.",
    )
    galaxy_2: list[tuple[int, int]] | None = Field(
        None,
        min_length=1,
        description="Ranges of particle ids of galaxy 2; none takes all others.",
    )
    mass_ratio: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Total mass of the less massive galaxy over that of the other, if it is known "
        "from the initial conditions.",
    )
    size_ratio: float | None = Field(
        None,
        gt=0,
        le=100,
        description="Disc scale length of the less massive galaxy over that of the other, if it "
        "is known.",
    )
    eccentricity: float | None = Field(
        None, ge=0, description="Eccentricity of the initial orbit, if it is known."
    )
    first_pericentre: float | None = Field(
        None,
        description="Time of the first pericentre in Myr, in the times of table or snapshots; none "
        "finds it from the positions of the nuclei.",
    )
    coalescence_separation: float = Field(
        1.0,
        gt=0,
        le=100,
        description="The galaxies have coalesced when their nuclei stay within so many kpc.",
    )
    train: bool = Field(
        False, description="Whether the model is trained on these moments, or only tested."
    )

    @field_validator("snapshots")
    @classmethod
    def _named_once(cls, value: list[int] | None) -> list[int] | None:
        if value is not None and (len(set(value)) < len(value) or min(value) < 0):
            raise ValueError("snapshot numbers must be zero or more, each named once")
        return value

    @field_validator("galaxy_1", "galaxy_2")
    @classmethod
    def _ranges(cls, value: list[tuple[int, int]] | None) -> list[tuple[int, int]] | None:
        for low, high in value or ():
            if low > high or low < 0:
                raise ValueError(
                    f"a range of ids is [first, last], both zero or more; got [{low}, {high}]"
                )
        return value

    @model_validator(mode="after")
    def _agree(self) -> RunSettings:
        if self.galaxy_2 is not None:
            if self.galaxy_1 is None:
                raise ValueError("galaxy_2 needs galaxy_1")
            for low, high in self.galaxy_2:
                for first, last in self.galaxy_1:
                    if low <= last and first <= high:
                        raise ValueError(
                            f"galaxy_2: ids {max(low, first)} to {min(high, last)} are in galaxy_1 "
                            "too"
                        )
        measured = self.table is None or self.columns.position_1 is None
        if measured and self.galaxy_1 is None:
            raise ValueError(
                "where the nuclei are is not known: give `table` with their positions, or "
                "`galaxy_1` with the ids of its particles"
            )
        return self


class RealMergersSettings(Settings):
    """A folder of real images of mergers, and what is known of them.

    Values named in the settings (a pixel scale, a redshift, a position) are looked for by their
    names in the table, then in the files beside the image, then in the FITS header.
    """

    # where the images are
    path: str = Field(min_length=1, description="Folder with the images.")
    pattern: str = Field(
        "**/*",
        min_length=1,
        description="Which files are images, as of a survey: a glob in which {id} stands for the "
        "image's id and {band} for each of `bands`, one file per band.",
    )
    bands: list[str] | None = Field(
        None, min_length=1, max_length=12, description="Bands of the files, for {band}."
    )
    hdu: int | str | None = Field(
        None, description="FITS: index or name of the HDU; none takes the first with an image."
    )
    limit: int | None = Field(None, ge=1, description="Take only the first so many images.")

    # what is in a file
    pixels: Literal["flux", "magnitudes"] = Field(
        "flux",
        description="Pixels are fluxes, or magnitudes per area (zero point 22.5; an infinite "
        "magnitude is no flux).",
    )
    lupton_q: float | None = Field(
        None,
        gt=0,
        le=1000,
        description="Pictures: softening Q of the stretch of Lupton et al. (2004), asinh(Q I)/Q, "
        "which is undone. None takes the values of the picture as fluxes; set it only where the "
        "stretch is known.",
    )
    subtract_sky: bool = Field(True, description="Subtract the level of the sky.")
    mask_stars: bool = Field(
        True,
        description="Take out compact bright sources away from the nuclei, and objects that are "
        "not connected with the galaxies and are much smaller than they.",
    )

    # what is known of an image
    side_files: list[str] = Field(
        [],
        description="Suffixes of files beside an image, of the same stem, with lines key=value: "
        "['.meta', '.pair'] for Galaxy Zoo: Mergers. Of values of one "
        "name, that of the first counts.",
    )
    table: str | None = Field(
        None, min_length=1, description="Table with a row per image, as of a survey."
    )
    table_id: str | None = Field(
        None, description="Column of the table with the ids; none takes the first."
    )
    pixel_scale: float | str = Field(
        description="Width of a pixel, a number or the name of a value, in pixel_scale_unit."
    )
    pixel_scale_unit: Literal["arcsec", "deg", "kpc", "pc"] = Field(
        "arcsec", description="Unit of pixel_scale; angles need a redshift or a distance."
    )
    redshift: float | str | None = Field(
        None, description="Redshift (Planck 2018 cosmology), a number or the name of a value."
    )
    distance: float | str | None = Field(
        None,
        description="Distance in Mpc, for galaxies nearby, instead of a distance by redshift.",
    )
    nuclei: tuple[str, str, str, str] | None = Field(
        None, description="Names of the values x and y of the first nucleus and of the second."
    )
    nuclei_unit: Literal["pixel", "kpc", "deg"] = Field(
        "pixel",
        description="Unit of `nuclei`. pixel: in pictures from 0 at the left and the top, in FITS "
        "files from 1 at the left and the bottom; kpc: to the right and upwards from the image's "
        "reference pixel (CRPIX) or centre; deg: right ascension and declination by the WCS.",
    )
    masses: tuple[str, str] | None = Field(
        None, description="Names of the values of both masses; their ratio becomes mass_ratio."
    )
    mass_bounds: tuple[str, str, str, str] | None = Field(
        None,
        description="Names of the least and the greatest mass of the first galaxy and of the "
        "second.",
    )
    encounter_models: str | None = Field(
        None,
        min_length=1,
        description="Name, in which {id} stands for the image's id, of a file beside the image "
        "with scored encounter models of the code JSPAM, as of Galaxy Zoo: Mergers.",
    )
    best_models: int = Field(
        20, ge=1, le=10_000, description="Number of encounter models, best scored, that count."
    )
    is_encounter: bool | None = Field(
        True, description="Whether the images show encounters; none if it is not known."
    )

    # how they come into the frame
    centre: Literal["light", "nuclei", "image"] = Field(
        "light",
        description="What is put at the centre: the centre of the galaxies' light, the middle of "
        "the nuclei, or the centre of the image.",
    )
    train: bool = Field(
        False, description="Whether the model is trained on these images, or only tested."
    )

    @model_validator(mode="after")
    def _agree(self) -> RealMergersSettings:
        if ("{band}" in self.pattern) != (self.bands is not None):
            raise ValueError("pattern holds {band} where `bands` are named, and only there")
        if "{band}" in self.pattern and "{id}" not in self.pattern:
            raise ValueError("pattern holds {band}: it also needs {id}")
        if isinstance(self.pixel_scale, float) and not self.pixel_scale > 0:
            raise ValueError("pixel_scale must be above zero")
        angle = self.pixel_scale_unit in ("arcsec", "deg")
        if angle and self.redshift is None and self.distance is None:
            raise ValueError(
                "pixel_scale is an angle: give redshift or distance (or pixel_scale in kpc)"
            )
        if self.centre == "nuclei" and self.nuclei is None:
            raise ValueError("centre is nuclei: name their values in `nuclei`")
        if self.mass_bounds is not None and self.masses is None:
            raise ValueError("mass_bounds needs masses")
        return self


class DeepGalaxySettings(Settings):
    """A file in the HDF5 layout of DeepGalaxy, and how it is read and written."""

    path: str = Field(min_length=1, description="The HDF5 file.")
    cameras: list[int] | None = Field(
        None, min_length=1, description="Reading: numbers of the cameras; none takes all."
    )
    first_pericentre: float | dict[str, float] | None = Field(
        None,
        description="Reading: time of the first pericentre in Myr, in the times of the file: one "
        "for all groups, or by the group's name. Where it is not known, so is the time since it.",
    )
    field_of_view: float | None = Field(
        None, gt=0, description="Reading: width of the images in kpc, if it is known."
    )
    size: int | None = Field(
        None,
        ge=8,
        le=4096,
        description="Reading: width and height that images are brought to; none as stored.",
    )
    channels: list[str] | None = Field(
        None,
        min_length=1,
        max_length=3,
        description="Reading: names of the channels; none takes grey, or R, G, B. One name for "
        "images in colour makes them grey (mean of the channels).",
    )
    dtype: Literal["float32", "uint8"] = Field(
        "float32", description="Writing: pixels from 0 to 1, or from 0 to 255."
    )
    stretch: Literal["none", "linear", "asinh"] = Field(
        "asinh",
        description="Writing: how float pixels come into 0 to 1. none: they are there already; "
        "linear: over the image's maximum; asinh: asinh(a x / maximum) / asinh(a). Images of uint8 "
        "are written as they are, over 255.",
    )
    stretch_factor: float = Field(1000.0, gt=0, description="Writing: the factor a of asinh.")
    train: bool = Field(True, description="Whether the model is trained on these images.")
