"""A simulation that was ended goes on where it was, and only if nothing else has changed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from factories_sersic_simulated import Simulate, words
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.files import digest
from morphosphere.sersic.simulate import work
from morphosphere.sersic.simulate.__main__ import main
from ranks import check_message, run_with_fault

NUMBER = {"number": 400, "shards": 1}


def pieces(folder: Path) -> list[Path]:
    return sorted((folder / ".0.h5.pieces").glob("[0-9]*-*.npz"))


def test_a_killed_run_goes_on(
    simulate: Simulate, library: Path, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    whole = simulate(folder="whole", **NUMBER)
    folder = tmp_path / "killed"
    folder.mkdir()
    line = [sys.executable, "-m", "morphosphere.sersic.simulate", *words(folder, library, **NUMBER)]
    running = subprocess.Popen(line, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not pieces(folder) and running.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    assert pieces(folder)
    assert not list(folder.glob("*.h5"))
    kept = {path: os.stat(path).st_mtime_ns for path in pieces(folder)}
    capfd.readouterr()
    again = simulate(folder="killed", **NUMBER)
    said = capfd.readouterr().err
    assert f"simulated 400 galaxies, {128 * len(kept)} of them before" in said
    assert [digest(path) for path in again] == [digest(path) for path in whole]
    assert not (folder / ".0.h5.pieces").exists()


def test_pieces_of_other_settings_are_not_used(
    simulate: Simulate, library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = simulate(folder="alone", number=20, shards=1)

    def stop(*_: object) -> None:
        raise OSError("ended here")

    with monkeypatch.context() as patch:
        patch.setattr(work, "_assemble", stop)
        other = {"number": 20, "shards": 1, "magnitude": [19, 19]}
        assert main(words(tmp_path, library, **other)) == 1
    assert pieces(tmp_path)
    found = simulate(number=20, shards=1)
    assert [digest(path) for path in found] == [digest(path) for path in expected]


def test_earlier_files_stay_whole_when_a_later_run_fails(
    simulate: Simulate, library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [digest(path) for path in simulate()]

    def stop(*_: object, **__: object) -> None:
        raise OSError("ended here")

    monkeypatch.setattr(work, "observe", stop)
    assert main(words(tmp_path, library, seed=7)) == 1
    assert [digest(tmp_path / name) for name in ("0.h5", "clean-0.h5")] == before
    with ImageSet(tmp_path / "0.h5") as images:
        assert len(images) == 6


@pytest.mark.parametrize("fault", ["a file that cannot be read", "a kill"])
def test_all_ranks_end_when_one_does(tmp_path: Path, library: Path, fault: str) -> None:
    line = words(tmp_path, library, **NUMBER)
    place = "morphosphere.sersic.simulate.work:observe"
    done = run_with_fault(tmp_path / "told", "morphosphere.sersic.simulate", place, fault, line)
    check_message(done, "sersic.simulate", fault)
    assert not list(tmp_path.glob("*.h5"))
