"""Catalogue: one row per image, what was predicted and what is known of it, as Parquet.

Columns of the table of the ImageSet come first, then ``lon``, ``lat``, ``concentration``,
``angle``, ``flip``, ``reconstruction_error``, ``outlier_score``, ``split``, ``features``
(fixed-size list of float32), ``neighbours`` (fixed-size list of int64: rows of the most similar
images, nearest first, without the image itself and other images of the same galaxy) and
``neighbour_distances``. Row n is image n of the ImageSet. Units, descriptions and UCDs are field
metadata; facts about the whole catalogue are schema metadata.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from morphosphere.artefacts.columns import column
from morphosphere.errors import InputError
from morphosphere.files import atomic_path

FORMAT = "morphosphere.Catalogue"
#: Columns that describe an image's place on the map, not its galaxy.
VECTOR_COLUMNS = ("features", "neighbours", "neighbour_distances")


class CatalogueWriter:
    """Append rows to a new Parquet file, which appears under `path` when the block ends well."""

    def __init__(self, path: str | Path, metadata: dict[str, str] | None = None) -> None:
        self._atomic = atomic_path(path)
        self._metadata = {"format": FORMAT, "version": "1", **(metadata or {})}
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> CatalogueWriter:
        self._path = self._atomic.__enter__()
        return self

    def append(
        self,
        columns: dict[str, np.ndarray],
        about: dict[str, dict[str, str]] | None = None,
    ) -> None:
        """Append rows; 2-D arrays become fixed-size lists.

        Parameters
        ----------
        columns : dict
            Column name to array (n,) or (n, k).
        about : dict
            Column name to {unit, description, ucd}, for columns that `columns` does not know.
        """
        arrays = {name: _arrow(values) for name, values in columns.items()}
        if self._writer is None:
            schema = pa.schema(
                [
                    _field(name, array.type, (about or {}).get(name))
                    for name, array in arrays.items()
                ],
                metadata=self._metadata,
            )
            self._writer = pq.ParquetWriter(self._path, schema, compression="zstd")
        self._writer.write_table(pa.table(list(arrays.values()), schema=self._writer.schema))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            try:
                self._writer.close()  # writes the index, so it can fail
            except BaseException as failure:
                self._atomic.__exit__(type(failure), failure, failure.__traceback__)
                raise
        elif kind is None:
            kind, error = InputError, InputError("nothing to write: the catalogue has no rows")
            self._atomic.__exit__(kind, error, None)
            raise error
        self._atomic.__exit__(kind, error, trace)


def _arrow(values: np.ndarray) -> pa.Array:
    values = np.asarray(values)
    if values.ndim == 2:
        return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
    return pa.array(values.astype(str) if values.dtype.kind == "O" else values)


def _field(name: str, kind: pa.DataType, about: dict[str, str] | None) -> pa.Field:
    known = column(name)
    facts = {"unit": known.unit, "description": known.description, "ucd": known.ucd}
    facts.update({key: value for key, value in (about or {}).items() if value})
    return pa.field(name, kind, metadata={k: v for k, v in facts.items() if v})


class Catalogue:
    """Read a Catalogue, by column or in batches.

    It is read in the caller's thread: each of Arrow's own threads keeps what it has freed, tens of
    MiB together, and saves some hundredths of a second with a million rows.

    Raises
    ------
    InputError
        If the file is missing or is not a Catalogue.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            # Buffering ahead would take the whole file into memory before the first batch.
            self._file = pq.ParquetFile(self.path, pre_buffer=False)
        except (OSError, pa.ArrowInvalid) as error:
            raise InputError(f"{path}: cannot be read as a Catalogue ({error})") from None
        self.schema = self._file.schema_arrow
        self.metadata = {k.decode(): v.decode() for k, v in (self.schema.metadata or {}).items()}
        if self.metadata.get("format") != FORMAT:
            raise InputError(f"{path}: not a Catalogue; run the predict stage to make one")

    def __len__(self) -> int:
        return self._file.metadata.num_rows

    @property
    def columns(self) -> list[str]:
        """Names of all columns."""
        return self.schema.names

    @property
    def properties(self) -> list[str]:
        """Names of the numeric scalar columns."""
        return [
            f.name
            for f in self.schema
            if pa.types.is_integer(f.type) or pa.types.is_floating(f.type)
        ]

    def about(self, name: str) -> dict[str, str]:
        """Unit, description and UCD of a column, as far as they are known."""
        return {k.decode(): v.decode() for k, v in (self.schema.field(name).metadata or {}).items()}

    def read(self, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Columns as arrays: (N,), or (N, k) for fixed-size lists; strings as objects."""
        if missing := [name for name in names if name not in self.columns]:
            raise InputError(f"{self.path}: no column {missing[0]!r}")
        table = self._file.read(columns=list(names), use_threads=False)
        return {name: _numpy(table.column(name).combine_chunks()) for name in names}

    def batches(self, names: Sequence[str], size: int = 65536) -> Iterator[dict[str, np.ndarray]]:
        """The same, in pieces of at most `size` rows."""
        for batch in self._pieces(names, size):
            yield {name: _numpy(batch.column(name)) for name in names}

    def tables(self, names: Sequence[str], size: int = 65536) -> Iterator[pa.Table]:
        """The same as Arrow tables of exactly `size` rows, but for the last."""
        waiting: list[pa.RecordBatch] = []
        rows = 0
        for batch in self._pieces(names, size):
            while rows + len(batch) >= size:
                waiting.append(batch.slice(0, size - rows))
                yield pa.Table.from_batches(waiting).select(list(names))
                batch, waiting, rows = batch.slice(size - rows), [], 0
            waiting.append(batch)
            rows += len(batch)
        if rows:
            yield pa.Table.from_batches(waiting).select(list(names))

    def _pieces(self, names: Sequence[str], size: int) -> Iterator[pa.RecordBatch]:
        return self._file.iter_batches(size, columns=list(names), use_threads=False)


def _numpy(array: Any) -> np.ndarray:
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if pa.types.is_fixed_size_list(array.type):
        return array.flatten().to_numpy(zero_copy_only=False).reshape(-1, array.type.list_size)
    return array.to_numpy(zero_copy_only=False)
