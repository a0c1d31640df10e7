"""A map's Catalogue with structural parameters beside its own columns, row by row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.codes import galaxy_codes
from morphosphere.config.sersic_catalogue import SersicAttachSettings
from morphosphere.errors import InputError
from morphosphere.files import atomic_path
from morphosphere.progress import log, progress
from morphosphere.structure.parameters import Space

#: Rows in memory at a time.
ROWS = 16384
#: What a galaxy without structural parameters has in the column `STATE`.
UNKNOWN = "unknown"
STATE = "structure"
_STATE_ABOUT = {
    "description": "sound, flagged (its structural parameters cannot be trusted), or unknown",
    "ucd": "meta.code.qual",
}
_FLAGS = "structure_flags"


class Structure:
    """Structural parameters by image or galaxy, a few numbers for each in memory.

    Parameters
    ----------
    predictions : Catalogue
        Of sersic.predict.
    settings : SersicAttachSettings

    Raises
    ------
    InputError
        If the predictions are of another stage, or name an image or galaxy twice.
    """

    def __init__(self, predictions: Catalogue, settings: SersicAttachSettings) -> None:
        if predictions.metadata.get("task") != "sersic":
            raise InputError(
                f"{predictions.path}: no structural parameters; give what sersic.predict wrote"
            )
        space = Space(int(predictions.metadata["components"]))
        #: Names of the columns of numbers, which `of` gives in this order.
        self.names = [f"{name}_{end}" for name in space.columns for end in ("median", "std")]
        self.about = {name: predictions.about(name) for name in self.names}
        codes, values, flags = [], [], []
        for batch in predictions.batches([settings.by, *self.names, "flags"], ROWS):
            codes.append(galaxy_codes(batch[settings.by]))
            values.append(np.stack([batch[name] for name in self.names], 1).astype(np.float32))
            flags.append(batch["flags"].astype(np.int32))
        joined = np.concatenate(codes)
        order = np.argsort(joined)
        self._codes = joined[order]
        if (self._codes[1:] == self._codes[:-1]).any():
            raise InputError(
                f"{predictions.path}: {settings.by} is not unique, so that galaxies have more than "
                "one set of parameters; choose the other column (sersic.attach.by)"
            )
        self._values, self._flags = np.concatenate(values)[order], np.concatenate(flags)[order]
        if not settings.flagged:
            self._values[self._flags != 0] = np.nan

    def of(self, names: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Values (n, K) by image or galaxy, flags (n,), and which are known (n,)."""
        codes = galaxy_codes(names)
        at = np.minimum(np.searchsorted(self._codes, codes), len(self._codes) - 1)
        known = self._codes[at] == codes
        return (
            np.where(known[:, None], self._values[at], np.nan),
            np.where(known, self._flags[at], 0),
            known,
        )


def attach(
    *, catalogue: Path, predictions: Path, output: Path, settings: SersicAttachSettings
) -> dict[str, object]:
    """Write the catalogue with columns of structural parameters; return facts for the record.

    Rows, columns and metadata of the catalogue stay as they are. Added are median and standard
    deviation of each parameter (NaN where it is not known), ``structure`` (sound, flagged or
    unknown) and ``structure_flags``; a name that is taken gets the prefix ``structure_``.

    Parameters
    ----------
    catalogue, predictions, output : Path
    settings : SersicAttachSettings

    Raises
    ------
    InputError
        If no galaxy of the catalogue has parameters, or an input is something else.
    """
    source = Catalogue(catalogue)
    if settings.by not in source.columns:
        raise InputError(f"{catalogue}: no column {settings.by!r}; give the catalogue of a map")
    structure = Structure(Catalogue(predictions), settings)
    fields = _fields(source, structure)
    schema = pa.schema([*source.schema, *fields], source.schema.metadata)
    counts = dict.fromkeys(("sound", "flagged", UNKNOWN), 0)
    file = pq.ParquetFile(catalogue, pre_buffer=False)
    with (
        atomic_path(output) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as out,
        progress("attach", len(source)) as advance,
    ):
        for batch in file.iter_batches(ROWS, use_threads=False):
            ids = batch.column(settings.by).to_numpy(zero_copy_only=False)
            values, flags, known = structure.of(ids)
            state = np.where(known, np.where(flags == 0, "sound", "flagged"), UNKNOWN)
            for name, count in zip(*np.unique(state, return_counts=True)):
                counts[str(name)] += int(count)
            arrays = [pa.array(column.astype(np.float32)) for column in values.T]
            arrays += [pa.array(state.astype(object)), pa.array(flags, mask=~known)]
            out.write_batch(pa.RecordBatch.from_arrays([*batch.columns, *arrays], schema=schema))
            advance(len(ids))
        if counts[UNKNOWN] == len(source):
            raise InputError(
                f"{predictions}: holds none of the galaxies of {catalogue} (by {settings.by}); "
                "predict the images that the map shows, or choose another column "
                "(sersic.attach.by)"
            )
    if counts[UNKNOWN]:
        log(f"{counts[UNKNOWN]} of {len(source)} images of the map have no structural parameters")
    return {"rows": len(source), **counts}


def _fields(source: Catalogue, structure: Structure) -> list[pa.Field]:
    about = {**structure.about, STATE: _STATE_ABOUT}
    about[_FLAGS] = {"description": "Flags of the structural parameters", "ucd": "meta.code.qual"}
    kinds = dict.fromkeys(structure.names, pa.float32()) | {STATE: pa.string(), _FLAGS: pa.int32()}
    taken, fields = set(source.columns), []
    for name, kind in kinds.items():
        new = name
        while new in taken:
            new = f"structure_{new}"
        taken.add(new)
        metadata = {key: value for key, value in about[name].items() if value}
        fields.append(pa.field(new, kind, metadata=metadata))
    return fields
