"""The loop over tiles: shared over ranks and threads, resumed where it was left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morphosphere.hips.painter import Painter
from morphosphere.hips.pictures import DECODED, Pictures
from morphosphere.hips.tiles import TileFormat, make_folders, tile_path, write_tile
from morphosphere.parallel import World
from morphosphere.progress import progress

#: Cells in a block: whole batches of the decoder, so that its pictures depend on settings alone.
_CELLS = 4 * DECODED
#: Draws tiles of one order: (order, tiles) -> (tile, pixels (W, W, 3)) for each.
Draw = Callable[[int, range], Iterator[tuple[int, np.ndarray]]]


@dataclass(frozen=True)
class Block:
    """Tiles that are drawn in one go.

    Attributes
    ----------
    order : int
    tiles : range
    """

    order: int
    tiles: range


def blocks(order: int, size: int) -> list[Block]:
    """All tiles of the orders 0 to `order` in blocks of at most `size`."""
    return [
        Block(k, range(first, min(first + size, 12 * 4**k)))
        for k in range(order + 1)
        for first in range(0, 12 * 4**k, size)
    ]


def block_size(cells: int) -> int:
    """Tiles in a block: few, so that all threads have work at the lowest orders."""
    return max(1, _CELLS // cells**2)


def make_tiles(
    root: Path,
    draw: Draw,
    work: list[Block],
    *,
    form: TileFormat,
    threads: int,
    ranks: World,
    description: str,
) -> int:
    """Draw and write the tiles that are not there yet; return how many this rank wrote.

    A block with a missing tile is drawn as a whole, because what the decoder makes of a cell may
    depend in the last bit on the batch that it is in.
    """
    mine = [work[i] for i in ranks.share(len(work))]
    if ranks.first:
        make_folders(root, range(max(block.order for block in work) + 1))
    ranks.barrier()

    def run(block: Block) -> tuple[int, int]:
        paths = {n: tile_path(root, block.order, n, form.extension) for n in block.tiles}
        missing = {n: path for n, path in paths.items() if not form.is_whole(path)}
        if missing:
            for n, pixels in draw(block.order, block.tiles):
                if n in missing:
                    write_tile(missing[n], form.encode(pixels))
        return len(block.tiles), len(missing)

    written = 0
    total = sum(len(block.tiles) for block in mine)
    with (
        ThreadPoolExecutor(threads) as pool,
        progress(description, total, show=ranks.first) as advance,
    ):
        try:
            for done, new in pool.map(run, mine):
                advance(done)
                written += new
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    ranks.barrier()
    return written


def draw_galaxies(painters: list[Painter], pictures: Pictures) -> Draw:
    """A `Draw` of galaxies in cells; ``painters[k]`` draws order k."""

    def draw(order: int, tiles: range) -> Iterator[tuple[int, np.ndarray]]:
        painter = painters[order]
        per_tile = painter.cells**2
        shown, which, turns = pictures.of_cells(
            painter.cell_order, tiles.start * per_tile, len(tiles) * per_tile
        )
        for i, n in enumerate(tiles):
            part = slice(i * per_tile, (i + 1) * per_tile)
            yield n, painter.paint(n, shown, which[part], None if turns is None else turns[part])

    return draw
