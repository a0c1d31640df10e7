"""Environments of the peers, made on first use: ``.venv-peers/<name>`` from ``<name>.txt`` here."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from morphosphere.progress import log

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / ".venv-peers"
#: Oldest Python of each environment.
OLDEST = {"peers": (3, 11), "spherinator": (3, 12)}


class MissingPeer(Exception):
    """A peer that cannot be measured here, and why."""


@cache
def python_of(name: str) -> Path:
    """The interpreter of an environment; installed if it is not there or its pins have changed.

    Raises
    ------
    MissingPeer
        If there is no Python new enough, or the packages do not install.
    """
    pins = Path(__file__).with_name(f"{name}.txt")
    digest = hashlib.sha256(pins.read_bytes()).hexdigest()
    folder = PLACE / name
    python, done = folder / "bin" / "python", folder / "installed"
    if done.is_file() and done.read_text() == digest:
        return python
    base = _newest(OLDEST[name])
    log(f"benchmark peers: installing the environment {name} ({base.name}); minutes, once")
    shutil.rmtree(folder, ignore_errors=True)
    for words in (
        [base, "-m", "venv", folder],
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", pins],
    ):
        run = subprocess.run(list(map(str, words)), capture_output=True, text=True)
        if run.returncode:
            why = (run.stderr.strip().splitlines() or ["no message"])[-1]
            raise MissingPeer(f"the environment {name} does not install: {why}")
    done.write_text(digest)
    return python


def _newest(oldest: tuple[int, int]) -> Path:
    """A Python that is new enough: this one, or one of the system or of pyenv."""
    if sys.version_info[:2] >= oldest:
        return Path(sys.executable)
    names = [f"python3.{minor}" for minor in range(oldest[1], oldest[1] + 4)]
    found = [Path(path) for name in names if (path := shutil.which(name))]
    roots = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found += sorted(path for name in names for path in roots.glob(f"*/bin/{name}"))
    for path in found:
        runs = subprocess.run([path, "--version"], capture_output=True)
        if not runs.returncode:
            return path
    raise MissingPeer(f"needs Python {'.'.join(map(str, oldest))} or newer; none was found")
