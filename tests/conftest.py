"""What tests have in common: real data, and parts of the system that may be missing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

from disks import can_mount

ROOT = Path(__file__).resolve().parents[1]
HIPSGEN_JAR = Path("/usr/share/java/aladin.jar")


def _required() -> bool:
    return os.environ.get("MORPHOSPHERE_REQUIRE") == "all"


def skip_or_fail(reason: str) -> NoReturn:
    """Skip for want of something; fail where all parts are required."""
    if _required():
        pytest.fail(f"MORPHOSPHERE_REQUIRE=all, but {reason}", pytrace=False)
    pytest.skip(reason)


def _missing_part(marker: str) -> str | None:
    if marker == "chromium" and not shutil.which("chromium"):
        return "chromium is not installed (Debian package chromium)"
    if marker == "hipsgen" and not (HIPSGEN_JAR.exists() and shutil.which("java")):
        return "Aladin's Hipsgen is not installed (Debian packages aladin and default-jre-headless)"
    if marker == "mounts" and not can_mount():
        return "this system does not let us mount a disk in a namespace of our own (unshare)"
    if marker == "compiler" and not shutil.which(os.environ.get("CXX", "g++")):
        return "there is no C++ compiler (Debian package g++)"
    if marker == "stilts" and not shutil.which("stilts"):
        return "STILTS is not installed (Debian package stilts)"
    if marker == "slurm" and not shutil.which("slurmctld"):
        return "Slurm is not installed (Debian packages slurm-wlm and munge)"
    return None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose part of the system is missing; fail it where all parts are required."""
    for marker in ("chromium", "compiler", "hipsgen", "mounts", "slurm", "stilts"):
        if item.get_closest_marker(marker) and (reason := _missing_part(marker)):
            skip_or_fail(reason)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real data; tests that use it are skipped where it is not."""
    folder = Path(os.environ.get("MORPHOSPHERE_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        skip_or_fail(f"no real data at {folder.name}; set MORPHOSPHERE_DATA")
    return folder
