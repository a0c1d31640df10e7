"""What the page reads: ``python -m morphosphere.explorer.data``.

::

    index.json                       columns, chunks, sheets; written last
    columns/<folder>/<chunk>.bin     a column in map order, little-endian (strings: .txt, by line)
    original/<sheet>.jpg             thumbnails in the order of the catalogue
    reconstruction/<sheet>.jpg       the same, drawn by the decoder in the pose of the galaxy
    details/<sheet>.json             all that is known of the galaxies of a sheet, their neighbours
    ids/<block>.txt                  identifiers for the search, sorted

A run that was killed goes on where it was: sheets are kept as long as their inputs and settings are
the same, which ``fingerprint.json`` says.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.artefacts.bundle import ModelBundle, unit_vector
from morphosphere.artefacts.catalogue import VECTOR_COLUMNS, Catalogue
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.config.explore import ExploreDataSettings
from morphosphere.errors import ConfigError, InputError
from morphosphere.explorer import columns, details, ids, order, sheets
from morphosphere.files import digest, read_json, write_json
from morphosphere.parallel import World
from morphosphere.pose import posed
from morphosphere.progress import progress
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser

FORMAT = "morphosphere.explorer"
VERSION = 1
#: Columns without which the page cannot work.
NEEDED = ("image_id", "lon", "lat", "angle", "flip")
KINDS = ("original", "reconstruction")


def shown_columns(catalogue: Catalogue, wanted: Sequence[str] | None) -> list[str]:
    """Scalar columns of the page, in the order of the catalogue; the needed ones always.

    Raises
    ------
    ConfigError
        If a wanted column is not in the catalogue.
    InputError
        If the catalogue lacks a column that the page cannot do without.
    """
    scalar = [name for name in catalogue.columns if name not in VECTOR_COLUMNS]
    if missing := [name for name in NEEDED if name not in scalar]:
        raise InputError(f"{catalogue.path}: no column {missing[0]!r}; run the predict stage again")
    if wanted is None:
        return scalar
    if unknown := [name for name in wanted if name not in scalar]:
        raise ConfigError(
            f"explore.data.columns: the catalogue has no {', '.join(unknown)}; "
            f"it has {', '.join(scalar)}"
        )
    return [name for name in scalar if name in wanted or name in NEEDED]


def fingerprint(images: Path, model: Path, catalogue: Path, settings: ExploreDataSettings) -> str:
    """Digest of all that the data depend on."""
    facts = [
        VERSION,
        settings.model_dump(mode="json"),
        *[digest(path) for path in (images, catalogue)],
        *[digest(model / name) for name in ("decoder.onnx", "transform.json")],
    ]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def prepare(output: Path, mark: str) -> bool:
    """Make `output` ready; return whether an earlier run with the same mark is continued."""
    known = output / "fingerprint.json"
    (output / "index.json").unlink(missing_ok=True)
    if known.exists():
        try:
            if read_json(known).get("fingerprint") == mark:
                return True
        except (InputError, AttributeError):
            pass
    for name in (*KINDS, "columns", "details", "ids"):
        shutil.rmtree(output / name, ignore_errors=True)
    write_json(known, {"fingerprint": mark})
    return False


def write_sheets(
    images: ImageSet,
    model: ModelBundle,
    catalogue: Catalogue,
    output: Path,
    settings: ExploreDataSettings,
    *,
    shown: Sequence[str],
    ranks: World,
) -> int:
    """Write this rank's sheets and blocks of details that are not there yet; return how many."""
    per_sheet = settings.sheet_side**2
    share = ranks.share(-(-len(catalogue) // per_sheet))
    vectors = [n for n in ("neighbours", "neighbour_distances") if n in catalogue.columns]
    names = list(dict.fromkeys([*shown, *NEEDED, *vectors]))
    written = 0
    with progress("draw thumbnails", len(share), show=ranks.first) as advance:
        for number, batch in _blocks(catalogue, names, per_sheet, share):
            paths = [sheets.sheet_path(output, kind, number) for kind in KINDS]
            block = details.details_path(output, number)
            if not all(path.exists() for path in (*paths, block)):
                first = number * per_sheet
                stored = images.read(first, first + len(batch["lon"]))
                _check_ids(images, first, batch["image_id"])
                seen = model.transform(stored)
                drawn = posed(
                    model.decode(unit_vector(batch["lon"], batch["lat"])),
                    batch["angle"],
                    batch["flip"],
                )
                for path, pictures in zip(paths, (seen, drawn)):
                    sheet = sheets.draw_sheet(
                        pictures, side=settings.sheet_side, thumbnail=settings.thumbnail
                    )
                    sheets.write_sheet(path, sheet, quality=settings.jpeg_quality)
                kept = {name: batch[name] for name in (*shown, *vectors)}
                details.write_details(block, first, kept)
                written += 1
            advance(1)
    return written


def _blocks(
    catalogue: Catalogue, names: Sequence[str], size: int, share: range
) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """(number, rows) of the blocks of `share`, each of `size` rows but the last."""
    pending: dict[str, np.ndarray] | None = None
    number = start = 0
    for batch in catalogue.batches(names, size * max(1, 2048 // size)):
        # Batches end at row groups: what is left of one is joined to the next.
        if pending is not None:
            batch = {name: np.concatenate([pending[name], batch[name]]) for name in names}
        rows = len(batch[names[0]])
        for start in range(0, rows - size + 1, size):
            if number in share:
                yield number, {name: batch[name][start : start + size] for name in names}
            number += 1
        done = rows // size * size
        pending = {name: batch[name][done:] for name in names} if done < rows else None
        if number >= share.stop and pending is None:
            return
    if pending is not None and number in share:
        yield number, pending


def _check_ids(images: ImageSet, first: int, expected: np.ndarray) -> None:
    found = images.column("image_id", slice(first, first + len(expected)))
    if list(map(str, found)) != list(map(str, expected)):
        raise InputError(
            f"{images.path}: images do not belong to the catalogue (row {first} on); predict again"
        )


def write_columns(
    catalogue: Catalogue, output: Path, settings: ExploreDataSettings, *, shown: Sequence[str]
) -> dict[str, Any]:
    """Write the columns and the search index; return the facts of the index.

    One column is in memory at a time, beside the order of the rows.
    """
    place = catalogue.read(["lon", "lat"])
    if not all(np.isfinite(place[name]).all() for name in place):
        raise InputError(f"{catalogue.path}: lon and lat must be finite; predict again")
    rows = order.map_order(place["lon"], place["lat"], chunk_rows=settings.chunk_rows, seed=0)
    chunks = order.chunks_of(place["lon"][rows], place["lat"][rows], chunk_rows=settings.chunk_rows)
    columns.write_chunks(
        output / "columns" / "row", rows, np.arange(len(rows)), chunk_rows=settings.chunk_rows
    )
    identifiers = (batch["image_id"] for batch in catalogue.batches(["image_id"], ids.ROWS))
    search = ids.write_ids(output / "ids", identifiers)
    facts = []
    for number, name in enumerate(shown):
        values = catalogue.read([name])[name]
        stored, about = columns.encode(values)
        if name == "image_id" and about["kind"] == "category":
            stored, about = [str(v) for v in values], {"kind": "string"}
        folder = f"{number:03d}"
        columns.write_chunks(
            output / "columns" / folder, stored, rows, chunk_rows=settings.chunk_rows
        )
        facts.append({"name": name, "folder": folder, **catalogue.about(name), **about})
    return {
        "columns": facts,
        "chunks": [[c.first, c.count, c.lon, c.lat, c.radius] for c in chunks],
        "ids": search,
    }


def make_data(
    images_path: Path,
    model_path: Path,
    catalogue_path: Path,
    output: Path,
    settings: ExploreDataSettings,
    *,
    ranks: World | None = None,
) -> dict[str, Any]:
    """Make the data folder of the page; return its index (on the first rank).

    Raises
    ------
    InputError
        If an input is missing, or images and catalogue do not belong together.
    ConfigError
        If a column is asked for that the catalogue lacks.
    """
    ranks = ranks or World()
    catalogue = Catalogue(catalogue_path)
    model = ModelBundle.load(model_path)
    shown = shown_columns(catalogue, settings.columns)
    with ImageSet(images_path) as images:
        if len(images) != len(catalogue):
            raise InputError(
                f"{catalogue_path}: {len(catalogue)} rows for {len(images)} images of "
                f"{images_path}; predict again"
            )
        if ranks.first:
            prepare(output, fingerprint(images_path, model_path, catalogue_path, settings))
        ranks.barrier()
        write_sheets(images, model, catalogue, output, settings, shown=shown, ranks=ranks)
    ranks.barrier()
    if not ranks.first:
        return {}
    index = {
        "format": FORMAT,
        "version": VERSION,
        "rows": len(catalogue),
        "chunk_rows": settings.chunk_rows,
        "sheet_side": settings.sheet_side,
        "thumbnail": settings.thumbnail,
        **write_columns(catalogue, output, settings, shown=shown),
    }
    write_json(output / "index.json", index)
    return index


def _work(
    args: argparse.Namespace, settings: ExploreDataSettings, record: RunRecord, ranks: World
) -> None:
    index = make_data(args.images, args.model, args.catalogue, args.output, settings, ranks=ranks)
    if ranks.first:
        record.inputs([args.images, args.catalogue, args.model / "model.json"])
        record.outputs([args.output])
        record.note(galaxies=index["rows"], columns=len(index["columns"]))


def main(argv: Sequence[str] | None = None) -> int:
    """Command line of the stage."""
    parser = stage_parser("explorer.data", "Prepare what the explorer page reads.")
    parser.add_argument("--images", type=Path, required=True, help="ImageSet")
    parser.add_argument("--model", type=Path, required=True, help="ModelBundle folder")
    parser.add_argument("--catalogue", type=Path, required=True, help="Catalogue")
    parser.add_argument("--output", type=Path, required=True, help="folder, as in site/data")
    args = parser.parse_args(argv)
    return run_stage("explorer.data", args, ExploreDataSettings, _work, mpi=True)


if __name__ == "__main__":
    main_of(main)
