"""The stand-in for conda solves, links, installs and activates for real, or says why not."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def _create(conda: Path, folder: Path, *dependencies: object) -> subprocess.CompletedProcess[str]:
    file = folder / "environment.yaml"
    content = {"channels": ["conda-forge", "nodefaults"], "dependencies": list(dependencies)}
    file.write_text(yaml.safe_dump(content))
    return _run(
        conda / "conda", "env", "create", "--quiet", "--file", file, "--prefix", folder / "made"
    )


@pytest.mark.usefixtures("package_index")
def test_an_environment_is_solved_linked_and_activated(conda: Path, tmp_path: Path) -> None:
    done = _create(conda, tmp_path, "python=3.11", "pip", {"pip": ["six==1.17.0"]})
    assert done.returncode == 0, done.stderr
    prefix = tmp_path / "made"
    records = [json.loads(file.read_text()) for file in (prefix / "conda-meta").glob("*.json")]
    assert {record["name"] for record in records} == {"python", "pip"}
    assert all(record["channel"].endswith("conda-forge/") for record in records)
    asked = (
        "import importlib.metadata as m, os, sys;"
        "print(sys.prefix); print(os.environ['CONDA_PREFIX']);"
        "print(sorted(d.name for d in m.distributions()))"
    )
    activated = f"source {conda}/activate '{prefix}'; pip --version; python -c {shlex.quote(asked)}"
    done = _run("bash", "-c", activated)
    lines = done.stdout.splitlines()
    assert f"from {prefix}/lib/python3.11/site-packages/pip" in lines[0], done.stderr
    assert lines[1:] == [str(prefix), str(prefix), "['pip', 'six']"]


@pytest.mark.usefixtures("package_index")
@pytest.mark.parametrize(
    ("dependencies", "complaint"),
    [
        (["python=2.7", "pip"], "python 2.7"),
        (["python=3.11", "pip", {"pip": ["six==0.0.1"]}], "six==0.0.1"),
    ],
)
def test_what_cannot_be_had_is_an_error(
    conda: Path, tmp_path: Path, dependencies: list, complaint: str
) -> None:
    done = _create(conda, tmp_path, *dependencies)
    assert done.returncode != 0
    assert complaint in done.stderr


def test_a_new_question_is_an_error(conda: Path) -> None:
    done = _run(conda / "conda", "frobnicate", "--json")
    assert done.returncode != 0
    assert "does not know: conda frobnicate --json" in done.stderr
