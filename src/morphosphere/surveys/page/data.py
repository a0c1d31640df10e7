"""What the page reads of predictions, embedding and images.

::

    index.json               classes, columns, sheets, lists, reliability; written last
    places.bin               float32, little-endian, (n, 2): x and y in the embedding
    columns/<number>.bin     a column, little-endian; categories as uint8, 255 for none
    ids.txt                  identifiers, one a line
    sheets/00000.jpg         thumbnails in the order of the galaxies
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.transform import Transform
from morphosphere.config.survey_page import SurveyPageSettings
from morphosphere.explorer.columns import encode
from morphosphere.explorer.sheets import draw_sheet, write_sheet
from morphosphere.files import atomic_path, write_json, write_text
from morphosphere.memory import give_back
from morphosphere.progress import progress
from morphosphere.surveys.clusters.members import class_codes, human_labels
from morphosphere.surveys.clusters.pictures import read_rows
from morphosphere.surveys.page.certain import certain_rows, reliability
from morphosphere.surveys.page.choice import Choice, choose

FORMAT = "morphosphere.survey_page"
VERSION = 1
#: Numbers that the page shows where the predictions have them.
NUMBERS = (
    "confidence", "spread", "domain_distance", "type_median", "type_low68", "type_high68",
    "type_low95", "type_high95", "ra", "dec",
)  # fmt: skip
#: Code of what is in none of the categories.
NONE = 255
#: Different clusters that the page can tell apart.
_MOST = 254


def write_data(
    folder: Path,
    catalogue: Catalogue,
    place: dict[str, np.ndarray],
    images: ImageSet,
    transform: Transform,
    classes: list[str],
    settings: SurveyPageSettings,
    seed: int,
) -> dict[str, Any]:
    """Write all data of the page; return its index."""
    predicted, label = class_codes(catalogue, classes), human_labels(catalogue)
    table = catalogue.read(["confidence", "split"])
    confidence = table["confidence"].astype(np.float64)
    usable = np.isfinite(place["x"]) & np.isfinite(place["y"])
    strange = None
    if "domain_outlier" in catalogue.columns:
        strange = catalogue.read(["domain_outlier"])["domain_outlier"].astype(bool)
    lists = certain_rows(predicted, confidence, usable, settings.sheet, len(classes), strange)
    kept = np.concatenate([rows for item in lists for rows in item.values()])
    choice = choose(place, kept, most=settings.points, overview=settings.overview, seed=seed)
    rows = choice.rows
    xy = np.stack([place["x"][rows], place["y"][rows]], axis=1).astype("<f4")
    _write(folder / "places.bin", xy)
    columns = Columns(folder / "columns")
    names = [str(name) for name in classes]
    columns.categories("predicted", predicted[rows], names)
    columns.categories("label", label[rows], names)
    clusters = [str(number) for number in range(int(place["cluster"].max()) + 1)][:_MOST]
    columns.categories("cluster", place["cluster"][rows], clusters)
    columns.categories("component", place["component"][rows], names)
    columns.texts("split", table["split"][rows])
    for name in ("label_origin", "model_version"):
        if name in catalogue.columns:
            columns.texts(name, catalogue.read([name])[name][rows])
    if strange is not None:
        columns.categories("domain_outlier", strange[rows].astype(np.int64), ["no", "yes"])
    shares = [f"p_{name}" for name in classes]
    for name in (*NUMBERS, *shares, *(f"{name}_std" for name in shares)):
        if name in catalogue.columns:
            values = catalogue.read([name])[name][rows]
            columns.numbers(name, values, catalogue.about(name))
    ids = catalogue.read(["image_id"])["image_id"][rows]
    write_text(folder / "ids.txt", "\n".join(" ".join(str(name).split("\n")) for name in ids))
    write_sheets(folder / "sheets", images, transform, rows, settings)
    known = (label >= 0) & (table["split"].astype(str) == "test") & np.isfinite(confidence)
    right = (predicted == label)[known]
    index = {
        "format": FORMAT,
        "version": VERSION,
        "rows": len(rows),
        "total": len(catalogue),
        "unplaced": choice.unplaced,
        "overview": choice.overview,
        "classes": names,
        "columns": columns.facts,
        "sheet_side": settings.sheet_side,
        "thumbnail": settings.thumbnail,
        "lists": _places(lists, choice, names),
        "reliability": {
            "n": int(known.sum()),
            "bins": reliability(confidence[known], right, settings.reliability_bins),
        },
    }
    write_json(folder / "index.json", index)
    return index


def _places(
    lists: list[dict[str, np.ndarray]], choice: Choice, names: list[str]
) -> list[dict[str, Any]]:
    """The lists with places on the page instead of rows of the predictions."""
    place = {int(row): number for number, row in enumerate(choice.rows)}
    return [
        {"class": name}
        | {
            kind: [place[row] for row in rows.tolist() if row in place]
            for kind, rows in item.items()
        }
        for name, item in zip(names, lists)
    ]


class Columns:
    """Columns of the page, each a file; `facts` is what the index says of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.facts: list[dict[str, Any]] = []

    def numbers(self, name: str, values: np.ndarray, about: dict[str, str]) -> None:
        """A column of numbers; positions on the sky keep double precision."""
        stored, facts = encode(values.astype(np.float64 if name in ("ra", "dec") else np.float32))
        if name in ("ra", "dec"):
            stored, facts["kind"] = values.astype("<f8"), "float64"
        self._add(name, stored, {**about, **facts})

    def categories(self, name: str, code: np.ndarray, categories: list[str]) -> None:
        """A column of categories; codes outside of them mean none."""
        stored = np.where((code >= 0) & (code < len(categories)), code, NONE).astype(np.uint8)
        self._add(name, stored, {"kind": "category", "categories": categories})

    def texts(self, name: str, values: np.ndarray) -> None:
        """A column of a few different texts; the empty one means none."""
        names, code = np.unique(values.astype(str), return_inverse=True)
        filled = np.flatnonzero(names != "")
        number = np.full(len(names), -1)
        number[filled] = np.arange(len(filled))
        self.categories(name, number[code], [str(names[k]) for k in filled])

    def _add(self, name: str, stored: np.ndarray, facts: dict[str, Any]) -> None:
        file = f"{len(self.facts):03d}.bin"
        _write(self.folder / file, stored)
        self.facts.append({"name": name, "file": file, **facts})


def _write(path: Path, values: np.ndarray) -> None:
    with atomic_path(path) as temporary:
        temporary.write_bytes(np.ascontiguousarray(values).tobytes())


def write_sheets(
    folder: Path,
    images: ImageSet,
    transform: Transform,
    rows: np.ndarray,
    settings: SurveyPageSettings,
) -> None:
    """Write thumbnails of the images `rows`, in their order, sheet by sheet."""
    per_sheet = settings.sheet_side**2
    with progress("draw thumbnails", len(rows)) as advance:
        for number, start in enumerate(range(0, len(rows), per_sheet)):
            part = rows[start : start + per_sheet]
            pictures = transform(read_rows(images, part))
            sheet = draw_sheet(pictures, side=settings.sheet_side, thumbnail=settings.thumbnail)
            write_sheet(folder / f"{number:05d}.jpg", sheet, quality=settings.jpeg_quality)
            give_back()
            advance(len(part))
