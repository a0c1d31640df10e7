"""The catalogue HiPS: all images as sources, the highest in rank first."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa

from morphosphere.artefacts.catalogue import VECTOR_COLUMNS, Catalogue
from morphosphere.hips.folder import SCRATCH
from morphosphere.hips.levels import Above, levels_of, spread
from morphosphere.hips.lines import lines_of
from morphosphere.hips.metadata import Field
from morphosphere.hips.overview import PREVIEW, mollweide
from morphosphere.hips.partition import LAST_ORDER, Leaves, Scratch, count, cut
from morphosphere.hips.source_tiles import TileWriter
from morphosphere.memory import give_back
from morphosphere.progress import progress
from morphosphere.system import writing

#: Part of a tile: ranks, rows of the catalogue, bytes of each line, and all lines.
Piece = tuple[np.ndarray, np.ndarray, np.ndarray, bytes]
#: Sources in memory at a time.
BUCKET = 32768


def fields_of(catalogue: Catalogue) -> list[Field]:
    """Columns of the tiles: the row in the Catalogue, then all its scalar columns."""
    out = [Field("row", "long", "", "meta.record", "Row in the catalogue, from 0")]
    for field in catalogue.schema:
        if field.name in VECTOR_COLUMNS or pa.types.is_fixed_size_list(field.type):
            continue
        about = catalogue.about(field.name)
        out.append(
            Field(
                field.name,
                _datatype(field.type),
                about.get("unit", ""),
                about.get("ucd", ""),
                about.get("description", ""),
            )
        )
    return out


def _datatype(kind: pa.DataType) -> str:
    if pa.types.is_floating(kind):
        return "double"
    if pa.types.is_boolean(kind):
        return "short"
    return "long" if pa.types.is_integer(kind) else "char"


def write_sources(
    root: Path,
    catalogue: Catalogue,
    fields: list[Field],
    *,
    rank: str,
    rows: int,
    axes: tuple[str, str] = ("lon", "lat"),
) -> int:
    """Write all tiles and the Allsky files; return the deepest order.

    The rows are put aside by place, then tiles are written place by place, so that memory holds
    the sources of one place, and of each other what the tiles above it show.

    Parameters
    ----------
    root : Path
    catalogue : Catalogue
    fields : list of Field
        Of `fields_of`.
    rank : str
        Column of which the largest values are seen first, or with a leading minus the smallest.
        NaN ranks last; equal ranks keep the order of the catalogue.
    rows : int
        Sources that a tile adds.
    axes : tuple of str
        Columns of longitude and latitude, degrees; sources without a position are left out.
    """
    folder = root / SCRATCH
    shutil.rmtree(folder, ignore_errors=True)
    with writing(root):
        folder.mkdir()
    # With fewer sources than this the deepest order may be below 2, which only a whole tells.
    leaves = cut(count(catalogue, axes), max(BUCKET, 60 * rows))
    names = [field.name for field in fields[1:]]
    scratch = Scratch(folder, catalogue, names, axes=axes, rank=rank, leaves=leaves)
    above = Above(scratch, rows)
    with TileWriter(folder, "\t".join(field.name for field in fields)) as tiles:
        shown = np.zeros(LAST_ORDER + 1, dtype=np.int64)
        saved: dict[tuple[int, int], list[Piece]] = {}
        with progress("sources", int(leaves.total)) as advance:
            for bucket in range(scratch.buckets):
                keys = scratch.keys(bucket)
                level, first = _settle(keys, leaves, above, rows)
                _write_bucket(tiles, keys, scratch.rows(bucket), level, first, saved)
                tiles.flush()
                shown += np.bincount(level, minlength=LAST_ORDER + 1)
                give_back()
                advance(len(keys))
        for (order, tile), members in sorted(saved.items()):
            total = leaves.above[order, tile]
            tiles.write(order, tile, above.shown(order, tile), total, _merged(members))
        tiles.finish()
        # Aladin Lite reads these two in place of the tiles of orders 0 to 2.
        for order, parts in ((1, (0, 1)), (2, (2,))):
            tiles.join(order, parts, int(shown[: order + 1].sum()), int(shown.sum()))
    deepest = int(np.flatnonzero(shown)[-1])
    for old in root.glob("Norder*"):
        shutil.rmtree(old)
    for new in sorted(folder.glob("Norder*")):
        os.replace(new, root / new.name)
    shutil.rmtree(folder)
    pa.default_memory_pool().release_unused()
    give_back()
    return deepest


def _settle(
    keys: np.ndarray, leaves: Leaves, above: Above, rows: int
) -> tuple[np.ndarray, np.ndarray]:
    """Levels of the sources of a bucket, and the orders of their leaves."""
    first = leaves.order[leaves.of(keys["pixel"])]
    level = above.of(keys["row"])
    below = level < 0
    last = np.full(int(below.sum()), LAST_ORDER)
    level[below] = levels_of(keys[below], rows, first[below], last)
    if not leaves.above and len(level) and level.max() < 2:
        # Viewers want sources at orders 1 and 2, however few there are.
        level = spread(keys)
    return level, first


def _write_bucket(
    tiles: TileWriter,
    keys: np.ndarray,
    table: pa.Table,
    level: np.ndarray,
    first: np.ndarray,
    saved: dict[tuple[int, int], list[Piece]],
) -> None:
    """Write the tiles of a bucket; lines of tiles above its leaves are added to `saved`."""
    if not len(keys):
        return
    tile = keys["pixel"] >> 2 * (LAST_ORDER - level.astype(np.int32))
    sort = np.lexsort((-keys["worth"], tile, level))
    table = table.take(pa.array(sort)).combine_chunks()
    columns = [pa.array(keys["row"][sort]), *(c.chunk(0) for c in table.columns)]
    text, edges = lines_of(columns)
    level, tile, worth, row = level[sort], tile[sort], keys["worth"][sort], keys["row"][sort]
    high = level < first[sort]
    starts = np.flatnonzero(np.diff(level, prepend=-1) | np.diff(tile, prepend=-1))
    stops = np.append(starts[1:], len(tile))
    by_place = np.argsort(keys["pixel"][sort], kind="stable")
    pixel, seen = keys["pixel"][sort][by_place], level[by_place]
    for order in np.unique(level).tolist():
        here = level[starts] == order
        own = tile[starts[here]]
        shift = 2 * (LAST_ORDER - order)
        a, b = np.searchsorted(pixel, [own << shift, (own + 1) << shift])
        upto = np.append(0, np.cumsum(seen <= order))
        facts = (own, starts[here], stops[here], upto[b] - upto[a], b - a)
        for number, start, stop, shown, total in zip(*(x.tolist() for x in facts)):
            if high[start]:
                piece = (worth[start:stop].copy(), row[start:stop].copy())
                size = np.diff(edges[start : stop + 1])
                body = bytes(text[edges[start] : edges[stop]])
                saved.setdefault((order, number), []).append((*piece, size, body))
            else:
                tiles.write(order, number, shown, total, text[edges[start] : edges[stop]])


def _merged(pieces: list[Piece]) -> bytes:
    """Lines of the pieces of a tile, the highest in rank first."""
    worth, row, size = (np.concatenate(parts) for parts in list(zip(*pieces))[:3])
    text = b"".join(piece[3] for piece in pieces)
    edges = np.append(0, np.cumsum(size)).tolist()
    return b"".join(text[edges[k] : edges[k + 1]] for k in np.lexsort((row, -worth)).tolist())


def preview_of(pieces: Iterable[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """A preview (512, 1024, 3) with a dot for each source, from pieces of places in degrees."""
    width, height = PREVIEW
    _, _, inside = mollweide(width, height)
    out = np.where(inside[..., None], np.uint8(16), np.uint8(255)).repeat(3, axis=2)
    for lon, lat in pieces:
        phi = np.radians((lon + 180) % 360 - 180)
        theta = _auxiliary_angle(np.radians(lat))
        x = (1 - phi / np.pi * np.cos(theta)) / 2 * width
        y = (1 - np.sin(theta)) / 2 * height
        for dy in (0, 1):
            for dx in (0, 1):
                column = np.clip(x + dx, 0, width - 1).astype(int)
                row = np.clip(y + dy, 0, height - 1).astype(int)
                out[row, column] = (255, 210, 120)
    return out


def _auxiliary_angle(lat: np.ndarray) -> np.ndarray:
    """The t of 2t + sin 2t = pi sin(lat) (Snyder 1987, 31-4), to 1e-6, from a table of it."""
    t = np.pi / 2 * np.sin(np.linspace(-np.pi / 2, np.pi / 2, 4096))
    return np.interp(np.pi * np.sin(lat), 2 * t + np.sin(2 * t), t)
