"""The data of the page: columns, thumbnails, details and search, resumed after a kill."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import simplejpeg

from factories_explorer import COUNT, DATA_SETTINGS, Run, make_catalogue, make_run
from factories_images import make_imageset
from factories_models import write_small_bundle
from morphosphere.artefacts.bundle import ModelBundle, unit_vector
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.transform import resample
from morphosphere.errors import ConfigError, InputError
from morphosphere.explorer import ids
from morphosphere.explorer.data import main, make_data
from morphosphere.explorer.ids import keys_of
from morphosphere.explorer.order import chunks_of, map_order
from morphosphere.pictures import rgb
from morphosphere.pose import posed

TYPES = {"float32": "<f4", "float64": "<f8", "int32": "<i4", "category": "u1"}


def arguments(run: Run, output: Path, **settings: object) -> list[str]:
    paths = {"images": run.images, "model": run.model, "catalogue": run.table, "output": output}
    given = [item for name, path in paths.items() for item in (f"--{name}", str(path))]
    return [*given, "--settings", json.dumps({"chunk_rows": 64, "sheet_side": 4, **settings})]


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def index_of(data: Path) -> dict:
    return json.loads((data / "index.json").read_text())


def column(data: Path, name: str) -> np.ndarray | list[str]:
    """A column as the page puts it together, in map order."""
    facts = next(c for c in index_of(data)["columns"] if c["name"] == name)
    parts = sorted((data / "columns" / facts["folder"]).iterdir())
    if facts["kind"] == "string":
        return [line for part in parts for line in part.read_text().split("\n")]
    return np.concatenate([np.frombuffer(p.read_bytes(), TYPES[facts["kind"]]) for p in parts])


def rows_of(data: Path) -> np.ndarray:
    parts = sorted((data / "columns" / "row").iterdir())
    return np.concatenate([np.frombuffer(part.read_bytes(), "<u4") for part in parts])


def cell(data: Path, kind: str, row: int, *, side: int = 4, width: int = 64) -> np.ndarray:
    sheet, place = divmod(row, side * side)
    picture = simplejpeg.decode_jpeg((data / kind / f"{sheet:05d}.jpg").read_bytes())
    top, left = place // side * width, place % side * width
    return picture[top : top + width, left : left + width].astype(float)


# ---- columns


def test_every_column_holds_the_catalogue_in_map_order(finished):
    rows = rows_of(finished.data)
    assert sorted(rows) == list(range(COUNT))
    for name in ("lon", "lat", "stellar_mass", "outlier_score", "camera", "subhalo_id"):
        expected = finished.catalogue[name][rows]
        assert np.allclose(column(finished.data, name), expected, rtol=1e-6, equal_nan=True), name
    for name in ("image_id", "note <&>"):
        assert column(finished.data, name) == list(finished.catalogue[name][rows])


def test_the_index_says_what_each_column_is(finished):
    facts = {c["name"]: c for c in index_of(finished.data)["columns"]}
    mass = facts["stellar_mass"]
    assert (mass["kind"], mass["unit"]) == ("float32", "solMass")
    assert mass["description"]
    finite = finished.catalogue["stellar_mass"][np.isfinite(finished.catalogue["stellar_mass"])]
    assert mass["quantiles"][3] == pytest.approx(np.median(finite), rel=1e-6)
    assert mass["minimum"] == pytest.approx(finite.min(), rel=1e-6)
    assert facts["split"]["categories"] == ["test", "train", "validation"]
    assert facts["flip"]["categories"] == ["no", "yes"]
    assert facts["subhalo_id"]["kind"] == "float64"  # beyond 32 bits
    assert facts["camera"]["kind"] == "int32"
    assert not {"features", "neighbours"} & set(facts)


def test_the_first_chunk_is_a_fair_sample_and_the_others_are_compact():
    random = np.random.default_rng(0)
    lon, lat = random.uniform(0, 360, 20000), np.degrees(np.arcsin(random.uniform(-1, 1, 20000)))
    rows = map_order(lon, lat, chunk_rows=2000, seed=0)
    assert sorted(rows) == list(range(20000))
    chunks = chunks_of(lon[rows], lat[rows], chunk_rows=2000)
    assert [c.count for c in chunks] == [2000] * 10
    sample = unit_vector(lon[rows[:2000]], lat[rows[:2000]])
    assert np.linalg.norm(sample.mean(axis=0)) < 0.06
    assert chunks[0].radius > 170
    assert max(c.radius for c in chunks[1:]) < 80
    for c in chunks:
        part = rows[c.first : c.first + c.count]
        centre = unit_vector(c.lon, c.lat)
        angle = np.degrees(np.arccos(np.clip(unit_vector(lon[part], lat[part]) @ centre, -1, 1)))
        assert angle.max() <= c.radius


# ---- pictures


@pytest.mark.parametrize("row", [0, 15, 16, 77, COUNT - 1])
def test_a_thumbnail_is_the_galaxy_of_its_row(finished, row):
    model = ModelBundle.load(finished.model)
    with ImageSet(finished.images) as images:
        seen = model.transform(images.read(row, row + 1))
    expected = rgb(resample(seen, 64))[0].astype(float)
    found = cell(finished.data, "original", row)
    assert np.abs(found - expected).mean() < 4
    other = cell(finished.data, "original", (row + 1) % COUNT)
    assert np.abs(other - expected).mean() > 2 * np.abs(found - expected).mean()


@pytest.mark.parametrize("row", [3, 16, COUNT - 1])
def test_a_reconstruction_is_drawn_in_the_pose_of_the_galaxy(finished, row):
    known = {k: finished.catalogue[k][row : row + 1] for k in ("lon", "lat", "angle", "flip")}
    canonical = ModelBundle.load(finished.model).decode(unit_vector(known["lon"], known["lat"]))
    found = cell(finished.data, "reconstruction", row)

    def distance(pictures: np.ndarray) -> float:
        return np.abs(rgb(resample(pictures, 64))[0].astype(float) - found).mean()

    right = distance(posed(canonical, known["angle"], known["flip"]))
    assert right < 6
    assert right < distance(posed(canonical, known["angle"], ~known["flip"]))


def test_what_is_left_of_the_last_sheet_is_black(finished):
    sheet = simplejpeg.decode_jpeg((finished.data / "original" / "00009.jpg").read_bytes())
    assert sheet.shape == (256, 256, 3)
    assert sheet[-64:].max() < 8  # 150 galaxies: six on the last sheet of sixteen


# ---- details and search


def test_details_hold_all_that_is_known(finished):
    block = json.loads((finished.data / "details" / "00000.json").read_text())
    assert block["first"] == 0
    assert block["columns"]["image_id"] == list(finished.catalogue["image_id"][:16])
    assert block["columns"]["stellar_mass"][7] is None  # NaN
    assert block["columns"]["subhalo_id"][3] == 5_000_000_003
    assert block["columns"]["flip"][0] in (True, False)
    assert block["neighbours"][2] == [3, 4, 5, 6, 7, 8]
    assert block["neighbour_distances"][2] == [0, 1, 2, 3, 4, 5]


def test_identifiers_are_found_by_each_of_their_parts():
    assert keys_of("tng_099_394242_c0") == ["tng_099_394242_c0", "099_394242_c0", "394242_c0"]
    assert keys_of("EFIGI_PGC1") == ["efigi_pgc1", "pgc1"]


def test_the_search_index_is_sorted_and_complete(finished):
    lines = [
        line.split("\t")
        for part in sorted((finished.data / "ids").iterdir())
        for line in part.read_text().split("\n")
    ]
    keys = [key for key, _, _ in lines]
    assert keys == sorted(keys)
    full = {identifier: int(row) for key, row, identifier in lines if key == identifier}
    assert full == {name: row for row, name in enumerate(finished.catalogue["image_id"])}
    assert index_of(finished.data)["ids"]["first_keys"][0] == keys[0]


def test_more_sorted_files_than_may_be_open_give_the_same_index(tmp_path, monkeypatch):
    names = np.array([f"Box_{number * 7919 % 5003:04d}_c{number % 3}" for number in range(5000)])
    in_one = ids.write_ids(tmp_path / "one", [names])
    monkeypatch.setattr(ids, "FILES", 3)
    opened = []
    merged = ids._merged
    monkeypatch.setattr(ids, "_merged", lambda runs: opened.append(len(runs)) or merged(runs))
    in_many = ids.write_ids(tmp_path / "many", np.array_split(names, 11))
    assert opened == [3, 3, 3, 5]
    assert in_many == in_one
    for path in (tmp_path / "one").iterdir():
        assert (tmp_path / "many" / path.name).read_bytes() == path.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["many", "one"]


# ---- settings


def test_only_wanted_columns_are_shown(finished, tmp_path):
    assert main(arguments(finished, tmp_path / "data", columns=["stellar_mass"])) == 0
    names = [c["name"] for c in index_of(tmp_path / "data")["columns"]]
    assert names == ["image_id", "stellar_mass", "lon", "lat", "angle", "flip"]


@pytest.mark.parametrize("channels", [("r",), ("a", "b", "c", "d", "e")])
def test_any_number_of_channels_and_a_single_galaxy(tmp_path, channels):
    run = make_run(tmp_path / "run", 1, channels=channels)
    index = make_data(run.images, run.model, run.table, run.data, DATA_SETTINGS)
    assert index["rows"] == 1
    assert cell(run.data, "original", 0).max() > 100


# ---- resumed, whole, the same


def test_a_killed_run_goes_on_and_ends_as_if_it_had_not_been_killed(tmp_path):
    run = make_run(tmp_path / "run", 400)
    given = arguments(run, run.data, sheet_side=2)
    stage = [sys.executable, "-m", "morphosphere.explorer.data", *given]
    with subprocess.Popen(stage, stderr=subprocess.DEVNULL) as process:
        while len(list(run.data.glob("details/*.json"))) < 3 and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL, "the stage ended before it could be killed"
    assert not (run.data / "index.json").exists()
    whole = sorted(p for p in run.data.rglob("*.jpg") if ".partial" not in p.name)
    assert whole
    for path in whole:
        assert simplejpeg.decode_jpeg(path.read_bytes()).shape == (128, 128, 3)
    before = {path: path.stat().st_mtime_ns for path in whole[:2]}
    assert main(given) == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert main(arguments(run, tmp_path / "fresh", sheet_side=2)) == 0
    done = {k: v for k, v in files(run.data).items() if ".partial" not in k}
    assert done == files(tmp_path / "fresh")


def test_other_settings_make_all_sheets_again(copied):
    before = (copied.data / "original" / "00000.jpg").read_bytes()
    assert main(arguments(copied, copied.data, jpeg_quality=40)) == 0
    assert (copied.data / "original" / "00000.jpg").read_bytes() != before


def test_a_catalogue_that_shrinks_leaves_no_old_sheets(copied):
    make_imageset(copied.images, 20, size=32)
    make_catalogue(copied.images, copied.table)
    assert main(arguments(copied, copied.data)) == 0
    assert len(list((copied.data / "original").iterdir())) == 2
    assert index_of(copied.data)["rows"] == 20


def test_mpi_ranks_write_the_same_files(finished, tmp_path):
    launcher = Path(sys.executable).with_name("mpiexec")
    command = [str(launcher), "-n", "2", sys.executable, "-m", "morphosphere.explorer.data"]
    subprocess.run([*command, *arguments(finished, tmp_path / "data")], check=True, timeout=120)
    assert files(tmp_path / "data") == files(finished.data)


# ---- bad input


def test_images_that_are_not_those_of_the_catalogue(copied):
    make_imageset(copied.images, COUNT, size=32, source="other")
    with pytest.raises(InputError, match="do not belong to the catalogue"):
        make_data(copied.images, copied.model, copied.table, copied.data, DATA_SETTINGS)


def test_more_images_than_rows(copied):
    make_imageset(copied.images, COUNT + 1, size=32)
    with pytest.raises(InputError, match="150 rows for 151 images"):
        make_data(copied.images, copied.model, copied.table, copied.data, DATA_SETTINGS)


def test_an_unknown_column_is_named(finished, tmp_path):
    settings = DATA_SETTINGS.model_copy(update={"columns": ["stellar_mess"]})
    with pytest.raises(ConfigError, match=r"stellar_mess.*it has .*stellar_mass"):
        make_data(finished.images, finished.model, finished.table, tmp_path, settings)


def test_a_missing_part_of_the_model_is_one_clear_line(copied, capfd):
    (copied.model / "decoder.onnx").unlink()
    assert main(arguments(copied, copied.data)) == 1
    said = capfd.readouterr().err
    assert "decoder.onnx: missing" in said
    assert "Traceback" not in said


def test_a_damaged_fingerprint_only_costs_time(copied):
    (copied.data / "fingerprint.json").write_text("{")
    assert main(arguments(copied, copied.data)) == 0
    assert index_of(copied.data)["rows"] == COUNT


def test_a_failure_while_writing_leaves_no_index(copied):
    shutil.rmtree(copied.data / "columns")
    (copied.data / "columns").write_text("in the way of a folder")
    with pytest.raises(OSError, match="columns"):
        make_data(copied.images, copied.model, copied.table, copied.data, DATA_SETTINGS)
    assert not (copied.data / "index.json").exists()


def test_constant_and_broken_pixels_are_drawn_all_the_same(tmp_path):
    from morphosphere.artefacts.imageset import ImageSetWriter

    pixels = np.zeros((3, 3, 31, 31), dtype=np.float32)
    pixels[1] = np.nan
    pixels[2, :, 15, 15] = np.inf
    names = ["a", "b", "c"]
    with ImageSetWriter(tmp_path / "images.h5", channels=("i", "r", "g"), size=31) as out:
        table = {"image_id": names, "galaxy_id": names, "source": ["x"] * 3}
        out.append(pixels, {**table, "stellar_mass": np.ones(3)})
    write_small_bundle(tmp_path / "model", size=32)
    make_catalogue(tmp_path / "images.h5", tmp_path / "catalogue.parquet", neighbours=2)
    run = Run(tmp_path, {})
    make_data(run.images, run.model, run.table, run.data, DATA_SETTINGS)
    assert cell(run.data, "original", 1).max() < 8
