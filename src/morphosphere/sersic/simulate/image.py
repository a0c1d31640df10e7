"""The image of one scene, with noise and without, and its row of the table."""

from __future__ import annotations

from dataclasses import dataclass

import galsim
import numpy as np

from morphosphere.config.sersic_simulate import SimulateSettings
from morphosphere.sersic.simulate.draws import Scene
from morphosphere.sersic.simulate.real import RealGalaxies
from morphosphere.structure.model import draw
from morphosphere.structure.noise import add_noise, signal_to_noise
from morphosphere.structure.parameters import Space
from morphosphere.structure.pixels import resized
from morphosphere.structure.psf import PSFSet

#: Columns of truth of any number of components; NaN where there is none.
TRUTH = tuple(dict.fromkeys([*Space(1).columns, *Space(2).columns]))


@dataclass(frozen=True)
class Observation:
    """Images (size, size) with noise and without, and the row of the table."""

    observed: np.ndarray
    noiseless: np.ndarray
    row: dict[str, float | int | str]


def observe(
    scene: Scene,
    settings: SimulateSettings,
    psfs: PSFSet,
    random: np.random.Generator,
    *,
    real: RealGalaxies | None = None,
) -> Observation:
    """Draw a scene, add noise, and bring both images to the common width.

    Parameters
    ----------
    scene : Scene
    psfs : PSFSet
    random : numpy.random.Generator
        Of the noise.
    real : RealGalaxies, optional
    """
    # what a crop would take away need not be drawn
    size = min(scene.stamp_size, settings.size)
    psf = psfs.galsim(scene.psf)
    if scene.real is not None and real is not None:
        truth = real.label(scene.real, turned=scene.galaxy["position_angle"])
        truth |= {name: scene.galaxy[name] for name in ("x_offset", "y_offset")}
        own = real.draw(scene.real, scene.galaxy, psf, size=size, settings=settings)
    else:
        truth, own = scene.galaxy, _draw(scene.galaxy, psf, size, settings)
    noiseless = own + sum(_draw(other, psf, size, settings) for other in scene.neighbours)
    observed = add_noise(
        noiseless,
        scene.sky_noise,
        scene.exposure,
        random,
        read_noise=settings.read_noise * np.sqrt(settings.reads),
    )
    row = {
        "zero_point": settings.zero_point,
        "pixel_size": settings.pixel_size,
        "sky_noise": scene.sky_noise,
        "gain": scene.exposure,
        "stamp_size": scene.stamp_size,
        "psf": scene.psf,
        **psfs.columns(scene.psf, settings.pixel_size),
        **{name: truth.get(name, np.nan) for name in (*TRUTH, "x_offset", "y_offset")},
        "snr": signal_to_noise(own, scene.sky_noise, scene.exposure),
        "neighbours": sum(_is_within(other, size) for other in scene.neighbours),
    }
    images = resized(np.stack([observed, noiseless]).astype(np.float32), settings.size)
    return Observation(images[0], images[1], row)


def _is_within(values: dict[str, float], size: int) -> bool:
    return max(abs(values["x_offset"]), abs(values["y_offset"])) <= size / 2


def _draw(
    values: dict[str, float], psf: galsim.GSObject, size: int, settings: SimulateSettings
) -> np.ndarray:
    return draw(
        values,
        psf,
        pixel_size=settings.pixel_size,
        size=size,
        zero_point=settings.zero_point,
        components=settings.components,
    )
