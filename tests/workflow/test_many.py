"""Many snapshots in one run: what runs when one is added, and what a finished model is used for."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import numpy as np
import pytest

from factories_configs import small_rendered
from morphosphere import graph
from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.errors import ConfigError

pytestmark = [pytest.mark.xdist_group("workflow")]

AFTER_IMAGES = {"join", "predict", "evaluate", "hips", "page_data", "page", "summary"}


def _config(path: str, snapshots: list[int], **more) -> dict:
    box = {"path": path, "snapshots": snapshots, **more}
    return small_rendered("many", simulations={"box": box}, extract={"maximum": 24})


def _jobs(project, config: dict, *words: str) -> dict[str, set[str]]:
    """Rules that a dry run would run, with the snapshots that they would run for."""
    done = project.snakemake("--dry-run", *words, config=config)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    found: dict[str, set[str]] = {}
    for block in re.split(r"\n(?=(?:local)?rule )", said):
        if name := re.match(r"(?:local)?rule (\w+):", block):
            of = re.search(r"wildcards:.*\bsnapshot=(\d+)", block)
            found.setdefault(name[1], set()).update(of.groups() if of else ())
    found.pop("all", None)
    return found


@pytest.fixture(scope="module")
def one_snapshot(project, real_data: Path):
    """A finished run on the first of two real snapshots."""
    box = str(real_data / "snapshots" / "gadget4_box")
    done = project.snakemake(config=_config(box, [1]))
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return project, box


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_another_snapshot_is_extracted_and_rendered_alone(one_snapshot) -> None:
    project, box = one_snapshot
    jobs = _jobs(project, _config(box, [1, 0]))
    assert set(jobs) == {"extract", "render", "join_training", "learn"} | AFTER_IMAGES
    assert jobs["extract"] == {"0"} == jobs["render"]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_snapshot_that_does_not_train_is_placed_by_the_model_that_is_there(one_snapshot) -> None:
    project, box = one_snapshot
    results = project.folder / "results" / "many"
    config = _config(box, [1, 0], train=[1])
    jobs = _jobs(project, config)
    assert set(jobs) == {"extract", "render"} | AFTER_IMAGES
    assert jobs["extract"] == {"0"} == jobs["render"]

    weights = results / "model" / "checkpoint.ckpt"
    before = weights.read_bytes(), weights.stat().st_mtime_ns
    done = project.snakemake(config=config)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert (weights.read_bytes(), weights.stat().st_mtime_ns) == before
    assert ModelBundle.load(results / "model").trained_on == ["box/1"]
    with (
        ImageSet(results / "images_training.h5") as training,
        ImageSet(results / "images.h5") as images,
    ):
        assert set(training.column("snapshot")) == {1}
        assert set(images.column("snapshot")) == {0, 1}
    rows = Catalogue(results / "catalogue.parquet").read(["snapshot", "split"])
    assert set(rows["split"][rows["snapshot"] == 0]) == {"unseen"}
    assert "unseen" not in rows["split"][rows["snapshot"] == 1]

    metrics = json.loads((results / "metrics.json").read_text())
    unseen = int((rows["split"] == "unseen").sum())
    assert f"({unseen} of them of sources" in metrics["notes"]["reconstruction"]
    apart = metrics["reconstruction_by_source"]
    assert apart["box, unseen"]["images"] == unseen
    held_out = np.isin(rows["split"], ["test", "unseen"]).sum()
    assert sum(part["images"] for part in apart.values()) == held_out
    mean = sum(part["images"] * part["l1"] for part in apart.values()) / held_out
    assert mean == pytest.approx(metrics["reconstruction"]["l1"])


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_finished_model_places_the_images_of_another_run(one_snapshot) -> None:
    project, box = one_snapshot
    config = _config(box, [0]) | {"run": "later", "model": "results/many/model"}
    assert set(_jobs(project, config)) == {"extract", "render"} | AFTER_IMAGES
    done = project.snakemake("results/later/metrics.json", config=config)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    results = project.folder / "results" / "later"
    assert not (results / "model").exists()
    assert set(Catalogue(results / "catalogue.parquet").read(["split"])["split"]) == {"unseen"}
    metrics = json.loads((results / "metrics.json").read_text())
    assert metrics["reconstruction"]["l1"] > 0
    assert set(metrics["reconstruction_by_source"]) == {"box, unseen"}

    config["render"] = {**config["render"], "channels": ["g", "r"]}
    refused = project.snakemake("--dry-run", config=config)
    said = refused.stdout + refused.stderr
    assert refused.returncode != 0
    assert "is for images with channels i, r, g, but render.channels is g, r" in said


def test_a_model_must_be_whole_and_of_another_run(tmp_path: Path) -> None:
    config = graph.load({"simulations": {"mock": {}}, "model": str(tmp_path)})
    with pytest.raises(ConfigError, match=r"model: .*model\.json: missing"):
        graph.model_files(config, "results/demo")
    config = graph.load({"simulations": {"mock": {}}, "model": "results/demo/model"})
    with pytest.raises(ConfigError, match="name of its own under run"):
        graph.model_files(config, "results/demo")


def test_something_must_train() -> None:
    box = {"path": "x", "snapshots": [1, 2]}
    with pytest.raises(ConfigError, match="every source has train: false"):
        graph.load({"simulations": {"box": {**box, "train": False}}})
    with pytest.raises(ConfigError, match="train names snapshot 3"):
        graph.load({"simulations": {"box": {**box, "train": [1, 3]}}})
    assert graph.load({"simulations": {"box": {**box, "train": False}}, "model": "m"}).model == "m"


def test_training_and_map_have_images_of_their_own() -> None:
    value = {
        "simulations": {
            "a": {"path": "a", "snapshots": [3, 4, 7], "train": [4, 7]},
            "b": {"path": "b", "snapshots": [1], "train": False},
        },
        "surveys": {"s": {"path": "s", "train": False}, "t": {"path": "t"}},
        "extract": {"shards": 2},
    }
    config = copy.deepcopy(value)
    patterns = graph.image_patterns(graph.load(config), "r", training=True)
    assert patterns == ["r/images/a/{4,7}/{0-1}.h5", "r/images/t/images.h5"]
    files = graph.image_files(graph.load(config), "r")
    assert files == [
        *(f"r/images/a/{snapshot}/{shard}.h5" for snapshot in (3, 4, 7) for shard in (0, 1)),
        *(f"r/images/b/1/{shard}.h5" for shard in (0, 1)),
        "r/images/s/images.h5",
        "r/images/t/images.h5",
    ]
