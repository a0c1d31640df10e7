"""The pictures that are drawn into cells: real ones, or those of the decoder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import numpy as np

from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.transform import Transform, resample
from morphosphere.errors import InputError
from morphosphere.hips.geometry import directions
from morphosphere.parallel import World
from morphosphere.pictures import rgb
from morphosphere.progress import progress

#: Images that are read at a time.
BATCH = 256
#: Cells that are decoded at a time: few, so that what they need stays in the caches of a core.
DECODED = 16


class Pictures(Protocol):
    """A source of the pictures of cells."""

    def of_cells(
        self, order: int, first: int, count: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Pictures of the cells ``first`` to ``first + count`` of HEALPix order `order`.

        Returns
        -------
        pictures : ndarray of uint8, shape (P, h, h, 3)
        which : ndarray of int, shape (count,)
            Picture of each cell; -1 for none.
        turns : ndarray, shape (count, 2, 2), or None
            How the pictures are turned, as in `Painter.paint`.
        """
        ...


def shrunk(images: np.ndarray, side: int) -> np.ndarray:
    """Images no larger than `side`, so that drawing them does not skip pixels."""
    return resample(images, side) if images.shape[-1] > side else images


def sky_colour(pictures: np.ndarray) -> tuple[float, float, float]:
    """Median colour of the border pixels of pictures (P, h, h, 3)."""
    border = np.concatenate(
        [pictures[:, 0], pictures[:, -1], pictures[:, :, 0], pictures[:, :, -1]], axis=1
    )
    red, green, blue = np.median(border.reshape(-1, 3), axis=0)
    return float(red), float(green), float(blue)


class GeneratedPictures:
    """What the decoder draws at the centres of cells.

    Parameters
    ----------
    bundle : ModelBundle
    side : int
        Largest useful width of a picture in pixels.
    """

    def __init__(self, bundle: ModelBundle, side: int) -> None:
        self._bundle = bundle
        self._side = side

    def of_cells(
        self, order: int, first: int, count: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """See `Pictures`."""
        place = directions(order, np.arange(first, first + count))
        parts = [
            rgb(shrunk(self._bundle.decode(place[start : start + DECODED]), self._side))
            for start in range(0, count, DECODED)
        ]
        return np.concatenate(parts), np.arange(count), None

    def sky(self) -> tuple[float, float, float]:
        """Colour between galaxies, from 192 pictures spread evenly over the sphere."""
        return sky_colour(self.of_cells(2, 0, 192)[0])


class RealPictures:
    """The images themselves, from a scratch file written by `stage_pictures`.

    Parameters
    ----------
    path : Path
        The scratch file: uint8, shape (N, side, side, 3).
    side : int
        Width of the pictures.
    turns : ndarray, shape (N, 2, 2), or None
        How each is turned.
    """

    def __init__(self, path: Path, side: int, turns: np.ndarray | None) -> None:
        self._pictures = np.memmap(path, np.uint8, mode="r").reshape(-1, side, side, 3)
        self._turns = turns
        self._rows: dict[int, np.ndarray] = {}

    def place(self, order: int, rows: np.ndarray) -> None:
        """Say which image stands in each cell of HEALPix order `order` (see `assign_cells`)."""
        self._rows[order] = rows

    def of_cells(
        self, order: int, first: int, count: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """See `Pictures`."""
        rows = self._rows[order][first : first + count]
        shown = np.flatnonzero(rows >= 0)
        which = np.full(count, -1)
        which[shown] = np.arange(len(shown))
        pictures = self._pictures[rows[shown]]
        if not len(shown):
            pictures = np.zeros((1, *self._pictures.shape[1:]), np.uint8)
        if self._turns is None:
            return pictures, which, None
        turns = np.broadcast_to(np.eye(2), (count, 2, 2)).copy()
        turns[shown] = self._turns[rows[shown]]
        return pictures, which, turns

    def sky(self) -> tuple[float, float, float]:
        """Colour between galaxies, from pictures spread evenly over the file."""
        step = max(1, len(self._pictures) // 1024)
        return sky_colour(np.asarray(self._pictures[::step]))


def stage_pictures(
    images: ImageSet, transform: Transform, path: Path, side: int, ranks: World
) -> int:
    """Write all images as colour pictures, read once from end to end; return their width.

    Images are drawn at several orders and in no order: from this file each is one short read. The
    ranks write one part each. The file appears under `path` when it is whole; if it is there
    already, it is kept.

    Raises
    ------
    InputError
        If the images do not fit the model.
    """
    side = min(side, transform.size)
    if images.channels != transform.channels:
        raise InputError(
            f"{images.path}: channels {', '.join(images.channels)}, but the model was trained on "
            f"{', '.join(transform.channels)}; train it again on these images"
        )
    if ranks.broadcast(path.exists()):
        return side
    partial = path.with_name(path.name + ".partial")
    if ranks.first:
        partial.unlink(missing_ok=True)
        partial.touch()
    ranks.barrier()
    share = ranks.share(len(images))
    row = side * side * 3
    with (
        open(partial, "r+b") as out,
        progress("pictures", len(share), show=ranks.first) as advance,
    ):
        for start in range(share.start, share.stop, BATCH):
            stop = min(start + BATCH, share.stop)
            pictures = rgb(shrunk(transform(images.read(start, stop)), side))
            out.seek(start * row)
            out.write(pictures.tobytes())
            advance(stop - start)
    ranks.barrier()
    if ranks.first:
        os.replace(partial, path)
    ranks.barrier()
    return side
