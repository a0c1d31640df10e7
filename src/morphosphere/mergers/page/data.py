"""What the page reads of images and catalogue: library, gallery and their thumbnails.

::

    library/index.json       encounters, columns
    library/columns.bin      float32, little-endian, one column after the other
    library/z.bin            float16, little-endian, (frames, D)
    library/sheets/00000.jpg thumbnails in the order of the frames
    gallery/index.json       what is known of each image
    gallery/images/00000.bin uint16, little-endian, (C, S, S): the transformed image times 65535
    gallery/sheets/00000.jpg thumbnails
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.config.merger_page import MergerPageSettings
from morphosphere.errors import InputError
from morphosphere.explorer.sheets import draw_sheet, write_sheet
from morphosphere.files import atomic_path, write_json
from morphosphere.mergers.page.choice import (
    Frames,
    choose_gallery,
    choose_library,
    number_column,
    text_column,
)
from morphosphere.progress import progress

#: Numbers that are told of a simulated frame, beside the labels.
TOLD = ("separation", "pericentre", "eccentricity", "time_of_coalescence", "camera", "snapshot")
#: Largest value of the stored pixels of the gallery.
_WHITE = 65535


def write_library(
    folder: Path,
    images: ImageSet,
    catalogue: Catalogue,
    model: ModelBundle,
    settings: MergerPageSettings,
    *,
    labels: list[str],
    seed: int,
) -> dict[str, Any]:
    """Write the library; return its index."""
    frames = choose_library(catalogue, settings.library, seed)
    dimensions = _write_z(folder / "z.bin", catalogue, frames.rows)
    names = list(dict.fromkeys(["time_since_pericentre", "mass_ratio", *labels, *TOLD]))
    kinds: dict[str, list[str]] = {}
    with atomic_path(folder / "columns.bin") as temporary, open(temporary, "wb") as out:
        for name in names:
            out.write(number_column(catalogue, name)[frames.rows].astype("<f4").tobytes())
        for name in ("phase", "split"):
            kinds[name], code = np.unique(
                text_column(catalogue, name)[frames.rows].astype(str), return_inverse=True
            )
            out.write(code.astype("<f4").tobytes())
    write_sheets(folder / "sheets", images, model, frames.rows, settings, what="library")
    index = {
        "frames": len(frames.rows),
        "dimensions": dimensions,
        "columns": [*names, *kinds],
        "kinds": {name: [str(v) for v in values] for name, values in kinds.items()},
        **_encounters(frames),
        **_sheet_facts(settings),
    }
    write_json(folder / "index.json", index)
    return index


def _encounters(frames: Frames) -> dict[str, Any]:
    return {"encounters": frames.encounters, "starts": [int(n) for n in frames.starts]}


def _sheet_facts(settings: MergerPageSettings) -> dict[str, int]:
    return {"sheet_side": settings.sheet_side, "thumbnail": settings.thumbnail}


def _write_z(path: Path, catalogue: Catalogue, rows: np.ndarray) -> int:
    """Write the latent vectors of `rows` as float16, in their order; return their length.

    Raises
    ------
    InputError
        If one is not finite, or too large for float16.
    """
    order = np.argsort(rows, kind="stable")
    wanted = rows[order]
    first, out = 0, None
    for batch in catalogue.batches(["z"]):
        z = batch["z"]
        if out is None:
            out = np.empty((len(rows), z.shape[1]), dtype="<f2")
        low, high = np.searchsorted(wanted, [first, first + len(z)])
        with np.errstate(over="ignore"):
            out[order[low:high]] = z[wanted[low:high] - first]
        first += len(z)
    if not np.isfinite(out).all():
        raise InputError(f"{catalogue.path}: z is not finite or above 65504; predict again")
    with atomic_path(path) as temporary:
        temporary.write_bytes(out.tobytes())
    return out.shape[1]


def write_gallery(
    folder: Path,
    images: ImageSet,
    catalogue: Catalogue,
    model: ModelBundle,
    settings: MergerPageSettings,
    *,
    labels: list[str],
    seed: int,
) -> dict[str, Any]:
    """Write the gallery; return its index."""
    rows = choose_gallery(catalogue, settings.gallery, seed)
    texts = ("image_id", "encounter_id", "phase", "source", "split")
    names = list(dict.fromkeys(["time_since_pericentre", "mass_ratio", *labels, *TOLD]))
    text = {name: text_column(catalogue, name)[rows] for name in texts}
    number = {name: number_column(catalogue, name)[rows] for name in names}
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for place, row in enumerate(rows):
        seen = model.transform(images.read(int(row), int(row) + 1))[0]
        with atomic_path(folder / "images" / f"{place:05d}.bin") as temporary:
            temporary.write_bytes(np.rint(seen * _WHITE).astype("<u2").tobytes())
    write_sheets(folder / "sheets", images, model, rows, settings, what="gallery")
    told = [
        {name: str(values[n]) for name, values in text.items()}
        | {name: _number(values[n]) for name, values in number.items()}
        for n in range(len(rows))
    ]
    index = {"white": _WHITE, "images": told, **_sheet_facts(settings)}
    write_json(folder / "index.json", index)
    return index


def _number(value: float) -> float | None:
    return float(f"{value:.7g}") if np.isfinite(value) else None


def write_sheets(
    folder: Path,
    images: ImageSet,
    model: ModelBundle,
    rows: np.ndarray,
    settings: MergerPageSettings,
    *,
    what: str,
) -> None:
    """Write thumbnails of the transformed images `rows`, in their order, sheet by sheet."""
    per_sheet = settings.sheet_side**2
    with progress(f"draw the {what}", len(rows)) as advance:
        for number, start in enumerate(range(0, len(rows), per_sheet)):
            part = rows[start : start + per_sheet]
            pictures = np.concatenate([model.transform(x) for x in _read(images, part)])
            sheet = draw_sheet(pictures, side=settings.sheet_side, thumbnail=settings.thumbnail)
            write_sheet(folder / f"{number:05d}.jpg", sheet, quality=settings.jpeg_quality)
            advance(len(part))


def _read(images: ImageSet, rows: np.ndarray) -> Iterator[np.ndarray]:
    """Images of the rows, in their order: consecutive rows at once."""
    breaks = np.flatnonzero(np.diff(rows) != 1) + 1
    for run in np.split(rows, breaks):
        yield images.read(int(run[0]), int(run[-1]) + 1)
