"""Galaxies to draw, and the kernels with which the peers draw them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morphosphere.compiled import compiled
from morphosphere.render.kernel import projected, variance
from morphosphere.render.smoothing import from_neighbours


@dataclass(frozen=True)
class Scene:
    """Particles before a camera.

    Attributes
    ----------
    positions : ndarray, shape (N, 2)
        Column and row in pixels from the top left corner.
    support : ndarray, shape (N,)
        Radius of the support of the cubic spline in pixels.
    weights : ndarray, shape (C, N)
    size : int
        Width and height in pixels.
    """

    positions: np.ndarray
    support: np.ndarray
    weights: np.ndarray
    size: int

    def write(self, path: Path) -> None:
        """As the peers read it."""
        np.savez(path, positions=self.positions, support=self.support, weights=self.weights)


def galaxy(stars: int, size: int, *, channels: int = 3) -> Scene:
    """An inclined disc with a bulge, in a picture six half-mass radii wide.

    An exponential disc with 70 % of the stars and a Hernquist bulge cut off at its outer parts;
    kernels reach to 1.5 times the distance of the 32nd neighbour, at least to one pixel, as the
    render stage chooses them. Weights scatter by a factor of e.
    """
    random = np.random.default_rng(1)
    radius, angle = random.gamma(2.0, 1.0, stars), random.uniform(0, 2 * np.pi, stars)
    height = random.laplace(0, 0.1, stars)
    disc = np.stack([radius * np.cos(angle), radius * np.sin(angle), height], axis=1)
    root = np.sqrt(random.uniform(0, 0.85, stars))
    direction = random.normal(size=(stars, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    bulge = direction * (0.5 * root / (1 - root))[:, None]
    places = np.where(random.random((stars, 1)) < 0.7, disc, bulge)
    pixel = 6 * np.median(np.linalg.norm(places, axis=1)) / size
    support = np.clip(1.5 * from_neighbours(places, 32) / pixel, 1.0, 2.0 * size)
    tilt = np.radians(50)
    row = places[:, 1] * np.cos(tilt) + places[:, 2] * np.sin(tilt)
    seen = np.stack([places[:, 0], row], axis=1) / pixel + size / 2
    return Scene(seen, support, random.lognormal(0, 1, (channels, stars)), size)


@dataclass(frozen=True)
class Kernel:
    """A projected kernel of compact support.

    Attributes
    ----------
    shape : callable
        Of the distance over the radius of the support, up to a factor.
    spread : float
        Standard deviation along an axis, over the radius of the support.
    """

    shape: Callable[[np.ndarray], np.ndarray]
    spread: float

    def reference(self, scene: Scene) -> np.ndarray:
        """The scene's first channel, every kernel in every pixel, at equal second moment.

        As `morphosphere.render.reference.project_directly`, compiled, and with fewer points per
        pixel for wider kernels.
        """
        support = scene.support * np.sqrt(variance()) / self.spread
        shape = self.shape(np.linspace(0, 1, 4097))
        image = np.zeros((scene.size, scene.size))
        _every_kernel(image, scene.positions, scene.weights[0], support, shape)
        return image


#: Ours, of pynbody as well; of swiftsimio (Wendland's C2 in two dimensions); of py-sphviewer2.
KERNELS = {
    "spline": Kernel(projected, float(np.sqrt(variance()))),
    "wendland": Kernel(lambda u: (1 - u) ** 4 * (1 + 4 * u), np.sqrt(5 / 72)),
    "epanechnikov": Kernel(lambda u: (1 - u**2) ** 1.5, np.sqrt(1 / 7)),
}


def error(image: np.ndarray, reference: np.ndarray) -> float:
    """Sum of absolute differences over the sum of the reference."""
    return float(np.abs(image - reference).sum() / reference.sum())


@compiled
def _every_kernel(image, positions, weights, support, shape):  # type: ignore[no-untyped-def]
    """Add kernels to an image (S, S); `shape` is the kernel from the centre to its edge."""
    size, samples = image.shape[0], len(shape) - 1
    for p in range(len(support)):
        x, y, radius = positions[p, 0], positions[p, 1], support[p]
        if x + radius < 0 or y + radius < 0 or x - radius > size or y - radius > size:
            continue
        # points per pixel and axis, odd: those of a pixel are around its centre
        fine = min(max(int(16 / radius) // 2 * 2 + 1, 3), 9)
        left, top = np.floor(x - radius), np.floor(y - radius)
        wide, high = int(np.floor(x + radius) - left) + 1, int(np.floor(y + radius) - top) + 1
        for turn in range(2):
            # the sum over the plane is scaled to one in the second turn
            if turn == 0:
                total = 0.0
            for j in range(high * fine):
                down = top + (j + 0.5) / fine - y
                row = int(top) + j // fine
                if turn and (row < 0 or row >= size):
                    continue
                for i in range(wide * fine):
                    right = left + (i + 0.5) / fine - x
                    place = np.sqrt(right * right + down * down) / radius * samples
                    if place < samples:
                        n = int(place)
                        value = shape[n] + (place - n) * (shape[n + 1] - shape[n])
                        column = int(left) + i // fine
                        if turn == 0:
                            total += value
                        elif column >= 0 and column < size:
                            image[row, column] += weights[p] * value / total
