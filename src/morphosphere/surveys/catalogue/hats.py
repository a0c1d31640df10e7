"""The catalogue in partitions by place on the sky: HATS, the Hierarchical Adaptive Tiling Scheme.

See the IVOA note on HATS: ``dataset/Norder=k/Dir=d/Npix=n.parquet`` holds the rows of a HEALPix
cell (nested), in the order of ``_healpix_29``, the cell of each row at order 29.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import hpgeom
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from morphosphere import __version__
from morphosphere.files import atomic_directory
from morphosphere.progress import progress

INDEX = "_healpix_29"
_DEEPEST = 29
#: Deepest order of a partition: rows that still crowd one here stay together.
LAST_ORDER = 19
_ROWS = 16384
_INDEX_ABOUT = {"description": "HEALPix cell of order 29 (nested)", "ucd": "pos.healpix"}


def write_hats(root: Path, path: Path, *, title: str, limit: int) -> int:
    """Write the partitions of a Parquet file with ``ra`` and ``dec``; return their number.

    Rows without a position are left out. Rows are first sorted into one scratch file for each
    partition: memory holds 8 bytes for each row, then a batch, then one partition.

    Parameters
    ----------
    root : Path
        The folder, which appears whole.
    path : Path
    title : str
        Name of the catalogue.
    limit : int
        Rows of a partition, at most.
    """
    source = pq.ParquetFile(path, pre_buffer=False)
    batches = source.iter_batches(_ROWS, columns=["ra", "dec"], use_threads=False)
    places = np.concatenate([found[found >= 0] for found in map(_cells, batches)])
    places.sort()
    cells = partitions(places, limit)
    del places
    about = {k.encode(): v.encode() for k, v in _INDEX_ABOUT.items()}
    field = pa.field(INDEX, pa.int64(), nullable=False, metadata=about)
    schema = pa.schema([field, *source.schema_arrow], source.schema_arrow.metadata)
    with atomic_directory(root) as folder:
        scratch = folder / ".rows"
        scratch.mkdir()
        _sort_into(scratch, source, cells, schema)
        collected: list[pq.FileMetaData] = []
        with progress("partitions", len(cells)) as advance:
            for number, (order, pixel, _) in enumerate(cells):
                name = Path(f"Norder={order}", f"Dir={pixel // 10000 * 10000}")
                (folder / "dataset" / name).mkdir(parents=True, exist_ok=True)
                name /= f"Npix={pixel}.parquet"
                rows = _read_stream(scratch / str(number)).sort_by(INDEX)
                pq.write_table(
                    rows, folder / "dataset" / name, compression="zstd",
                    metadata_collector=collected,
                )  # fmt: skip
                del rows  # before the next are read
                collected[-1].set_file_path(name.as_posix())
                (scratch / str(number)).unlink()
                advance(1)
        shutil.rmtree(scratch)
        pq.write_metadata(schema, folder / "dataset" / "_metadata", metadata_collector=collected)
        pq.write_metadata(schema, folder / "dataset" / "_common_metadata")
        lines = [f"{order},{pixel}" for order, pixel, _ in cells]
        (folder / "partition_info.csv").write_text("\n".join(["Norder,Npix", *lines]) + "\n")
        text = _properties(title, cells)
        for name in ("hats.properties", "properties"):
            (folder / name).write_text(text, encoding="utf-8")
    return len(cells)


def partitions(places: np.ndarray, limit: int) -> list[tuple[int, int, int]]:
    """Order, pixel and number of rows of the coarsest cells with at most `limit` rows.

    Parameters
    ----------
    places : ndarray of int, shape (N,)
        Cells of order 29, sorted.
    limit : int
        Exceeded only by cells of `LAST_ORDER`.

    Returns
    -------
    list of tuple
        Along the sphere, without empty cells.
    """
    found = []
    waiting = [(0, pixel) for pixel in range(11, -1, -1)]
    while waiting:
        order, pixel = waiting.pop()
        shift = 2 * (_DEEPEST - order)
        ends = np.array([pixel, pixel + 1], dtype=np.int64) << shift
        count = int(np.diff(np.searchsorted(places, ends))[0])
        if count <= limit or order == LAST_ORDER:
            if count:
                found.append((order, pixel, count))
        else:
            waiting += [(order + 1, 4 * pixel + child) for child in (3, 2, 1, 0)]
    return found


def _cells(batch: pa.RecordBatch) -> np.ndarray:
    """Cells of order 29 of a batch's rows; -1 for rows without a position."""
    ra, dec = (batch.column(name).to_numpy(zero_copy_only=False) for name in ("ra", "dec"))
    known = np.isfinite(ra) & np.isfinite(dec)
    found = np.full(len(ra), -1, dtype=np.int64)
    found[known] = hpgeom.angle_to_pixel(1 << _DEEPEST, ra[known], dec[known])
    return found


def _sort_into(
    scratch: Path, source: pq.ParquetFile, cells: list[tuple[int, int, int]], schema: pa.Schema
) -> None:
    """Append each batch's rows to the files of their partitions, as streams of Arrow."""
    first = np.array([pixel << (2 * (_DEEPEST - order)) for order, pixel, _ in cells], np.int64)
    for batch in source.iter_batches(_ROWS, use_threads=False):
        place = _cells(batch)
        arrays = [pa.array(place), *batch.columns]
        table = pa.RecordBatch.from_arrays(arrays, schema=schema)
        owner = np.searchsorted(first, place, side="right") - 1
        owner[place < 0] = -1
        order = np.argsort(owner, kind="stable")
        numbers, starts = np.unique(owner[order], return_index=True)
        for number, rows in zip(numbers, np.split(order, starts[1:])):
            if number >= 0:
                with (
                    open(scratch / str(number), "ab") as handle,
                    pa.ipc.new_stream(handle, schema) as out,
                ):
                    out.write_batch(table.take(pa.array(rows)))


def _read_stream(path: Path) -> pa.Table:
    return pa.Table.from_batches(list(_batches(path)))


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    with pa.OSFile(str(path)) as handle:
        while handle.tell() < handle.size():
            yield from pa.ipc.open_stream(handle)


def _properties(title: str, cells: list[tuple[int, int, int]]) -> str:
    area = sum(4.0**-order for order, _, _ in cells) / 12
    values = {
        "obs_collection": "_".join(title.split()),
        "obs_title": title,
        "dataproduct_type": "object",
        "hats_nrows": sum(count for _, _, count in cells),
        "hats_col_ra": "ra",
        "hats_col_dec": "dec",
        "hats_col_healpix": INDEX,
        "hats_col_healpix_order": _DEEPEST,
        "hats_npix_suffix": ".parquet",
        "hats_max_rows": max(count for _, _, count in cells),
        "hats_order": max(order for order, _, _ in cells),
        "hats_builder": f"morphosphere {__version__}",
        "hats_version": "v1.0",
        "moc_sky_fraction": f"{area:.6g}",
    }
    return "#HATS catalog\n" + "".join(f"{key}={value}\n" for key, value in values.items())
