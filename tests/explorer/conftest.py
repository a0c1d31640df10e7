"""Runs and servers for the tests of the explorer."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from factories_explorer import DATA_SETTINGS, Run, make_run
from morphosphere.explorer.data import make_data
from morphosphere.explorer.serve import server


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with its data; not to be changed by tests."""
    run = make_run(tmp_path_factory.mktemp("explorer") / "deep" / "er" / "a run")
    make_data(run.images, run.model, run.table, run.data, DATA_SETTINGS)
    return run


@pytest.fixture
def copied(finished: Run, tmp_path: Path) -> Run:
    """A copy of the finished run that a test may change."""
    folder = tmp_path / "a run"
    shutil.copytree(finished.folder, folder)
    return Run(folder, finished.catalogue)


@pytest.fixture
def served() -> Iterator[Callable[[Path], str]]:
    """A function that serves a folder and returns its address."""
    running = []

    def start(folder: Path) -> str:
        one = server(folder)
        threading.Thread(target=one.serve_forever, daemon=True).start()
        running.append(one)
        return f"http://127.0.0.1:{one.server_address[1]}"

    yield start
    for one in running:
        one.shutdown()
        one.server_close()
