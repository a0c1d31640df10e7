"""A killed run is completed, to the same bytes; nothing earlier is taken for something else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from morphosphere.hips.__main__ import main

from .conftest import Scene, tree

Made = Callable[[str], Path]


def start(arguments: list[str]) -> subprocess.Popen[bytes]:
    """Run the stage as a program of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "morphosphere.hips", *arguments], stderr=subprocess.DEVNULL
    )


def test_killed_at_any_moment_it_is_completed(scene: Scene, tmp_path: Path) -> None:
    settings = {"order": 3, "cells": 1}
    whole = scene.make("real", tmp_path / "whole", **settings)
    arguments = scene.arguments("real", tmp_path / "killed", **settings)
    killed = tmp_path / "killed"
    codes = []
    for tiles in (1, 300):  # killed twice
        process = start(arguments)
        while process.poll() is None and len(list(killed.glob("Norder*/Dir*/Npix*"))) < tiles:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        codes.append(process.wait())
        if process.returncode == -signal.SIGKILL:
            assert not (killed / "properties").exists()
    assert -signal.SIGKILL in codes, "the stage ended before it could be killed"
    before = {path: path.stat().st_mtime_ns for path in killed.glob("Norder3/Dir0/Npix?.jpg")}
    assert main(arguments) == 0
    assert tree(killed) == tree(whole)
    for path, moment in before.items():
        assert path.stat().st_mtime_ns == moment  # kept, not made again


@pytest.mark.parametrize("layer", ["generated", "real", "density"])
def test_truncated_and_lost_tiles_are_made_again(
    made: Made, scene: Scene, tmp_path: Path, layer: str
) -> None:
    root = scene.make(layer, tmp_path / "out")
    tiles = root / "Norder1" / "Dir0"
    for tile in (3, 17):
        os.truncate(tiles / f"Npix{tile}.jpg", 200)
    (tiles / "Npix30.jpg").unlink()
    (tiles / "Npix31.jpg").write_bytes(b"")
    (tiles / ".Npix32.jpg.123.partial").write_bytes(b"left by a kill")
    untouched = (tiles / "Npix5.jpg").stat().st_mtime_ns
    scene.make(layer, root)
    assert tree(root) == tree(made(layer))
    assert (tiles / "Npix5.jpg").stat().st_mtime_ns == untouched


def test_other_settings_or_inputs_start_anew(made: Made, scene: Scene, tmp_path: Path) -> None:
    root = scene.make("density", tmp_path / "out", order=2, density_colors="viridis")
    assert (root / "Norder2").exists()
    scene.make("density", root)
    assert tree(root) == tree(made("density"))
    moment = (root / "Norder0" / "Dir0" / "Npix0.jpg").stat().st_mtime_ns
    scene.make("density", root, title="Another title", catalogue_rows=7)
    assert (root / "Norder0" / "Dir0" / "Npix0.jpg").stat().st_mtime_ns == moment
    assert "Another title" in (root / "properties").read_text()


def test_a_failed_run_is_not_complete(scene: Scene, tmp_path: Path) -> None:
    """A disk that takes no file above 4 kB: the error is one line, and a later run succeeds."""
    code = (
        "import resource, sys; from morphosphere.hips.__main__ import main;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY));"
        "sys.exit(main(sys.argv[1:]))"
    )
    for layer in ("real", "catalogue"):
        arguments = scene.arguments(layer, tmp_path / layer)
        failed = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True
        )
        assert failed.returncode == 1
        assert "its disk is full (or a limit is reached)" in failed.stderr
        assert "Traceback" not in failed.stderr
        assert not (tmp_path / layer / "properties").exists()
        assert main(arguments) == 0
        assert (tmp_path / layer / "properties").exists()


def test_a_folder_of_something_else_is_left_alone(scene: Scene, tmp_path: Path, capsys) -> None:
    (tmp_path / "thesis").mkdir()
    precious = tmp_path / "thesis" / "chapter.fits"
    precious.write_text("years of work")
    assert main(scene.arguments("density", tmp_path / "thesis")) == 1
    assert "not a map of ours" in capsys.readouterr().err
    assert precious.read_text() == "years of work"
    assert main(scene.arguments("density", precious)) == 1
    assert "is a file" in capsys.readouterr().err
