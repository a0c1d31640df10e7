"""Which software makes a result: revision and digest of the source, versions of packages."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import subprocess
from pathlib import Path

_PACKAGES = """
numpy scipy h5py astropy pyarrow pydantic mpi4py numba galsim pynbody torch lightning timm onnx
onnxruntime faiss-cpu healpy hpgeom mocpy simplejpeg pillow matplotlib requests astroquery snakemake
"""
_SOURCE = Path(__file__).parents[1]


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
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude", "*"],
            cwd=_SOURCE,
            capture_output=True,
            text=True,
            timeout=30,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return described.stdout.strip() or None


def source_digest() -> str:
    """Digest of the names and contents of all of the package's Python files.

    It tells two revisions apart where there is no git, and two states of one ``-dirty`` revision.
    """
    total = hashlib.sha256()
    for file in sorted(_SOURCE.rglob("*.py")):
        contents = file.read_bytes()
        total.update(f"{file.relative_to(_SOURCE).as_posix()} {len(contents)}\n".encode())
        total.update(contents)
    return f"sha256:{total.hexdigest()}"
