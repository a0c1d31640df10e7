"""Settings of the collect stage: images that were not rendered here."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from morphosphere.config.base import Settings
from morphosphere.config.download import Hips2fitsSettings


class SurveySettings(Settings):
    """A folder of images and an optional table about them."""

    # where the images are
    hips2fits: Hips2fitsSettings | None = Field(
        None,
        description="Download the images by position, instead of a path: "
        "results/<run>/surveys/<name>/images/ then holds a file for each object.",
    )
    path: str | None = Field(
        None,
        min_length=1,
        validate_default=True,
        description="Folder with the images, or one HDF5 file; required without hips2fits.",
    )
    pattern: str = Field(
        "**/*",
        min_length=1,
        description="Which files below the folder are images: a glob, in which {id} stands for the "
        "image's id and {band} for each of `bands` in turn (several files per galaxy), as in "
        "'{id}_{band}.fits'. Without {id}, the id is the file's name without its suffix.",
    )
    format: Literal["auto", "picture", "fits", "hdf5"] = Field(
        "auto", description="Format of the files; auto tells by the suffix."
    )
    limit: int | None = Field(None, ge=1, description="Take only the first so many images.")
    train: bool = Field(
        True,
        description="Whether the model is trained on these images; otherwise they are placed and "
        "shown only, and adding them does not train again.",
    )

    # what is in a file
    hdu: int | str | list[int | str] | None = Field(
        None,
        description="FITS: index or name of the HDU; a list of them, one for each band; 'each' "
        "makes every image HDU an image of its own; none takes the first HDU with an image.",
    )
    dataset: str = Field("images", description="HDF5: path of the dataset with the images.")
    ids: str | None = Field(
        None, description="HDF5: path of the dataset with their ids; none numbers them."
    )
    bands: list[str] | None = Field(
        None,
        min_length=1,
        max_length=12,
        description="Names of the channels, in order; none takes R, G, B or grey for pictures and "
        "band1, band2, ... for others. Sources of one run need the same channels.",
    )
    colour: Literal["as stored", "grey", "rgb"] = Field(
        "as stored",
        description="Pictures: grey makes one channel of colour, rgb makes three of grey; as "
        "stored rejects pictures that differ from the first.",
    )
    magnitudes: bool = Field(
        False,
        description="Pixels are magnitudes (per area): they become fluxes with zero point 22.5, "
        "an infinite magnitude becomes flux 0.",
    )

    # what is known about them
    table: str | None = Field(
        None, description="Table with a row per image: CSV, ECSV, FITS, VOTable or Parquet."
    )
    table_id: str | None = Field(
        None, description="Column of the table that holds the ids; none takes the first column."
    )
    columns: list[str] | None = Field(
        None, description="Columns to keep; none keeps all numbers and strings."
    )
    missing: dict[str, float] = Field(
        default_factory=dict, description="By column, the number that stands for 'not known'."
    )
    name_columns: str | None = Field(
        None,
        description="Regular expression searched for in the file name; its named groups become "
        r"columns, as in 'ra(?P<ra>[-+.\d]+)_dec(?P<dec>[-+.\d]+)'.",
    )
    wcs: bool = Field(
        False, description="FITS: take ra and dec of the image's centre from its WCS."
    )

    # how they become one size
    size: int = Field(
        64, ge=8, le=4096, description="Width and height in pixels of the collected images."
    )
    fit: Literal["resample", "crop", "pad", "object"] = Field(
        "resample",
        description="How images of any size become one size. resample: the central `crop` of the "
        "image; crop: the central pixels, unscaled; pad: the same, smaller images get a border; "
        "object: a square around the central object, `object_scale` times as wide as it, so that "
        "galaxies fill their images equally.",
    )
    crop: float = Field(
        1.0, gt=0, le=1, description="resample: fraction of the smaller side that is kept."
    )
    object_scale: float = Field(
        1.5,
        gt=0,
        le=20,
        description="object: width of the square over the object's diameter (holds 90 % of its "
        "light).",
    )
    object_smallest: float = Field(
        24, ge=4, description="object: the square is never narrower than so many pixels."
    )
    object_required: bool = Field(
        False,
        description="object: reject images without an object at the centre; else `crop` applies.",
    )
    min_side: int = Field(8, ge=1, description="Images with a shorter side are rejected.")
    subtract_sky: bool = Field(
        False, description="Subtract each channel's level at the border of the file's image."
    )
    dtype: Literal["auto", "uint8", "float32"] = Field(
        "auto", description="Pixels as stored; auto is uint8 for 8-bit pictures, else float32."
    )

    @field_validator("path")
    @classmethod
    def _one_source(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("hips2fits", ...) is None:
            raise ValueError("required, but not given")
        if value is not None and info.data.get("hips2fits") is not None:
            raise ValueError("leave it out: the images of hips2fits go to the run's results")
        return value

    @field_validator("name_columns")
    @classmethod
    def _is_expression(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                expression = re.compile(value)
            except re.error as error:
                raise ValueError(f"must be a regular expression ({error})") from None
            if not expression.groupindex:
                raise ValueError("must have named groups, as in 'z(?P<redshift>[.0-9]+)'")
        return value

    @model_validator(mode="after")
    def _hips2fits_agrees(self) -> SurveySettings:
        if self.hips2fits is None:
            return self
        if self.pattern != "**/*" or self.format != "auto":
            raise ValueError("hips2fits names the files: leave out pattern and format")
        hips = self.hips2fits.hips
        if isinstance(hips, list) and len(hips) != len(self.bands or []):
            raise ValueError("hips lists a HiPS for each band: give as many names in `bands`")
        return self

    @model_validator(mode="after")
    def _agree(self) -> SurveySettings:
        if "{band}" in self.pattern and not self.bands:
            raise ValueError("pattern holds {band}: name the bands in `bands`")
        if "{band}" in self.pattern and "{id}" not in self.pattern:
            raise ValueError("pattern holds {band}: it also needs {id}")
        if isinstance(self.hdu, list) and self.bands and len(self.hdu) != len(self.bands):
            raise ValueError("hdu lists HDUs one for each band: give as many as `bands`")
        if isinstance(self.hdu, list) and "each" in self.hdu:
            raise ValueError("hdu: 'each' stands alone, not in a list")
        if "{band}" in self.pattern and (isinstance(self.hdu, list) or self.hdu == "each"):
            raise ValueError("pattern holds {band}: hdu is then one index or name")
        return self
