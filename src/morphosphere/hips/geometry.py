"""Where the pixels of a tile, and of the cells in it, lie on the sphere.

A HiPS tile is a HEALPix pixel of order k, its pixels are HEALPix pixels of order k + log2(width).
In JPEG and PNG tiles the row holds the bits of x (towards north-east) and the column those of y
(towards north-west); row 0, column 0 is the south corner (HiPS 1.0, IVOA Recommendation 2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import hpgeom
import numpy as np

#: Deepest order of HEALPix in 64-bit integers.
DEEPEST = 29
#: Nodes are placed to this fraction of a pixel (2 to the power of minus this).
_FINE_BITS = 10
_CURVATURE = 2.0
_POLAR_CURVATURE = 1.8
_EVEN_BITS = 0x5555555555555555


def spread_bits(values: np.ndarray) -> np.ndarray:
    """Bit i of each value moved to bit 2i, int64."""
    out = np.asarray(values).astype(np.uint64)
    for shift, mask in (
        (16, 0x0000FFFF0000FFFF),
        (8, 0x00FF00FF00FF00FF),
        (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333),
        (1, 0x5555555555555555),
    ):
        out = (out | (out << np.uint64(shift))) & np.uint64(mask)
    return out.astype(np.int64)


def nested(tile: int, x: np.ndarray, y: np.ndarray, bits: int) -> np.ndarray:
    """Nested index of the pixels (x, y) of a tile that is 2**bits pixels wide."""
    return (tile << (2 * bits)) | spread_bits(x) | (spread_bits(y) << 1)


def cells_of_tile(tile: int, cells: int) -> np.ndarray:
    """Nested indices of the cells of a tile as they lie in it (row, column)."""
    bits = cells.bit_length() - 1
    steps = np.arange(cells)
    return nested(tile, steps[:, None], steps[None, :], bits)


def directions(order: int, pixels: np.ndarray) -> np.ndarray:
    """Unit vectors (..., 3) of the centres of nested HEALPix pixels."""
    shape = np.shape(pixels)
    lon, lat = hpgeom.pixel_to_angle(1 << order, np.ravel(pixels), degrees=False)
    cos = np.cos(lat)
    out = np.stack([cos * np.cos(lon), cos * np.sin(lon), np.sin(lat)], axis=-1)
    return out.reshape(*shape, 3)


def cell_width(order: int) -> float:
    """Width in radians of a square as large as a HEALPix pixel of `order`."""
    return float(np.sqrt(4 * np.pi / (12 * 4.0**order)))


def node_directions(order: int, tile: int, width: int, steps: int) -> np.ndarray:
    """Unit vectors (steps + 1, steps + 1, 3) on a grid from corner to corner of a tile.

    Node (i, j) lies at row ``i * width / steps`` and column ``j * width / steps`` of the tile,
    counted from its edge, to within a thousandth of a pixel (as far as 64 bits allow).
    """
    bits = width.bit_length() - 1
    fine = min(_FINE_BITS, DEEPEST - order - bits)
    place = np.arange(steps + 1, dtype=np.int64) * ((width << fine) // steps)
    place[-1] -= 1
    pixels = nested(tile, place[:, None], place[None, :], bits + fine)
    return directions(order + bits + fine, pixels)


def node_steps(order: int, tile: int, cells: int, cell_pixels: int) -> int:
    """Intervals of a cell's node grid that keep interpolation within 0.03 pixels.

    The error of linear interpolation over a step of s pixels is c s^2 / 8; the curvature c falls
    with the size of a pixel. Around a pole it rises with the inverse of the distance: the other
    cells of a tile that touches one are placed within 0.04 pixels, and the cell at the pole itself
    needs a node at every pixel (see `pole_cell`). The constants are measured, and held by a test.
    """
    step = np.sqrt(8 * 0.03 * cells * cell_pixels / (_CURVATURE * cell_width(order)))
    if touches_pole(order, tile):
        if cells == 1:
            return cell_pixels
        step = min(step, np.sqrt(8 * 0.03 * cell_pixels / _POLAR_CURVATURE))
    needed = int(np.ceil(cell_pixels / max(step, 1.0)))
    return int(np.clip(1 << (max(needed, 2) - 1).bit_length(), 2, cell_pixels))


def pole_cell(order: int, tile: int, cells: int) -> int | None:
    """Number, in nested order, of the cell of a tile that touches a pole; None if none does."""
    if not touches_pole(order, tile):
        return None
    return cells**2 - 1 if tile >> (2 * order) < 4 else 0


def touches_pole(order: int, tile: int) -> bool:
    """Whether a corner of a tile is a pole of the sphere."""
    face, within = tile >> (2 * order), tile & ((1 << 2 * order) - 1)
    return (face < 4 and within == (1 << 2 * order) - 1) or (face >= 8 and within == 0)


def on_crease(order: int, pixels: np.ndarray) -> np.ndarray:
    """Whether the parallel |z| = 2/3 crosses pixels from their east to their west corner.

    There, within the polar base pixels, the projection has a crease: directions are continuous,
    but not smooth (Gorski et al. 2005, ApJ 622, 759).
    """
    face, within = pixels >> (2 * order), pixels & ((1 << 2 * order) - 1)
    # On the anti-diagonal the bits of x are those of y inverted.
    mixed = (within ^ (within >> 1)) & _EVEN_BITS
    every = _EVEN_BITS & ((1 << 2 * order) - 1)
    return ((face < 4) | (face >= 8)) & (mixed == every)


@dataclass(frozen=True)
class Frame:
    """Tangent planes of cells: unit vectors to their centres, east and north, each (..., 3)."""

    centre: np.ndarray
    east: np.ndarray
    north: np.ndarray

    @classmethod
    def of_cells(cls, order: int, cells: np.ndarray) -> Frame:
        """Tangent planes of nested HEALPix pixels."""
        centre = directions(order, cells)
        x, y, z = np.moveaxis(centre, -1, 0)
        level = np.hypot(x, y)  # never 0: no pixel has its centre on a pole
        zero = np.zeros_like(level)
        east = np.stack([-y / level, x / level, zero], axis=-1)
        north = np.stack([-z * x / level, -z * y / level, level], axis=-1)
        return cls(centre, east, north)

    def project(self, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gnomonic coordinates in radians: rightwards (west) and upwards (north).

        East is to the left, as on the sky.

        Parameters
        ----------
        nodes : ndarray, shape (..., n, n, 3)
            Unit vectors, n x n for each cell.
        """
        depth, east, north = (
            np.einsum("...ijk,...k->...ij", nodes, axis)
            for axis in (self.centre, self.east, self.north)
        )
        return -east / depth, north / depth


def nodes_by_cell(nodes: np.ndarray, cells: int) -> np.ndarray:
    """Nodes of a tile (m * cells + 1, ..., 3) as (cells, cells, m + 1, m + 1, 3); edges shared."""
    steps = (len(nodes) - 1) // cells
    index = np.arange(cells)[:, None] * steps + np.arange(steps + 1)[None, :]
    return nodes[index[:, None, :, None], index[None, :, None, :]]
