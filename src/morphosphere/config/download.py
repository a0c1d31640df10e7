"""Settings of the download stage: what is fetched, and how gently."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from morphosphere.config.base import Settings

#: Particle types of the TNG web API.
ParticleType = Literal["stars", "gas", "dm", "bhs", "tracers"]

_OWN_MACHINE = ("127.0.0.1", "localhost", "::1")
_SET_BY_MAXIMUM = ("limit", "offset", "format")


class TransferSettings(Settings):
    """How files are fetched. None of these keys changes a result or makes a stage run again."""

    rate: float = Field(2.0, gt=0, le=50, description="Requests per second, at most.")
    connections: int = Field(2, ge=1, le=8, description="Requests under way at once, at most.")
    retries: int = Field(
        6,
        ge=0,
        le=100,
        description="How often a file is tried again without progress: after errors 408, 425, 429 "
        "and 5xx, cut or silent connections, and answers that are not what was asked for.",
    )
    backoff: float = Field(
        1.0,
        gt=0,
        description="Wait before the first retry (s); it doubles each time and is shortened by up "
        "to a half at random. A server's Retry-After counts instead where it is longer.",
    )
    longest_wait: float = Field(
        300.0,
        gt=0,
        description="Longest wait before a retry (s). A server that asks for more ends the stage.",
    )
    timeout: float = Field(
        60.0, gt=0, description="A connection that is silent for so long (s) is given up."
    )
    skip_failed: bool = Field(
        False,
        description="Go on without files that could not be fetched after all retries (they are "
        "listed in rejects.csv); otherwise the stage ends with an error and goes on when it is "
        "run again.",
    )


class TngApiSettings(TransferSettings):
    """Cutouts of single galaxies from the TNG web API; your key is in the environment variable
    TNG_API_KEY.
    """

    simulation: str = Field(
        pattern=r"[A-Za-z0-9][A-Za-z0-9_-]*",
        description="Name of the simulation at the server, as TNG50-1.",
    )
    query: dict[str, str | bool | int | float] = Field(
        default_factory=dict,
        description="Which subhalos, in the API's words and units, as {mass_stars__gt: 0.5, "
        "primary_flag: 1, order_by: -mass_stars}; masses are in 10^10 solMass/h.",
    )
    maximum: int | None = Field(
        None, ge=1, description="Take the first so many subhalos of the query; none for all."
    )
    fields: dict[ParticleType, list[str]] = Field(
        default_factory=lambda: {
            "stars": [
                "Coordinates",
                "Velocities",
                "Masses",
                "GFM_InitialMass",
                "GFM_Metallicity",
                "GFM_StellarFormationTime",
                "GFM_StellarPhotometrics",
                "Potential",
            ],
            "gas": [
                "Coordinates",
                "Velocities",
                "Masses",
                "Density",
                "GFM_Metallicity",
                "StarFormationRate",
            ],
        },
        description="Particle types (stars, gas, dm, bhs, tracers) and their fields; an empty "
        "mapping asks for whole cutouts. Potential is in full snapshots only: leave it out for "
        "the others.",
    )
    url: str = Field(
        "https://www.tng-project.org/api/", description="Address of the API, or of a mirror."
    )

    @field_validator("query")
    @classmethod
    def _is_a_query(cls, value: dict[str, str | bool | int | float]) -> dict:
        for key in value:
            if not re.fullmatch(r"[a-z][a-z0-9_]*", key):
                raise ValueError(f"{key!r} is not a name of the API, as mass_stars__gt")
            if key in _SET_BY_MAXIMUM:
                raise ValueError(f"leave {key} to the download; set maximum to limit the number")
        return value

    @field_validator("fields")
    @classmethod
    def _are_fields(cls, value: dict[str, list[str]]) -> dict[str, list[str]]:
        for kind, names in value.items():
            if not names or not all(re.fullmatch(r"\w+", name) for name in names):
                raise ValueError(f"{kind}: give a list of names, or [all]")
        return value

    @field_validator("url")
    @classmethod
    def _is_safe(cls, value: str) -> str:
        return checked_url(value, secret=True)

    @model_validator(mode="after")
    def _is_limited(self) -> TngApiSettings:
        if not self.query and self.maximum is None:
            raise ValueError("give a query or a maximum; without either it is every subhalo")
        return self


class Hips2fitsSettings(TransferSettings):
    """Images of any public survey by position, cut from its HiPS by the CDS's hips2fits."""

    hips: str | list[str] = Field(
        min_length=1,
        description="Name of the HiPS, as CDS/P/DES-DR2/ColorIRG, or a list of them: one for each "
        "of the survey's `bands`.",
    )
    positions: str = Field(
        min_length=1,
        description="Table with a row for each object: CSV, ECSV, FITS, VOTable or Parquet.",
    )
    id: str | None = Field(
        None, description="Column of the table that holds the ids; none takes the first column."
    )
    ra: str = Field("ra", description="Column of the right ascension (ICRS, degrees).")
    dec: str = Field("dec", description="Column of the declination (ICRS, degrees).")
    fov_arcsec: float = Field(
        30.0, gt=0, le=36_000, description="Width and height of the images on the sky (arcsec)."
    )
    fov_column: str | None = Field(
        None, description="Column with the width of each object's image (arcsec) instead."
    )
    size: int = Field(128, ge=8, le=5000, description="Width and height of the images in pixels.")
    format: Literal["fits", "jpg"] = Field(
        "fits", description="Format of the images: fits keeps the survey's values."
    )
    maximum: int | None = Field(
        None, ge=1, description="Take only the first so many objects; none for all."
    )
    max_blank: float = Field(
        0.5,
        ge=0,
        le=1,
        description="FITS: images of which a larger fraction is without data are left out. A "
        "change fetches all images again.",
    )
    url: str | None = Field(
        None, description="Address of the service; none takes the one that astroquery knows."
    )

    @field_validator("hips")
    @classmethod
    def _named_once(cls, value: str | list[str]) -> str | list[str]:
        if isinstance(value, list) and len(set(value)) < len(value):
            raise ValueError("each HiPS must be named once")
        return value

    @field_validator("url")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        return value if value is None else checked_url(value, secret=False)

    @model_validator(mode="after")
    def _agree(self) -> Hips2fitsSettings:
        if isinstance(self.hips, list) and self.format != "fits":
            raise ValueError("a list of HiPS, one for each band, needs format: fits")
        return self


def checked_url(value: str, *, secret: bool) -> str:
    """`value` if it is an address of a web server; encrypted, if a secret is sent there."""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an address as https://host/path")
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError("must be an address without ?, # and @")
    if secret and parts.scheme == "http" and parts.hostname not in _OWN_MACHINE:
        raise ValueError("must begin with https: your key is sent there")
    return value
