"""Settings of the collect stage: images that were not rendered here."""

from __future__ import annotations

from pydantic import Field

from morphosphere.config.base import Settings


class SurveySettings(Settings):
    """A folder of images and an optional table about them."""

    path: str = Field(description="Folder (or HDF5 file) with the images.")
    table: str | None = Field(
        None, description="Table with a row per image: CSV, FITS, VOTable, Parquet."
    )
    size: int = Field(
        64, ge=8, le=4096, description="Width and height in pixels of the collected images."
    )
