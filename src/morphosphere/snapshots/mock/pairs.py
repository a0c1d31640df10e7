"""Interacting galaxies: discs of test particles in two passing halos.

The restricted three-body method of Toomre & Toomre (1972, ApJ 178, 623): the centres follow their
mutual orbit, the stars and gas move in the sum of the two rigid halos. It makes tails and bridges.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from morphosphere.snapshots.mock.particles import Gas, Stars, random_rotation, turned
from morphosphere.snapshots.mock.populations import Traits

_BLOCK = 8192  # particles that are moved together, so that they stay in the processor's cache


@dataclass(frozen=True)
class Halo:
    """A rigid halo whose rotation curve is that of the discs, cut at a radius.

    Attributes
    ----------
    speed : float
        Circular velocity far out, in km/s.
    core : float
        In kpc; the circular velocity is ``speed r / sqrt(r^2 + core^2)``.
    edge : float
        Radius in kpc beyond which there is no more mass.
    """

    speed: float
    core: float
    edge: float

    def pull(self, offset: np.ndarray) -> np.ndarray:
        """Acceleration in (km/s)^2/kpc at offsets (..., 3) in kpc from the centre."""
        squared = np.einsum("...i,...i->...", offset, offset)
        inside = self.speed**2 / (squared + self.core**2)
        outside = self.speed**2 * self.edge / np.maximum(squared, self.edge**2) ** 1.5
        return offset * -np.where(squared < self.edge**2, inside, outside)[..., None]

    def depth(self, distance: float) -> float:
        """Potential in (km/s)^2, below zero."""
        edge, core = self.edge, self.core
        inner = min(distance, edge)
        shallow = -(self.speed**2) * edge / max(distance, edge)
        return shallow - 0.5 * self.speed**2 * np.log((edge**2 + core**2) / (inner**2 + core**2))


@dataclass(frozen=True)
class Encounter:
    """How two galaxies meet.

    Attributes
    ----------
    pericentre : float
        Closest approach in kpc.
    boost : float
        Speed there over that of a parabolic orbit.
    since : float
        Time since then, in units of pericentre over speed.
    """

    pericentre: float
    boost: float
    since: float


def halo_of_disc(traits: Traits) -> Halo:
    """The halo of a galaxy (`discs.circular_speed` follows it closely)."""
    speed = traits.speed if traits.stage > -3.2 else 1.3 * traits.dispersion
    return Halo(speed, 0.3 * traits.size, 14.0 * traits.size)


def draw_encounter(rng: np.random.Generator, traits: list[Traits], *, merging: bool) -> Encounter:
    """A close passage, seen long enough after it for tails to have grown.

    Merging galaxies pass closer and slower, and are seen before they are far apart again.
    """
    sizes = traits[0].size + traits[1].size
    if merging:
        return Encounter(sizes * rng.uniform(0.35, 0.9), rng.uniform(0.72, 0.9), rng.uniform(6, 26))
    return Encounter(sizes * rng.uniform(0.7, 1.6), rng.uniform(0.85, 1.0), rng.uniform(4, 10))


def interact(
    rng: np.random.Generator,
    stars: list[Stars],
    gas: list[Gas],
    traits: list[Traits],
    *,
    merging: bool,
) -> tuple[list[Stars], list[Gas], np.ndarray, np.ndarray]:
    """Let two galaxies pass each other.

    Parameters
    ----------
    stars, gas : list
        Of the two galaxies, each in its own plane z = 0.

    Returns
    -------
    stars, gas : list
        Relative to each galaxy's own centre.
    away, drift : ndarray, shape (3,)
        Position (kpc) and velocity (km/s) of the second galaxy relative to the first.
    """
    halos = [halo_of_disc(t) for t in traits]
    meeting = draw_encounter(rng, traits, merging=merging)
    step, path = _orbit(halos, traits, meeting)
    view = random_rotation(rng)
    stars, gas = list(stars), list(gas)
    for k in range(2):
        spin = np.cross(stars[k].position, stars[k].velocity)[:, 2].sum()
        tilt = _tilt(rng) @ np.diag([1.0, np.sign(spin), np.sign(spin)])
        s, g = turned(stars[k], tilt), turned(gas[k], tilt)
        position = np.concatenate([s.position, g.position])
        velocity = np.concatenate([s.velocity, g.velocity])
        position, velocity = _move(position, velocity, halos, k, step, path)
        position, velocity = position @ view.T, velocity @ view.T
        cut = len(s)
        stars[k] = replace(s, position=position[:cut], velocity=velocity[:cut])
        gas[k] = replace(g, position=position[cut:], velocity=velocity[cut:])
    away = path[-1] @ view.T
    drift = (path[-1] - path[-2]) / step @ view.T
    return stars, gas, away, drift


def _tilt(rng: np.random.Generator) -> np.ndarray:
    """Orientation of a disc that turns about +z, as the orbit does: most are left near that.

    Discs that turn with the orbit grow the longest tails.
    """
    if rng.random() < 0.25:
        return random_rotation(rng)
    node = rng.uniform(0, 2 * np.pi)
    tilt = np.deg2rad(rng.uniform(0, 45)) + (np.pi if rng.random() < 0.1 else 0)
    c, s = np.cos(node), np.sin(node)
    around = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    c, s = np.cos(tilt), np.sin(tilt)
    return around @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def _orbit(halos: list[Halo], traits: list[Traits], meeting: Encounter) -> tuple[float, np.ndarray]:
    """Time step in kpc/(km/s), and the positions of the second galaxy relative to the first."""
    depth = halos[0].depth(meeting.pericentre) + halos[1].depth(meeting.pericentre)
    speed = meeting.boost * np.sqrt(-2 * depth)
    step = 0.12 * min(t.size / 1.7 / h.speed for t, h in zip(traits, halos))
    dynamical = meeting.pericentre / speed
    after = max(int(np.ceil(meeting.since * dynamical / step)), 2)
    before = int(np.ceil(5 * (meeting.pericentre + traits[0].size) / speed / step))

    def pull(x: np.ndarray) -> np.ndarray:
        return halos[0].pull(x) + halos[1].pull(x)

    def drag(x: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Dynamical friction, about Chandrasekhar's in an isothermal halo."""
        ratio = 10.0 ** (traits[1].log_mass - traits[0].log_mass)
        distance = np.linalg.norm(x) + 2 * halos[0].core
        return -0.5 * ratio**0.5 * v * halos[0].speed / distance

    start_x = np.array([meeting.pericentre, 0.0, 0.0])
    start_v = np.array([0.0, speed, 0.0])
    back, x, v = [], start_x, -start_v
    for _ in range(before):
        middle = x + 0.5 * step * v
        v = v + step * pull(middle)
        x = middle + 0.5 * step * v
        back.append(x)
    path, x, v = [*back[::-1], start_x], start_x, start_v
    for _ in range(after):
        middle = x + 0.5 * step * v
        v = v + step * (pull(middle) + drag(middle, v))
        x = middle + 0.5 * step * v
        path.append(x)
    return float(step), np.array(path)


def _move(
    position: np.ndarray,
    velocity: np.ndarray,
    halos: list[Halo],
    home: int,
    step: float,
    path: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Positions and velocities at the end of the path, in the falling frame of galaxy `home`.

    Stars faster than the halo's circular velocity (bulges, whose own mass the halo lacks) are
    slowed for the time of the passage, so that they stay where they are.
    """
    own, other = halos[home], halos[1 - home]
    sign = 1.0 if home == 0 else -1.0
    fall = other.pull(sign * path)  # minus the pull of the other on this galaxy's centre
    out_x, out_v = np.empty_like(position), np.empty_like(velocity)
    for start in range(0, len(position), _BLOCK):
        part = slice(start, start + _BLOCK)
        x, v = position[part], velocity[part]
        distance = np.linalg.norm(x, axis=1)
        circular = own.speed * distance / np.hypot(distance, own.core)
        slow = np.minimum(1.0, 1.05 * circular / np.maximum(np.linalg.norm(v, axis=1), 1e-9))
        v = v * slow[:, None]
        for place, centre in zip(path[1:], fall[1:]):
            x = x + (0.5 * step) * v
            # the centre falls towards the other galaxy with `-centre`
            v = v + step * (own.pull(x) + other.pull(x - sign * place) + centre)
            x = x + (0.5 * step) * v
        out_x[part], out_v[part] = x, v / slow[:, None]
    return out_x, out_v
