"""Files and code that rules depend on, without running Snakemake."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import ROOT
from morphosphere import graph
from morphosphere.errors import ConfigError

SOURCE = ROOT / "src"


def _names(stage: str) -> set[str]:
    root = SOURCE / "morphosphere"
    return {str(Path(file).relative_to(root)) for file in graph.code(SOURCE, stage)}


def test_code_follows_imports_into_the_artefacts() -> None:
    names = _names("render")
    assert "render/__main__.py" in names
    assert "artefacts/imageset.py" in names
    assert "artefacts/galaxyset.py" in names


def test_code_leaves_out_what_cannot_change_a_result() -> None:
    for stage in ("extract", "render", "learn", "predict", "hips"):
        names = _names(stage)
        assert not names & {"progress.py", "provenance.py", "stage.py", "errors.py"}
        assert not any(name.startswith("config/") for name in names)


def test_the_page_depends_on_its_sources_and_the_data_stage_does_not() -> None:
    assert any(name.startswith("explorer/page/") for name in _names("explorer"))
    assert not any(name.startswith("explorer/page/") for name in _names("explorer.data"))


def test_a_task_of_the_trainer_does_not_depend_on_another() -> None:
    assert "learn/sphere.py" not in _names("learn.__main__") | _names("learn.mergers")
    assert not any("mergers" in name for name in _names("learn.__main__") | _names("learn.sphere"))
    assert "learn/loop.py" in _names("learn.__main__")


@pytest.mark.parametrize("stage", ["snapshots.mock", "extract", "render", "collect", "hips"])
def test_stages_before_and_after_training_do_not_know_torch(stage: str) -> None:
    assert not any(name.startswith("learn/") for name in _names(stage))


def test_all_mistakes_are_reported_at_once_with_their_paths() -> None:
    with pytest.raises(ConfigError) as caught:
        graph.load(
            {
                "simulations": {"box": {"path": "x", "snapshot": 3}},
                "render": {"size": -3},
                "rendr": {},
            }
        )
    message = str(caught.value)
    assert "3 mistakes" in message
    assert "simulations.box.snapshot: unknown key" in message
    assert "render.size" in message
    assert "-3" in message
    assert "rendr: unknown key" in message


def test_a_run_needs_a_source_and_a_name_that_can_be_a_folder() -> None:
    with pytest.raises(ConfigError, match="at least one entry"):
        graph.load({"run": "x"})
    with pytest.raises(ConfigError, match="run: must be letters"):
        graph.load({"run": "../x", "simulations": {"mock": {}}})


def test_the_mock_box_has_one_snapshot() -> None:
    with pytest.raises(ConfigError, match="only snapshot is 99"):
        graph.load({"simulations": {"mock": {"snapshots": [98]}}})


def test_missing_sources_are_named() -> None:
    config = graph.load(
        {
            "simulations": {"box": {"path": "/nowhere/box", "snapshots": [1]}},
            "surveys": {"sky": {"path": "/nowhere/sky"}},
        }
    )
    with pytest.raises(ConfigError, match=r"simulations\.box\.path: /nowhere/box does not exist"):
        graph.snapshot_files(config, "results/x", "box", 1)
    with pytest.raises(ConfigError, match=r"surveys\.sky\.path: /nowhere/sky does not exist"):
        graph.survey_files(config, "results/x", "sky")


def test_a_snapshot_is_its_two_folders_and_the_digest_of_their_files(tmp_path: Path) -> None:
    names = ["snapdir_004/snap_004.0.hdf5", "snapdir_004/snap_004.1.hdf5", "groups_004/fof.0.hdf5"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    config = graph.load({"simulations": {"box": {"path": str(tmp_path), "snapshots": [4]}}})
    found = graph.snapshot_files(config, "results/x", "box", 4)
    assert [Path(f).relative_to(tmp_path).as_posix() for f in found] == [
        "snapdir_004",
        "groups_004",
    ]
    before = graph.source_digest(config, "results/x", "box", 4)
    (tmp_path / names[1]).write_text("more")
    assert graph.source_digest(config, "results/x", "box", 4) != before


def test_a_changed_or_added_file_changes_the_listing(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    (folder / "below").mkdir(parents=True)
    (folder / "below" / "a.jpg").write_bytes(b"one")
    before = graph.listing([str(folder)])
    assert graph.listing([str(folder)]) == before
    (folder / "below" / "a.jpg").write_bytes(b"other")
    edited = graph.listing([str(folder)])
    (folder / "b.jpg").write_bytes(b"new")
    assert len({before, edited, graph.listing([str(folder)])}) == 3


def test_mistakes_in_values_that_must_agree_are_named_with_all_others() -> None:
    with pytest.raises(ConfigError) as caught:
        graph.load(
            {
                "simulations": {"box": {"path": "x", "snapshots": [1, 1]}},
                "learn": {"concentration": [9, 3], "epoch": 3},
                "mock": {"mass_range": [11, 10], "stars_range": [500, 100]},
            }
        )
    message = str(caught.value)
    assert "5 mistakes" in message
    for key in ("learn.concentration", "learn.epoch", "mock.mass_range", "mock.stars_range"):
        assert f"{key}: " in message
    assert "simulations.box.snapshots: " in message
