"""Models drawn from told parameters against the images that they are told of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from morphosphere.artefacts.imageset import ImageSet, ImageSetWriter
from morphosphere.errors import InputError
from morphosphere.sersic.evaluate.residuals import compare
from morphosphere.sersic.evaluate.scored import TOLD, Scored
from morphosphere.structure.model import draw
from morphosphere.structure.noise import add_noise
from morphosphere.structure.parameters import Space
from morphosphere.structure.psf import PSFSet, write_psfs

PIXEL, ZERO_POINT, NOISE, GAIN = 0.06, 25.94, 0.004, 2000.0
VALUES = {
    "magnitude": 20.0,
    "radius": 0.4,
    "sersic_index": 1.5,
    "axis_ratio": 0.5,
    "position_angle": 30.0,
}
Galaxies = Callable[..., tuple[Path, Path, Scored]]


@pytest.fixture
def galaxies(tmp_path: Path) -> Galaxies:
    """Images of one galaxy off the centre, in stamps of several sizes brought to 48 pixels."""

    def make(sizes: tuple[int, ...] = (48,), **told: float) -> tuple[Path, Path, Scored]:
        axis = np.arange(-16, 17) * PIXEL / 4
        spot = np.exp(-(axis[:, None] ** 2 + axis**2) / (2 * 0.06**2))
        psf, n = tmp_path / "psf.h5", len(sizes)
        write_psfs(psf, spot[None], scale=PIXEL / 4, oversampling=4.0)
        random = np.random.default_rng(0)
        images = np.zeros((n, 1, 48, 48), np.float32)
        for k, size in enumerate(sizes):
            model = draw(
                VALUES | {"x_offset": 0.45, "y_offset": -0.4}, PSFSet.read(psf).galsim(0),
                pixel_size=PIXEL, size=size, zero_point=ZERO_POINT,
            )  # fmt: skip
            image = add_noise(model, NOISE, GAIN, random)
            if size > 48:
                cut = (size - 48) // 2
                images[k, 0] = image[cut:-cut, cut:-cut]
            else:
                images[k, 0] = np.pad(image, (48 - size) // 2, mode="edge")
        images[0, 0, 5, 7] = np.nan
        ids = np.array([f"g{k}" for k in range(n)], dtype=object)
        table = {"image_id": ids, "galaxy_id": ids, "source": ids}
        with ImageSetWriter(tmp_path / "images.h5", channels=("F814W",), size=48) as out:
            out.append(images, table)
        about = {
            "zero_point": np.full(n, ZERO_POINT),
            "pixel_size": np.full(n, PIXEL),
            "sky_noise": np.full(n, NOISE),
            "gain": np.full(n, GAIN),
            "psf": np.zeros(n, int),
            "stamp_size": np.array(sizes),
        }
        truth = {name: np.full(n, value) for name, value in VALUES.items()}
        said = {c: dict.fromkeys(TOLD, np.full(n, told.get(c, v))) for c, v in VALUES.items()}
        nothing = np.full((n, 5), np.nan), np.full((n, 5, 5), np.nan)
        flags = np.zeros(n, int)
        scored = Scored(np.arange(n), ids.astype(str), truth, said, about, flags, *nothing)
        return tmp_path / "images.h5", psf, scored

    return make


def residuals(made: tuple[Path, Path, Scored], places: list[int]) -> list:
    images, psf, scored = made
    with ImageSet(images) as source:
        return compare(source, psf, scored, np.array(places), Space(1))


def test_true_parameters_leave_noise_alone_wherever_the_centre_is(galaxies: Galaxies) -> None:
    found = residuals(galaxies((48, 36, 60)), [0, 1, 2])
    assert [one.data.shape for one in found] == [(48, 48), (36, 36), (48, 48)]
    for one in found:
        assert one.chi2 == pytest.approx(1, abs=0.12)
        assert abs(np.nanmean(one.residual)) < 0.1
        assert np.nanmax(np.abs(one.residual)) < 5.5
    assert np.isnan(found[0].residual[5, 7])
    assert np.isfinite(found[0].model).all()


def test_wrong_parameters_show(galaxies: Galaxies) -> None:
    for wrong in ({"radius": 0.5}, {"position_angle": 150.0}, {"magnitude": 20.2}):
        (found,) = residuals(galaxies(**wrong), [0])
        assert found.chi2 > 1.5, wrong


def test_galaxies_that_nothing_is_told_of_are_left_out_and_columns_are_needed(
    galaxies: Galaxies,
) -> None:
    images, psf, scored = galaxies((48, 48))
    scored.told["radius"]["median"][0] = np.nan
    assert [one.place for one in residuals((images, psf, scored), [0, 1])] == [1]
    del scored.about["gain"]
    with pytest.raises(InputError, match="no column 'gain'"):
        residuals((images, psf, scored), [1])
