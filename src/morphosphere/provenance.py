"""What a stage was run with: the record that stands beside every result.

Each stage writes one ``run.json``: its slice of the configuration, digests of its inputs, package
versions, git revision, seed, run time and peak memory. The report shows them.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from morphosphere import __version__
from morphosphere.files import digest, write_json

_PACKAGES = """
numpy scipy h5py astropy pyarrow pydantic mpi4py numba galsim pynbody torch lightning timm onnx
onnxruntime faiss-cpu healpy hpgeom mocpy simplejpeg pillow matplotlib snakemake
"""


class RunRecord:
    """Collects one stage's provenance while it runs.

    Parameters
    ----------
    stage : str
        Name of the stage, for example ``render``.
    settings : dict
        The stage's slice of the configuration.
    seed : int or None
        The seed that the stage was given.
    """

    def __init__(self, stage: str, settings: dict[str, Any], seed: int | None) -> None:
        self.stage = stage
        self.settings = settings
        self.seed = seed
        self.notes: dict[str, Any] = {}
        self._inputs: dict[str, str] = {}
        self._started = time.monotonic()
        self._date = datetime.datetime.now(datetime.UTC)

    def inputs(self, paths: Iterable[str | Path]) -> None:
        """Add the digests of input files (folders: of every file below them)."""
        for path in map(Path, paths):
            files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
            self._inputs.update({str(file): digest(file) for file in files})

    def note(self, **values: Any) -> None:
        """Add facts worth keeping: counts of galaxies, of rejects, of epochs."""
        self.notes.update(values)

    def write(self, path: str | Path) -> None:
        """Write the record as JSON."""
        write_json(
            path,
            {
                "stage": self.stage,
                "morphosphere": __version__,
                "git_revision": git_revision(),
                "date": self._date.isoformat(timespec="seconds"),
                "seed": self.seed,
                "settings": self.settings,
                "inputs": self._inputs,
                "notes": self.notes,
                "seconds": round(time.monotonic() - self._started, 3),
                "peak_memory_mib": round(peak_memory_mib(), 1),
                "python": platform.python_version(),
                "environment": sys.prefix,
                "platform": platform.platform(),
                "packages": package_versions(),
            },
        )


def peak_memory_mib() -> float:
    """Largest resident memory of this process so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def package_versions() -> dict[str, str]:
    """Versions of the packages that results depend on, as far as they are installed."""
    versions = {}
    for name in _PACKAGES.split():
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def git_revision() -> str | None:
    """Revision of the source tree, with ``-dirty`` for uncommitted changes; None outside git."""
    folder = Path(__file__).parent
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude", "*"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=30,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return described.stdout.strip() or None
