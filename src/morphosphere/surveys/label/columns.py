"""An ImageSet with further columns: its images are virtual, nothing is copied but the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.artefacts.hdf5 import HDF5Output
from morphosphere.artefacts.imageset import append_column
from morphosphere.artefacts.joining import join
from morphosphere.errors import InputError
from morphosphere.files import atomic_path, digest

#: Columns of labels: unit, description and UCD.
LABEL_COLUMNS: dict[str, dict[str, str]] = {
    "object": {
        "description": "What stays together in a split: galaxies that are one, or could be",
        "ucd": "meta.id.assoc",
    },
    "label": {
        "description": "Number of the class from 0, in the order of the attribute classes",
        "ucd": "meta.code.class",
    },
    "label_weight": {"description": "Weight of the label in training", "ucd": "stat.weight"},
    "confident_label": {
        "description": "1 if the label passes the cut of high confidence",
        "ucd": "meta.code",
    },
    "type": {"description": "Ordinal type, such as the Hubble type T", "ucd": "src.morph.type"},
    "label_origin": {
        "description": "survey (its own), match (of the same galaxy in the other survey), pseudo "
        "(of a model), or empty",
        "ucd": "meta.code",
    },
    "matched_id": {
        "description": "Image of the same galaxy in the other survey",
        "ucd": "meta.id.cross",
    },
    "match_separation": {
        "unit": "arcsec",
        "description": "Separation of the matched image",
        "ucd": "pos.angDistance",
    },
}
HUMAN_ORIGINS = ("survey", "match")


def with_columns(
    source: Path,
    output: Path,
    columns: dict[str, np.ndarray],
    *,
    attributes: dict[str, Any] | None = None,
    replace: bool = False,
) -> None:
    """Write an ImageSet with the images and the table of another, and more columns.

    Parameters
    ----------
    source, output : Path
        The images of `output` are virtual: they stay in the files where they are. Its digest
        stands for their pixels as well.
    columns : dict
        Column name to array (N,).
    attributes : dict
        Of the whole set.
    replace : bool
        Whether a column of the same name is replaced; else it goes on as ``input_<name>``.

    Raises
    ------
    InputError
        If `output` is `source`, where its images are.
    """
    if output.resolve() == source.resolve():
        raise InputError(f"{output}: would be written over the images that it refers to")
    with atomic_path(output) as temporary:
        join([source], temporary, digests=[digest(source)])
        with HDF5Output(temporary, "r+") as file:
            table = file["table"]
            for name, values in columns.items():
                if name in table and replace:
                    del table[name]
                elif name in table:
                    table.move(name, f"input_{name}")
                append_column(table, name, values, 0, LABEL_COLUMNS.get(name))
            file.attrs.update(attributes or {})
