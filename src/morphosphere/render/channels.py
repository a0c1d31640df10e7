"""What is summed up on the picture for each channel, and how sums become pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from morphosphere.config.render import MAPS, RenderSettings
from morphosphere.errors import InputError
from morphosphere.render.particles import Particles
from morphosphere.stellar_populations import BANDS, absolute_magnitudes, luminosity_of, to_ab

#: Unit of bands: the light of a star of absolute AB magnitude zero, per area.
BAND_UNIT = "10**(-0.4*M_AB)/kpc2"
_COMPONENT = {"gas": "gas", "sfr": "gas", "dark_matter": "dark_matter"}
_MEANS = ("age", "metallicity")
_MOTION = ("velocity", "velocity_dispersion")
#: Means are not given where there is less than this part of the mass of the fullest pixel.
_FAINTEST = 1e-6


def component_of(channel: str) -> str:
    """Component of a GalaxySet that a channel shows."""
    return _COMPONENT.get(channel, "stars")


def unit_of(channel: str) -> str:
    """Unit of a channel's pixels."""
    return MAPS[channel][0] if channel in MAPS else BAND_UNIT


def light_of_stars(
    stars: Particles, bands: Sequence[str], snapshot_bands: Sequence[str], settings: RenderSettings
) -> dict[str, np.ndarray]:
    """Luminosity ``10**(-0.4 M_AB)`` of each star particle: band to array (N,).

    From the snapshot's magnitudes where it has the band, else from age and metallicity.

    Parameters
    ----------
    stars : Particles
    bands : sequence of str
    snapshot_bands : sequence of str
        Bands of the field ``magnitudes``, each in its own system (see
        `morphosphere.stellar_populations.BANDS`).

    Raises
    ------
    InputError
        If a band is in neither.
    """
    light = np.empty((len(stars), len(bands)))
    given = stars.fields.get("magnitudes")
    computed = []
    for k, band in enumerate(bands):
        if given is not None and band in snapshot_bands:
            light[:, k] = luminosity_of(to_ab(given[:, list(snapshot_bands).index(band)], band))
        else:
            computed.append(k)
    if computed and len(stars):
        light[:, computed] = luminosity_of(
            _from_populations(stars, [bands[k] for k in computed], snapshot_bands, settings)
        )
    return dict(zip(bands, np.where(np.isfinite(light), light, 0.0).T))


def _from_populations(
    stars: Particles, bands: list[str], snapshot_bands: Sequence[str], settings: RenderSettings
) -> np.ndarray:
    unknown = np.full(len(stars), np.nan)
    age = stars.fields.get("age", unknown)
    metallicity = stars.fields.get("metallicity", unknown)
    undated = ~np.isfinite(age)
    if undated.any() and settings.assumed_age is None:
        raise InputError(
            f"no light in {', '.join(bands)}: the snapshot has magnitudes in "
            f"{', '.join(snapshot_bands) or 'no band'}, and {undated.sum()} of {len(stars)} stars "
            "have no age to compute them from; choose other channels, for example stellar_mass, "
            "or set render.assumed_age"
        )
    return absolute_magnitudes(
        bands,
        age=np.where(undated, settings.assumed_age, age) if undated.any() else age,
        metallicity=np.where(np.isfinite(metallicity), metallicity, settings.assumed_metallicity),
        initial_mass=stars.fields.get("initial_mass", stars.fields["mass"]),
    )


def weights_of(
    particles: Particles,
    channels: Sequence[str],
    light: dict[str, np.ndarray],
    depth_velocity: np.ndarray | None = None,
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """What the channels of one component need to be summed up on the picture.

    Parameters
    ----------
    light : dict
        Band to the luminosity of each particle (N,), for the channels that are bands.
    depth_velocity : ndarray, shape (V, N), or None
        Velocity away from each camera in km/s; needed for the channels of motion.

    Returns
    -------
    fixed : dict
        Name to weights (N,), the same for all cameras: "mass", a band, or "mass*age" and so on.
    moving : dict
        Name to weights (V, N).

    Raises
    ------
    InputError
        If the snapshot lacks what a channel needs.
    """
    fields = particles.fields
    fixed = {name: light[name] for name in channels if name in BANDS}
    moving: dict[str, np.ndarray] = {}
    if any(name != "sfr" and name not in BANDS for name in channels):
        fixed["mass"] = fields["mass"]
    if "sfr" in channels:
        fixed["sfr"] = np.nan_to_num(_field(particles, "sfr", "sfr"), posinf=0, neginf=0)
    for name in _MEANS:
        if name in channels:
            # stars for which it is not known do not take part in the mean
            value = _field(particles, name, name)
            known = np.isfinite(value)
            fixed[f"{name} known"] = np.where(known, fields["mass"], 0)
            fixed[f"mass*{name}"] = np.where(known, fields["mass"] * value, 0)
    if any(name in _MOTION for name in channels):
        moving["mass*velocity"] = fields["mass"] * depth_velocity
        if "velocity_dispersion" in channels:
            moving["mass*velocity**2"] = fields["mass"] * depth_velocity**2
    return fixed, moving


def _field(particles: Particles, field: str, channel: str) -> np.ndarray:
    if not len(particles):
        return np.zeros(0)
    if field not in particles.fields:
        raise InputError(
            f"channel {channel}: the particles have no {field}, only "
            f"{', '.join(sorted(particles.fields))}; choose other channels"
        )
    return particles.fields[field]


def finish(channel: str, sums: dict[str, np.ndarray], pixel_area: float) -> np.ndarray:
    """Pixels of a channel from the sums of its component.

    Parameters
    ----------
    sums : dict
        Name as of `weights_of` to sums in pixels (V, S, S).
    pixel_area : float
        In kpc^2.

    Returns
    -------
    ndarray, shape (V, S, S)
        Surface densities, or means, which are NaN where there is nothing.
    """
    if channel == "velocity":
        return _mean(sums["mass*velocity"], sums["mass"])
    if channel == "velocity_dispersion":
        mean = _mean(sums["mass*velocity"], sums["mass"])
        square = _mean(sums["mass*velocity**2"], sums["mass"])
        return np.sqrt(np.maximum(square - mean**2, 0))
    if channel in _MEANS:
        return np.maximum(_mean(sums[f"mass*{channel}"], sums[f"{channel} known"]), 0)
    name = "mass" if channel in ("stellar_mass", "gas", "dark_matter") else channel
    return np.maximum(sums[name], 0) / pixel_area


def _mean(total: np.ndarray, weight: np.ndarray) -> np.ndarray:
    enough = weight > _FAINTEST * weight.max(initial=0, axis=(-2, -1), keepdims=True)
    return np.divide(total, weight, out=np.full_like(total, np.nan), where=enough)
