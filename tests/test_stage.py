import argparse
import json
import subprocess
import sys

import pytest
from pydantic import Field

from morphosphere.config.base import Settings
from morphosphere.errors import ConfigError, InputError
from morphosphere.stage import read_settings, run_stage, stage_parser

STAGES_WITHOUT_TORCH = [
    "morphosphere.snapshots.mock",
    "morphosphere.extract",
    "morphosphere.render",
    "morphosphere.collect",
    "morphosphere.collect.join",
]


class Fruit(Settings):
    """Settings of a stage that exists in these tests alone."""

    count: int = Field(3, ge=1)
    name: str = "apple"


def run(work, *arguments):
    parser = stage_parser("fruit", "Fruit.")
    return run_stage("fruit", parser.parse_args(arguments), Fruit, work)


def test_settings_from_text_and_from_a_section_of_a_file(tmp_path):
    assert read_settings(Fruit, '{"count": 5}').count == 5
    assert read_settings(Fruit, "{}") == Fruit()
    (tmp_path / "a.yaml").write_text("fruit:\n  red: {count: 7}\n  green:\n")
    assert read_settings(Fruit, f"{tmp_path / 'a.yaml'}#fruit.red").count == 7
    assert read_settings(Fruit, f"{tmp_path / 'a.yaml'}#fruit.green") == Fruit()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"count": 0, "colour": 1}', r"2 mistakes.*\n.*count: .*greater than or equal to 1.*"),
        ("{count}", "not valid JSON"),
        ("[1]", "cannot be read"),
        ("missing.yaml", "cannot be read"),
    ],
)
def test_settings_that_cannot_be_used(text, message):
    with pytest.raises(ConfigError, match=message):
        read_settings(Fruit, text)


def test_a_section_that_is_missing(tmp_path):
    (tmp_path / "a.yaml").write_text("fruit: 3\n")
    with pytest.raises(ConfigError, match="no key vegetable"):
        read_settings(Fruit, f"{tmp_path / 'a.yaml'}#vegetable")
    with pytest.raises(ConfigError, match="expected a mapping"):
        read_settings(Fruit, f"{tmp_path / 'a.yaml'}#fruit")
    with pytest.raises(ConfigError, match=r"no key fruit\.red"):
        read_settings(Fruit, f"{tmp_path / 'a.yaml'}#fruit.red")


def test_a_run_writes_its_record(tmp_path):
    def work(args: argparse.Namespace, settings, record, world):
        (tmp_path / "input").write_text("input")
        record.inputs([tmp_path / "input"])
        record.note(apples=settings.count)

    record = tmp_path / "run.json"
    assert run(work, "--settings", '{"count": 2}', "--seed", "5", "--provenance", str(record)) == 0
    value = json.loads(record.read_text())
    assert value["stage"] == "fruit"
    assert value["seed"] == 5
    assert value["settings"] == {"count": 2, "name": "apple"}
    assert value["notes"] == {"apples": 2, "ranks": 1}
    assert list(value["inputs"]) == [str(tmp_path / "input")]
    assert value["peak_memory_mib"] > 1
    assert value["environment"] == sys.prefix
    assert "numpy" in value["packages"]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (InputError("a.h5: truncated; make it again"), "error: a.h5: truncated; make it again"),
        (
            OSError(28, "No space left on device", "out.h5"),
            "out.h5: cannot be written, its disk",
        ),
        (MemoryError("1 TB"), "out of memory (1 TB)"),
    ],
)
def test_an_error_that_a_user_can_mend_is_one_line(tmp_path, capsys, error, line):
    def work(*_):
        raise error

    assert run(work, "--provenance", str(tmp_path / "run.json")) == 1
    said = capsys.readouterr().err
    assert line in said
    assert "Traceback" not in said
    assert len(said.strip().splitlines()) == 1
    assert not (tmp_path / "run.json").exists()


def test_an_error_of_ours_shows_where(capsys):
    def work(*_):
        raise ZeroDivisionError

    assert run(work) == 1
    said = capsys.readouterr().err
    assert "please report it" in said
    assert "Traceback" in said


def test_wrong_settings_end_a_run(capsys):
    assert run(lambda *_: None, "--settings", '{"cuont": 3}') == 1
    assert "cuont: unknown key" in capsys.readouterr().err


@pytest.mark.parametrize("stage", STAGES_WITHOUT_TORCH)
def test_help_imports_nothing_heavy(stage):
    heavy = ["torch", "matplotlib", "numba", "pynbody", "galsim", "onnxruntime", "mpi4py.MPI"]
    code = f"""
import runpy, sys
sys.argv = ["x", "--help"]
try:
    runpy.run_module({stage!r}, run_name="__main__", alter_sys=True)
except SystemExit as end:
    assert not end.code
print([name for name in {heavy} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("[]")
