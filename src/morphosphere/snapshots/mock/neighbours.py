"""Smoothing lengths from nested cells: quick, for millions of particles."""

from __future__ import annotations

import numpy as np

_LEVELS = 12


def smoothing_lengths(position: np.ndarray, *, neighbours: int = 32) -> np.ndarray:
    """Radius of the sphere about each particle that holds about `neighbours` particles.

    The particles are sorted along a Morton curve once; the number in each particle's cell is then
    counted at twelve levels, and the radius interpolated (in logarithms) between the two levels
    where the count passes `neighbours`. Two grids, shifted against each other, are averaged. Good
    to about a third, where a tree search is exact and a hundred times slower.

    Parameters
    ----------
    position : ndarray, shape (N, 3)

    Returns
    -------
    ndarray, shape (N,)
    """
    count = len(position)
    if count == 0:
        return np.zeros(0)
    low = position.min(axis=0)
    side = float(max((position.max(axis=0) - low).max(), 1e-6)) * 1.0001
    logs = [
        _log_radius(position - low + shift * side, side * 1.5, min(neighbours, count))
        for shift in (0.0, 0.31)
    ]
    return np.exp(np.mean(logs, axis=0))


def _log_radius(position: np.ndarray, side: float, neighbours: int) -> np.ndarray:
    key = _morton(np.minimum((position / side * 2**_LEVELS).astype(np.int64), 2**_LEVELS - 1))
    order = np.argsort(key, kind="stable")
    key = key[order]
    target = np.log(neighbours)
    radius = np.full(len(key), np.nan)
    coarse_count = np.full(len(key), np.log(len(key)))
    for level in range(1, _LEVELS + 1):
        cells = key >> (3 * (_LEVELS - level))
        starts = np.flatnonzero(np.concatenate([[True], cells[1:] != cells[:-1]]))
        sizes = np.diff(np.append(starts, len(cells)))
        fine_count = np.log(np.repeat(sizes, sizes))
        crossing = np.isnan(radius) & (fine_count <= target)
        if crossing.any():
            fine, coarse = fine_count[crossing], coarse_count[crossing]
            share = (target - fine) / np.maximum(coarse - fine, 1e-9)
            radius[crossing] = -np.log(2.0) * (level - np.clip(share, 0, 1))
        coarse_count = fine_count
    radius[np.isnan(radius)] = -np.log(2.0) * _LEVELS
    out = np.empty_like(radius)
    out[order] = radius + np.log(side * (3 / (4 * np.pi)) ** (1 / 3))
    return out


def _morton(cell: np.ndarray) -> np.ndarray:
    """Interleaved bits of three indices of up to twelve bits each."""
    key = np.zeros(len(cell), dtype=np.int64)
    for axis in range(3):
        bits = cell[:, axis]
        bits = (bits | bits << 16) & 0x030000FF
        bits = (bits | bits << 8) & 0x0300F00F
        bits = (bits | bits << 4) & 0x030C30C3
        bits = (bits | bits << 2) & 0x09249249
        key |= bits << axis
    return key
