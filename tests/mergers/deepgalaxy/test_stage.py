"""DeepGalaxy's layout is read to ImageSets and written from them."""

import json
import tracemalloc

import h5py
import numpy as np
import pytest

from morphosphere.artefacts.imageset import ImageSet, ImageSetWriter
from morphosphere.mergers.deepgalaxy.__main__ import main


def write_theirs(path, *, colour=False, dtype=np.uint8, size=16, moments=5, axis=False):
    """A file as DeepGalaxy makes it: two initial conditions, two cameras, times in any order."""
    random = np.random.default_rng(1)
    shape = (moments, size, size, 3) if colour else (moments, size, size, 1)[: 4 if axis else 3]
    with h5py.File(path, "w") as file:
        for name in ("s_0.5_m_0.25", "s_1.25_m_1.5"):
            group = file.create_group(name)
            for camera in (0, 13):
                values = random.random(shape)
                if np.dtype(dtype) == np.uint8:
                    values = np.rint(values * 255)
                group[f"images_camera_{camera:02d}"] = values.astype(dtype)
                times = 5 * random.permutation(moments)
                group[f"t_myr_camera_{camera:02d}"] = times.astype(np.int16)
    return path


def write_ours(path, *, encounters=2, moments=4, cameras=3, size=12, dtype=np.float32, **columns):
    """An ImageSet of encounters, rows in random order."""
    random = np.random.default_rng(2)
    rows = [(e, m, c) for e in range(encounters) for m in range(moments) for c in range(cameras)]
    rows = [rows[i] for i in random.permutation(len(rows))]
    encounter, moment, camera = (np.array(part) for part in zip(*rows))
    images = random.random((len(rows), 1, size, size)) ** 4 * (255 if dtype == np.uint8 else 1)
    table = {
        "image_id": [f"e{e}_{m}_c{c}" for e, m, c in rows],
        "galaxy_id": [f"e{e}_{m}" for e, m, _ in rows],
        "source": ["ours"] * len(rows),
        "encounter_id": [f"e{e}" for e in encounter],
        "camera": camera,
        "time_since_pericentre": 10.0 * moment - 15,
        "mass_ratio": np.array([0.3, 0.7, 0.3])[encounter],
        "size_ratio": np.array([0.5, 0.9, 0.5])[encounter],
        "is_encounter": np.ones(len(rows)),
        **{name: values(rows) for name, values in columns.items()},
    }
    table = {name: values for name, values in table.items() if values is not None}
    with ImageSetWriter(path, channels=["stellar_mass"], size=size, dtype=dtype) as writer:
        writer.append(images.astype(dtype), table)
    return path


def read(path, output, **settings):
    command = ["--read", str(path), "--output", str(output), "--name", "dg"]
    return main([*command, "--settings", json.dumps(settings)])


def write(path, output, **settings):
    command = ["--write", str(path), "--output", str(output)]
    return main([*command, "--settings", json.dumps(settings)])


@pytest.mark.parametrize(
    ("colour", "dtype", "axis"),
    [(False, np.uint8, False), (False, np.float32, True), (True, np.uint8, False), (True, "f8", 0)],
)
def test_their_file_is_read(tmp_path, colour, dtype, axis):
    path = write_theirs(tmp_path / "theirs.h5", colour=colour, dtype=dtype, axis=axis)
    assert read(path, tmp_path / "out.h5") == 0
    with ImageSet(tmp_path / "out.h5") as images, h5py.File(path) as file:
        table = images.table()
        assert images.channels == (("R", "G", "B") if colour else ("grey",))
        assert len(images) == 20
        for row in range(20):
            camera = table["camera"][row]
            group = file[table["group"][row]]
            times = group[f"t_myr_camera_{camera:02d}"][()]
            number = np.flatnonzero(times == table["time"][row])[0]
            stored = group[f"images_camera_{camera:02d}"][number].reshape(16, 16, -1)
            expected = stored / (255 if dtype == np.uint8 else 1)
            np.testing.assert_allclose(images.images[row], np.moveaxis(expected, 2, 0), atol=1e-6)
    first = table["group"] == "s_0.5_m_0.25"
    assert set(table["mass_ratio"][first]) == {0.25}
    assert set(table["size_ratio"][first]) == {0.5}
    np.testing.assert_allclose(table["mass_ratio"][~first], 1 / 1.5)
    np.testing.assert_allclose(table["size_ratio"][~first], 1 / 1.25)
    assert set(table["encounter_id"]) == {"dg_s_0.5_m_0.25", "dg_s_1.25_m_1.5"}
    assert len(set(table["image_id"])) == 20
    assert len(set(table["galaxy_id"])) == 10  # a moment is seen by both cameras
    np.testing.assert_array_equal(table["snapshot"], table["time"] / 5)
    assert np.isnan(table["time_since_pericentre"]).all()


def test_inverse_ratios_are_said(tmp_path, capfd):
    assert read(write_theirs(tmp_path / "theirs.h5"), tmp_path / "out.h5") == 0
    assert "s_1.25_m_1.5" in capfd.readouterr().err


def test_pericentre_cameras_size_and_grey(tmp_path):
    path = write_theirs(tmp_path / "theirs.h5", colour=True)
    settings = {
        "cameras": [13],
        "size": 8,
        "channels": ["stellar_mass"],
        "field_of_view": 120,
        "first_pericentre": {"s_0.5_m_0.25": 12},
    }
    assert read(path, tmp_path / "out.h5", **settings) == 0
    with ImageSet(tmp_path / "out.h5") as images:
        table = images.table()
        assert images.images.shape == (10, 1, 8, 8)
    assert set(table["camera"]) == {13}
    assert set(table["pixel_scale"]) == {15}
    first = table["group"] == "s_0.5_m_0.25"
    np.testing.assert_allclose(table["time_since_pericentre"][first], table["time"][first] - 12)
    assert np.isnan(table["time_since_pericentre"][~first]).all()
    assert set(table["phase"][first & (table["time"] < 12)]) == {"approach"}


@pytest.mark.parametrize("stored", ["float32", "uint8"])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_round_trip(tmp_path, dtype, stored):
    ours = write_ours(tmp_path / "ours.h5", dtype=np.dtype(stored))
    assert write(ours, tmp_path / "theirs.h5", dtype=dtype, stretch="none") == 0
    assert read(tmp_path / "theirs.h5", tmp_path / "back.h5") == 0
    with ImageSet(ours) as before, ImageSet(tmp_path / "back.h5") as after:
        table, back = before.table(), after.table()
        assert len(after) == len(before)
        labels = ("mass_ratio", "time_since_pericentre", "camera")
        place = {key: i for i, key in enumerate(zip(*(back[name] for name in labels)))}
        order = [place[key] for key in zip(*(table[name] for name in labels))]
        np.testing.assert_allclose(back["size_ratio"][order], table["size_ratio"])
        scale = 255 if stored == "uint8" else 1
        pixels = after.images[()][order]
        tolerance = 0.5 / 255 + 1e-6 if dtype == "uint8" else 1e-6
        np.testing.assert_allclose(pixels, before.images[()] / scale, atol=tolerance)


def test_what_is_written_is_theirs(tmp_path):
    ours = write_ours(tmp_path / "ours.h5")
    assert write(ours, tmp_path / "theirs.h5", dtype="uint8", stretch="linear") == 0
    with h5py.File(tmp_path / "theirs.h5") as file:
        assert sorted(file) == ["s_0.5_m_0.3", "s_0.9_m_0.7"]
        group = file["s_0.5_m_0.3"]
        assert sorted(group) == sorted(
            f"{kind}_camera_{n:02d}" for kind in ("images", "t_myr") for n in range(3)
        )
        assert group["images_camera_01"].shape == (4, 12, 12)
        assert group["images_camera_01"].dtype == np.uint8
        assert group["images_camera_01"][()].max() == 255
        assert group["t_myr_camera_01"][()].tolist() == [0, 10, 20, 30]


def test_stretch(tmp_path):
    ours = write_ours(tmp_path / "ours.h5")
    assert write(ours, tmp_path / "theirs.h5", stretch_factor=10) == 0
    with ImageSet(ours) as images, h5py.File(tmp_path / "theirs.h5") as file:
        table = images.table()
        row = np.flatnonzero(
            (table["encounter_id"] == "e0")
            & (table["camera"] == 2)
            & (table["time_since_pericentre"] == -5)
        )[0]
        image = images.images[row, 0]
        expected = np.arcsinh(10 * image / image.max()) / np.arcsinh(10)
        np.testing.assert_allclose(file["s_0.5_m_0.3/images_camera_02"][1], expected, atol=1e-5)


def test_encounters_of_the_same_ratios_stay_apart(tmp_path, capfd):
    ours = write_ours(tmp_path / "ours.h5", encounters=3)
    assert write(ours, tmp_path / "theirs.h5") == 0
    assert "several encounters" in capfd.readouterr().err
    with h5py.File(tmp_path / "theirs.h5") as file:
        assert sorted(file) == ["s_0.5_m_0.3_e0", "s_0.5_m_0.3_e2", "s_0.9_m_0.7"]
    assert read(tmp_path / "theirs.h5", tmp_path / "back.h5") == 0
    with ImageSet(tmp_path / "back.h5") as images:
        assert len(set(images.column("encounter_id"))) == 3


def test_single_galaxies_are_left_out(tmp_path, capfd):
    ours = write_ours(
        tmp_path / "ours.h5",
        is_encounter=lambda rows: np.array([float(e == 0) for e, _, _ in rows]),
        mass_ratio=lambda rows: np.array([0.3 if e == 0 else np.nan for e, _, _ in rows]),
    )
    assert write(ours, tmp_path / "theirs.h5") == 0
    assert "12 images of single galaxies are left out" in capfd.readouterr().err
    with h5py.File(tmp_path / "theirs.h5") as file:
        assert sorted(file) == ["s_0.5_m_0.3"]


def test_memory_is_that_of_a_chunk(tmp_path, monkeypatch):
    for module in ("read", "write"):
        monkeypatch.setattr(f"morphosphere.mergers.deepgalaxy.{module}.CHUNK", 1 << 18)

    def peaks(moments):
        ours = write_ours(tmp_path / "ours.h5", moments=moments, size=64)
        out = []
        for work in (
            lambda: write(ours, tmp_path / "theirs.h5"),
            lambda: read(tmp_path / "theirs.h5", tmp_path / "back.h5"),
        ):
            tracemalloc.start()
            assert work() == 0
            out.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        return out

    peaks(2)  # what is imported and cached counts only once
    small, large = peaks(4), peaks(60)
    pixels = 2 * 56 * 3 * 64 * 64 * 4  # that the large set has more
    for one, other in zip(small, large):
        assert other - one < 0.3 * pixels


def no_labels(file):
    file.move("s_0.5_m_0.25", "collision_1")


def no_times(file):
    del file["s_0.5_m_0.25/t_myr_camera_13"]


def no_images(file):
    del file["s_0.5_m_0.25/images_camera_13"]


def no_cameras(file):
    for name in list(file["s_0.5_m_0.25"]):
        del file["s_0.5_m_0.25"][name]


def replaced(name, values):
    def change(file):
        del file[f"s_0.5_m_0.25/{name}"]
        file[f"s_0.5_m_0.25/{name}"] = values

    return change


def with_nan():
    values = np.zeros((5, 16, 16), dtype=np.float32)
    values[3, 2, 2] = np.nan
    return values


FAULTS = {
    "labels": (no_labels, ["collision_1", "s_<size ratio>_m_<mass ratio>"]),
    "times": (no_times, ["s_0.5_m_0.25", "images_camera_13", "t_myr_camera_13"]),
    "images": (no_images, ["s_0.5_m_0.25", "t_myr_camera_13", "images_camera_13"]),
    "nothing": (no_cameras, ["s_0.5_m_0.25", "no datasets"]),
    "size": (
        replaced("images_camera_13", np.zeros((5, 8, 8), np.uint8)),
        ["s_0.5_m_0.25/images_camera_13", "8 x 8", "16 x 16"],
    ),
    "not square": (
        replaced("images_camera_13", np.zeros((5, 16, 8), np.uint8)),
        ["s_0.5_m_0.25/images_camera_13", "16 x 8", "square"],
    ),
    "shape": (
        replaced("images_camera_13", np.zeros((5, 16), np.uint8)),
        ["s_0.5_m_0.25/images_camera_13", "shape (5, 16)"],
    ),
    "kind": (
        replaced("images_camera_13", np.zeros((5, 16, 16), np.int32)),
        ["s_0.5_m_0.25/images_camera_13", "int32"],
    ),
    "count": (
        replaced("t_myr_camera_13", np.arange(4)),
        ["s_0.5_m_0.25/images_camera_13", "5 images", "4 times"],
    ),
    "time": (
        replaced("t_myr_camera_13", np.array([0, 1, np.nan, 3, 4])),
        ["s_0.5_m_0.25/t_myr_camera_13", "not a finite number"],
    ),
    "NaN": (
        replaced("images_camera_13", with_nan()),
        ["s_0.5_m_0.25/images_camera_13", "image 3", "NaN"],
    ),
    "range": (
        replaced("images_camera_13", np.full((5, 16, 16), 7.0)),
        ["s_0.5_m_0.25/images_camera_13", "image 0", "from 7 to 7"],
    ),
}


def errors_of(capfd):
    return [line for line in capfd.readouterr().err.splitlines() if "error:" in line]


@pytest.mark.parametrize("fault", FAULTS)
def test_bad_files_are_one_line(fault, tmp_path, capfd):
    change, said = FAULTS[fault]
    path = write_theirs(tmp_path / "theirs.h5")
    with h5py.File(path, "r+") as file:
        change(file)
    (tmp_path / "out.h5").write_text("earlier")
    assert read(path, tmp_path / "out.h5") == 1
    errors = errors_of(capfd)
    assert len(errors) == 1
    for word in ["theirs.h5", *said]:
        assert word in errors[0]
    assert (tmp_path / "out.h5").read_text() == "earlier"


def test_truncated_file(tmp_path, capfd):
    path = write_theirs(tmp_path / "theirs.h5")
    path.write_bytes(path.read_bytes()[:-3000])
    assert read(path, tmp_path / "out.h5") == 1
    assert "truncated" in errors_of(capfd)[0]


def test_damaged_chunk(tmp_path, capfd):
    ours = write_ours(tmp_path / "ours.h5", size=32)
    path = tmp_path / "theirs.h5"
    assert write(ours, path) == 0
    with h5py.File(path) as file:
        chunk = file["s_0.5_m_0.3/images_camera_01"].id.get_chunk_info(2)
    data = bytearray(path.read_bytes())
    data[chunk.byte_offset : chunk.byte_offset + chunk.size] = bytes(chunk.size)
    path.write_bytes(data)
    assert read(path, tmp_path / "out.h5") == 1
    assert "s_0.5_m_0.3/images_camera_01: cannot be read" in errors_of(capfd)[0]


def test_no_such_camera(tmp_path, capfd):
    assert read(write_theirs(tmp_path / "theirs.h5"), tmp_path / "out.h5", cameras=[5]) == 1
    assert "those wanted (5)" in errors_of(capfd)[0]


@pytest.mark.parametrize(
    ("columns", "settings", "said"),
    [
        ({"size_ratio": lambda rows: None}, {}, ["no column 'size_ratio'"]),
        ({"camera": lambda rows: None}, {}, ["no column 'camera'"]),
        (
            {"mass_ratio": lambda rows: np.array([0.1 + 0.1 * m for _, m, _ in rows])},
            {},
            ["encounter e", "several values of mass_ratio"],
        ),
        ({"size_ratio": lambda rows: np.full(len(rows), np.nan)}, {}, ["has no size_ratio"]),
        (
            {"time_since_pericentre": lambda rows: np.full(len(rows), np.nan)},
            {},
            ["neither time nor time_since_pericentre"],
        ),
    ],
)
def test_sets_that_do_not_fit(tmp_path, capfd, columns, settings, said):
    ours = write_ours(tmp_path / "ours.h5", **columns)
    assert write(ours, tmp_path / "theirs.h5", **settings) == 1
    errors = errors_of(capfd)
    for word in ["ours.h5", *said]:
        assert word in errors[0]
    assert not (tmp_path / "theirs.h5").exists()


def test_pixels_that_do_not_fit(tmp_path, capfd):
    for value, stretch, said in ((7.0, "none", "0 to 1"), (np.nan, "asinh", "finite")):
        path = write_ours(tmp_path / "ours.h5")
        with h5py.File(path, "r+") as file:
            file["images"][5, 0, 3, 3] = value
        assert write(path, tmp_path / "theirs.h5", stretch=stretch) == 1
        error = errors_of(capfd)[0]
        assert "image 5" in error
        assert said in error
