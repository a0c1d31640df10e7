"""FITS and VOTable: read back by others, and written in little memory."""

from __future__ import annotations

import subprocess
import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from astropy import units
from astropy.io import fits
from astropy.io.votable import parse_single_table, validate
from astropy.table import Table

from morphosphere.artefacts.catalogue import Catalogue, CatalogueWriter
from morphosphere.tables import records
from morphosphere.tables.fits import write_fits
from morphosphere.tables.records import Layout
from morphosphere.tables.votable import write_votable

from .conftest import COUNT, Scene

WRITERS = {"fits": write_fits, "vot": write_votable}


@pytest.fixture(scope="module")
def catalogue(scene: Scene) -> Catalogue:
    return Catalogue(scene.output / "catalogue.parquet")


def _same(found: np.ndarray, wanted: np.ndarray, *, ascii_only: bool) -> None:
    if wanted.dtype == object:
        told = [x if isinstance(x, str) else x.decode() for x in np.asarray(found).tolist()]
        if ascii_only:
            wanted = [text.encode("ascii", "replace").decode() for text in wanted]
        assert told == list(wanted)
    else:
        assert np.asarray(found).dtype.kind == wanted.dtype.kind.replace("u", "i")
        np.testing.assert_array_equal(np.asarray(found), wanted)


def test_fits_holds_what_parquet_holds(scene: Scene, catalogue: Catalogue) -> None:
    path = scene.output / "catalogue.fits"
    with fits.open(path, checksum=True) as file:
        file.verify("exception")
        header, data = file[1].header, file[1].data
        assert len(data) == COUNT
        assert path.stat().st_size % 2880 == 0
        for name, values in catalogue.read(catalogue.columns).items():
            _same(data[name], values, ascii_only=True)
        for number, name in enumerate(catalogue.columns, 1):
            about = catalogue.about(name)
            assert header[f"TTYPE{number}"] == name
            assert header.get(f"TUCD{number}", "") == about.get("ucd", "")
            assert header.get(f"TUNIT{number}", "") == about.get("unit", "")
            assert header.get(f"TCOMM{number}", "") == about.get("description", "")
        assert header["MODELVER"] == catalogue.metadata["model_version"]
    assert Table.read(path)["ra"].unit == units.deg


def test_votable_holds_what_parquet_holds(scene: Scene, catalogue: Catalogue) -> None:
    table = parse_single_table(scene.output / "catalogue.vot", verify="exception")
    assert len(table.array) == table.nrows == COUNT
    for name, values in catalogue.read(catalogue.columns).items():
        found, about = table.get_field_by_id_or_name(name), catalogue.about(name)
        _same(table.array[name].data, values, ascii_only=False)
        assert (found.ucd or "") == about.get("ucd", "")
        assert str(found.unit or "") == about.get("unit", "")
        assert (found.description or "") == about.get("description", "")
    assert table.get_field_by_id_or_name("note").datatype == "unicodeChar"
    assert table.get_field_by_id_or_name("ra").ref == "icrs"


def test_the_schema_of_votable_is_kept(scene: Scene, tmp_path: Path) -> None:
    text = (scene.output / "catalogue.vot").read_bytes()
    assert text.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<VOTABLE')
    with open(tmp_path / "said", "w") as said:
        assert validate(str(scene.output / "catalogue.vot"), output=said, xmllint=False)


@pytest.mark.stilts
def test_votlint_finds_nothing_to_complain_of(scene: Scene) -> None:
    command = ["stilts", "-Djava.awt.headless=true", "votlint", "ucd=true", "unit=true"]
    said = subprocess.run(
        [*command, str(scene.output / "catalogue.vot")], capture_output=True, text=True, check=True
    )
    assert said.stdout + said.stderr == ""


@pytest.mark.stilts
def test_stilts_reads_the_same_from_both(scene: Scene, tmp_path: Path) -> None:
    """Units, UCDs and numbers, by software that is not ours nor astropy's."""
    seen = []
    for name in ("catalogue.fits", "catalogue.vot"):
        out = tmp_path / f"{name}.csv"
        read = ["stilts", "tpipe", f"in={scene.output / name}"]
        subprocess.run(
            [*read, f"out={out}", "cmd=delcols 'id note'"],
            check=True,
            capture_output=True,
        )
        told = subprocess.run(
            [*read, "cmd=meta name units ucd", "omode=out", "ofmt=csv"],
            check=True,
            capture_output=True,
            text=True,
        )
        seen.append((out.read_text(), told.stdout))
    assert seen[0] == seen[1]
    assert "ra,deg,pos.eq.ra;meta.main" in seen[0][1]


@pytest.mark.parametrize("kind", sorted(WRITERS))
def test_memory_does_not_grow_with_rows(kind: str, tmp_path: Path, monkeypatch) -> None:
    """Ten times the rows, of which a twentieth and a two-hundredth are in memory at a time."""
    monkeypatch.setattr(records, "ROWS", 500)
    peaks = []
    for count in (10_000, 100_000):
        catalogue = _write(tmp_path / f"{count}.parquet", count)
        layout = Layout.of(catalogue)
        WRITERS[kind](tmp_path / "warm", catalogue, Layout(layout.columns, count), "t")
        tracemalloc.start()
        before = pa.total_allocated_bytes()
        WRITERS[kind](tmp_path / f"out.{kind}", catalogue, layout, "t")
        arrow = pa.total_allocated_bytes() - before
        peaks.append(tracemalloc.get_traced_memory()[1] + arrow)
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
    size = (tmp_path / f"out.{kind}").stat().st_size
    assert peaks[1] < size / 4
    if kind == "fits":
        assert fits.getheader(tmp_path / "out.fits", 1)["NAXIS2"] == 100_000


def _write(path: Path, count: int) -> Catalogue:
    with CatalogueWriter(path) as out:
        for start in range(0, count, 1000):
            numbers = np.arange(start, start + 1000)
            ids = np.array([f"g{n:07d}" for n in numbers], dtype=object)
            out.append({"id": ids, **{f"c{k}": numbers * 1.5 for k in range(12)}})
    return Catalogue(path)
