"""Running the extract stage in tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from morphosphere.extract.__main__ import main


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """``run(input, output, snapshot, **settings)``: exit status and log of the stage."""

    def call(
        path: Path, output: Path, snapshot: int = 7, *, family: str = "auto", **settings: object
    ) -> tuple[int, str]:
        arguments = ["--simulation", "sim", "--snapshot", str(snapshot), "--family", family]
        arguments += ["--input", str(path), "--output", str(output)]
        arguments += ["--provenance", str(output) + ".json", "--settings", json.dumps(settings)]
        status = main(arguments)
        return status, capsys.readouterr().err

    return call
