"""What volunteers say of a galaxy, as in Galaxy Zoo (Lintott et al. 2008, MNRAS 389, 1179)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

#: Stellar mass (solar masses) and half-light radius (kpc) of a galaxy that is half easy to see.
TYPICAL_MASS, TYPICAL_RADIUS = 5e9, 3.0
_WIDTH = 0.35


def sureness(mass: np.ndarray, radius: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """Chance that a volunteer sees what is there, shape (N,).

    It rises from the first of the limits to the second with the decades of mass and radius.
    Where one of them is not known, a typical one stands for it.
    """
    decades = np.zeros(len(mass))
    for values, typical, weight in ((mass, TYPICAL_MASS, 1.0), (radius, TYPICAL_RADIUS, 1.5)):
        known = np.isfinite(values) & (values > 0)
        decades += weight * np.log10(np.where(known, values, typical) / typical)
    easy = 1 / (1 + np.exp(-decades / _WIDTH))
    return limits[0] + (limits[1] - limits[0]) * easy


def vote(
    names: Sequence[str],
    featured: np.ndarray,
    sure: np.ndarray,
    *,
    volunteers: float,
    artifact: float,
    seed: int,
) -> dict[str, np.ndarray]:
    """Fractions of the votes for each object, by column.

    Parameters
    ----------
    names : sequence of str
        Each decides, with the seed, who looks at the object and how.
    featured : ndarray of bool, shape (N,)
        What is there.
    sure : ndarray, shape (N,)
        Chance that a volunteer sees it.
    volunteers : float
        Mean number of volunteers; at least one looks at every object.
    artifact : float
        Chance that a volunteer takes it for an artefact.
    seed : int

    Returns
    -------
    dict
        ``p_smooth``, ``p_featured``, ``p_artifact`` (they add up to one) and ``votes``.
    """
    counts = np.empty((len(names), 3), dtype=np.int64)
    for row, (name, there, chance) in enumerate(zip(names, featured, sure)):
        hashed = hashlib.blake2b(f"votes {seed}\0{name}".encode(), digest_size=8).digest()
        random = np.random.default_rng(int.from_bytes(hashed, "big"))
        number = max(1, int(random.poisson(volunteers)))
        # Some galaxies look like what they are not: all their volunteers see less of it.
        chance = np.clip(chance + random.normal(0, 0.05), 0, 1)
        bad = random.binomial(number, artifact)
        right = random.binomial(number - bad, chance)
        wrong = number - bad - right
        counts[row] = (wrong, right, bad) if there else (right, wrong, bad)
    total = counts.sum(axis=1)
    share = (counts / total[:, None]).astype(np.float32)
    return {
        "p_smooth": share[:, 0],
        "p_featured": share[:, 1],
        "p_artifact": share[:, 2],
        "votes": total,
    }
