"""Directions from which galaxies are looked at."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from morphosphere.config.render import CameraSettings


@dataclass(frozen=True)
class Cameras:
    """Cameras around one galaxy, V of them.

    Attributes
    ----------
    axes : ndarray, shape (V, 3, 3)
        For each camera, in the axes of the galaxy's positions: unit vectors to the right and
        upwards on the picture, and from the galaxy to the camera; right-handed.
    kinds : tuple of str
        "isotropic", "random", "face_on" or "edge_on".
    """

    axes: np.ndarray
    kinds: tuple[str, ...]

    @property
    def direction(self) -> np.ndarray:
        """Unit vectors from the galaxy to the cameras, shape (V, 3)."""
        return self.axes[:, 2]

    def inclination(self, spin: np.ndarray) -> np.ndarray:
        """Angle between line of sight and `spin` in degrees, from 0 (face-on) to 90 (edge-on)."""
        cosine = np.abs(self.direction @ spin) / max(np.linalg.norm(spin), 1e-300)
        return np.degrees(np.arccos(np.clip(cosine, 0, 1)))


def generator(seed: int, *names: str) -> np.random.Generator:
    """Random numbers that depend on the seed and on names alone, not on any order of work."""
    hashed = hashlib.blake2b("\0".join(names).encode(), digest_size=8).digest()
    return np.random.default_rng([seed, int.from_bytes(hashed, "big")])


def place_cameras(
    settings: CameraSettings, *, galaxy_id: str, frame: np.ndarray, seed: int
) -> Cameras:
    """Cameras around a galaxy.

    Parameters
    ----------
    settings : CameraSettings
    galaxy_id : str
        Together with `seed` it decides what is random.
    frame : ndarray, shape (3, 3)
        Rows are the axes of the disc, the last along the angular momentum.
    seed : int
    """
    random = generator(seed, "cameras", galaxy_id)
    frame = frame if np.isfinite(frame).all() and np.linalg.det(frame) else np.eye(3)
    turn = Rotation.from_quat(random.normal(size=4))
    groups = {
        "isotropic": _isotropic(settings.isotropic, turn, random),
        # normalised Gaussian quaternions are uniform over all poses
        "random": Rotation.from_quat(random.normal(size=(settings.random, 4))).as_matrix(),
        "face_on": _around(settings.face_on) @ frame,
        "edge_on": _EDGE_ON @ _around(settings.edge_on) @ frame,
    }
    kinds = tuple(kind for kind, axes in groups.items() for _ in axes)
    return Cameras(np.concatenate(list(groups.values())), kinds)


#: Looks along the first axis of the disc, with the angular momentum upwards.
_EDGE_ON = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])


def _around(count: int) -> np.ndarray:
    """Turns about the third axis in even steps of the full circle, shape (count, 3, 3)."""
    angles = 2 * np.pi * np.arange(count) / max(count, 1)
    return Rotation.from_rotvec(angles[:, None] * [0, 0, -1]).as_matrix()


def _isotropic(count: int, turn: Rotation, random: np.random.Generator) -> np.ndarray:
    """Directions of a Fibonacci lattice (Swinbank & Purser 2006, QJRMS 132, 1769), as one body.

    The lattice is turned by `turn`, each camera is rolled at random.
    """
    number = np.arange(count) + 0.5
    cosine = 1 - 2 * number / max(count, 1)
    longitude = np.pi * (1 + np.sqrt(5)) * number
    roll = random.uniform(0, 2 * np.pi, count)
    # from the camera's axes: roll about the line of sight, then tilt, then go around
    pose = Rotation.from_euler("ZYZ", np.stack([longitude, np.arccos(cosine), roll], axis=-1))
    return np.swapaxes((turn * pose).as_matrix(), -1, -2)
