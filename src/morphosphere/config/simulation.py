"""Settings of one simulation: where its snapshots are and how they are read."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from morphosphere.config.base import Settings
from morphosphere.config.download import TngApiSettings

#: Families of snapshot files; ``auto`` looks at the files.
Family = Literal["auto", "tng", "gadget4", "cutouts", "galaxychop", "isolated"]


class SimulationSettings(Settings):
    """One simulation: where its snapshots are and which of them are used."""

    tng_api: TngApiSettings | None = Field(
        None,
        description="Download cutouts from the TNG web API, instead of a path: "
        "results/<run>/snapshots/<name>/<snapshot>/ then holds a file for each galaxy.",
    )
    path: str | None = Field(
        None,
        description="Folder with snapdir_NNN and groups_NNN, or with cutouts of single galaxies. "
        "Without it and without tng_api, the mock box is made and used.",
    )
    snapshots: list[int] = Field([99], min_length=1, description="Snapshot numbers.")
    train: bool | list[int] = Field(
        True,
        description="Whether the model is trained on these snapshots: true, false, or a list of "
        "those that it is trained on. Galaxies of the others are placed and shown; adding such a "
        "snapshot does not train again.",
    )
    family: Family = Field(
        "auto",
        description="Family of the files: tng (AREPO, IllustrisTNG: snapshot and group catalogue), "
        "gadget4 (GADGET-4: snapshot and group catalogue), cutouts (a folder in which each file "
        "holds one galaxy, as the TNG web API delivers them), galaxychop (the same with the tables "
        "of galaxy-chop: stars, gas and dark_matter in solar masses, kpc and km/s), isolated (a "
        "snapshot without group catalogue, taken as one object), or auto to look at the files.",
    )

    def trains(self, snapshot: int) -> bool:
        """Whether the model is trained on a snapshot."""
        return self.train if isinstance(self.train, bool) else snapshot in self.train

    @model_validator(mode="after")
    def _trains_on_its_snapshots(self) -> SimulationSettings:
        others = [] if isinstance(self.train, bool) else sorted({*self.train} - {*self.snapshots})
        if others:
            raise ValueError(f"train names snapshot {others[0]}, which is not in snapshots")
        return self

    @field_validator("path")
    @classmethod
    def _one_source(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("tng_api") is not None:
            raise ValueError("leave it out: the files of tng_api go to the run's results")
        return value

    @field_validator("family")
    @classmethod
    def _cutouts_are_cutouts(cls, value: Family, info: ValidationInfo) -> Family:
        if value not in ("auto", "cutouts") and info.data.get("tng_api") is not None:
            raise ValueError("leave it out: tng_api delivers cutouts")
        return value

    @field_validator("snapshots")
    @classmethod
    def _named_once(cls, value: list[int]) -> list[int]:
        if len(set(value)) < len(value) or min(value) < 0:
            raise ValueError("snapshot numbers must be zero or more, each named once")
        return value
