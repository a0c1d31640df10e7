"""Where the pixels of HiPS tiles lie on the sky, ours against reproject's, and how fast.

One image in TAN projection whose pixels hold their own column or row: bilinear interpolation of it
is exact, so that a tile of reproject tells at each pixel which place of the image lies there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from benchmarks.peers import peer
from benchmarks.result import Result, Seconds, alternate
from morphosphere.config.hips import HipsSettings
from morphosphere.hips.draw import fill_cells
from morphosphere.hips.geometry import (
    Frame,
    cells_of_tile,
    node_directions,
    node_steps,
    nodes_by_cell,
    on_crease,
)
from morphosphere.hips.painter import Painter
from morphosphere.hips.tiles import TileFormat, tile_path, write_tile

#: Centre of the image in degrees, and its width in pixels.
CENTRE = (45.0, 20.0)
SIDE = 1024


def reprojected(_: Path, folder: Path, cores: int, full: bool) -> Iterator[Result]:
    """Tiles of one order, one thread on both sides; ours in colour as JPEG, theirs grey as FITS."""
    settings = HipsSettings()
    width, order = settings.tile_width, settings.order
    wcs = tan(np.sqrt(4 * np.pi / 12) / 2**order / width)
    images = {axis: folder / f"{axis}.fits" for axis in ("column", "row")}
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    for name, values in (("column", x), ("row", y)):
        fits.PrimaryHDU(values, wcs.to_header()).writeto(images[name], overwrite=True)
    with peer("peers", "reproject_peer") as other:
        told = {"order": order, "width": width}
        outputs = {axis: folder / f"reproject-{axis}" for axis in images}
        other.ask("work", image=str(images["row"]), folder=str(outputs["row"]), **told)
        count = {}

        def theirs() -> Seconds:
            said = other.ask(
                "work", image=str(images["column"]), folder=str(outputs["column"]), **told
            )
            count["all"] = said["value"]["all"]
            return Seconds(said["seconds"])

        tiles = 64
        painter = Painter(order, width, settings.cells, settings.fill, True, (0, 0, 0))
        picture = (x[None, ..., None].repeat(3, axis=3) / SIDE * 255).astype(np.uint8)[
            :, ::16, ::16
        ]
        which = np.zeros(settings.cells**2, int)
        form = TileFormat(settings.tile_format, settings.jpeg_quality)

        def ours() -> None:
            for tile in range(tiles):
                path = tile_path(folder / "ours", order, tile, form.extension)
                path.parent.mkdir(parents=True, exist_ok=True)
                write_tile(path, form.encode(painter.paint(tile, picture, which)))

        pair = alternate(ours, theirs, repeats=5 if full else 1)
        error = place_errors(outputs["column"], outputs["row"], wcs, order, width, settings.cells)
    yield pair.result(
        "hips-reproject",
        tiles,
        "tiles/s",
        1.0,
        f"reproject_to_hips of one image, bilinear, width {width}, one thread; ours 3 colours as "
        "JPEG, theirs 1 as FITS",
        their_amount=count["all"],
        place_error_pixels_median=float(np.median(error)),
        place_error_pixels_largest=float(error.max()),
        places_compared=len(error),
    )


def tan(pixel: float) -> WCS:
    """A TAN projection of `SIDE` pixels, each so many radians wide, around `CENTRE`."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = CENTRE
    wcs.wcs.crpix = [(SIDE + 1) / 2] * 2
    wcs.wcs.cdelt = [-np.degrees(pixel), np.degrees(pixel)]
    return wcs


def place_errors(
    columns: Path, rows: Path, wcs: WCS, order: int, width: int, cells: int
) -> np.ndarray:
    """Distance in pixels between the places of tile pixels, ours and reproject's, 1-d."""
    out = []
    for path in sorted(columns.glob(f"Norder{order}/Dir*/Npix*.fits")):
        tile = int(path.stem.removeprefix("Npix"))
        # FITS is the same array flipped vertically.
        theirs = np.stack([fits.getdata(p)[::-1] for p in (path, rows / path.relative_to(columns))])
        lon, lat = places(order, tile, width, cells)
        ours = np.stack(wcs.wcs_world2pix(lon, lat, 0))
        known = (
            np.isfinite(theirs).all(axis=0) & (ours > 1).all(axis=0) & (ours < SIDE - 2).all(axis=0)
        )
        out.append(np.hypot(*(ours - theirs)[:, known]))
    return np.concatenate(out)


def places(order: int, tile: int, width: int, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude in degrees (width, width) of a tile's pixels, as they are drawn."""
    ids = cells_of_tile(tile, cells)
    bits = cells.bit_length() - 1
    steps = node_steps(order, tile, cells, width // cells)
    frame = Frame.of_cells(order + bits, ids)
    drawn = []
    nodes = nodes_by_cell(node_directions(order, tile, width, steps * cells), cells)
    for axis in frame.project(nodes):
        out = np.empty((cells, cells, width // cells, width // cells), np.float32)
        fill_cells(np.ascontiguousarray(axis, np.float32), on_crease(order + bits, ids), out)
        drawn.append(out.swapaxes(1, 2).reshape(width, width)[..., None].astype(float))
    centre, east, north = (
        np.repeat(np.repeat(vectors, width // cells, axis=0), width // cells, axis=1)
        for vectors in (frame.centre, frame.east, frame.north)
    )
    vectors = centre - drawn[0] * east + drawn[1] * north
    x, y, z = np.moveaxis(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), -1, 0)
    return np.degrees(np.arctan2(y, x)) % 360, np.degrees(np.arcsin(z))
