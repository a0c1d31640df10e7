"""The stage that simulates galaxies: what it writes, whatever its division into parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from factories_sersic_simulated import Simulate, words
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.joining import join
from morphosphere.files import digest
from morphosphere.structure.facts import COLUMNS_NEEDED
from morphosphere.structure.model import draw
from morphosphere.structure.noise import signal_to_noise, variance
from morphosphere.structure.parameters import Space
from morphosphere.structure.pixels import own_part
from morphosphere.structure.psf import PSFSet
from ranks import run_ranks


def test_columns_and_attributes(simulate: Simulate, library: Path) -> None:
    seen, clean = simulate()
    with ImageSet(seen) as images, ImageSet(clean) as noiseless:
        assert images.images.shape == (6, 1, 64, 64)
        assert images.images.dtype == np.float32
        assert images.channels == ("F814W",)
        assert images.attributes["unit"] == "electron/s"
        assert images.attributes["components"] == 1
        table = images.table()
        other = noiseless.table()
    assert set(COLUMNS_NEEDED) | set(Space(1).columns) <= set(table)
    assert list(table["image_id"]) == [f"sersic-{k:07d}" for k in range(6)]
    assert np.isnan(table["bulge_to_total"]).all()
    assert ((table["stamp_size"] % 2 == 0) & (table["stamp_size"] >= 40)).all()
    assert (table["snr"] > 0).all()
    assert table.keys() == other.keys()
    assert all(np.array_equal(table[name], other[name], equal_nan=name != "image_id")
               for name in table if table[name].dtype.kind != "O")  # fmt: skip
    psfs = PSFSet.read(library)
    assert table["psf_fwhm"][0] == pytest.approx(psfs.fwhm(int(table["psf"][0])))


def test_images_follow_from_their_rows(simulate: Simulate, library: Path) -> None:
    seen, clean = simulate(number=24)
    psfs = PSFSet.read(library)
    with ImageSet(seen) as images, ImageSet(clean) as noiseless:
        table = images.table()
        observed, expected = images.read(0, 12)[:, 0], noiseless.read(0, 12)[:, 0]
    scaled = []
    for row in range(12):
        one = {name: values[row] for name, values in table.items()}
        size = min(int(one["stamp_size"]), 64)
        model = draw(
            one, psfs.galsim(int(one["psf"])), pixel_size=0.06, size=size, zero_point=25.94
        )
        own = own_part(expected[row], one["stamp_size"])
        assert own == pytest.approx(model, abs=1e-5 * model.max())
        assert one["snr"] == pytest.approx(signal_to_noise(model, one["sky_noise"], one["gain"]))
        noise = np.sqrt(variance(model, one["sky_noise"], one["gain"]))
        scaled.append(((own_part(observed[row], size) - model) / noise).ravel())
    scaled = np.concatenate(scaled)
    assert abs(scaled.mean()) < 4 / np.sqrt(len(scaled))
    assert scaled.std() == pytest.approx(1, abs=4 / np.sqrt(2 * len(scaled)))


def test_small_stamps_are_padded_with_their_edge_after_noise(simulate: Simulate) -> None:
    seen, clean = simulate(stamp_size=[40, 40])
    for path in (seen, clean):
        with ImageSet(path) as images:
            image = images.read(0, 1)[0, 0]
        assert np.array_equal(image, np.pad(image[12:52, 12:52], 12, mode="edge"))


def test_large_stamps_are_cropped_in_the_middle(simulate: Simulate, library: Path) -> None:
    _, clean = simulate(stamp_size=[90, 90])
    with ImageSet(clean) as images:
        table, image = images.table(), images.read(0, 1)[0, 0]
    one = {name: values[0] for name, values in table.items()}
    psf = PSFSet.read(library).galsim(int(one["psf"]))
    whole = draw(one, psf, pixel_size=0.06, size=90, zero_point=25.94)
    assert image == pytest.approx(whole[13:77, 13:77], abs=1e-5 * whole.max())


def test_parameters_are_within_the_ranges(simulate: Simulate) -> None:
    changes = {"magnitude": [19, 20], "radius": [0.3, 0.4], "sersic_index": [1, 1], "centre": 0.25}
    seen, _ = simulate(**changes, axis_ratio=[0.5, 0.6], number=40, shards=1)
    with ImageSet(seen) as images:
        table = images.table()
    for name, low, high in (
        ("magnitude", 19, 20), ("radius", 0.3, 0.4), ("sersic_index", 1, 1),
        ("axis_ratio", 0.5, 0.6), ("x_offset", -0.25, 0.25), ("position_angle", 0, 180),
    ):  # fmt: skip
        assert low <= table[name].min() <= table[name].max() <= high
        assert low == high or np.ptp(table[name]) > 0.7 * (high - low)
    assert len(set(table["psf"])) == 3


def test_two_components(simulate: Simulate, library: Path) -> None:
    _, clean = simulate(components=2)
    with ImageSet(clean) as images:
        table, image = images.table(), images.read(0, 1)[0, 0]
        assert images.attributes["components"] == 2
    assert np.isnan(table["sersic_index"]).all()
    ratio = table["bulge_radius"] / table["radius"]
    assert ((ratio >= 0.1) & (ratio <= 0.6)).all()
    one = {name: values[0] for name, values in table.items()}
    psf = PSFSet.read(library).galsim(int(one["psf"]))
    size = min(int(one["stamp_size"]), 64)
    model = draw(one, psf, pixel_size=0.06, size=size, zero_point=25.94, components=2)
    assert own_part(image, size) == pytest.approx(model, abs=1e-5 * model.max())


def test_neighbours_are_in_the_image_and_counted(simulate: Simulate) -> None:
    near = {"number": 3.0, "magnitude": [19, 19], "distance": [0.5, 1.0]}
    _, alone = simulate(folder="alone")
    _, crowded = simulate(neighbours=near)
    with ImageSet(alone) as one, ImageSet(crowded) as other:
        assert (one.column("neighbours") == 0).all()
        count = other.column("neighbours")
        assert np.array_equal(one.column("magnitude"), other.column("magnitude"))
        more = (other.images[:] - one.images[:]).sum(axis=(1, 2, 3))
    assert 0 < count.sum() <= 30
    assert ((more > 50) == (count > 0)).all()


def test_shards_are_parts_of_one_whole(simulate: Simulate, tmp_path: Path) -> None:
    parts = [simulate(shard)[0] for shard in range(2)]
    whole, _ = simulate(folder="whole", shards=1)
    join(parts, tmp_path / "joined.h5")
    with ImageSet(tmp_path / "joined.h5") as joined, ImageSet(whole) as images:
        assert np.array_equal(joined.images[:], images.images[:])
        assert np.array_equal(joined.column("image_id"), images.column("image_id"))
        assert np.array_equal(joined.column("radius"), images.column("radius"))


def test_another_seed_gives_other_galaxies(simulate: Simulate) -> None:
    found = []
    for folder, seed in (("one", 1), ("same", 1), ("other", 2)):
        seen, clean = simulate(folder=folder, seed=seed)
        found.append((digest(seen), digest(clean)))
    assert found[0] == found[1]
    assert found[0][0] != found[2][0]
    assert found[0][1] != found[2][1]


def test_files_do_not_depend_on_the_number_of_ranks(
    simulate: Simulate, library: Path, tmp_path: Path
) -> None:
    alone = simulate(number=300, shards=1, folder="alone")
    (tmp_path / "ranks").mkdir()
    line = words(tmp_path / "ranks", library, number=300, shards=1)
    done = run_ranks(2, ["-m", "morphosphere.sersic.simulate", *line, "--ranks", "2"])
    assert done.returncode == 0, done.stderr
    assert "simulated 300 galaxies" in done.stderr
    shared = [tmp_path / "ranks" / path.name for path in alone]
    assert [digest(path) for path in alone] == [digest(path) for path in shared]
    assert sorted(path.name for path in (tmp_path / "ranks").iterdir()) == ["0.h5", "clean-0.h5"]
