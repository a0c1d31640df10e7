"""Pictures and FITS files of pairs of galaxies whose places and sizes are known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from morphosphere.artefacts.imageset import ImageSet
from morphosphere.mergers.real.__main__ import main


def blob(shape, x, y, width, peak):
    """A Gaussian with its centre `x` from the left and `y` from the top edge, in pixels."""
    rows, columns = np.indices(shape) + 0.5
    return peak * np.exp(-0.5 * ((columns - x) ** 2 + (rows - y) ** 2) / width**2)


def pair(side=200, *, sky=10.0, noise=1.0, stars=()):
    """Galaxies at (80, 90) and (120, 110) of 10 pixels' width; stars as (x, y, peak)."""
    image = blob((side, side), 80.5, 90.5, 10, 100) + blob((side, side), 120.5, 110.5, 10, 60)
    for x, y, peak in stars:
        image += blob((side, side), x, y, 1.2, peak)
    return image + np.random.default_rng(3).normal(sky, noise, (side, side))


def write_picture(folder: Path, name="a", *, image=None, **meta):
    """A grey PNG with its side file."""
    image = pair() if image is None else image
    Image.fromarray(np.clip(np.rint(image), 0, 255).astype(np.uint8)).save(folder / f"{name}.png")
    said = {
        "scale": 0.5,
        "z": 0.05,
        "px": 80,
        "py": 90,
        "sx": 120,
        "sy": 110,
        "m1": 4e10,
        "m2": 2e10,
        "m1low": 3e10,
        "m1high": 5e10,
        "m2low": 1e10,
        "m2high": 4e10,
        **meta,
    }
    lines = [f"{key}={value}" for key, value in said.items() if value is not None]
    (folder / f"{name}.meta").write_text("# what is known\n" + "\n".join(lines) + "\n")


def write_fits(path: Path, image, **header):
    """A FITS file of an image whose row 0 is at the top."""
    hdu = fits.PrimaryHDU(image[::-1].astype(np.float32))
    hdu.header.update(header)
    hdu.writeto(path)


#: Settings for `write_picture`.
PICTURES = {
    "pattern": "{id}.png",
    "side_files": [".meta"],
    "pixel_scale": "scale",
    "redshift": "z",
    "nuclei": ["px", "py", "sx", "sy"],
    "masses": ["m1", "m2"],
    "mass_bounds": ["m1low", "m1high", "m2low", "m2high"],
}


@pytest.fixture
def pictures():
    """`write_picture` and the settings for it."""
    return write_picture, dict(PICTURES)


@pytest.fixture
def draw():
    """`pair`, `blob` and `write_fits`."""
    return pair, blob, write_fits


@pytest.fixture
def run(tmp_path, capfd):
    """Run the stage; return its status, what it said, and images and table if there are any."""

    def start(folder, *more, **settings):
        output = tmp_path / "out.h5"
        text = json.dumps({"path": str(folder), **settings})
        command = ["--name", "real", "--settings", text, "--output", str(output)]
        status = main([*command, *map(str, more)])
        said = capfd.readouterr().err
        if status:
            return status, said, None, None
        with ImageSet(output) as images:
            return status, said, images.images[()], images.table()

    return start
