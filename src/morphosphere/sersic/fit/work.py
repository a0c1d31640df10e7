"""Fits of some images of an ImageSet by all tools, as a table."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.artefacts.catalogue import CatalogueWriter
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.splits import SPLITS, split_of
from morphosphere.config.sersic_fit import FitSettings
from morphosphere.errors import InputError
from morphosphere.parallel import World
from morphosphere.progress import progress
from morphosphere.sersic.fit.leastsquares import fit_galsim
from morphosphere.sersic.fit.morph import fit_statmorph
from morphosphere.sersic.fit.stamp import Fit, FitFault, Stamp
from morphosphere.structure.facts import PSF_COLUMNS
from morphosphere.structure.parameters import Space
from morphosphere.structure.pixels import missing, own_part
from morphosphere.structure.psf import PSFSet

TOOLS = {"galsim": fit_galsim, "statmorph": fit_statmorph}
_NEEDED = ("zero_point", "pixel_size", "sky_noise", "gain", "stamp_size", "psf")
#: Of images that were filled up with noise, the width of what was observed.
_MEASURED = "measured_size"
_ABOUT = {
    "tool": {"description": "Fitter", "ucd": "meta.id;meta.software"},
    "seconds": {
        "unit": "s",
        "description": "Processor time of the fit, from pixels to parameters",
        "ucd": "time.duration",
    },
    "failed": {"description": "Whether the fitter gave no result", "ucd": "meta.code.error"},
    "reason": {"description": "Why it failed", "ucd": "meta.note"},
    "remark": {"description": "What a reader should know of the fit", "ucd": "meta.note"},
    "chi2": {"description": "Reduced chi squared of the fit", "ucd": "stat.fit.chi2"},
    "evaluations": {"description": "Models computed for the fit", "ucd": "meta.number"},
    "x_offset": {"unit": "pixel", "description": "Centre right of the middle of the stamp"},
    "y_offset": {"unit": "pixel", "description": "Centre above the middle of the stamp"},
}


_UNITS = {
    "magnitude": "mag",
    "radius": "arcsec",
    "bulge_radius": "arcsec",
    "position_angle": "deg",
}


@dataclass(frozen=True)
class Source:
    """An ImageSet with what fits need of its table, and its point-spread functions."""

    images: ImageSet
    table: dict[str, np.ndarray]
    psfs: PSFSet
    space: Space

    def stamp(self, row: int) -> Stamp:
        """The image of a row.

        Raises
        ------
        FitFault
            If its PSF is not known.
        """
        one = {name: float(self.table[name][row]) for name in _NEEDED}
        if not 0 <= one["psf"] < len(self.psfs):  # NaN too
            raise FitFault("unknown psf")
        width = float(self.table.get(_MEASURED, self.table["stamp_size"])[row])
        image = own_part(self.images.images[row, 0].astype(np.float64), width)
        return Stamp(
            np.where(missing(image), np.nan, image)[::-1],
            self.psfs.galsim(int(one["psf"])),
            *(one[name] for name in ("pixel_size", "zero_point", "sky_noise", "gain")),
        )


def write_fits(
    images: Path, psf: Path, output: Path, settings: FitSettings, *, world: World
) -> dict[str, Any] | None:
    """Fit test images by all tools and write what they tell; counts, on the first rank.

    Raises
    ------
    InputError
        If a file cannot be used, a column is missing, or there is nothing to fit.
    """
    with ImageSet(images) as opened:
        if opened.images.shape[1] != 1:
            raise InputError(f"{images}: fits need images of one band, not {opened.channels}")
        space = Space(int(opened.attributes.get("components", 1)))
        if lacking := [name for name in _NEEDED if name not in opened.columns]:
            raise InputError(
                f"{images}: no column {', '.join(lacking)}, without which nothing can be fitted; "
                "write the images with sersic.simulate or sersic.real"
            )
        there = [name for name in (*_NEEDED, _MEASURED) if name in opened.columns]
        table = {name: opened.column(name) for name in there}
        source = Source(opened, table, PSFSet.read(psf), space)
        rows = choose_rows(opened, settings.limit)
        told = [name for name in PSF_COLUMNS if name in opened.columns]
        seen = {name: opened.column(name)[rows] for name in (*_NEEDED, *told)}
        source.psfs.check(images, seen)
        tools = [name for name in settings.tools if space.components == 1 or name != "statmorph"]
        if not tools:
            raise InputError(f"{images}: two components, and statmorph fits one only; add galsim")
        work = [(tool, int(row)) for row in rows for tool in tools]
        mine = [work[k] for k in world.share(len(work))]
        _warm(source, mine, settings)
        found = []
        with progress(world.doing("fit"), len(mine), show=world.first) as advance:
            for tool, row in mine:
                found.append(_row(source, tool, row, settings))
                advance(1)
        names = opened.column("image_id")
    gathered = world.gather(found)
    if gathered is None:
        return None
    fits = sorted(
        (one for part in gathered for one in part),
        key=lambda one: (one["order"], tools.index(one["tool"])),
    )
    for one in fits:
        one["image_id"] = str(names[one.pop("order")])
    columns = {name: np.array([one[name] for one in fits]) for name in ("image_id", *fits[0])}
    with CatalogueWriter(output, {"components": str(space.components)}) as out:
        out.append(columns, about(space))
    return {
        tool: {
            "galaxies": int((columns["tool"] == tool).sum()),
            "failed": int(columns["failed"][columns["tool"] == tool].sum()),
        }
        for tool in tools
    }


def choose_rows(images: ImageSet, limit: int | None) -> np.ndarray:
    """Test images, spread evenly over magnitude, or over their light where it is not known.

    Images with a column ``use`` (real ones) are test images where it says so; of others the split
    by galaxy decides.
    """
    if "use" in images.columns:
        rows = np.flatnonzero(images.column("use") == "test")
    else:
        rows = np.flatnonzero(split_of(images.column("galaxy_id")) == SPLITS.index("test"))
    if not len(rows):
        raise InputError(f"{images.path}: none of its {len(images)} images is of the test set")
    if limit is None or len(rows) <= limit:
        return rows
    magnitude = np.full(len(rows), np.nan)
    if "magnitude" in images.columns:
        magnitude = images.column("magnitude")[rows].astype(np.float64)
    if not np.isfinite(magnitude).any():
        light = np.array([np.nansum(images.images[row, 0], dtype=np.float64) for row in rows])
        magnitude = -2.5 * np.log10(np.maximum(light, 1e-30))
    order = np.argsort(magnitude, kind="stable")  # NaN last
    picked = np.linspace(0, len(rows) - 1, limit).round().astype(int)
    return np.sort(rows[order[picked]])


def _warm(source: Source, work: list[tuple[str, int]], settings: FitSettings) -> None:
    """Fit one image by each tool in vain, so that loading and compiling are nobody's time."""
    for tool in {tool for tool, _ in work}:
        _row(source, tool, next(row for name, row in work if name == tool), settings)


def _row(source: Source, tool: str, row: int, settings: FitSettings) -> dict[str, Any]:
    """One fit as a row of the table."""
    space, reason = source.space, ""
    nothing = np.full(len(space.latents), np.nan)
    fit = Fit(nothing, np.diag(nothing))
    begin = time.process_time()
    try:
        stamp = source.stamp(row)
        begin = time.process_time()  # the picture of the PSF is read once for many
        fit = TOOLS[tool](stamp, settings, components=space.components)
    except FitFault as fault:
        reason = str(fault)
    seconds = time.process_time() - begin
    zero_point, pixel_size = (float(source.table[n][row]) for n in ("zero_point", "pixel_size"))
    with np.errstate(invalid="ignore"):
        values = space.to_columns(fit.latent, zero_point, pixel_size)
        errors = space.propagate(fit.covariance, fit.latent, pixel_size)
    return {
        "order": row,
        "tool": tool,
        **{name: float(values[name]) for name in space.columns},
        **{f"{name}_std": float(errors[name]) for name in space.columns},
        "x_offset": fit.centre[0],
        "y_offset": fit.centre[1],
        "chi2": fit.chi2,
        "evaluations": fit.evaluations,
        "seconds": seconds,
        "failed": bool(reason),
        "reason": reason,
        "remark": fit.remark,
    }


def about(space: Space) -> dict[str, dict[str, str]]:
    """Units and descriptions of the columns of a table of fits."""
    out = dict(_ABOUT)
    for name in space.columns:
        unit = {"unit": _UNITS.get(name, "")}
        out[name] = {**unit, "description": f"Fitted: {space.label(name)}", "ucd": ""}
        said = f"Standard deviation of {name} by the fitter"
        out[f"{name}_std"] = {**unit, "description": said, "ucd": "stat.stdev"}
    return out
