"""The stage: what it writes, which images it takes, and inputs that cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from factories_merger_page import (
    CAMERAS,
    ENCOUNTERS,
    FIELD,
    LATENT,
    MOMENTS,
    SIZE,
    TRANSFORM,
    MergerRun,
    arguments,
)
from morphosphere.artefacts.catalogue import Catalogue, CatalogueWriter
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.graph import code
from morphosphere.mergers.page.__main__ import main
from morphosphere.mergers.page.choice import choose_gallery, choose_library
from morphosphere.mergers.page.site import RUNTIME_FILES, find_runtime

ROOT = Path(__file__).resolve().parents[3]


def index(run: MergerRun, part: str) -> dict:
    return json.loads((run.site / "data" / part / "index.json").read_text())


# ---- what is written


def test_the_site_is_whole_and_its_record_says_what_it_holds(copied, tmp_path):
    record = tmp_path / "record.json"
    assert main(arguments(copied, {"library": 50}, provenance=record)) == 0
    notes = json.loads(record.read_text())["notes"]
    assert notes["frames"] == index(copied, "library")["frames"] == 45
    assert notes["encounters"] == 5
    assert notes["gallery"] == len(index(copied, "gallery")["images"])
    for name in ("index.html", "page/js/main.js", "page/js/dom.js", "page/css/base.css"):
        assert (copied.site / name).stat().st_size > 0
    for name in RUNTIME_FILES:
        assert (copied.site / "runtime" / name).stat().st_size > 0
    assert {p.name for p in (copied.site / "data" / "library" / "sheets").iterdir()} == {
        "00000.jpg"
    }
    text = (copied.site / "index.html").read_text()
    assert "default-src 'self'" in text
    assert "http" not in text.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")


def test_the_library_holds_what_the_catalogue_says(run):
    facts = index(run, "library")
    catalogue = Catalogue(run.catalogue)
    table = catalogue.read(catalogue.columns)
    frames = choose_library(catalogue, 20000, seed=42)
    columns = np.fromfile(run.site / "data" / "library" / "columns.bin", "<f4").reshape(
        -1, facts["frames"]
    )
    z = np.fromfile(run.site / "data" / "library" / "z.bin", "<f2").reshape(facts["frames"], LATENT)
    assert facts["frames"] == ENCOUNTERS * MOMENTS * CAMERAS
    np.testing.assert_array_equal(z, table["z"][frames.rows].astype(np.float16))
    for name in ("time_since_pericentre", "mass_ratio", "inclination", "camera", "pericentre"):
        expected = table.get(name, np.full(len(table["z"]), np.nan))[frames.rows]
        found = columns[facts["columns"].index(name)]
        np.testing.assert_array_equal(found, expected.astype(np.float32))
    kinds = np.array(facts["kinds"]["phase"])
    phase = kinds[columns[facts["columns"].index("phase")].astype(int)]
    assert phase.tolist() == table["phase"][frames.rows].tolist()
    for number, name in enumerate(facts["encounters"]):
        part = frames.rows[facts["starts"][number] : facts["starts"][number + 1]]
        assert set(table["encounter_id"][part]) == {name}
        assert (np.diff(table["camera"][part]) >= 0).all()
        for camera in range(CAMERAS):
            times = table["time_since_pericentre"][part][table["camera"][part] == camera]
            assert (np.diff(times) > 0).all()


def test_images_of_the_gallery_are_stored_as_the_network_sees_them(run):
    catalogue = Catalogue(run.catalogue)
    rows = choose_gallery(catalogue, 10_000, seed=42)
    assert set(catalogue.read(["split"])["split"][rows]) == {"test"}
    told = index(run, "gallery")["images"]
    assert len(told) == len(rows)
    with ImageSet(run.images) as images:
        seen = TRANSFORM(images.read(int(rows[3]), int(rows[3]) + 1))[0]
        assert told[3]["image_id"] == images.column("image_id")[rows[3]]
    stored = np.fromfile(run.site / "data" / "gallery" / "images" / "00003.bin", "<u2") / 65535
    np.testing.assert_allclose(stored.reshape(1, SIZE, SIZE), seen, atol=1e-5)
    assert told[-1]["mass_ratio"] is None


def test_the_first_cameras_come_first_and_encounters_stay_whole(run):
    catalogue = Catalogue(run.catalogue)
    table = catalogue.read(["encounter_id", "camera", "time_since_pericentre"])

    def counts(most: int) -> dict[tuple[str, int], int]:
        rows = choose_library(catalogue, most, seed=1).rows
        keys = zip(table["encounter_id"][rows].tolist(), table["camera"][rows].tolist())
        found: dict[tuple[str, int], int] = {}
        for key in keys:
            found[key] = found.get(key, 0) + 1
        return found

    few = counts(4 * MOMENTS + 3)
    assert len(few) == 4
    assert set(few.values()) == {MOMENTS}
    assert {camera for _, camera in few} == {0}
    more = counts(ENCOUNTERS * MOMENTS + 2 * MOMENTS)
    assert sum(camera == 0 for _, camera in more) == ENCOUNTERS
    assert sum(camera == 1 for _, camera in more) == 2
    assert counts(3) == {next(iter(counts(3))): 3}


def test_the_gallery_is_drawn_at_random_where_there_are_too_many(run):
    catalogue = Catalogue(run.catalogue)
    everything = choose_gallery(catalogue, 10_000, seed=0)
    some = choose_gallery(catalogue, 12, seed=0)
    assert len(some) == len(set(some)) == 12
    assert set(some) < set(everything)
    assert some.tolist() == choose_gallery(catalogue, 12, seed=0).tolist()
    assert some.tolist() != choose_gallery(catalogue, 12, seed=1).tolist()


def test_the_map_is_linked_only_if_it_is_there(copied):
    def link(**settings: object) -> str | None:
        assert main(arguments(copied, settings)) == 0
        return json.loads((copied.site / "config.json").read_text())["map_page"]

    assert link() is None
    (copied.folder / "map").mkdir()
    (copied.folder / "map" / "index.html").touch()
    assert link(map_page="../map/index.html") == "../map/index.html"
    assert link(map_page=None) is None


def test_the_width_of_the_images_is_taken_from_their_table(run):
    config = json.loads((run.site / "config.json").read_text())
    assert config["field_of_view"] == FIELD
    assert config["metrics"]["time_error_myr"]["median"] == 31.2


# ---- inputs that cannot be


def rewritten(run: MergerRun, change) -> None:
    """The catalogue with columns changed by `change`, a function of a dictionary."""
    catalogue = Catalogue(run.catalogue)
    columns = catalogue.read(catalogue.columns)
    change(columns)
    with CatalogueWriter(run.catalogue) as out:
        out.append(columns)


def without(name: str):
    return lambda columns: columns.pop(name)


def set_to(name: str, value: object):
    def change(columns: dict) -> None:
        columns[name] = columns[name].copy()
        columns[name][:] = value

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without("z"), "predictions.parquet: no column 'z'; make it by python -m morphosphere"),
        (without("split"), "no column 'split'"),
        (set_to("time_since_pericentre", np.nan), "no image with an encounter_id and a known"),
        (set_to("z", np.nan), "z is not finite"),
        (set_to("z", 1e6), "above 65504"),
        (set_to("image_id", "x"), "images do not belong to the catalogue (row 0 on)"),
    ],
)
def test_bad_predictions_are_one_clear_line(copied, capfd, change, said):
    rewritten(copied, change)
    assert main(arguments(copied)) == 1
    error = capfd.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_other_bad_inputs_are_named(copied, capfd):
    def says(text: str, settings: dict | None = None, **options: object) -> None:
        assert main(arguments(copied, settings, **options)) == 1
        error = capfd.readouterr().err
        assert text in error
        assert "Traceback" not in error

    (copied.site / "index.html").write_text("an earlier page")
    says("librarry: unknown key", {"librarry": 3})
    says("library: input should be greater than or equal to 1", {"library": 0})
    says("ONNX Runtime Web is not installed; run `npm ci`", runtime=copied.folder)
    says("metrics.json: no such file", metrics=copied.folder / "none" / "metrics.json")
    info = copied.model / "model.json"
    good = json.loads(info.read_text())
    for change, text in (
        ({"task": "sphere"}, "task 'sphere'; the page needs a model of task 'mergers'"),
        ({"labels": []}, "model.json: no labels"),
        ({"labels": [{"name": "mass_ratio"}]}, "model.json: labels: "),
        ({"outlier": {"reconstruction_error": "a"}}, "outlier.reconstruction_error is not"),
    ):
        info.write_text(json.dumps({**good, **change}))
        says(text)
    info.write_text(json.dumps(good))
    cut = pq.read_table(copied.catalogue)
    pq.write_table(cut.slice(0, 9), copied.catalogue)
    says("9 rows for 184 images")
    assert (copied.site / "index.html").read_text() == "an earlier page"


# ---- the workflow


def test_editing_the_page_or_what_it_shares_with_the_map_makes_it_again():
    files = code(ROOT / "src", "mergers.page")
    for part in ("mergers/page/web/js/main.js", "explorer/page/js/dom.js", "posterior.py"):
        assert str(ROOT / "src" / "morphosphere" / part) in files
    assert str(ROOT / "src/morphosphere/mergers/page/web/js/main.js") not in code(
        ROOT / "src", "explorer"
    )


# ---- ONNX Runtime Web


def test_the_runtime_is_pinned_and_the_lock_holds_no_address():
    wanted = json.loads((ROOT / "package.json").read_text())["dependencies"]["onnxruntime-web"]
    lock = json.loads((ROOT / "package-lock.json").read_text())
    locked = lock["packages"]["node_modules/onnxruntime-web"]
    assert locked["version"] == wanted
    assert locked["license"] == "MIT"
    assert "http" not in (ROOT / "package-lock.json").read_text()
    installed = find_runtime(None).parent / "package.json"
    assert json.loads(installed.read_text())["version"] == wanted


def test_nothing_of_the_runtime_is_in_the_sources():
    sources = ROOT / "src" / "morphosphere" / "mergers" / "page" / "web"
    assert max(path.stat().st_size for path in sources.rglob("*") if path.is_file()) < 20_000
