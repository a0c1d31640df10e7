"""A conda installation in a folder of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from conftest import skip_or_fail
from environments.channel import make_conda


@pytest.fixture(scope="session")
def conda(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the program `conda`, whose channel holds the Python of the environments."""
    if sys.version_info[:2] != (3, 11) or sys.platform != "linux":
        pytest.skip("the channel is made from the Python that runs the tests; it has to be 3.11")
    return make_conda(tmp_path_factory.mktemp("conda"))


@pytest.fixture(scope="session")
def package_index(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skips where pip reaches no package index."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "six==1.17.0"]
    folder = tmp_path_factory.mktemp("download")
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=300)
    if done.returncode:
        skip_or_fail("pip reaches no package index")
