"""Draw elliptical profiles through a point-spread function, fast and for any Sérsic index.

The image is made by a Fourier transform on a grid little wider than the stamp, where waves beyond
the pixels' own are folded back as pixels fold them. Such an image repeats itself: the light of all
its copies lies on the galaxy. A copy is smooth where the stamp is, so that it is known without
any transform from the profile itself and its second derivatives, which are all that the
point-spread function changes there, and taken off. A transform that is wide enough for copies not
to matter, as GalSim makes it, has up to a thousand times as many waves.
"""

from __future__ import annotations

import math
from functools import lru_cache

import galsim
import numpy as np
from numpy.polynomial import chebyshev
from scipy.fft import irfft2

from morphosphere.compiled import compiled
from morphosphere.errors import InputError
from morphosphere.structure.profiles import (
    Profile,
    central_brightness,
    concentration,
    transform,
)

#: Width of the transform over that of the stamp, at least; widths are 80, 160, 320 pixels, ...
_MARGIN, _LEAST = 1.25, 80
#: Half-light radii from the edge of the stamp to the nearest copy, at least, as long as the
#: transform is not wider than so many stamps; stamps from the galaxy at which there is an error.
_REACH, _WIDEST, _FARTHEST = 2.5, 2.5, 16.0
#: Widths of which the transforms of many point-spread functions are kept.
_SMALL = 320
#: Part of the wave's height beyond those kept above which more are kept.
_KEPT = 1e-3
#: Rings of copies that are told apart; of those further out only their sum is known.
_RINGS = 4
#: Points across the stamp at which the nearest copies, and those further out, are computed.
_NEAR, _FAR = 32, 8
#: Number of the wave that tells how what is smooth is blurred.
_LONG = 4
#: Share of the light in copies that are not worth taking off.
_NOTHING = 1e-9


def draw_profile(
    profile: Profile,
    psf: galsim.GSObject,
    *,
    pixel_size: float,
    size: int,
    offset: tuple[float, float] = (0.0, 0.0),
) -> np.ndarray:
    """The share of the light in each pixel.

    Parameters
    ----------
    profile : Profile
    psf : galsim.GSObject
        Without the pixel, of flux 1, in arcseconds. Its light ends within the stamp, or nearly:
        the copies that are taken off are those of the galaxy alone.
    pixel_size : float
        Arcseconds.
    size : int
        Width and height in pixels.
    offset : tuple of float
        Of the centre from that of the stamp, in pixels, right and up.

    Returns
    -------
    ndarray of float64, shape (size, size)
        Row 0 is the lowest.
    """
    width = _width(size, max(map(abs, offset)), float(profile.radius.max()))
    waves, blur = _waves(psf, pixel_size, width)
    centre = np.array(offset) + (size - 1) / 2
    tables = [transform(float(index)) for index in profile.index]
    spectrum = _spectrum(
        waves,
        np.stack([values for _, _, values in tables]),
        tables[0][0],
        1 / tables[0][1],
        profile.share,
        np.log(profile.radius),
        *profile.axes(),
        centre,
    )
    image = irfft2(spectrum, (width, width), overwrite_x=True)[:size, :size]
    return image - _copies(profile, blur, width, size, offset)


def _width(size: int, shift: float, radius: float) -> int:
    reach = min(size / 2 + shift + _REACH * radius, _WIDEST * size)
    least, width = max(_MARGIN * size, 0.75 * size + shift, reach), _LEAST
    if least > _FARTHEST * size:
        raise InputError(
            f"a galaxy {shift:.4g} px from the middle of a stamp of {size} px is too far away to "
            "be drawn"
        )
    while width < least:
        width *= 2
    return width


def _waves(psf: galsim.GSObject, pixel_size: float, width: int) -> tuple[np.ndarray, np.ndarray]:
    return (_small_waves if width <= _SMALL else _large_waves)(psf, pixel_size, width)


def _waves_of(psf: galsim.GSObject, pixel_size: float, width: int) -> tuple[np.ndarray, np.ndarray]:
    """What point-spread function and pixel do to waves, and to what is smooth.

    Returns
    -------
    waves : ndarray of complex64, shape (width, width / 2 + 1, folds, folds)
        Their transform; the last axes are the waves that are folded on each other, in the order of
        `_folded`.
    blur : ndarray, shape (2, 2)
        Second moments in square pixels, as long waves see them.
    """
    beyond = 2.86 * math.pi / pixel_size  # where the pixel's own transform is highest again
    height = max(abs(psf.kValue(beyond, 0)), abs(psf.kValue(0, beyond)))
    folds = 2 if 0.217 * height < _KEPT else 4
    reach = width * folds // 2
    step = 2 * math.pi / (width * pixel_size)
    drawn = psf.drawKImage(nx=2 * reach + 1, ny=2 * reach + 1, scale=step).array
    wave = np.arange(-reach, reach + 1)
    pixel = np.sinc(wave / width)
    seen = drawn * pixel[:, None] * pixel
    half = width // 2
    rows = _folded(np.r_[0:half, -half:0], width, folds)
    columns = _folded(np.arange(half + 1), width, folds)
    picked = seen[(rows + reach)[:, None, :, None], (columns + reach)[None, :, None, :]]
    return np.ascontiguousarray(picked, dtype=np.complex64), _blur(seen, width)


_small_waves = lru_cache(maxsize=128)(_waves_of)
_large_waves = lru_cache(maxsize=4)(_waves_of)


def _blur(seen: np.ndarray, width: int) -> np.ndarray:
    """Second moments of what has the transform `seen`, whose middle is the wave number 0."""
    middle = len(seen) // 2
    square = (2 * np.pi * _LONG / width) ** 2

    def loss(y: int, x: int) -> float:
        return float(-2 * np.log(np.abs(seen[middle + y * _LONG, middle + x * _LONG])) / square)

    across = (loss(1, 1) - loss(1, -1)) / 4
    return np.array([[loss(0, 1), across], [across, loss(1, 0)]])


def _folded(waves: np.ndarray, width: int, folds: int) -> np.ndarray:
    """Waves that pixels cannot tell from `waves` (n,): shape (n, folds), the lowest first."""
    sign = np.where(waves < 0, -1, 1)
    turns = np.array([0, -1, 1, -2])[:folds]
    return waves[:, None] + sign[:, None] * turns * width


@compiled
def _spectrum(waves, tables, first, density, share, log_radius, major, minor, centre):
    """The transform of the image, (width, width / 2 + 1)."""
    width, columns, folds = waves.shape[0], waves.shape[1], waves.shape[2]
    step = 2 * np.pi / width
    last = tables.shape[1] - 3
    out = np.empty((width, columns), dtype=np.complex128)
    across = np.empty((columns, folds), dtype=np.complex128)
    for j in range(columns):
        for b in range(folds):
            turn = (0, -1, 1, -2)[b] * width
            across[j, b] = np.exp(-1j * step * (j + turn) * centre[0])
    for i in range(width):
        row = i if i < width // 2 else i - width
        sign = -1 if row < 0 else 1
        for j in range(columns):
            total = 0j
            for a in range(folds):
                wave_y = row + sign * (0, -1, 1, -2)[a] * width
                ky = step * wave_y
                part = 0j
                for b in range(folds):
                    kx = step * (j + (0, -1, 1, -2)[b] * width)
                    u = kx * major[0] + ky * major[1]
                    v = kx * minor[0] + ky * minor[1]
                    square = u * u + v * v
                    height = 1.0
                    if square > 0:
                        height = 0.0
                        logarithm = 0.5 * np.log(square)
                        for c in range(len(share)):
                            place = (logarithm + log_radius[c] - first) * density
                            k = int(place)
                            if place < 1:
                                height += share[c]
                            elif k <= last:
                                t = place - k
                                table = tables[c]
                                # the cubic through four neighbours
                                height += share[c] * (
                                    -t * (t - 1) * (t - 2) / 6 * table[k - 1]
                                    + (t + 1) * (t - 1) * (t - 2) / 2 * table[k]
                                    - (t + 1) * t * (t - 2) / 2 * table[k + 1]
                                    + (t + 1) * t * (t - 1) / 6 * table[k + 2]
                                )
                    part += height * waves[i, j, a, b] * across[j, b]
                total += part * np.exp(-1j * ky * centre[1])
            out[i, j] = total
    return out


def _copies(
    profile: Profile, blur: np.ndarray, width: int, size: int, offset: tuple[float, float]
) -> np.ndarray | float:
    """Light of all copies of the galaxy but itself, in each pixel of the stamp."""
    if profile.outside(width - size / 2 - max(map(abs, offset))) < _NOTHING:
        return 0.0
    total = np.full((size, size), profile.outside((_RINGS + 0.5) * width) / width**2)
    rings = np.arange(-_RINGS, _RINGS + 1)
    ring = np.maximum(np.abs(rings)[:, None], np.abs(rings))
    bright = np.array([central_brightness(float(n)) for n in profile.index])
    bright *= profile.share / (profile.axis_ratio * profile.radius**2)
    b = np.array([concentration(float(n)) for n in profile.index])
    major, minor = profile.axes()
    # distance^2 = x form x, in units of the half-light radius of a component
    form = np.outer(major, major) + np.outer(minor, minor) / profile.axis_ratio**4
    for points, wanted in ((_NEAR, ring == 1), (_FAR, ring > 1)):
        nodes, spread = _spread(points, size)
        y, x = (rings[k] * float(width) for k in np.nonzero(wanted))
        found = _brightness(
            nodes - offset[0], nodes - offset[1], x, y, bright, b, 0.5 / profile.index,
            profile.radius**2, form, blur,
        )  # fmt: skip
        total += spread @ found @ spread.T
    return total


@lru_cache(maxsize=32)
def _spread(points: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Chebyshev points across a stamp, from its centre, and what brings values there to pixels."""
    nodes = chebyshev.chebpts1(points)
    pixels = (np.arange(size) - (size - 1) / 2) / (size / 2)
    fit = np.linalg.inv(chebyshev.chebvander(nodes, points - 1))
    return nodes * (size / 2), chebyshev.chebvander(pixels, points - 1) @ fit


@compiled
def _brightness(x, y, copies_x, copies_y, bright, b, power, scale, form, blur):
    """Brightness of the sum of blurred copies at the points of a grid, (len(y), len(x)).

    A component is exp(-b s^power) with s = distance^2 / scale; a blur adds half of its moments
    times the second derivatives.
    """
    trace = 0.0
    for i in range(2):
        for j in range(2):
            trace += blur[i, j] * form[i, j]
    out = np.zeros((len(y), len(x)))
    for i in range(len(y)):
        for j in range(len(x)):
            for m in range(len(copies_x)):
                dx, dy = x[j] - copies_x[m], y[i] - copies_y[m]
                u = form[0, 0] * dx + form[0, 1] * dy
                v = form[1, 0] * dx + form[1, 1] * dy
                square = dx * u + dy * v
                along = blur[0, 0] * u * u + 2 * blur[0, 1] * u * v + blur[1, 1] * v * v
                for c in range(len(bright)):
                    s = square / scale[c]
                    height = b[c] * s ** power[c]
                    slope = power[c] * height / s
                    bend = slope * slope - slope * (power[c] - 1) / s
                    more = 2 * bend * along / scale[c] ** 2 - slope * trace / scale[c]
                    out[i, j] += bright[c] * np.exp(-height) * (1 + more)
    return out
