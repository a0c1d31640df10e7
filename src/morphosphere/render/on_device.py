"""The projection on a device of PyTorch, a GPU for example.

The same levels, grids and matrices as in `project`, for all particles: a device has no reason to
draw some of them alone. Deposits are summed up as whole numbers, whose sum does not depend on the
order in which a GPU adds: results are the same in every run and with any number of ranks.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from morphosphere.devices import gpu_of
from morphosphere.errors import ConfigError
from morphosphere.parallel import World
from morphosphere.render.kernel import separable_terms
from morphosphere.render.levels import PAD, RANK, Levels, grid_of, octave, octave_of, taps

if TYPE_CHECKING:
    import torch

#: Binary digits of the sum of all weights.
_DIGITS = 62


def device_of(device: str, world: World) -> str | None:
    """The GPU on which this rank projects, ``cuda:N``; None for the CPU.

    Raises
    ------
    ConfigError
        If `device` is "cuda" and PyTorch is missing or finds no GPU.
    """
    try:
        return gpu_of(device, world, key="render.device")
    except ImportError:
        if device == "auto":
            return None
        raise ConfigError(
            f"render.device is {device}, but PyTorch is not installed here; install it or use cpu"
        ) from None


def project_on(
    device: str, positions: np.ndarray, weights: np.ndarray, levels: Levels, *, size: int
) -> np.ndarray:
    """Sums of smoothed weights in pixels; as `project.project`, on a device.

    Parameters
    ----------
    device : str
        In PyTorch's words.
    positions, weights, levels, size :
        As for `project.project`.

    Returns
    -------
    ndarray of float64, shape (V, C, size, size)
    """
    import torch

    image = np.zeros((len(positions), len(weights), size, size))
    if not len(levels):
        return image
    place = torch.from_numpy(levels.place).to(device=device, dtype=torch.int64)
    upper = torch.from_numpy(levels.upper).to(device)
    places = torch.empty(positions.shape, dtype=torch.float32, device=device)
    places[:, place] = _sent(positions, device)
    for channel, weight in enumerate(weights):
        ordered = torch.empty(weight.shape, dtype=torch.float32, device=device)
        ordered[:, place] = _sent(weight, device)
        image[:, channel] = _pictures(places, ordered, upper, levels, size).cpu().numpy()
    return image


def _sent(values: np.ndarray, device: str) -> torch.Tensor:
    import torch

    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)).to(device)


def _pictures(
    places: torch.Tensor, weight: torch.Tensor, upper: torch.Tensor, levels: Levels, size: int
) -> torch.Tensor:
    """One channel's pictures for all cameras (V, size, size); weight (V, N) or (1, N)."""
    import torch

    device, signs = str(places.device), separable_terms(RANK)[2]
    count = octave_of(levels.radius(len(levels))) + 1
    shapes = [octave(number, size).size for number in range(count)]
    pictures = [torch.zeros((len(places), n, n), device=device) for n in shapes]
    total = float(weight.abs().sum(dim=1, dtype=torch.float64).max())
    # whole numbers of this step cannot overflow; powers of two change no digit
    step = 2.0 ** (np.ceil(np.log2(total)) - _DIGITS) if total > 0 else 1.0
    bounds = [int(bound) for bound in levels.bounds]
    for level in range(len(levels) + 1):
        # this level's share of its own particles and of those one level below
        low, middle = bounds[max(level - 1, 0)], bounds[level]
        high = bounds[min(level + 1, len(levels))]
        if low == high:
            continue
        share = torch.cat([upper[low:middle], 1 - upper[middle:high]])
        grid = grid_of(levels.radius(level), size)
        nodes = _deposit(
            places[:, low:high], weight[:, low:high] * share,
            grid.first, grid.cell, grid.nodes, step,
        )  # fmt: skip
        for sign, matrix in zip(signs, _matrices(levels.radius(level), size, device)):
            pictures[grid.octave.number] += float(sign) * (matrix @ nodes @ matrix.T)
    for number in range(count - 1, 0, -1):
        halves = _refinement(shapes[number], shapes[number - 1], device)
        pictures[number - 1] += halves @ pictures[number] @ halves.T
    return pictures[0]


def _deposit(
    places: torch.Tensor, weight: torch.Tensor, first: float, cell: float, nodes: int, step: float
) -> torch.Tensor:
    """Share each particle among the four nearest nodes; float32 (V, n, n)."""
    import torch

    views = len(places)
    at = places * np.float32(1 / cell).item() + np.float32(-first / cell).item()
    inside = ((at >= 0) & (at < nodes - 1)).all(dim=-1)
    at = torch.where(inside[..., None], at, 0.0)
    corner = at.to(torch.int64)
    x, y = (at - corner).unbind(-1)
    here = torch.where(inside, weight, 0.0)
    base = torch.arange(views, device=places.device)[:, None] * nodes + corner[..., 1]
    base = base * nodes + corner[..., 0]
    grid = torch.zeros(views * nodes * nodes, dtype=torch.int64, device=places.device)
    for down, part in ((0, here - here * y), (nodes, here * y)):
        for right, value in ((0, part - part * x), (1, part * x)):
            whole = (value.to(torch.float64) / step).round().to(torch.int64)
            grid.index_add_(0, (base + (down + right)).flatten(), whole.flatten())
    return (grid.to(torch.float64) * step).to(torch.float32).view(views, nodes, nodes)


@functools.lru_cache(maxsize=128)
def _matrices(radius: float, size: int, device: str) -> torch.Tensor:
    """Integrals of each term over pixels for all nodes of a level, shape (R, S, n)."""
    import torch

    return torch.from_numpy(grid_of(radius, size).dense()).to(device)


@functools.lru_cache(maxsize=32)
def _refinement(coarse: int, fine: int, device: str) -> torch.Tensor:
    """What takes a line of pixels to one of pixels half as wide, as `splat.refine` does."""
    import torch

    matrix = np.zeros((fine, coarse), np.float32)
    for pixel in range(fine):
        middle, side = pixel // 2 + PAD, 0.5 if pixel % 2 else -0.5
        matrix[pixel, middle] = 0.5
        matrix[pixel, middle + 1 : middle + PAD + 1] = side * taps()
        matrix[pixel, middle - PAD : middle] = -side * taps()[::-1]
    return torch.from_numpy(matrix).to(device)
