"""Where collected images go: an ImageSet, a chunk at a time."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from morphosphere.artefacts.imageset import ImageSetWriter
from morphosphere.collect.fault import Fault
from morphosphere.collect.items import Item
from morphosphere.collect.known import Known
from morphosphere.collect.read import Collected
from morphosphere.config.collect import SurveySettings

#: Images that are written at a time, and their bytes.
CHUNK_IMAGES = 1024
CHUNK_BYTES = 32 << 20


@dataclass
class Counts:
    """How many images were collected, and what is to be said of them."""

    images: int = 0
    without_row: int = 0
    with_bad_pixels: int = 0
    without_object: int = 0
    rejects: Counter[str] = field(default_factory=Counter)
    files_digest: str = ""
    files: list[str] = field(default_factory=list)


class Sink:
    """Write images and their rows; the first image decides channels and type of all.

    Parameters
    ----------
    name : str
        Of the survey.
    settings : SurveySettings
    path : Path
        The ImageSet, which appears when the block ends well and holds an image.
    items : list of Item
    known : Known
    """

    def __init__(
        self, name: str, settings: SurveySettings, path: Path, items: list[Item], known: Known
    ) -> None:
        self.counts = Counts()
        self._name, self._settings, self._path = name, settings, path
        self._items, self._known = items, known
        self._stack = ExitStack()
        self._writer: ImageSetWriter | None = None
        self._waiting: list[Collected] = []

    def __enter__(self) -> Sink:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._stack as stack:
            if kind is None:
                self._flush()
            else:  # the file is discarded: let its writer see the error
                stack.__exit__(kind, error, trace)

    def add(self, image: Collected) -> None:
        """Take one image.

        Raises
        ------
        Fault
            If it does not have as many channels as the first.
        """
        if self._writer is None:
            self._open(image)
        if len(image.pixels) != self._channels:
            raise Fault(f"wrong number of channels: {len(image.pixels)}, not {self._channels}")
        self._waiting.append(image)
        self.counts.images += 1
        self.counts.without_row += not self._known.has_row(image.index)
        self.counts.with_bad_pixels += image.facts["bad_pixels"] > 0
        self.counts.without_object += not image.facts.get("object_found", True)
        count = len(self._waiting)
        if count >= CHUNK_IMAGES or count * image.pixels.nbytes >= CHUNK_BYTES:
            self._flush()

    def _open(self, first: Collected) -> None:
        settings = self._settings
        self._channels = len(first.pixels)
        self._dtype = settings.dtype
        if settings.dtype == "auto":
            self._dtype = "uint8" if first.picture else "float32"
        kind = self._items[first.index].kind
        self._writer = self._stack.enter_context(
            ImageSetWriter(
                self._path,
                channels=settings.bands or channel_names(self._channels, first.picture, kind),
                size=settings.size,
                dtype=self._dtype,
                unit="nanomaggy" if settings.magnitudes else first.facts.get("unit", ""),
                attributes={"source": self._name},
                about={**_ABOUT, **self._known.about},
            )
        )

    def _flush(self) -> None:
        if not self._waiting or self._writer is None:
            return
        pixels = np.stack([image.pixels for image in self._waiting])
        if self._dtype == "uint8" and pixels.dtype != np.uint8:
            pixels = np.clip(np.rint(np.nan_to_num(pixels)), 0, 255).astype(np.uint8)
        self._writer.append(pixels, self._rows())
        self._waiting.clear()

    def _rows(self) -> dict[str, Any]:
        images, root = self._waiting, Path(self._settings.path)
        items = [self._items[image.index] for image in images]
        ids = [f"{self._name}_{item.id}" for item in items]
        rows: dict[str, Any] = {
            "image_id": ids,
            "galaxy_id": ids,
            "source": [self._name] * len(ids),
            "file": [relative(item.files[0], root) for item in items],
        }
        if self._dtype != "uint8":
            rows["bad_pixels"] = np.array([image.facts["bad_pixels"] for image in images])
        if self._settings.fit == "object":
            for name in ("crop_width", "object_radius"):
                rows[name] = np.array([image.facts[name] for image in images])
        if self._settings.wcs:
            for name in ("ra", "dec"):
                rows[name] = np.array([image.facts.get(name, np.nan) for image in images])
        rows.update(self._known.columns(np.array([image.index for image in images])))
        return rows


_ABOUT = {
    "bad_pixels": {"description": "Fraction of the file's pixels that are NaN or infinite"},
    "crop_width": {"unit": "pix", "description": "Width of the image in pixels of its file"},
    "object_radius": {
        "unit": "pix",
        "description": "Radius that holds 90 % of the light of the central object",
        "ucd": "phys.angSize",
    },
    "ra": {"unit": "deg", "description": "Right ascension (ICRS)", "ucd": "pos.eq.ra"},
    "dec": {"unit": "deg", "description": "Declination (ICRS)", "ucd": "pos.eq.dec"},
}


def channel_names(count: int, picture: bool, kind: str) -> list[str]:
    """Names of channels that the settings do not name."""
    if count == 1:
        return ["grey" if kind == "picture" else "band1"]
    if count == 3 and (picture or kind == "picture"):
        return ["R", "G", "B"]
    return [f"band{i + 1}" for i in range(count)]


def relative(file: str, root: Path) -> str:
    """Path of a file below the survey's folder; its name for a survey that is one file."""
    start = f"{root}{os.sep}"
    if file == str(root):
        return root.name
    return file[len(start) :] if file.startswith(start) else file
