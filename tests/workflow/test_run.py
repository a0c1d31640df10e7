"""The real graph on a tiny box: what a run leaves, and what runs again after which change."""

from __future__ import annotations

import copy
import json
import os
import time

import pytest

from factories_configs import small_mock
from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.evaluate import FIGURES

# One worker runs all of these, on one copy of the project.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("workflow"),
]

TINY = small_mock("tiny")
AFTER_MODEL = {"learn", "predict", "evaluate", "hips", "page_data", "page", "summary"}


def changed(**sections: dict) -> dict:
    """The tiny configuration with some keys of some sections replaced."""
    config = copy.deepcopy(TINY)
    for name, values in sections.items():
        config.setdefault(name, {}).update(values)
    return config


def _times(project) -> dict[str, int]:
    """When the stages before the kill wrote their records."""
    folder = project.folder / "results/tiny/provenance"
    names = ("mock.json", "extract-mock-99.json")
    return {name: (folder / name).stat().st_mtime_ns for name in names}


@pytest.fixture(scope="module")
def finished(project):
    """A project in which the tiny run has been made, after a first try was killed."""
    project.kill_when("results/tiny/logs/render-mock-99-0.log", config=TINY)
    project.snakemake("--unlock", config=TINY)
    made_before = _times(project)
    assert made_before
    done = project.snakemake(config=TINY)
    assert _times(project) == made_before, "stages that had finished were run again"
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert "The map is ready: results/tiny/site/index.html" in done.stdout + done.stderr
    return project


def test_results_lie_where_other_tools_look_for_them(finished) -> None:
    results = finished.folder / "results" / "tiny"
    for layer in ("real", "generated", "density", "catalogue"):
        assert (results / "hips" / layer / "properties").is_file()
    assert (results / "site" / "index.html").is_file()
    assert len(Catalogue(results / "catalogue.parquet")) == 32
    assert ModelBundle.load(results / "model").transform.size == 32


def test_metrics_have_their_agreed_keys(finished) -> None:
    metrics = json.loads((finished.folder / "results/tiny/metrics.json").read_text())
    assert set(metrics["rotation_scatter_deg"]) >= {"median", "p90"}
    assert 0 <= metrics["sphere_entropy"] <= 1
    assert set(metrics["reconstruction"]) >= {"l1", "ssim", "pca8_l1", "pca32_l1"}
    assert "stellar_mass" in metrics["knn_r2"]["sphere"]
    assert set(metrics["knn_r2"]) >= {"sphere", "features", "random"}
    assert set(metrics["view_angle_deg"]) >= {"same", "other"}


def test_every_stage_leaves_its_record(finished) -> None:
    folder = finished.folder / "results/tiny/provenance"
    names = {path.stem for path in folder.glob("*.json")}
    assert names == {
        "mock",
        "extract-mock-99",
        "render-mock-99-0",
        "render-mock-99-1",
        "join",
        "join_training",
        "learn",
        "predict",
        "evaluate",
        *(f"hips-{layer}" for layer in ("real", "generated", "density", "catalogue")),
        "page_data",
        "page",
        "summary",
    }
    record = json.loads((folder / "render-mock-99-0.json").read_text())
    assert record["settings"]["size"] == 32
    assert record["seed"] == 42
    assert all(value.startswith("sha256:") for value in record["inputs"].values())


def test_a_second_run_has_nothing_to_do(finished) -> None:
    assert finished.planned(config=TINY) == set()


def test_a_render_setting_reruns_render_and_what_follows(finished) -> None:
    config = changed(render={"size": 32, "cameras": {"isotropic": 3}})
    assert finished.planned(config=config) == {"render", "join", "join_training"} | AFTER_MODEL


def test_a_page_title_reruns_only_the_page(finished) -> None:
    assert finished.planned(config=changed(explore={"title": "Another"})) == {"page", "summary"}


def test_a_training_setting_leaves_the_images(finished) -> None:
    config = changed(learn={"epochs": 2, "batch_size": 16})
    assert finished.planned(config=config) == AFTER_MODEL


@pytest.mark.parametrize(
    ("module", "first"),
    [
        ("render/__main__.py", {"render", "join", "join_training"} | AFTER_MODEL),
        ("explorer/page/index.html", {"page", "summary"}),
        ("summary/provenance.py", {"summary"}),
        ("provenance/runs.py", {"summary"}),
    ],
)
def test_editing_a_module_reruns_its_stage(finished, module: str, first: set[str]) -> None:
    path = finished.folder / "src" / "morphosphere" / module
    text, times = path.read_text(), path.stat()
    path.write_text(text + ("\n<!-- edited -->\n" if path.suffix == ".html" else "\n# edited\n"))
    later = time.time() + 2
    os.utime(path, (later, later))
    try:
        assert finished.planned(config=TINY) == first
    finally:
        path.write_text(text)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_a_mistake_in_the_configuration_ends_before_anything_runs(finished) -> None:
    done = finished.snakemake("--dry-run", config=changed(render={"sise": 3, "channels": []}))
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "2 mistakes" in said
    assert "render.sise: unknown key" in said
    assert "render.channels" in said


def test_a_failing_stage_says_why_and_keeps_what_was_there(finished) -> None:
    before = (finished.folder / "results/tiny/catalogue.parquet").read_bytes()
    done = finished.snakemake(config=changed(extract={"min_stars": 10_000_000}))
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "min_stars" in said
    assert "error:" in said
    assert (finished.folder / "results/tiny/catalogue.parquet").read_bytes() == before
    assert finished.snakemake(config=TINY).returncode == 0


def test_the_report_holds_every_figure(finished) -> None:
    done = finished.snakemake("--report", "results/tiny/report.html", config=TINY)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    page = (finished.folder / "results/tiny/report.html").read_text()
    for name in (*FIGURES, "metrics.json"):
        assert name in page
