"""Figures of the whole sphere in the Mollweide projection, longitude growing to the left."""

from __future__ import annotations

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from morphosphere.artefacts.bundle import unit_vector
from morphosphere.evaluate.figures.style import (
    SKY,
    STYLE,
    label_of,
    message,
    new_figure,
)
from morphosphere.evaluate.inputs import Inputs
from morphosphere.evaluate.metrics import Results
from morphosphere.evaluate.sphere import angle_between, occupancy, occupancy_order
from morphosphere.pictures import rgb

#: Height in pixels of maps; they are twice as wide.
HEIGHT = 1200
#: Properties that are shown as maps at most.
MAX_MAPS = 9
_THUMBNAIL_ORDERS = (1, 2, 3)


def mollweide(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Map coordinates x in [-2, 2] (longitude 0 in the middle, growing to the left), y in [-1, 1].

    The auxiliary angle t solves 2t + sin 2t = pi sin(lat) (Snyder 1987, USGS Professional Paper
    1395, p. 249); it is looked up in a table of its inverse.
    """
    lon = (np.asarray(lon, float) + 180) % 360 - 180
    table = np.linspace(-np.pi / 2, np.pi / 2, 20001)
    angle = np.interp(np.pi * np.sin(np.radians(lat)), 2 * table + np.sin(2 * table), table)
    return -lon / 90 * np.cos(angle), np.sin(angle)


def inverse_mollweide(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Longitude and latitude in degrees at map coordinates, and whether they are on the map."""
    inside = x**2 / 4 + y**2 <= 1
    angle = np.arcsin(np.clip(y, -1, 1))
    lat = np.degrees(np.arcsin(np.clip((2 * angle + np.sin(2 * angle)) / np.pi, -1, 1)))
    lon = -90 * x / np.maximum(np.cos(angle), 1e-9)
    return np.where(inside, lon, 0), np.where(inside, lat, 0), inside


def cell_map(values: np.ndarray, order: int, height: int = 500) -> np.ndarray:
    """Picture (height, 2 * height) of values in HEALPix cells (nested); NaN outside of the map."""
    import hpgeom

    y, x = np.mgrid[1 : -1 : height * 1j, -2 : 2 : 2 * height * 1j]
    lon, lat, inside = inverse_mollweide(x, y)
    cells = hpgeom.angle_to_pixel(2**order, lon, lat, nest=True, lonlat=True, degrees=True)
    return np.where(inside, values[cells], np.nan)


@rc_context(STYLE)
def sphere(inputs: Inputs) -> Figure:
    """Galaxies on the sphere: at each HEALPix cell the galaxy nearest to its centre."""
    order = thumbnail_order(inputs)
    rows, lon, lat = nearest_to_centres(inputs, order)
    side = int(1.04 * np.sqrt(np.pi * HEIGHT**2 / 2 / (12 * 4**order)))
    canvas = np.empty((HEIGHT, 2 * HEIGHT, 3))
    y, x = np.mgrid[1 : -1 : HEIGHT * 1j, -2 : 2 : 2 * HEIGHT * 1j]
    canvas[:] = to_rgb(SKY)
    across, up = mollweide(lon, lat)
    for start in range(0, len(rows), 256):
        part = slice(start, start + 256)
        for picture, px, py in zip(rgb(inputs.transformed(rows[part])), across[part], up[part]):
            _paste(canvas, _resized(picture, side), (px + 2) / 4, (1 - py) / 2)
    canvas[x**2 / 4 + y**2 > 1] = 1.0
    figure = new_figure(14, 7.2)
    axes = figure.subplots()
    axes.imshow(canvas, extent=(-2, 2, -1, 1), interpolation="antialiased")
    _graticule(axes, "#ffffff40")
    return figure


def thumbnail_order(inputs: Inputs) -> int:
    """The finest HEALPix order for pictures at which most cells still hold an image."""
    place = inputs.catalogue.read(["lon", "lat"])
    best = _THUMBNAIL_ORDERS[0]
    for order in _THUMBNAIL_ORDERS[1:]:
        if np.mean(occupancy(place["lon"], place["lat"], order) > 0) >= 0.6:
            best = order
    return best


def nearest_to_centres(inputs: Inputs, order: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each occupied cell the row nearest to its centre, and the centre's lon and lat."""
    import hpgeom

    place = inputs.catalogue.read(["lon", "lat"])
    nside = 2**order
    options = {"nest": True, "lonlat": True, "degrees": True}
    cells = hpgeom.angle_to_pixel(nside, place["lon"], place["lat"], **options)
    lon, lat = hpgeom.pixel_to_angle(nside, np.arange(12 * nside**2), **options)
    distance = angle_between(inputs.position, unit_vector(lon, lat)[cells])
    ranked = np.lexsort((distance, cells))
    occupied, first = np.unique(cells[ranked], return_index=True)
    return ranked[first], lon[occupied], lat[occupied]


def _resized(picture: np.ndarray, side: int) -> np.ndarray:
    from PIL import Image

    image = Image.fromarray(picture)
    return np.asarray(image.resize((side, side), Image.Resampling.LANCZOS)) / 255


def _paste(canvas: np.ndarray, picture: np.ndarray, across: float, down: float) -> None:
    """Blend a picture into the canvas within a soft circle; parts off the canvas are left out."""
    side = len(picture)
    top = round(down * (len(canvas) - 1) - side / 2)
    left = round(across * (canvas.shape[1] - 1) - side / 2)
    t, b = max(top, 0), min(top + side, len(canvas))
    le, r = max(left, 0), min(left + side, canvas.shape[1])
    line = (np.arange(side) + 0.5) / side * 2 - 1
    radius = np.hypot(line[:, None], line[None, :])
    alpha = np.clip((1.0 - radius) / 0.12, 0, 1)[..., None]
    inner = (slice(t - top, b - top), slice(le - left, r - left))
    here = canvas[t:b, le:r]
    here[:] = here * (1 - alpha[inner]) + picture[inner] * alpha[inner]


def _graticule(axes: Axes, colour: str) -> None:
    """Ellipse, meridians and parallels with a few labels; nothing else."""
    lat = np.linspace(-90, 90, 181)
    for lon in (-179.999, -120, -60, 0, 60, 120, 180):
        edge = abs(lon) > 179
        x, y = mollweide(np.full_like(lat, min(lon, 179.9999)), lat)
        axes.plot(x, y, color="#5b6470" if edge else colour, lw=1.0 if edge else 0.6)
    lon = np.linspace(-179.9999, 179.9999, 181)
    for parallel in (-60, -30, 0, 30, 60):
        axes.plot(*mollweide(lon, np.full_like(lon, parallel)), color=colour, lw=0.6)
        x, y = mollweide(np.array([179.9999]), np.array([float(parallel)]))
        text = f"{parallel:+d}°" if parallel else "0°"
        axes.annotate(text, (x[0], y[0]), (-4, 0), textcoords="offset points", ha="right",
                      va="center", fontsize=7)  # fmt: skip
    axes.set(xlim=(-2.16, 2.04), ylim=(-1.03, 1.03), aspect="equal")
    axes.axis("off")


@rc_context(STYLE)
def density(inputs: Inputs, entropy: float) -> Figure:
    """Number of images in each cell, relative to the mean."""
    place = inputs.catalogue.read(["lon", "lat"])
    order = occupancy_order(len(inputs))
    counts = occupancy(place["lon"], place["lat"], order)
    figure = new_figure(8, 4.6)
    axes = figure.subplots()
    top = max(2.0, float(np.percentile(counts, 99)) / counts.mean())
    drawn = axes.imshow(
        cell_map(counts / counts.mean(), order),
        extent=(-2, 2, -1, 1),
        cmap="magma",
        vmin=0,
        vmax=top,
        interpolation="nearest",
    )
    _graticule(axes, "#ffffff30")
    figure.colorbar(
        drawn, ax=axes, shrink=0.75, pad=0.02, extend="max", label="images in a cell / mean"
    )
    axes.set_title(
        f"{len(inputs):,} images in {len(counts):,} cells; normalised entropy {entropy:.3f}"
    )
    return figure


@rc_context(STYLE)
def properties(inputs: Inputs, results: Results) -> Figure:
    """Mean of each property in the cells of the sphere; those that the sphere orders best."""
    scores = results.metrics["knn_r2"]["sphere"]
    chosen = sorted(
        results.properties, key=lambda p: -np.inf if scores[p.name] is None else scores[p.name]
    )[::-1][:MAX_MAPS]
    if not chosen:
        return message("The images come without numeric properties.")
    columns = min(3, len(chosen))
    rows = -(-len(chosen) // columns)
    figure = new_figure(4.2 * columns, 2.75 * rows)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    place = inputs.catalogue.read(["lon", "lat"])
    order = occupancy_order(len(inputs))
    for axes, item in zip(grid, chosen):
        known = item.known
        lon, lat = place["lon"][known], place["lat"][known]
        counts = occupancy(lon, lat, order)
        means = _sums(lon, lat, order, item.values[known]) / np.where(counts, counts, np.nan)
        low, high = np.nanpercentile(means, [4, 96])
        drawn = axes.imshow(
            cell_map(means, order, 300),
            extent=(-2, 2, -1, 1),
            cmap="viridis",
            vmin=low,
            vmax=high if high > low else low + 1,
            interpolation="nearest",
        )
        _graticule(axes, "#00000025")
        score = scores[item.name]
        about = inputs.catalogue.about(item.name)
        title = label_of(item.name, about, item.logarithmic)
        axes.set_title(title + ("" if score is None else f"  ($R^2$ = {score:.2f})"), fontsize=9)
        figure.colorbar(drawn, ax=axes, shrink=0.7, pad=0.01, extend="both")
    for axes in grid[len(chosen) :]:
        axes.axis("off")
    return figure


def _sums(lon: np.ndarray, lat: np.ndarray, order: int, values: np.ndarray) -> np.ndarray:
    import hpgeom

    cells = hpgeom.angle_to_pixel(2**order, lon, lat, nest=True, lonlat=True, degrees=True)
    return np.bincount(cells, weights=values, minlength=12 * 4**order)
