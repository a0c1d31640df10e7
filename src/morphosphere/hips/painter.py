"""Tiles of galaxies: each upright in the tangent plane of its own cell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from morphosphere.hips.geometry import (
    Frame,
    cell_width,
    cells_of_tile,
    node_directions,
    node_steps,
    nodes_by_cell,
    on_crease,
    pole_cell,
)

#: Part of a cell's width over which neighbouring pictures fade into the sky between them.
_SEAM = 0.12
#: Part of a picture's width over which its border fades into the sky.
_BORDER = 0.08
#: Width of the dark line between cells, as a part of a cell.
_GAP = 0.03


@dataclass(frozen=True)
class Painter:
    """Draws the tiles of one order.

    Attributes
    ----------
    order : int
        Of the tiles.
    width : int
        Of a tile in pixels.
    cells : int
        Along one side of a tile.
    fill : float
        Width of a picture in widths of its cell.
    seamless : bool
        Whether pictures fade into the sky colour rather than ending at a dark line.
    sky : tuple of float
        Colour between galaxies, 0 to 255.
    """

    order: int
    width: int
    cells: int
    fill: float
    seamless: bool
    sky: tuple[float, float, float]

    @property
    def cell_order(self) -> int:
        """HEALPix order of the cells."""
        return self.order + self.cells.bit_length() - 1

    @cached_property
    def _window(self) -> np.ndarray:
        pixels = self.width // self.cells
        place = np.abs((np.arange(pixels) + 0.5) / pixels * 2 - 1)
        if self.seamless:
            # A square with round corners, so that a galaxy larger than its cell has no sharp ends.
            radius = (place[:, None] ** 4 + place[None, :] ** 4) ** 0.25
            t = np.clip((1 - radius) / (2 * _SEAM), 0, 1)
            return (t * t * (3 - 2 * t)).astype(np.float32)
        inside = place < 1 - _GAP
        return (inside[:, None] & inside[None, :]).astype(np.float32)

    @cached_property
    def _one_cell(self) -> Painter:
        """Draws a single cell, as a tile of its own."""
        return replace(self, order=self.cell_order, width=self.width // self.cells, cells=1)

    def paint(
        self, tile: int, pictures: np.ndarray, which: np.ndarray, turns: np.ndarray | None = None
    ) -> np.ndarray:
        """One tile.

        Parameters
        ----------
        tile : int
            Its nested index.
        pictures : ndarray of uint8, shape (P, h, h, 3)
            Row 0 is the top.
        which : ndarray of int, shape (cells**2,)
            Picture of each cell in nested order; -1 for none.
        turns : ndarray, shape (cells**2, 2, 2), optional
            Matrix from the place where a pixel is drawn (right, up) to its place on the picture.

        Returns
        -------
        ndarray of uint8, shape (width, width, 3)
            As in a JPEG tile: row 0, column 0 is the south corner.
        """
        from morphosphere.hips.draw import draw_cells

        ids = cells_of_tile(tile, self.cells)
        local = ids - (tile * self.cells**2)
        steps = node_steps(self.order, tile, self.cells, self.width // self.cells)
        nodes = node_directions(self.order, tile, self.width, steps * self.cells)
        frame = Frame.of_cells(self.cell_order, ids)
        right, up = frame.project(nodes_by_cell(nodes, self.cells))
        scale = 1 / (self.fill * cell_width(self.cell_order))
        if turns is not None:
            m = turns[local][..., None, None] * scale
            right, up = (
                m[:, :, 0, 0] * right + m[:, :, 0, 1] * up,
                m[:, :, 1, 0] * right + m[:, :, 1, 1] * up,
            )
        else:
            right, up = right * scale, up * scale
        out = np.empty((self.width, self.width, 3), np.uint8)
        sky = (np.asarray(self.sky, np.float32) + 0.5).astype(np.uint8)
        draw_cells(
            np.ascontiguousarray(right, np.float32),
            np.ascontiguousarray(up, np.float32),
            on_crease(self.cell_order, ids),
            pictures,
            np.asarray(which, np.int64)[local],
            self._window,
            _BORDER if self.seamless else 0.0,
            sky,
            sky if self.seamless else np.zeros(3, np.uint8),
            out,
        )
        at_pole = pole_cell(self.order, tile, self.cells)
        if at_pole is not None and self.cells > 1:
            row, column = np.argwhere(local == at_pole)[0] * self._one_cell.width
            part = slice(at_pole, at_pole + 1)
            out[row : row + self._one_cell.width, column : column + self._one_cell.width] = (
                self._one_cell.paint(
                    tile * self.cells**2 + at_pole,
                    pictures,
                    np.asarray(which)[part],
                    None if turns is None else turns[part],
                )
            )
        return out


def pose_matrices(angle: np.ndarray, flip: np.ndarray) -> np.ndarray:
    """Matrices (N, 2, 2) from a place on the canonical picture to that on the galaxy's own image.

    The image is the canonical one, mirrored left to right if `flip`, then turned by `angle`
    degrees counter-clockwise; places are (right, up) from the centre.
    """
    theta = np.radians(np.asarray(angle, dtype=np.float64))
    cos, sin = np.cos(theta), np.sin(theta)
    mirrored = np.where(np.asarray(flip, dtype=bool), -1.0, 1.0)
    return np.stack(
        [np.stack([cos * mirrored, -sin], axis=-1), np.stack([sin * mirrored, cos], axis=-1)],
        axis=-2,
    )
