"""Write the rules' conda environments from the one lock file.

Each environment lists what its rules import and all that those packages need in turn, pinned to
the versions of ``requirements.lock``, so that it is the same wherever and whenever it is created.
What a package needs is read from the metadata of the installed packages, without the network; so
this runs in the environment that was installed from the lock, with Python 3.11 on Linux.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PYTHON = "3.11"

_GROUND = "numpy scipy pydantic pyyaml rich h5py pyarrow astropy mpi4py mpich"
ENVIRONMENTS = {
    "download": "numpy pydantic pyyaml rich h5py pyarrow astropy requests urllib3 astroquery "
    "pillow matplotlib",
    "simulations": f"{_GROUND} pynbody galsim threadpoolctl numba pandas statmorph photutils",
    "surveys": f"{_GROUND} pillow simplejpeg pandas numba",
    "learning": f"{_GROUND} torch torchvision timm lightning torchmetrics onnx onnxruntime "
    "onnxscript faiss-cpu scikit-learn umap-learn threadpoolctl healpy hpgeom matplotlib pillow "
    "pytreegrav galsim numba",
    "map": f"{_GROUND} numba threadpoolctl onnxruntime healpy hpgeom mocpy matplotlib pillow "
    "simplejpeg",
}

# Where the environments are meant for; conda takes the newest patch release of its Python.
TARGET = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": f"{PYTHON}.14",
    "python_version": PYTHON,
    "sys_platform": "linux",
}


def pins() -> dict[str, Requirement]:
    """The lock's line for each package that Linux on x86-64 and the environments' Python need."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    found = map(Requirement, (line for line in lines if line and not line.startswith("#")))
    return {canonicalize_name(pin.name): pin for pin in found if _applies(pin)}


def _applies(requirement: Requirement, extra: str = "") -> bool:
    return not requirement.marker or requirement.marker.evaluate({**TARGET, "extra": extra})


def closure(packages: list[str]) -> list[str]:
    """Names of the packages and of all that they need in turn, sorted.

    Raises
    ------
    SystemExit
        A package that is needed is not in the lock, or not installed in the lock's version, or the
        lock's version is outside the bounds that another package sets.
    """
    known = pins()
    todo, done = _wanted(map(Requirement, packages)), set()
    while todo:
        name, extra = todo.pop()
        if (name, extra) in done:
            continue
        done.add((name, extra))
        if name not in known:
            raise SystemExit(f"error: {name} is not in requirements.lock; run `make lock`")
        needed = [need for need in _needs(name, known[name]) if _applies(need, extra)]
        for need in needed:
            pin = known.get(canonicalize_name(need.name))
            if pin and not need.specifier.contains(version(pin), prereleases=True):
                raise SystemExit(f"error: {name} needs {need}, but requirements.lock has {pin}")
        todo += _wanted(needed)
    return sorted({name for name, _ in done})


def _wanted(requirements: Iterable[Requirement]) -> list[tuple[str, str]]:
    return [
        (canonicalize_name(wanted.name), extra)
        for wanted in requirements
        for extra in ("", *wanted.extras)
    ]


def _needs(name: str, pin: Requirement) -> list[Requirement]:
    try:
        found = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        found = None
    if found is None or found.version != version(pin):
        raise SystemExit(
            f"error: {pin} is not installed here{f' ({found.version} is)' if found else ''};"
            f" install requirements.lock with Python {PYTHON} on Linux first"
        )
    return [Requirement(line) for line in found.requires or []]


def version(pin: Requirement) -> str:
    """The version that a line of the lock pins."""
    (specifier,) = pin.specifier
    return specifier.version


def environment(name: str) -> str:
    """The text of one environment file."""
    known = pins()
    direct = ENVIRONMENTS[name].split()
    indirect = [package for package in closure(direct) if package not in direct]
    lines = [
        f"# Written by envs/update.py from requirements.lock; for rules that need: {name}.",
        "channels:",
        "  - conda-forge",
        "  - nodefaults",
        "dependencies:",
        f"  - python={PYTHON}",
        "  - pip",
        "  - pip:",
        "      # what the rules import",
        *(f"      - {_line(known[package])}" for package in direct),
        "      # what that needs",
        *(f"      - {_line(known[package])}" for package in indirect),
    ]
    return "\n".join(lines) + "\n"


def _line(pin: Requirement) -> str:
    # Python is known here, the platform is not: others leave out what is only for Linux.
    platform = pin.marker and any(word in str(pin.marker) for word in ("sys_", "platform_machine"))
    return f"{pin.name}=={version(pin)}" + (f" ; {pin.marker}" if platform else "")


if __name__ == "__main__":
    texts = {name: environment(name) for name in ENVIRONMENTS}
    for name, text in texts.items():
        (ROOT / "envs" / f"{name}.yaml").write_text(text)
