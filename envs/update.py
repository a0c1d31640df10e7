"""Write the rules' conda environments from the one lock file.

Each environment lists what its rules import, pinned to the versions of ``requirements.lock``.
Run it after the lock changes; a test fails when they drift apart.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = "3.11"

_GROUND = "numpy scipy pydantic pyyaml rich h5py pyarrow astropy mpi4py mpich"
ENVIRONMENTS = {
    "download": "numpy pydantic pyyaml rich h5py astropy requests astroquery pillow",
    "simulations": f"{_GROUND} pynbody galsim threadpoolctl",
    "surveys": f"{_GROUND} pillow simplejpeg",
    "learning": f"{_GROUND} torch torchvision timm lightning torchmetrics onnx onnxruntime "
    "onnxscript faiss-cpu scikit-learn threadpoolctl healpy hpgeom matplotlib pillow",
    "map": f"{_GROUND} numba threadpoolctl onnxruntime healpy hpgeom mocpy matplotlib pillow "
    "simplejpeg",
}


def pins() -> dict[str, str]:
    """Package name to pinned version for the environments' Python, from the lock file."""
    found = {}
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        match = re.match(r"([a-z0-9.\-_]+)==([^ ;]+)(?: ; (.*))?", line)
        if match and _applies(match[3] or ""):
            found[match[1]] = match[2]
    return found


def _applies(marker: str) -> bool:
    older = re.search(r"python_full_version (<|>=) '(\d+)\.(\d+)'", marker)
    if not older:
        return True
    asked = (int(older[2]), int(older[3]))
    mine = tuple(map(int, PYTHON.split(".")))
    return mine < asked if older[1] == "<" else mine >= asked


def environment(name: str) -> str:
    """The text of one environment file."""
    known = pins()
    lines = [
        f"# Written by envs/update.py from requirements.lock; for rules that need: {name}.",
        "channels:",
        "  - conda-forge",
        "  - nodefaults",
        "dependencies:",
        f"  - python={PYTHON}",
        "  - pip",
        "  - pip:",
        *(f"      - {package}=={known[package]}" for package in ENVIRONMENTS[name].split()),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for name in ENVIRONMENTS:
        (ROOT / "envs" / f"{name}.yaml").write_text(environment(name))
    sys.exit()
