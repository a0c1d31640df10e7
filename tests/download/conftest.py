"""Servers of one test, and the stage as a user starts it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from download.server import KEY, TOKEN, Server, cutout_bytes
from morphosphere.download.__main__ import main

#: Waits that a test has time for.
FAST = {"rate": 50, "connections": 2, "retries": 3, "backoff": 0.01, "timeout": 2}


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The servers of these tests are on this machine."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture(scope="session")
def files() -> dict[int, bytes]:
    """Cutouts of a few subhalos, by id."""
    return {i: cutout_bytes(i, padding=300_000) for i in (0, 3, 4, 7, 11)}


@pytest.fixture
def server(files: dict[int, bytes]) -> Iterator[Server]:
    with Server(cutouts=dict(files)) as started:
        yield started


def command(source: str, settings: dict, output: Path, *words: str) -> list[str]:
    """The stage's command line."""
    return [
        *(sys.executable, "-m", "morphosphere.download", "--source", source),
        *("--settings", json.dumps(settings), "--output", str(output)),
        *("--provenance", str(output / "run.json"), *words),
        *(("--snapshot", "99") if source == "tng_api" else ()),
    ]


def environment(key: str | None = KEY) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "TNG_API_KEY"}
    return kept if key is None else {**kept, "TNG_API_KEY": key}


@dataclass(frozen=True)
class Done:
    """How a run of the stage ended, and what it said."""

    returncode: int
    stderr: str


@pytest.fixture
def cutouts(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Callable[..., Done]:
    """Run the stage for the API's server; the key must be in nothing that it says or writes."""

    def run(folder: Path | None = None, *, key: str | None = KEY, **settings: object) -> Done:
        output = folder or tmp_path / "99"
        monkeypatch.delenv("TNG_API_KEY", raising=False)
        if key is not None:
            monkeypatch.setenv("TNG_API_KEY", key)
        capfd.readouterr()
        status = main(command("tng_api", {**asked_of(server), **settings}, output)[3:])
        said = "".join(capfd.readouterr())
        assert_secret(said, output)
        return Done(status, said)

    return run


def asked_of(server: Server) -> dict[str, object]:
    """Settings for the API's server."""
    fields = {"stars": ["Coordinates", "Masses"]}
    query = {"sfr__gt": 0}
    return {"simulation": "TNG-test", "url": server.url, "query": query, "fields": fields, **FAST}


def assert_secret(text: str, folder: Path) -> None:
    """Neither the key nor the data server's permission is in a text or in a file."""
    written = [p.read_bytes() for p in folder.rglob("*") if p.is_file()]
    for secret in (KEY, TOKEN):
        assert secret not in text
        assert all(secret.encode() not in content for content in written)


def manifest(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_text())
