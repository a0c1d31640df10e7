"""Least squares on the model that images are simulated with.

The fit runs in free parameters: latent parameters and centre, but of the ellipticity e the vector
u = e / sqrt(E^2 - |e|^2), which has no bounds and keeps |e| below E. The derivative by the flux is
known, the others are forward differences. The variance of pixels follows from the model of the
round before (iteratively reweighted: a variance that moved with the model would bias the fit).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.optimize import least_squares

from morphosphere.config.sersic_fit import FitSettings
from morphosphere.sersic.fit.segments import segments
from morphosphere.sersic.fit.stamp import Fit, FitFault, Stamp
from morphosphere.sersic.fit.start import start_of
from morphosphere.structure.model import draw
from morphosphere.structure.noise import variance
from morphosphere.structure.parameters import Space

_LARGEST_E = 0.92
#: Steps of the differences: of logarithms, ellipticity, share and pixels alike.
_STEP = 1e-4
#: Change of the sum of squares (share) and of parameters at which a round ends: first, last.
_TOLERANCE = (1e-3, 1e-5)
#: Rounds of new weights, at most, and the largest change in units of the errors that needs none.
_ROUNDS, _SETTLED = 3, 0.05
#: Reduced chi^2 is this many times its own scatter above 1 before a fit is begun anew elsewhere.
_POOR = 5.0
_FAR = 1e6


@dataclass
class _Problem:
    """One stamp as a least-squares problem."""

    stamp: Stamp
    space: Space
    used: np.ndarray
    evaluations: int = 0

    def __post_init__(self) -> None:
        self.data = self.stamp.image[self.used]
        self.sigma = np.ones_like(self.data)
        self._last: tuple[bytes, np.ndarray] | None = None
        self._slopes: tuple[bytes, np.ndarray] | None = None

    def model(self, free: np.ndarray) -> np.ndarray:
        """Pixels of the model, shape (n,)."""
        key = free.tobytes()
        if self._last is not None and self._last[0] == key:
            return self._last[1]
        latent = latent_of(free)
        columns = self.space.to_columns(latent[:-2], 0.0, self.stamp.pixel_size)
        values = {name: float(value) for name, value in columns.items()}
        values |= {"x_offset": latent[-2], "y_offset": latent[-1]}
        drawn = draw(
            values,
            self.stamp.psf,
            pixel_size=self.stamp.pixel_size,
            size=len(self.stamp.image),
            zero_point=0.0,
            components=self.space.components,
        )[::-1]
        self.evaluations += 1
        found = drawn[self.used]
        self._last = key, found
        return found

    def residual(self, free: np.ndarray) -> np.ndarray:
        return (self.model(free) - self.data) / self.sigma

    def slopes(self, free: np.ndarray) -> np.ndarray:
        """Derivatives of `residual`, (n, P + 2)."""
        key = free.tobytes()
        if self._slopes is None or self._slopes[0] != key:  # a new round has new weights only
            self._slopes = key, self._differences(free)
        return self._slopes[1] / self.sigma[:, None]

    def _differences(self, free: np.ndarray) -> np.ndarray:
        mean = self.model(free)
        out = np.empty((len(mean), len(free)))
        out[:, 0] = -0.4 * np.log(10) * mean  # the flux
        for k in range(1, len(free)):
            moved = free.copy()
            # the difference must not leave the bounds
            step = -_STEP if free[k] > 0 else _STEP
            moved[k] += step
            out[:, k] = (self.model(moved) - mean) / step
        self._last = free.tobytes(), mean
        return out

    def weigh(self, mean: np.ndarray) -> None:
        self.sigma = np.sqrt(variance(mean, self.stamp.sky_noise, self.stamp.gain))


def latent_of(free: np.ndarray) -> np.ndarray:
    """Latent parameters and centre of free parameters (P + 2,)."""
    out = free.copy()
    u = free[-4:-2]
    out[-4:-2] = _LARGEST_E * u / np.sqrt(1 + u @ u)
    return out


def free_of(latent: np.ndarray) -> np.ndarray:
    """The inverse of `latent_of`."""
    out = latent.copy()
    e = latent[-4:-2]
    out[-4:-2] = e / np.sqrt(_LARGEST_E**2 - e @ e)
    return out


def fit_galsim(stamp: Stamp, settings: FitSettings, *, components: int = 1) -> Fit:
    """Fit a profile to a stamp by weighted least squares.

    The start is measured on the image. Pixels of other sources are left out. A fit that is poor is
    begun again from other shapes, and the best is kept.

    Raises
    ------
    FitFault
        If the image is not fit for it or the fit does not end.
    """
    stamp.check()
    own, others = segments(stamp)
    space = Space(components)
    latent, centre = start_of(stamp, own, components)
    problem = _Problem(stamp, space, stamp.known & ~others)
    low, high = _bounds(stamp, space, settings)
    begin = np.clip(free_of(np.r_[latent, centre]), low + 1e-3, high - 1e-3)
    best = None
    for start in _starts(begin, space):
        # smoothed data are the first guess at the variance
        smooth = gaussian_filter(np.where(stamp.known, stamp.image, 0.0), 1.0)
        problem.weigh(smooth[problem.used])
        try:
            found = _fit(problem, np.clip(start, low, high), (low, high), settings)
        except (ValueError, np.linalg.LinAlgError, FloatingPointError) as error:
            raise FitFault(f"least squares failed: {' '.join(str(error).split())}") from None
        if best is None or found.cost < best.cost:
            best = found
        dof = len(problem.data) - len(begin)
        if 2 * best.cost / dof < 1 + _POOR * np.sqrt(2 / dof):
            break
    assert best is not None
    return _told(problem, best, (low, high))


def _bounds(stamp: Stamp, space: Space, settings: FitSettings) -> tuple[np.ndarray, np.ndarray]:
    width = len(stamp.image)
    ranges = {
        "instrumental_magnitude": (-_FAR, _FAR),
        "log_radius": (-1.0, np.log10(2 * width)),
        "log_bulge_radius": (-1.0, np.log10(2 * width)),
        "log_index": tuple(np.log10(settings.index)),
        "bulge_to_total": (0.0, 1.0),
        "e1": (-_FAR, _FAR),
        "e2": (-_FAR, _FAR),
    }
    centre = [(-width / 2, width / 2)] * 2
    low, high = np.array([*(ranges[name] for name in space.latents), *centre]).T
    return low, high


def _starts(begin: np.ndarray, space: Space) -> list[np.ndarray]:
    """The measured start, then others of the same light and shape."""
    out = [begin]
    if space.components == 1:
        k = space.latents.index("log_index")
        for index in (1.0, 4.0):
            out.append(begin.copy())
            out[-1][k] = np.log10(index)
    else:
        k, r = space.latents.index("bulge_to_total"), space.latents.index("log_bulge_radius")
        for share, radius in ((0.2, -0.3), (0.7, 0.2)):
            out.append(begin.copy())
            out[-1][k] = share
            out[-1][r] += radius
    return out


def _fit(problem: _Problem, start: np.ndarray, bounds: tuple, settings: FitSettings):
    """Rounds of least squares, each with the variance of the model before."""
    for number in range(_ROUNDS):
        tolerance = _TOLERANCE[min(number, 1)]
        found = least_squares(
            problem.residual,
            start,
            jac=problem.slopes,
            bounds=bounds,
            method="trf",
            x_scale="jac",
            ftol=tolerance**1.5,
            xtol=tolerance,
            gtol=None,
            max_nfev=settings.evaluations,
        )
        if found.status == 0:
            raise FitFault(f"no end after {settings.evaluations} evaluations")
        problem.weigh(problem.model(found.x))
        moved = (found.x - start) / np.maximum(_errors(found.jac), 1e-12)
        start = found.x
        if number and np.abs(moved).max() < _SETTLED:
            break
    return found


def _errors(jac: np.ndarray) -> np.ndarray:
    return np.sqrt(np.diagonal(np.linalg.pinv(jac.T @ jac)))


def _told(problem: _Problem, found, bounds: tuple[np.ndarray, np.ndarray]) -> Fit:
    free = found.x
    latent = latent_of(free)
    jac = problem.slopes(free)
    # from u to e
    u = free[-4:-2]
    turn = _LARGEST_E * (np.eye(2) - np.outer(u, u) / (1 + u @ u)) / np.sqrt(1 + u @ u)
    change = np.eye(len(free))
    change[-4:-2, -4:-2] = turn
    with np.errstate(invalid="ignore", divide="ignore"):
        covariance = change @ np.linalg.pinv(jac.T @ jac, hermitian=True) @ change.T
    count = len(problem.space.latents)
    names = [*problem.space.latents, "x_offset", "y_offset"]
    at = [
        name
        for name, value, low, high in zip(names, free, *bounds)
        if value - low < 1e-4 or high - value < 1e-4
    ]
    if hit := [name for name in at if name in ("log_radius", "x_offset", "y_offset")]:
        raise FitFault(f"{hit[0]} ran to its bound")
    residual = problem.residual(free)
    return Fit(
        latent=latent[:count],
        covariance=covariance[:count, :count],
        chi2=float(residual @ residual / max(len(residual) - len(free), 1)),
        evaluations=problem.evaluations,
        centre=(float(latent[-2]), float(latent[-1])),
        remark=f"{', '.join(at)} at a bound" if at else "",
    )
