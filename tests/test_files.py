import errno
import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from morphosphere import files
from morphosphere.errors import InputError
from morphosphere.files import (
    atomic_directory,
    atomic_path,
    digest,
    read_json,
    write_json,
)
from morphosphere.system import SystemLackError


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def fill_the_disk(target):
    with target as path:
        (path / "half" if path.is_dir() else path).write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_file_appears_whole(tmp_path):
    with atomic_path(tmp_path / "new" / "a.txt") as path:
        path.write_text("one")
        assert not (tmp_path / "new" / "a.txt").exists()
        assert path.suffix == ".txt"
    assert (tmp_path / "new" / "a.txt").read_text() == "one"
    assert names(tmp_path / "new") == ["a.txt"]


def test_an_error_leaves_the_earlier_file_and_nothing_else(tmp_path):
    (tmp_path / "a.txt").write_text("earlier")
    with pytest.raises(SystemLackError, match="its disk is full"):
        fill_the_disk(atomic_path(tmp_path / "a.txt"))
    assert (tmp_path / "a.txt").read_text() == "earlier"
    assert names(tmp_path) == ["a.txt"]


def test_a_block_that_writes_nothing_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "a.txt"):
        pass
    assert names(tmp_path) == []


def test_a_folder_takes_the_place_of_another(tmp_path):
    for content in ("one", "two"):
        with atomic_directory(tmp_path / "folder") as path:
            (path / content).write_text(content)
    assert names(tmp_path) == ["folder"]
    assert names(tmp_path / "folder") == ["two"]
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o755


def test_a_folder_takes_the_place_of_a_file(tmp_path):
    (tmp_path / "folder").write_text("a file")
    with atomic_directory(tmp_path / "folder") as path:
        (path / "one").write_text("one")
    assert names(tmp_path / "folder") == ["one"]


def test_an_error_leaves_the_earlier_folder(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "earlier").write_text("earlier")
    with pytest.raises(SystemLackError, match="its disk is full"):
        fill_the_disk(atomic_directory(tmp_path / "folder"))
    assert names(tmp_path) == ["folder"]
    assert names(tmp_path / "folder") == ["earlier"]


@pytest.mark.parametrize("kind", ["atomic_path", "atomic_directory"])
def test_a_killed_process_leaves_nothing_that_looks_whole(tmp_path, kind):
    target = tmp_path / "result"
    if kind == "atomic_path":
        target.write_text("earlier")
    else:
        target.mkdir()
        (target / "earlier").write_text("earlier")
    code = f"""
        import os, signal
        from morphosphere.files import {kind}
        with {kind}({str(target)!r}) as path:
            (path / "half" if path.is_dir() else path).write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)])
    assert done.returncode == -signal.SIGKILL
    if kind == "atomic_path":
        assert target.read_text() == "earlier"
    else:
        assert names(target) == ["earlier"]
    others = [name for name in names(tmp_path) if name != "result"]
    assert all(name.startswith(".") and ".partial" in name for name in others)


def test_what_killed_processes_left_of_a_file_or_folder_is_removed(tmp_path):
    for name in (
        "0.h5",
        "1.h5",
        ".1.12.partial.h5",
        ".01.12.partial.h5",
        ".0.h5.lock",
        ".0.a.1.partial.h5",
    ):
        (tmp_path / name).touch()
    (tmp_path / ".0.12.partial.h5").touch()
    (tmp_path / ".model.abc.former").mkdir()
    (tmp_path / ".model.def.partial" / "below").mkdir(parents=True)
    (tmp_path / ".models.def.partial").mkdir()
    with atomic_path(tmp_path / "0.h5") as path:
        path.touch()
    with atomic_directory(tmp_path / "model"):
        pass
    left = [
        ".0.a.1.partial.h5",
        ".0.h5.lock",
        ".01.12.partial.h5",
        ".1.12.partial.h5",
        ".models.def.partial",
    ]
    assert sorted(names(tmp_path)) == [*left, "0.h5", "1.h5", "model"]


def test_json(tmp_path):
    write_json(tmp_path / "a.json", {"b": [1, None]})
    assert read_json(tmp_path / "a.json") == {"b": [1, None]}
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"b": float("nan")})
    assert json.loads((tmp_path / "a.json").read_text()) == {"b": [1, None]}


def test_json_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InputError, match=r"missing\.json: no such file"):
        read_json(tmp_path / "missing.json")
    (tmp_path / "cut.json").write_text('{"a": ')
    with pytest.raises(InputError, match=r"cut\.json: not valid JSON"):
        read_json(tmp_path / "cut.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"bytes\.json: not valid JSON"):
        read_json(tmp_path / "bytes.json")


def test_digest_follows_content_not_name(tmp_path):
    for name, text in (("a", "x"), ("b", "x"), ("c", "y")):
        (tmp_path / name).write_text(text)
    assert digest(tmp_path / "a") == digest(tmp_path / "b") != digest(tmp_path / "c")
    assert digest(tmp_path / "a").startswith("sha256:")


def test_digest_of_large_files_looks_at_both_ends_and_the_length(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "SAMPLED_ABOVE", 1000)
    monkeypatch.setattr(files, "_BLOCK", 10)

    def digest_of(content):
        (tmp_path / "a").write_bytes(content)
        return digest(tmp_path / "a")

    base = bytes(5000)
    seen = {
        digest_of(base),
        digest_of(bytes(5001)),
        digest_of(b"\1" + base[1:]),
        digest_of(base[:-1] + b"\1"),
    }
    assert len(seen) == 4
    assert all(d.startswith("sha256-sampled:") for d in seen)


def test_a_read_only_folder_is_an_error_that_names_the_file(tmp_path):
    if os.geteuid() == 0:
        target = tmp_path / "file" / "a.txt"
        (tmp_path / "file").write_text("a file where a folder is needed")
        kind = FileExistsError
    else:
        target = tmp_path / "closed" / "a.txt"
        target.parent.mkdir(mode=0o500)
        kind = PermissionError
    with pytest.raises(kind) as caught, atomic_path(target) as path:
        path.write_text("x")
    assert str(target.parent) in str(caught.value.filename)
