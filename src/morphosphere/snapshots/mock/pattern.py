"""The pattern of a disc galaxy: scale length, arms, bar, ring and warp."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morphosphere.snapshots.mock.populations import Traits


@dataclass(frozen=True)
class Pattern:
    """The pattern of a disc, in units of its scale length.

    Attributes
    ----------
    scale : float
        Exponential scale length in kpc.
    arms : int
        Number of arms; 0 for none.
    pitch : float
        Tangent of the pitch angle; its sign is the sense of winding.
    start : float
        Azimuth in radians of the first arm at radius `inner`.
    inner : float
        Radius where the arms begin: the end of the bar, if there is one.
    contrast : float
        Concentration of intermediate-age stars towards the arms (von Mises).
    patches : ndarray, shape (P, 4)
        For flocculent discs, pieces of arm: radius, azimuth, length, weight. Empty for others.
    bar : float
        Half length of the bar; 0 for none.
    bar_share, bar_width : float
        Share of the bar in the disc's mass; its axis ratio.
    ring : float
        Radius of a star-forming ring; 0 for none.
    warp : float
        Height in scale lengths that the outer disc rises to.
    """

    scale: float
    arms: int
    pitch: float
    start: float
    inner: float
    contrast: float
    patches: np.ndarray
    bar: float
    bar_share: float
    bar_width: float
    ring: float
    warp: float


def draw_pattern(rng: np.random.Generator, traits: Traits, *, barred: float) -> Pattern:
    """Pattern of a spiral or lenticular.

    Arms open from early to late types, from about 8 to 28 degrees of pitch (Kennicutt 1981, AJ 86,
    1847); late types of low mass are often flocculent.
    """
    spiral = traits.family == "spiral"
    scale = traits.size / 1.678 * (1 + 0.8 * traits.bulge_to_total)
    has_bar = rng.random() < (barred if spiral else 0.8 * barred)
    bar = rng.uniform(1.0, 2.0) if has_bar else 0.0
    pitch = np.deg2rad(np.clip(6 + 3.2 * traits.stage + 3 * rng.normal(), 6, 34))
    flocculent = spiral and rng.random() < 0.12 + 0.25 * (traits.stage > 5)
    arms = int(rng.choice([2, 3, 4, 5], p=[0.55, 0.2, 0.17, 0.08])) if spiral else 0
    if has_bar and arms:
        arms = int(rng.choice([2, 4], p=[0.85, 0.15]))
    patches = np.zeros((0, 4))
    if flocculent:
        number = int(rng.integers(14, 30))
        patches = np.stack(
            [
                0.5 + rng.gamma(2.5, 0.7, number),
                rng.uniform(0, 2 * np.pi, number),
                rng.uniform(0.5, 1.1, number),
                rng.exponential(size=number) + 0.3,
            ],
            axis=1,
        )
    ring_chance = 0.25 if has_bar else 0.06
    ring = 0.0
    if rng.random() < ring_chance:
        ring = bar * 1.1 if has_bar and rng.random() < 0.6 else rng.uniform(1.8, 2.8)
    return Pattern(
        scale=scale,
        arms=0 if flocculent else arms,
        pitch=float(np.tan(pitch) * rng.choice([-1, 1])),
        start=float(rng.uniform(0, 2 * np.pi)),
        inner=bar if has_bar else float(rng.uniform(0.35, 0.7)),
        contrast=float(rng.uniform(0.45, 1.8)),
        patches=patches,
        bar=bar,
        bar_share=float(rng.uniform(0.28, 0.5) + 0.1 * (not spiral)) if has_bar else 0.0,
        bar_width=float(rng.uniform(0.22, 0.38)),
        ring=float(ring),
        warp=float(rng.exponential(0.25) if rng.random() < 0.3 else 0.0),
    )
