"""Catalogues and stamps of drawn galaxies."""

from __future__ import annotations

from pathlib import Path

import pytest

from factories_sersic_real import write_catalogue, write_stamps


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """A RealGalaxyCatalog of two drawn galaxies, with its table of fits."""
    return write_catalogue(tmp_path / "catalogue")


@pytest.fixture
def stamps(tmp_path: Path) -> Path:
    """A folder with two stamps, their PSF and a table."""
    return write_stamps(tmp_path / "stamps")
