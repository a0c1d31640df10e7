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
