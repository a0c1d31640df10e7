"""Drawn galaxies as an ImageSet with PSFs, for the classical fitters and the real-image stage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import galsim
import numpy as np

from morphosphere.artefacts.imageset import ImageSetWriter
from morphosphere.artefacts.splits import SPLITS, split_of
from morphosphere.structure.model import draw
from morphosphere.structure.psf import write_psfs

SIZE, PIXEL, ZERO_POINT, SKY, GAIN = 64, 0.06, 25.94, 0.008, 2000.0
GALAXY = {
    "magnitude": 20.5,
    "radius": 0.4,
    "sersic_index": 1.5,
    "axis_ratio": 0.6,
    "position_angle": 30.0,
    "x_offset": 0.3,
    "y_offset": -0.2,
}


def psf() -> galsim.GSObject:
    """A Moffat profile, without the pixel."""
    return galsim.Moffat(3.0, fwhm=0.12).shear(g1=0.02)


def psf_picture(scale: float = PIXEL / 4, size: int = 101) -> np.ndarray:
    """Samples of `psf`."""
    return psf().drawImage(nx=size, ny=size, scale=scale, method="no_pixel").array


def observed(
    galaxy: dict[str, float],
    seed: int | None = 0,
    *,
    components: int = 1,
    size: int = SIZE,
    pixel: float = PIXEL,
) -> np.ndarray:
    """An image with noise (None: without), row 0 on top."""
    image = draw(
        galaxy, psf(), pixel_size=pixel, size=size, zero_point=ZERO_POINT, components=components
    )
    if seed is None:
        return image
    noise = np.sqrt(SKY**2 + np.maximum(image, 0) / GAIN)
    return image + noise * np.random.default_rng(seed).standard_normal(image.shape)


def names_of(count: int) -> list[str]:
    """Identifiers of galaxies of the split ``test``."""
    names = [f"fit-{k:04d}" for k in range(60 * count)]
    chosen = split_of(names) == SPLITS.index("test")
    return [name for name, test in zip(names, chosen) if test][:count]


def write_galaxies(
    folder: Path,
    galaxies: list[dict[str, float]],
    images: np.ndarray | None = None,
    *,
    components: int = 1,
    **more: Any,
) -> tuple[Path, Path]:
    """Write ``images.h5`` and ``psf.h5`` of test galaxies; `more` are other values of columns."""
    count = len(galaxies)
    if images is None:
        images = np.stack([observed(g, k, components=components) for k, g in enumerate(galaxies)])
    names = names_of(count)
    table: dict[str, Any] = {
        "image_id": names,
        "galaxy_id": names,
        "source": ["test"] * count,
        "zero_point": np.full(count, ZERO_POINT),
        "pixel_size": np.full(count, PIXEL),
        "sky_noise": np.full(count, SKY),
        "gain": np.full(count, GAIN),
        "stamp_size": np.full(count, images.shape[-1]),
        "psf": np.zeros(count, dtype=int),
        **{name: np.array([galaxy[name] for galaxy in galaxies]) for name in galaxies[0]},
        **more,
    }
    table = {name: values for name, values in table.items() if values is not None}
    with ImageSetWriter(
        folder / "images.h5",
        channels=["F814W"],
        size=images.shape[-1],
        unit="electron/s",
        attributes={"components": components},
    ) as out:
        out.append(images[:, None].astype(np.float32), table)
    write_psfs(folder / "psf.h5", psf_picture()[None], scale=PIXEL / 4, oversampling=4)
    return folder / "images.h5", folder / "psf.h5"


def some_galaxies(count: int, seed: int = 0) -> list[dict[str, float]]:
    """Galaxies of many shapes that fit into the stamp."""
    random = np.random.default_rng(seed)
    return [
        {
            "magnitude": float(random.uniform(19, 21.5)),
            "radius": float(random.uniform(0.15, 0.5)),
            "sersic_index": float(10 ** random.uniform(-0.2, 0.6)),
            "axis_ratio": float(random.uniform(0.3, 0.9)),
            "position_angle": float(random.uniform(0, 180)),
            "x_offset": float(random.uniform(-0.5, 0.5)),
            "y_offset": float(random.uniform(-0.5, 0.5)),
        }
        for _ in range(count)
    ]
