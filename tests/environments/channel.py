"""A conda installation for tests: a channel with Python and pip, and a program to ask for them."""

from __future__ import annotations

import asyncio
import hashlib
import importlib.metadata
import io
import json
import platform
import shlex
import sys
import tarfile
from pathlib import Path

import rattler

_PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
_STAND_IN = Path(__file__).with_name("conda.py")

# Sourced as `source bin/activate PREFIX`, like conda's own.
_ACTIVATE = """eval "$({root}/bin/conda shell.posix activate "$1")"\n"""


def make_conda(root: Path) -> Path:
    """Make an installation of the stand-in for conda; its channel is `conda-forge`.

    Returns
    -------
    pathlib.Path
        The folder with the program `conda`, for the PATH.
    """
    channel = root / "channels" / "conda-forge"
    _python_package(channel)
    _pip_package(channel)
    asyncio.run(rattler.index.index_fs(channel))
    programs = root / "bin"
    programs.mkdir()
    command = shlex.join([sys.executable, str(_STAND_IN), str(root)])
    (programs / "conda").write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    (programs / "conda").chmod(0o755)
    (programs / "activate").write_text(_ACTIVATE.format(root=shlex.quote(str(root))))
    return programs


def _python_package(channel: Path) -> None:
    """The Python that runs the tests, without what is installed beside it.

    It is linked, not copied: ``pyvenv.cfg`` tells it where its standard library is, and that its
    prefix is the environment.
    """
    base = Path(sys.base_prefix) / "bin"
    files = {
        "pyvenv.cfg": f"home = {base}\ninclude-system-site-packages = false\n".encode(),
        f"lib/{_PYTHON}/site-packages/README.txt": b"Packages of this environment.\n",
    }
    links = {f"bin/{_PYTHON}": str(base / _PYTHON), "bin/python3": _PYTHON, "bin/python": _PYTHON}
    index = {"name": "python", "version": platform.python_version(), "depends": []}
    _write(channel / str(rattler.Subdir.current()), index, files, links)


def _pip_package(channel: Path) -> None:
    """The pip that is installed beside the Python that runs the tests, as a noarch package."""
    pip = importlib.metadata.distribution("pip")
    files = {
        f"site-packages/{file}": file.read_binary()
        for file in pip.files
        if not file.parts[0].startswith("..") and file.suffix != ".pyc"
    }
    noarch = {"type": "python", "entry_points": ["pip = pip._internal.cli.main:main"]}
    index = {"name": "pip", "version": pip.version, "depends": ["python"], "noarch": "python"}
    _write(channel / "noarch", index, files, {}, noarch)


def _write(
    folder: Path,
    index: dict,
    files: dict[str, bytes],
    links: dict[str, str],
    noarch: dict | None = None,
) -> None:
    folder.mkdir(parents=True)
    build = {"build": "0", "build_number": 0, "subdir": folder.name}
    paths = [
        {
            "_path": path,
            "path_type": "hardlink",
            "sha256": hashlib.sha256(content).hexdigest(),
            "size_in_bytes": len(content),
        }
        for path, content in files.items()
    ] + [{"_path": path, "path_type": "softlink"} for path in links]
    members = {
        "info/index.json": json.dumps({**index, **build}).encode(),
        "info/paths.json": json.dumps({"paths_version": 1, "paths": paths}).encode(),
        **files,
    }
    if noarch:
        link = {"noarch": noarch, "package_metadata_version": 1}
        members["info/link.json"] = json.dumps(link).encode()
    with tarfile.open(folder / f"{index['name']}-{index['version']}-0.tar.bz2", "w:bz2") as archive:
        for path, content in members.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
        for path, target in links.items():
            entry = tarfile.TarInfo(path)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
