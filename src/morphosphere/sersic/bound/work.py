"""Bounds of the test galaxies of an ImageSet, as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.artefacts.catalogue import CatalogueWriter
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.splits import SPLITS, split_of
from morphosphere.config.sersic_bound import BoundSettings
from morphosphere.errors import InputError
from morphosphere.parallel import World
from morphosphere.progress import progress
from morphosphere.sersic.bound.fisher import Bound, Depth, bound_of
from morphosphere.structure.facts import PSF_COLUMNS
from morphosphere.structure.parameters import Space
from morphosphere.structure.pixels import own_part
from morphosphere.structure.psf import PSFSet

_UNITS = {
    "instrumental_magnitude": "mag",
    "magnitude": "mag",
    "radius": "arcsec",
    "bulge_radius": "arcsec",
    "position_angle": "deg",
}
_NEEDED = ("zero_point", "pixel_size", "sky_noise", "gain", "stamp_size", "psf")


def write_bounds(
    images: Path, psf: Path, output: Path, settings: BoundSettings, *, world: World
) -> dict[str, int] | None:
    """Write the bounds of test galaxies whose truth is known; counts, on the first rank.

    Raises
    ------
    InputError
        If a file cannot be used, a column is missing, or there is no such galaxy.
    """
    with ImageSet(images) as source:
        components = int(source.attributes.get("components", 1))
        space = Space(components)
        table = _table(source, space)
        rows = _rows(source, table, space, settings.limit)
        psfs = PSFSet.read(psf)
        if (largest := int(table["psf"][rows].max())) >= len(psfs):
            raise InputError(f"{psf}: no point-spread function {largest}, which {images} refers to")
        told = [name for name in PSF_COLUMNS if name in source.columns]
        about = {name: table[name][rows] for name in ("psf", "pixel_size")}
        psfs.check(images, about | {name: source.column(name)[rows] for name in told})
        mine = [rows[k] for k in world.share(len(rows))]
        found = []
        with progress(world.doing("bounds"), len(mine), show=world.first) as advance:
            for row in mine:
                found.append(_bound(source, table, int(row), psfs, space, settings.step))
                advance(1)
        names = source.column("image_id")
    gathered = world.gather(found)
    if gathered is None:
        return None
    bounds = [bound for part in gathered for bound in part]
    columns = _columns(bounds, rows, names, table, space)
    with CatalogueWriter(output, {"components": str(components)}) as out:
        out.append(columns, {name: _about(name) for name in columns if name.startswith("bound_")})
    return {"galaxies": len(bounds), "singular": int(columns["singular"].sum())}


def _table(source: ImageSet, space: Space) -> dict[str, np.ndarray]:
    names = [*_NEEDED, *space.columns, "x_offset", "y_offset"]
    if lacking := [name for name in names if name not in source.columns]:
        raise InputError(
            f"{source.path}: no column {', '.join(lacking)}; bounds need the truth, as images of "
            "python -m morphosphere.sersic.simulate have it"
        )
    return {name: source.column(name) for name in names}


def _rows(
    source: ImageSet, table: dict[str, np.ndarray], space: Space, limit: int | None
) -> np.ndarray:
    """The first test galaxies whose truth and depth are known."""
    tested = split_of(source.column("galaxy_id")) == SPLITS.index("test")
    names = [*space.columns, "x_offset", "y_offset", *_NEEDED]
    known = np.logical_and.reduce([np.isfinite(table[name]) for name in names])
    positive = ("pixel_size", "sky_noise", "gain", "stamp_size", "radius", "axis_ratio")
    sound = np.logical_and.reduce([table[name] > 0 for name in positive])
    rows = np.flatnonzero(tested & known & sound)[:limit]
    if not len(rows):
        raise InputError(
            f"{source.path}: of its {len(source)} images none is of the test set and has a known "
            "truth, sky noise, gain and pixel size"
        )
    return rows


def _bound(
    source: ImageSet,
    table: dict[str, np.ndarray],
    row: int,
    psfs: PSFSet,
    space: Space,
    step: float,
) -> Bound:
    one = {name: float(values[row]) for name, values in table.items()}
    pixels = own_part(source.images[row, 0], one["stamp_size"])
    used = np.isfinite(pixels)
    latent = space.to_latent(
        {name: np.array([one[name]]) for name in space.columns},
        one["zero_point"],
        one["pixel_size"],
    )[0]
    depth = Depth(
        size=len(pixels),
        pixel_size=one["pixel_size"],
        sky_noise=one["sky_noise"],
        gain=one["gain"],
        used=None if used.all() else used,
    )
    return bound_of(
        latent,
        (one["x_offset"], one["y_offset"]),
        psfs.galsim(int(one["psf"])),
        depth,
        components=space.components,
        step=step,
    )


def _columns(
    bounds: list[Bound],
    rows: np.ndarray,
    names: np.ndarray,
    table: dict[str, np.ndarray],
    space: Space,
) -> dict[str, Any]:
    covariance = np.stack([bound.covariance for bound in bounds])
    truth = {name: table[name][rows] for name in space.columns}
    pixel_size = table["pixel_size"][rows]
    latent = space.to_latent(truth, table["zero_point"][rows], pixel_size)
    std = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    physical = space.propagate(covariance, latent, pixel_size)
    return {
        "image_id": names[rows],
        "snr": np.array([bound.snr for bound in bounds]),
        **{f"bound_{name}": std[:, k] for k, name in enumerate(space.latents)},
        **{f"bound_{name}": values for name, values in physical.items()},
        "bound_covariance": covariance.reshape(len(bounds), -1),
        "condition": np.array([bound.condition for bound in bounds]),
        "singular": np.array([not np.isfinite(bound.covariance).all() for bound in bounds]),
    }


def _about(name: str) -> dict[str, str]:
    parameter = name.removeprefix("bound_")
    if parameter == "covariance":
        return {"description": "Least covariance of the latent parameters, row by row"}
    return {
        "unit": _UNITS.get(parameter, ""),
        "description": f"Least standard deviation of {parameter} (Cramér-Rao bound)",
        "ucd": "stat.stdev",
    }
