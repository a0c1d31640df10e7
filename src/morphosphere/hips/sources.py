"""The catalogue HiPS: all images as sources, the highest in rank first."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

import hpgeom
import numpy as np
import pyarrow as pa

from morphosphere.artefacts.catalogue import VECTOR_COLUMNS, Catalogue
from morphosphere.files import atomic_path
from morphosphere.hips.metadata import Field
from morphosphere.hips.overview import PREVIEW, mollweide
from morphosphere.hips.tiles import make_folders, tile_path, write_tile
from morphosphere.progress import progress

#: Deepest order; sources that still crowd a tile here are written all the same.
LAST_ORDER = 11


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


def levels_of(
    lon: np.ndarray, lat: np.ndarray, rank: np.ndarray, rows: int
) -> tuple[np.ndarray, int]:
    """The order at which each source appears, and the deepest of them.

    A tile adds the `rows` sources of the highest rank that no tile above it has shown. NaN ranks
    last; equal ranks keep the order of the catalogue. Sources without a position get -1.
    """
    known = np.isfinite(lon) & np.isfinite(lat)
    level = np.full(len(lon), -1, dtype=np.int8)
    left = np.flatnonzero(known)
    left = left[np.argsort(-rank[left], kind="stable")]
    deepest = 0
    for order in range(LAST_ORDER + 1):
        if not len(left):
            break
        deepest = order
        pixel = hpgeom.angle_to_pixel(1 << order, lon[left], lat[left])
        by_pixel = np.argsort(pixel, kind="stable")
        _, first, count = np.unique(pixel[by_pixel], return_index=True, return_counts=True)
        place = np.arange(len(left)) - np.repeat(first, count)
        now = np.zeros(len(left), dtype=bool)
        now[by_pixel] = (place < rows) | (order == LAST_ORDER)
        level[left[now]] = order
        left = left[~now]
    if deepest < 2:
        # Viewers want sources at orders 1 and 2, however few there are.
        ranked = np.flatnonzero(known)
        ranked = ranked[np.argsort(-rank[ranked], kind="stable")]
        level[ranked] = np.arange(len(ranked)) * 3 // len(ranked)
        deepest = 2
    return level, deepest


def write_sources(
    root: Path, catalogue: Catalogue, fields: list[Field], *, rank: str, rows: int
) -> int:
    """Write all tiles and the Allsky files; return the deepest order.

    The rows are formatted once, in the order of the catalogue, into a scratch file; tiles are
    gathered from it, so memory holds a position, a rank and an offset for each row, no more.
    """
    columns = catalogue.read(["lon", "lat", rank.removeprefix("-")])
    lon, lat = columns["lon"], columns["lat"]
    worth = columns[rank.removeprefix("-")].astype(np.float64)
    level, deepest = levels_of(lon, lat, -worth if rank.startswith("-") else worth, rows)
    make_folders_of(root, deepest, lon, lat, level)
    lines = root / ".rows"
    offsets = _write_lines(lines, catalogue, fields)
    header = "\t".join(field.name for field in fields)
    worth = np.where(np.isnan(worth), -np.inf, worth if not rank.startswith("-") else -worth)
    with (
        open(lines, "rb") as handle,
        mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as text,
    ):
        overview: list[bytes] = []
        for order in range(deepest + 1):
            tiles = _tiles_of_order(lon, lat, worth, level, order)
            for tile, members, shown, total in tiles:
                head = f"# Completeness = {shown} / {total}\n{header}\n".encode()
                body = b"".join(text[offsets[r] : offsets[r + 1]] for r in members)
                write_tile(tile_path(root, order, tile, "tsv"), head + body)
                overview.append(body)
            # Aladin Lite reads these two in place of the tiles of orders 0 to 2.
            if order in (1, 2):
                total = int((level >= 0).sum())
                shown = int(((level >= 0) & (level <= order)).sum())
                head = f"# Completeness = {shown} / {total}\n{header}\n".encode()
                with atomic_path(root / f"Norder{order}" / "Allsky.tsv") as path:
                    path.write_bytes(head + b"".join(overview))
                overview = []
    lines.unlink()
    return deepest


def make_folders_of(
    root: Path, deepest: int, lon: np.ndarray, lat: np.ndarray, level: np.ndarray
) -> None:
    """Make the folders of the tiles that have sources."""
    make_folders(root, range(min(deepest, 3) + 1))
    for order in range(4, deepest + 1):
        here = level == order
        pixel = hpgeom.angle_to_pixel(1 << order, lon[here], lat[here])
        for first in np.unique(pixel // 10000) * 10000:
            tile_path(root, order, int(first), "tsv").parent.mkdir(parents=True, exist_ok=True)


def _write_lines(path: Path, catalogue: Catalogue, fields: list[Field]) -> np.ndarray:
    names = [field.name for field in fields[1:]]
    offsets = np.zeros(len(catalogue) + 1, dtype=np.int64)
    row = 0
    with (
        open(path, "wb") as out,
        progress("rows", len(catalogue)) as advance,
    ):
        for batch in catalogue.batches(names, 2048):
            texts = [_texts(batch[name]) for name in names]
            count = len(texts[0])
            lines = [
                "\t".join(cells).encode() + b"\n"
                for cells in zip(map(str, range(row, row + count)), *texts)
            ]
            offsets[row + 1 : row + count + 1] = offsets[row] + np.cumsum([len(x) for x in lines])
            out.write(b"".join(lines))
            row += count
            advance(count)
    return offsets


def _texts(values: np.ndarray) -> list[str]:
    if values.dtype.kind == "f":
        form = "%.9g" if values.dtype.itemsize > 4 else "%.7g"
        return ["" if v != v else form % v for v in values.tolist()]
    if values.dtype.kind == "b":
        return ["1" if v else "0" for v in values.tolist()]
    return ["" if v is None else " ".join(str(v).split()) for v in values.tolist()]


def _tiles_of_order(
    lon: np.ndarray, lat: np.ndarray, worth: np.ndarray, level: np.ndarray, order: int
) -> Iterator[tuple[int, np.ndarray, int, int]]:
    """Tile, rows that it adds, sources shown in it to this order, all sources in it."""
    known = np.flatnonzero(level >= 0)
    pixel = hpgeom.angle_to_pixel(1 << order, lon[known], lat[known])
    here = level[known] == order
    rows, at = known[here], pixel[here]
    sort = np.lexsort((-worth[rows], at))
    rows, at = rows[sort], at[sort]
    tiles = np.unique(at)
    added, total, shown = (
        np.searchsorted(np.sort(places), [tiles, tiles + 1])
        for places in (at, pixel, pixel[level[known] <= order])
    )
    for k, tile in enumerate(tiles):
        members = rows[added[0, k] : added[1, k]]
        yield int(tile), members, int(np.diff(shown[:, k])[0]), int(np.diff(total[:, k])[0])


def preview_of(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """A preview (512, 1024, 3) with a dot for each source."""
    width, height = PREVIEW
    _, _, inside = mollweide(width, height)
    out = np.where(inside[..., None], np.uint8(16), np.uint8(255)).repeat(3, axis=2)
    known = np.isfinite(lon) & np.isfinite(lat)
    phi = np.radians((lon[known] + 180) % 360 - 180)
    theta = _auxiliary_angle(np.radians(lat[known]))
    x = (1 - phi / np.pi * np.cos(theta)) / 2 * width
    y = (1 - np.sin(theta)) / 2 * height
    for dy in (0, 1):
        for dx in (0, 1):
            column = np.clip(x + dx, 0, width - 1).astype(int)
            row = np.clip(y + dy, 0, height - 1).astype(int)
            out[row, column] = (255, 210, 120)
    return out


def _auxiliary_angle(lat: np.ndarray) -> np.ndarray:
    """Solve 2t + sin 2t = pi sin(lat) by Newton's method (Snyder 1987, 31-4)."""
    t = lat * 0.9
    for _ in range(30):
        slope = np.maximum(2 + 2 * np.cos(2 * t), 1e-9)
        t = np.clip(
            t - (2 * t + np.sin(2 * t) - np.pi * np.sin(lat)) / slope, -np.pi / 2, np.pi / 2
        )
    return t
