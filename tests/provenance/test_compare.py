"""Two runs compared, and a run looked over, on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from morphosphere.provenance import RunRecord
from morphosphere.provenance.__main__ import main
from morphosphere.provenance.nearly import nearness


def make_run(folder: Path, *, seed: int = 1, epochs: int = 3, image: bytes = b"image") -> Path:
    """A run of two stages: `learn` reads what `join` has made."""
    run = folder / "results" / "demo"
    (run / "model").mkdir(parents=True)
    (run / "images.h5").write_bytes(image)
    join = RunRecord("join", {}, None, run / "provenance" / "join.json")
    join.outputs([run / "images.h5"])
    join.write(join.path)
    model = {"seed": seed, "epochs": epochs, "images": image.decode(), "weight": 0.5}
    (run / "model" / "model.json").write_text(json.dumps(model))
    learn = RunRecord("learn", {"epochs": epochs}, seed, run / "provenance" / "learn.json")
    learn.inputs([run / "images.h5"])
    learn.outputs([run / "model" / "model.json"])
    learn.write(learn.path)
    return run


def test_runs_in_two_places_are_the_same(tmp_path, capsys) -> None:
    a, b = make_run(tmp_path / "a"), make_run(tmp_path / "b")
    assert main(["compare", str(a), str(b)]) == 0
    assert "all 2 results have the same digests" in capsys.readouterr().out
    assert main(["compare", str(a / "provenance"), str(b)]) == 0


def test_what_was_different_is_said(tmp_path, capsys) -> None:
    a, b = make_run(tmp_path / "a"), make_run(tmp_path / "b", seed=2, epochs=4)
    assert main(["compare", str(a), str(b)]) == 1
    said = capsys.readouterr().out
    assert "1 of 2 results have the same digests, 1 differ" in said
    assert "  model/model.json\n" in said
    assert "results differ although inputs are the same:\n  learn\n" in said
    assert "seed: 1 in A, 2 in B" in said
    assert "learn: epochs is 3 in A, 4 in B" in said


def test_the_stage_that_began_it_is_named(tmp_path, capsys) -> None:
    a, b = make_run(tmp_path / "a"), make_run(tmp_path / "b", image=b"another")
    assert main(["compare", str(a), str(b)]) == 1
    said = capsys.readouterr().out
    assert "results differ although inputs are the same:\n  join\n" in said
    assert "was different" not in said


def test_results_of_one_run_alone_are_a_difference(tmp_path, capsys) -> None:
    a, b = make_run(tmp_path / "a"), make_run(tmp_path / "b")
    (b / "provenance" / "learn.json").unlink()
    assert main(["compare", str(a), str(b)]) == 1
    said = capsys.readouterr().out
    assert "made by A alone:\n  model/model.json" in said
    assert "1 are in one run alone" in said


def test_other_inputs_from_outside_are_named(tmp_path, capsys) -> None:
    a, b = make_run(tmp_path / "a"), make_run(tmp_path / "b")
    for run, value in ((a, "sha256:1"), (b, "sha256:2")):
        path = run / "provenance" / "join.json"
        record = json.loads(path.read_text())
        record["inputs"] = {f"{run.parent}/pictures": value}
        path.write_text(json.dumps(record))
    assert main(["compare", str(a), str(b)]) == 0
    assert "join: other input files" in capsys.readouterr().out


def test_values_within_a_tolerance_count_as_the_same(tmp_path, capsys) -> None:
    a, b = make_run(tmp_path / "a"), make_run(tmp_path / "b", seed=1)
    path = b / "model" / "model.json"
    model = json.loads(path.read_text())
    path.write_text(json.dumps({**model, "weight": model["weight"] * (1 + 1e-6)}))
    record = RunRecord("learn", {"epochs": 3}, 1, b / "provenance" / "learn.json")
    record.outputs([path])
    record.write(record.path)
    assert main(["compare", str(a), str(b)]) == 1
    assert main(["compare", str(a), str(b), "--tolerance", "1e-7"]) == 1
    capsys.readouterr()
    assert main(["compare", str(a), str(b), "--tolerance", "1e-5"]) == 0
    said = capsys.readouterr().out
    assert "model/model.json: 1e-06 of the spread of weight" in said
    assert "1 differ within the tolerance, 0 differ" in said


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda run: None, "holds no folder provenance"),
        (lambda run: (run / "provenance").mkdir(parents=True), "holds no run records"),
        (lambda run: _write(run, "{"), "not valid JSON"),
        (lambda run: _write(run, "[1]"), "not a run record"),
        (lambda run: _write(run, '{"inputs": {}}'), "an older version wrote it"),
    ],
)
def test_what_is_no_run_is_one_clear_error(tmp_path, capsys, prepare, message) -> None:
    run = make_run(tmp_path / "a")
    other = tmp_path / "b"
    prepare(other)
    assert main(["compare", str(run), str(other)]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert str(other) in said
    assert len(said.splitlines()) == 1


def _write(run: Path, text: str) -> None:
    (run / "provenance").mkdir(parents=True)
    (run / "provenance" / "join.json").write_text(text)


def test_a_result_that_was_changed_is_found(tmp_path, capsys) -> None:
    run = make_run(tmp_path)
    assert main(["verify", str(run)]) == 0
    assert "2 of 2 results are as the records say" in capsys.readouterr().out
    (run / "images.h5").write_bytes(b"other")
    (run / "model" / "model.json").unlink()
    assert main(["verify", str(run)]) == 1
    said = capsys.readouterr().out
    assert "images.h5: was changed after join made it" in said
    assert "model/model.json: missing; learn made it" in said


def test_a_stage_that_read_something_else_is_found(tmp_path, capsys) -> None:
    run = make_run(tmp_path)
    (run / "images.h5").write_bytes(b"made again, and learn was not")
    join = RunRecord("join", {}, None, run / "provenance" / "join.json")
    join.outputs([run / "images.h5"])
    join.write(join.path)
    assert main(["verify", str(run)]) == 1
    assert "learn read another images.h5 than join has made" in capsys.readouterr().out


def _hdf5(path: Path, values: np.ndarray, names: list[str]) -> None:
    with h5py.File(path, "w") as file:
        file["group/values"] = values
        file.create_dataset("names", data=names, dtype=h5py.string_dtype())


def _parquet(path: Path, values: np.ndarray, names: list[str]) -> None:
    columns = {"values": values, "names": names, "vector": [[v, 1.0] for v in values]}
    parquet.write_table(pa.table(columns), path)


def _csv(path: Path, values: np.ndarray, names: list[str]) -> None:
    rows = [f"{name},{value!r},{hash(path) % 7}" for name, value in zip(names, values.tolist())]
    path.write_text("\n".join(["names,values,data_seconds", *rows]))


def _json(path: Path, values: np.ndarray, names: list[str]) -> None:
    path.write_text(json.dumps({"values": values.tolist(), "names": names, "gap": None}))


@pytest.mark.parametrize(
    ("suffix", "write"), [("h5", _hdf5), ("parquet", _parquet), ("csv", _csv), ("json", _json)]
)
def test_differences_are_in_units_of_the_spread(tmp_path, suffix, write) -> None:
    a, b = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    values, names = np.array([100.0, 110.0, 105.0]), ["x", "y", "z"]
    write(a, values, names)
    write(b, values, names)
    assert nearness(a, b).largest == 0
    write(b, values + np.array([0.0, 0.0, 0.1]), names)
    assert nearness(a, b).largest == pytest.approx(0.01)
    assert "values" in nearness(a, b).where or "vector" in nearness(a, b).where
    write(b, values, ["x", "y", "w"])
    assert nearness(a, b).largest == np.inf
    assert "names" in nearness(a, b).where
    write(b, values[:2], names[:2])
    assert nearness(a, b).largest == np.inf
    with_gap = values.copy()
    with_gap[0] = np.nan
    if suffix != "json":
        write(b, with_gap, names)
        assert nearness(a, b).largest == np.inf


def test_pictures_and_files_of_other_kinds(tmp_path) -> None:
    pixels = np.zeros((4, 4), np.uint8)
    pixels[0, 0] = 200
    for name, value in (("a", 0), ("b", 20)):
        pixels[1, 1] = value
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
        (tmp_path / f"{name}.onnx").write_bytes(bytes([value]))
    assert nearness(tmp_path / "a.png", tmp_path / "b.png").largest == pytest.approx(0.1)
    assert str(nearness(tmp_path / "a.onnx", tmp_path / "b.onnx")) == "other bytes"
    assert "is gone" in str(nearness(tmp_path / "a.png", tmp_path / "c.png"))
