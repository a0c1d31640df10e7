"""What tests of the simulation have in common: a small library, and a run of the stage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from factories_sersic_simulated import SETTINGS, Simulate, words
from morphosphere.sersic.psfs.__main__ import main as psfs
from morphosphere.sersic.simulate.__main__ import main


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three point-spread functions."""
    path = tmp_path_factory.mktemp("psf") / "psf.h5"
    assert psfs(["--settings", json.dumps(SETTINGS), "--output", str(path)]) == 0
    return path


@pytest.fixture
def simulate(library: Path, tmp_path: Path) -> Simulate:
    """Run the stage: ``simulate(shard=0, seed=42, **settings)`` gives both files."""

    def run(shard: int = 0, folder: str = ".", **changes: object) -> tuple[Path, Path]:
        assert main(words(tmp_path / folder, library, shard, **changes)) == 0
        return tmp_path / folder / f"{shard}.h5", tmp_path / folder / f"clean-{shard}.h5"

    return run
