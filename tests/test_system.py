"""Errors of a full disk, of rights and of memory, as libraries raise them, in one line each."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import h5py
import pytest

from morphosphere import system
from morphosphere.artefacts import hdf5
from morphosphere.artefacts.hdf5 import HDF5Output
from morphosphere.system import SystemLackError, check_writable, lack, room, writing


def _caused(error: Exception, by: Exception) -> Exception:
    error.__cause__ = by
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "a.h5: cannot be written, its disk is"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "a.h5: cannot be written, its disk is full"),
        (RuntimeError("file write failed: errno = 28, error"), "a.h5: cannot be written"),
        (_caused(RuntimeError("no file"), OSError(errno.ENOSPC, "x")), "a.h5: cannot be written"),
        (
            OSError(errno.EROFS, "Read-only file system", "r/x"),
            "r/x: Read-only file system;",
        ),
        (PermissionError(errno.EACCES, "Permission denied", "r/x"), "r/x: Permission denied"),
        (MemoryError("1 TB"), "out of memory (1 TB)"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "out of memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: 8 bytes"), "out of memory (Def"),
        (ImportError("libx.so: failed to map segment from shared object"), "out of memory (libx"),
    ],
)
def test_what_was_lacking_is_one_line(error: Exception, said: str) -> None:
    line = lack(error, "a.h5")
    assert line is not None
    assert line.startswith(said)
    assert "\n" not in line


@pytest.mark.parametrize("error", [RuntimeError("sizes differ"), FileNotFoundError(2, "No", "x")])
def test_other_errors_are_what_they_are(error: Exception) -> None:
    assert lack(error, ".") is None
    with pytest.raises(type(error)), writing("a.h5"):
        raise error


def test_an_error_without_a_reason_is_put_down_to_a_disk_with_nothing_left(monkeypatch) -> None:
    error = RuntimeError("unexpected pos 5598720 vs 5598608")
    monkeypatch.setattr(system, "room", lambda path: 4096)
    assert "its disk is full" in lack(error, "a.ckpt")


def test_room_is_that_of_the_nearest_folder(tmp_path: Path) -> None:
    assert room(tmp_path / "not" / "there" / "a.h5") > 0
    check_writable(tmp_path / "not" / "there")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_refuses_files_is_named(tmp_path: Path, monkeypatch) -> None:
    def refuse(*, dir: Path) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(dir))

    monkeypatch.setattr(system.tempfile, "TemporaryFile", refuse)
    with pytest.raises(SystemLackError, match=f"results cannot be written: {tmp_path}: Read-only"):
        check_writable(tmp_path / "results")


class _FullAfter:
    """A raw file that takes some bytes and then no more."""

    def __init__(self, path: Path, bytes_left: int) -> None:
        self._file, self._left = open(path, "w+b", buffering=0), bytes_left  # noqa: SIM115

    def write(self, data: memoryview) -> int:
        if not self._left:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = self._file.write(data[: self._left])
        self._left -= taken
        return taken

    def __getattr__(self, name: str):
        return getattr(self._file, name)


@pytest.mark.parametrize("bytes_left", [0, 100, 5000, 60_000, 200_000])
def test_hdf5_tells_of_a_full_disk_once_and_can_still_read_what_it_wrote(
    tmp_path: Path, monkeypatch, bytes_left: int
) -> None:
    path = tmp_path / "a.h5"
    monkeypatch.setattr(hdf5, "open", lambda p, *_, **__: _FullAfter(p, bytes_left), raising=False)
    out = HDF5Output(path)
    for number in range(20):
        out.file.create_dataset(f"{number}", data=[number] * 3000, chunks=(1000,))
    out.file.flush()
    for number in range(20):
        assert (out.file[f"{number}"][:] == number).all()
    for tell in (out.check, out.close):
        with pytest.raises(OSError, match="No space left"):
            tell()


def test_hdf5_that_has_room_is_read_by_others_and_added_to(tmp_path: Path) -> None:
    with HDF5Output(tmp_path / "a.h5") as file:
        file.create_dataset("a", data=range(5000), chunks=(100,), compression="gzip")
    with HDF5Output(tmp_path / "a.h5", "r+") as file:
        file["b"] = ["text", "more"]
    with h5py.File(tmp_path / "a.h5") as file:
        assert (file["a"][:] == range(5000)).all()
        assert list(file["b"].asstr()) == ["text", "more"]
