"""Which light of an image is the galaxies': sky, stars in front, and the centre of the rest."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

#: Pixels belong to an object if they are so many times the scatter of the sky above it.
THRESHOLD = 3.0
#: The image is smoothed by so many pixels (standard deviation) before objects are looked for.
SMOOTH = 1.5
#: Radius around a nucleus, as a share of the separation of both, in which nothing is taken out;
#: never below NEAR_LEAST pixels.
NEAR, NEAR_LEAST = 0.25, 6.0
#: A star before the galaxies stands out by this share of what the brighter nucleus stands out. An
#: object apart from the galaxies that is brighter than this share of them is no tail of theirs.
STAR = 0.3
#: An object apart from the galaxies is taken out if its area is below this share of theirs.
SMALL = 0.1
#: A star is as wide as it stands out by this share of what makes it one.
EDGE = 0.3
#: Side of the window whose median stands for what is below a star, as a share of the image's side;
#: never below _LEAST pixels. The median is taken of means over a seventh of it.
_WINDOW, _LEAST, _BINS = 1 / 16, 28, 7

#: Nuclei stand out between two Gaussians of these widths in kpc, and are so many kpc apart or more.
_NARROW, _WIDE, _APART = 1.0, 4.0, 4.0


def sky(plane: np.ndarray, known: np.ndarray) -> tuple[float, float]:
    """Level and scatter of the sky: median and scatter of all pixels, bright ones clipped.

    Where most pixels have one value (a picture whose sky was set to zero), that value is the level
    and the scatter is zero.
    """
    values = plane[known].astype(np.float64)
    level = scatter = 0.0
    for _ in range(10):
        level = float(np.median(values))
        low = values[values <= level]
        scatter = 1.4826 * float(np.median(level - low))
        kept = values[np.abs(values - level) <= 3 * scatter]
        if len(kept) in (0, len(values)):
            break
        values = kept
    return level, scatter


def objects(plane: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Numbers of objects (H, W), 0 for none: connected pixels above the sky.

    The scatter of the sky is measured in the smoothed image, as the noise of neighbouring pixels
    is seldom independent.
    """
    smooth = ndimage.gaussian_filter(plane, SMOOTH)
    level, scatter = sky(smooth, known)
    limit = level + max(THRESHOLD * scatter, 1e-3 * (float(smooth.max()) - level))
    return ndimage.label(smooth > limit, structure=np.ones((3, 3)))[0]


def galaxies(numbers: np.ndarray, plane: np.ndarray, nuclei: np.ndarray | None) -> np.ndarray:
    """Pixels (H, W) of the objects that hold a nucleus; of the brightest where there are none.

    Objects that are neither small nor bright beside them belong to them too: detached tails.
    """
    flux = ndimage.sum_labels(plane, numbers, np.arange(numbers.max() + 1))
    flux[0] = -np.inf
    if len(flux) < 2:
        return np.zeros(numbers.shape, dtype=bool)
    mine = set()
    for x, y in nuclei if nuclei is not None else ():
        row, column = int(y), int(x)
        if 0 <= row < numbers.shape[0] and 0 <= column < numbers.shape[1]:
            mine.add(int(numbers[row, column]))
    mine.discard(0)
    if not mine:
        mine = {int(np.argmax(flux))}
    area = np.bincount(numbers.ravel())
    peak = ndimage.maximum(ndimage.gaussian_filter(plane, SMOOTH), numbers, np.arange(len(area)))
    least = SMALL * max(area[number] for number in mine)
    most = STAR * max(peak[number] for number in mine)
    mine |= {n for n in range(1, len(area)) if area[n] >= least and peak[n] <= most}
    return np.isin(numbers, list(mine))


def window(shape: tuple[int, int]) -> int:
    """Side in pixels of the window in which compact sources are told from what is below them."""
    return max(_LEAST, round(_WINDOW * min(shape)))


def background(plane: np.ndarray) -> np.ndarray:
    """What an image (H, W) is without compact sources: the median of a window around each pixel."""
    height, width = plane.shape
    step = window(plane.shape) // _BINS
    wide = np.pad(plane, ((0, -height % step), (0, -width % step)), mode="edge")
    rows, columns = wide.shape[0] // step, wide.shape[1] // step
    small = wide.reshape(rows, step, columns, step).mean(axis=(1, 3))
    small = ndimage.median_filter(small, size=_BINS)
    large = ndimage.zoom(small, step, order=1, mode="nearest", grid_mode=True)
    return large[:height, :width]


def stars(plane: np.ndarray, inside: np.ndarray, nuclei: np.ndarray | None) -> np.ndarray:
    """Pixels (H, W) of compact bright sources within the galaxies, away from the nuclei.

    Without nuclei, nothing is a star: it could be one of them.
    """
    found = np.zeros(plane.shape, dtype=bool)
    if nuclei is None:
        return found
    below = background(plane)
    rest = ndimage.gaussian_filter(plane - below, SMOOTH)
    separation = float(np.hypot(*(nuclei[1] - nuclei[0])))
    near = max(NEAR * separation, NEAR_LEAST)
    rows, columns = np.indices(plane.shape) + 0.5
    around = np.zeros(plane.shape, dtype=bool)
    for x, y in nuclei:
        around |= (columns - x) ** 2 + (rows - y) ** 2 < near**2
    if not (around & inside).any():
        return found
    limit = STAR * float(rest[around & inside].max())
    if not limit > 0:
        return found
    numbers, count = ndimage.label(rest > EDGE * limit)
    peaks = ndimage.maximum(np.where(inside & ~around, rest, 0.0), numbers, range(1, count + 1))
    area = np.bincount(numbers.ravel(), minlength=count + 1)[1:]
    touches = ndimage.maximum(around, numbers, range(1, count + 1))
    bright = (
        (np.asarray(peaks) > limit)
        & (area < window(plane.shape) ** 2)
        & ~np.asarray(touches, dtype=bool)
    )
    found = np.isin(numbers, np.flatnonzero(bright) + 1)
    return ndimage.binary_dilation(found, iterations=2)


def clean(
    planes: np.ndarray, light: np.ndarray, known: np.ndarray, nuclei: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Take stars and strange objects out of an image without sky.

    Parameters
    ----------
    planes : ndarray, shape (C, H, W)
    light : ndarray, shape (H, W)
        Mean of the channels.
    known : ndarray of bool, shape (H, W)
        Which pixels the file knows.
    nuclei : ndarray, shape (2, 2), or None

    Returns
    -------
    planes : ndarray, shape (C, H, W)
        Zero where an object apart from the galaxies was, and the median of what is around where a
        star before them was.
    masked : ndarray of bool, shape (H, W)
    """
    numbers = objects(light, known)
    mine = galaxies(numbers, light, nuclei)
    if not mine.any():
        return planes, np.zeros(light.shape, dtype=bool)
    others = ndimage.binary_dilation((numbers > 0) & ~mine, iterations=3) & ~mine
    points = stars(light, mine, nuclei)
    out = planes.copy()
    out[:, others] = 0
    if points.any():
        for plane in out:
            plane[points] = background(plane)[points]
    return out, others | points


def centre_of_light(light: np.ndarray, known: np.ndarray, nuclei: np.ndarray | None) -> np.ndarray:
    """Mean position (x, y) of the galaxies' light; the image's centre if there is none."""
    mine = galaxies(objects(light, known), light, nuclei)
    weight = np.where(mine, np.maximum(light, 0), 0).astype(np.float64)
    if not weight.sum() > 0:
        return np.array([light.shape[1] / 2, light.shape[0] / 2])
    rows, columns = np.indices(light.shape) + 0.5
    return np.array([(columns * weight).sum(), (rows * weight).sum()]) / weight.sum()


def brightest_pair(light: np.ndarray, pixel: float) -> np.ndarray | None:
    """The two brightest nuclei by the light alone, shape (2, 2): x and y; None if there is one.

    They are the highest peaks of the difference of two Gaussian smoothings, which leaves compact
    light. A star that is left in the image can be taken for a nucleus.

    Parameters
    ----------
    light : ndarray, shape (H, W)
        Without sky and stars.
    pixel : float
        Width of a pixel in kpc.
    """
    narrow = max(_NARROW / pixel, 1.0)
    compact = ndimage.gaussian_filter(light, narrow) - ndimage.gaussian_filter(
        light, narrow * _WIDE / _NARROW
    )
    first = np.unravel_index(int(np.argmax(compact)), compact.shape)
    rows, columns = np.indices(compact.shape)
    far = (rows - first[0]) ** 2 + (columns - first[1]) ** 2 > (_APART / pixel) ** 2
    peaks = compact == ndimage.maximum_filter(compact, size=3)
    rest = np.where(far & peaks, compact, 0.0)
    second = np.unravel_index(int(np.argmax(rest)), rest.shape)
    if not rest[second] > 0.01 * compact[first]:
        return None
    return np.array([[first[1], first[0]], [second[1], second[0]]]) + 0.5
