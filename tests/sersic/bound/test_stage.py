"""The stage that writes bounds: which galaxies, which columns, what it cannot use."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pandas
import pytest

from factories_sersic_simulated import SETTINGS, words
from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.splits import split_of
from morphosphere.files import digest
from morphosphere.sersic.bound.__main__ import main
from morphosphere.sersic.psfs.__main__ import main as psfs
from morphosphere.sersic.simulate.__main__ import main as simulate
from morphosphere.structure.parameters import Space
from morphosphere.structure.psf import PSFSet, write_psfs
from ranks import run_ranks

NUMBER = 80


def simulated(folder: Path, **changes: object) -> Path:
    assert psfs(["--settings", json.dumps(SETTINGS), "--output", str(folder / "psf.h5")]) == 0
    assert simulate(words(folder, folder / "psf.h5", number=NUMBER, shards=1, **changes)) == 0
    return folder


@pytest.fixture(scope="module")
def galaxies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with ``0.h5`` and ``psf.h5``; it is not to be changed."""
    return simulated(tmp_path_factory.mktemp("galaxies"))


@pytest.fixture
def own(galaxies: Path, tmp_path: Path) -> Path:
    """A copy of the images that may be changed."""
    (tmp_path / "0.h5").write_bytes((galaxies / "0.h5").read_bytes())
    return tmp_path / "0.h5"


def line(images: Path, psf: Path, output: Path, **settings: object) -> list[str]:
    return [
        "--settings", json.dumps(settings), "--images", str(images), "--psf", str(psf),
        "--output", str(output),
    ]  # fmt: skip


def ids_tested(images: Path) -> np.ndarray:
    with ImageSet(images) as source:
        return source.column("image_id")[split_of(source.column("galaxy_id")) == 2]


@pytest.mark.parametrize("components", [1, 2])
def test_columns_of_the_test_galaxies(tmp_path: Path, galaxies: Path, components: int) -> None:
    folder = galaxies if components == 1 else simulated(tmp_path, components=2)
    output = tmp_path / "bound.parquet"
    assert main(line(folder / "0.h5", folder / "psf.h5", output)) == 0
    table, space = pandas.read_parquet(output), Space(components)
    assert list(table["image_id"]) == list(ids_tested(folder / "0.h5"))
    assert len(table) > 3
    assert not table["singular"].any()
    with ImageSet(folder / "0.h5") as images:
        truth = pandas.DataFrame(images.table()).set_index("image_id").loc[table["image_id"]]
    assert table["snr"].to_numpy() == pytest.approx(truth["snr"].to_numpy(), rel=1e-6)
    count = len(space.latents)
    covariance = np.stack(table["bound_covariance"].to_list()).reshape(-1, count, count)
    for k, name in enumerate(space.latents):
        assert table[f"bound_{name}"].to_numpy() == pytest.approx(np.sqrt(covariance[:, k, k]))
    for name in space.columns:
        assert (table[f"bound_{name}"] > 0).all()
    # 1 / (S/N) is the least error of the flux were all else known
    assert (table["bound_magnitude"] > 1.08 / table["snr"]).all()
    about = Catalogue(output).about("bound_radius")
    assert about["unit"] == "arcsec"
    assert about["ucd"] == "stat.stdev"


def test_the_first_ones_and_any_number_of_ranks(galaxies: Path, tmp_path: Path) -> None:
    images, psf = galaxies / "0.h5", galaxies / "psf.h5"
    assert main(line(images, psf, tmp_path / "one.parquet", limit=5)) == 0
    assert list(pandas.read_parquet(tmp_path / "one.parquet")["image_id"]) == list(
        ids_tested(images)[:5]
    )
    words = ["-m", "morphosphere.sersic.bound", "--ranks", "2"]
    done = run_ranks(2, [*words, *line(images, psf, tmp_path / "two.parquet", limit=5)])
    assert done.returncode == 0, done.stderr
    assert digest(tmp_path / "two.parquet") == digest(tmp_path / "one.parquet")


def test_padding_tells_nothing_and_masked_pixels_neither(
    galaxies: Path, own: Path, tmp_path: Path
) -> None:
    psf = galaxies / "psf.h5"
    assert main(line(own, psf, tmp_path / "before.parquet")) == 0
    before = pandas.read_parquet(tmp_path / "before.parquet").set_index("image_id")
    with h5py.File(own, "r+") as file:
        names = list(file["table/image_id"].asstr()[:])
        smaller, masked = (names.index(name) for name in before.index[:2])
        file["table/stamp_size"][smaller] = 32
        file["images"][masked, 0, 30:34, 30:34] = np.nan
    assert main(line(own, psf, tmp_path / "after.parquet")) == 0
    after = pandas.read_parquet(tmp_path / "after.parquet").set_index("image_id")
    worse = after["bound_magnitude"] > 1.001 * before["bound_magnitude"]
    assert list(worse[:2]) == [True, True]
    assert not worse[2:].any()


def test_galaxies_of_unknown_truth_are_left_out(galaxies: Path, own: Path, tmp_path: Path) -> None:
    names = list(ids_tested(own))
    with h5py.File(own, "r+") as file:
        rows = {name: row for row, name in enumerate(file["table/image_id"].asstr()[:])}
        file["table/sersic_index"][rows[names[0]]] = np.nan
        file["table/sky_noise"][rows[names[1]]] = 0.0
    assert main(line(own, galaxies / "psf.h5", tmp_path / "bound.parquet")) == 0
    assert list(pandas.read_parquet(tmp_path / "bound.parquet")["image_id"]) == names[2:]


def test_what_cannot_be_used(
    galaxies: Path, own: Path, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    output = tmp_path / "bound.parquet"
    known = PSFSet.read(galaxies / "psf.h5")
    few = tmp_path / "few.h5"
    write_psfs(few, known.images[:1], scale=known.scale, oversampling=4)
    assert main(line(own, few, output)) == 1
    assert f"{few}: no point-spread function 2, which {own} refers to" in capfd.readouterr().err
    other = tmp_path / "other.h5"
    write_psfs(other, known.images[::-1], scale=known.scale, oversampling=4)
    assert main(line(own, other, output)) == 1
    assert f"is not the one that {own} tells of" in capfd.readouterr().err
    assert main(line(own, tmp_path / "nowhere.h5", output)) == 1
    assert "nowhere.h5: cannot be read" in capfd.readouterr().err
    with h5py.File(own, "r+") as file:
        file["table/magnitude"][:] = np.nan
    assert main(line(own, galaxies / "psf.h5", output)) == 1
    assert f"{own}: of its 80 images none is of the test set" in capfd.readouterr().err
    with h5py.File(own, "r+") as file:
        del file["table/gain"]
    assert main(line(own, galaxies / "psf.h5", output)) == 1
    assert f"{own}: no column gain" in capfd.readouterr().err
    assert not output.exists()
    assert main(line(own, galaxies / "psf.h5", output, step=0.5)) == 1
    assert "step: input should be less than or equal to 0.05" in capfd.readouterr().err
