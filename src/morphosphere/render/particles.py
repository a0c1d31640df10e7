"""Particles of one component of a galaxy, made ready for the camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morphosphere.artefacts.galaxyset import Galaxy
from morphosphere.config.render import RenderSettings
from morphosphere.render.smoothing import from_density, from_neighbours


@dataclass(frozen=True)
class Particles:
    """Particles with finite positions and masses.

    Attributes
    ----------
    fields : dict
        Field name to array, as in a GalaxySet.
    support : ndarray, shape (N,)
        Radius of the kernels in kpc.
    dropped : int
        Particles left out because position or mass is not finite, or mass is negative.
    """

    fields: dict[str, np.ndarray]
    support: np.ndarray
    dropped: int

    def __len__(self) -> int:
        return len(self.support)


def prepare(galaxy: Galaxy, component: str, settings: RenderSettings) -> Particles:
    """The particles of a component, with the radii of their kernels."""
    fields = galaxy.components.get(component) or {
        "position": np.zeros((0, 3)),
        "velocity": np.zeros((0, 3)),
        "mass": np.zeros(0),
    }
    mass = fields["mass"]
    sound = np.isfinite(fields["position"]).all(axis=1) & np.isfinite(mass) & (mass >= 0)
    dropped = int(len(sound) - sound.sum())
    if dropped:
        fields = {name: values[sound] for name, values in fields.items()}
    support = settings.smoothing_factor * _support(fields, settings)
    return Particles(fields, support, dropped)


def _support(fields: dict[str, np.ndarray], settings: RenderSettings) -> np.ndarray:
    """Radii from the snapshot where it has sound ones, else from density or from neighbours."""
    count = len(fields["position"])
    if settings.smoothing == "snapshot":
        for name in ("smoothing_length", "density"):
            if name not in fields:
                continue
            if name == "density":
                support = from_density(fields["mass"], fields["density"], settings.neighbours)
            else:
                support = np.array(fields[name], dtype=np.float64)
            bad = ~(np.isfinite(support) & (support >= 0))
            if not bad.any():
                return support
            if not bad.all():
                support[bad] = from_neighbours(fields["position"], settings.neighbours)[bad]
                return support
    return from_neighbours(fields["position"], settings.neighbours) if count else np.zeros(0)
