"""Irregular galaxies: lopsided, clumpy, blue."""

from __future__ import annotations

import numpy as np

from morphosphere.snapshots.mock.discs import YOUNG_LIGHTNESS
from morphosphere.snapshots.mock.particles import Stars, join
from morphosphere.snapshots.mock.populations import Traits


def irregular(rng: np.random.Generator, count: int, traits: Traits) -> Stars:
    """An irregular galaxy of `count` stars: a thick lopsided body and a handful of young knots."""
    scale = traits.size / 1.678
    young_mass = float(np.clip(traits.sfr * 3e8 / traits.mass, 0.03, 0.3))
    weight = np.array([1 - young_mass, young_mass / YOUNG_LIGHTNESS])
    old, young = rng.multinomial(count, weight / weight.sum())
    width = rng.uniform(0.45, 0.85)
    thick = rng.uniform(0.25, 0.5)
    radius = np.minimum(rng.gamma(2.0, size=old), 6)
    azimuth = rng.uniform(0, 2 * np.pi, old)
    body = np.stack(
        [radius * np.cos(azimuth), radius * np.sin(azimuth) * width, rng.normal(size=old) * thick],
        axis=1,
    )
    # lopsided: the outskirts lean to one side, and the body bends
    lean = rng.uniform(0.0, 0.45)
    body[:, 0] += lean * radius
    body[:, 1] += rng.uniform(-0.12, 0.12) * body[:, 0] ** 2

    knots = int(rng.integers(5, 22))
    away, turn = rng.uniform(0.1, 2.8, knots), rng.uniform(0, 2 * np.pi, knots)
    if rng.random() < 0.4:  # like the Magellanic Clouds: a bar and one loose arm from its end
        body[:, 1] *= np.clip(0.35 + 0.3 * radius, 0, 1)
        turn = 1.1 * np.maximum(away - 0.8, 0) + rng.normal(scale=0.2, size=knots)
    centre = np.stack(
        [
            away * np.cos(turn) + 0.6 * lean * away,
            away * np.sin(turn) * width,
            rng.normal(size=knots) * 0.15,
        ],
        axis=1,
    )
    share = np.minimum(rng.pareto(1.5, knots), 4) + 0.4
    which = rng.choice(knots, size=young, p=share / share.sum())
    extent = rng.uniform(0.08, 0.35, knots)[which]
    blobs = centre[which] + rng.normal(size=(young, 3)) * extent[:, None]
    knot_age = rng.uniform(0.005, 0.25, knots)[which]

    position = np.concatenate([body, blobs]) * scale
    age = np.concatenate(
        [
            np.clip(rng.normal(traits.age, 2.5, old), 0.3, 12),
            rng.uniform(0.5, 1.5, young) * knot_age,
        ]
    )
    distance = np.linalg.norm(position[:, :2], axis=1)
    spin = rng.uniform(0.2, 1.0) * traits.speed / np.hypot(distance, 1.5 * scale)
    rotation = np.stack([-position[:, 1], position[:, 0], np.zeros(len(age))], axis=1)
    velocity = rotation * spin[:, None] + rng.normal(size=(len(age), 3)) * (
        rng.uniform(0.2, 0.4) * traits.speed
    )
    stars = Stars(
        position=position - position.mean(axis=0),
        velocity=velocity,
        initial_mass=np.concatenate(
            [
                np.full(old, traits.mass * (1 - young_mass) / max(old, 1)),
                np.full(young, traits.mass * young_mass / max(young, 1)),
            ]
        ),
        age=age,
        metallicity=10 ** (traits.log_metallicity + rng.normal(scale=0.12, size=len(age))),
    )
    return join([stars])
