"""The catalogue as HiPS: every galaxy once, at its place."""

from __future__ import annotations

import subprocess
from pathlib import Path

import hpgeom
import numpy as np
import pytest
from astropy import units
from astropy.io.votable import parse_single_table
from mocpy import MOC

from morphosphere.artefacts.catalogue import Catalogue

from .conftest import Scene

LAYERS = {"hips_sky": ("ra", "dec"), "hips_sphere": ("lon", "lat")}


def _properties(root: Path) -> dict[str, str]:
    lines = (root / "properties").read_text().splitlines()
    return {key.strip(): value.strip() for key, _, value in (x.partition("=") for x in lines)}


@pytest.mark.parametrize("layer", LAYERS)
def test_every_galaxy_with_a_place_is_in_one_tile_at_its_place(scene: Scene, layer: str) -> None:
    root, axes = scene.output / layer, LAYERS[layer]
    whole = Catalogue(scene.output / "catalogue.parquet").read(["id", "confidence", *axes])
    seen = {}
    for path in root.glob("Norder*/Dir*/Npix*.tsv"):
        order, tile = int(path.parts[-3][6:]), int(path.stem[4:])
        _, header, *lines = path.read_text().splitlines()
        names = header.split("\t")
        for line in lines:
            row = dict(zip(names, line.split("\t"), strict=True))
            place = [float(row[axis]) for axis in axes]
            assert hpgeom.angle_to_pixel(1 << order, *place) == tile
            assert row["id"] not in seen
            seen[row["id"]] = (order, float(row["confidence"]), int(row["row"]))
    known = np.isfinite(whole[axes[0]]) & np.isfinite(whole[axes[1]])
    assert set(seen) == {" ".join(name.split()) for name in whole["id"][known]}
    assert all(whole["id"][row] == name for name, (_, _, row) in seen.items())
    first = [chance for order, chance, _ in seen.values() if order == 0]
    assert max(first) == pytest.approx(whole["confidence"][known].max(), rel=1e-6)


def test_the_most_confident_of_a_tile_are_seen_first(scene: Scene) -> None:
    """On the sky the field is in few tiles of order 0, which show ten galaxies each."""
    roots = list((scene.output / "hips_sky" / "Norder0").glob("Dir0/*.tsv"))
    whole = Catalogue(scene.output / "catalogue.parquet").read(["id", "confidence", "ra", "dec"])
    known = np.isfinite(whole["ra"]) & np.isfinite(whole["dec"])
    tile = np.full(len(known), -1)
    tile[known] = hpgeom.angle_to_pixel(1, whole["ra"][known], whole["dec"][known])
    for path in roots:
        here = tile == int(path.stem[4:])
        best = np.sort(whole["confidence"][here])[::-1][:10]
        header, *lines = path.read_text().splitlines()[1:]
        column = header.split("\t").index("confidence")
        found = [float(line.split("\t")[column]) for line in lines]
        np.testing.assert_allclose(found, best, rtol=1e-6)


@pytest.mark.parametrize("layer", LAYERS)
def test_positions_are_told_by_ucd_and_by_no_other_column(scene: Scene, layer: str) -> None:
    table = parse_single_table(scene.output / layer / "metadata.xml")
    ucds = {field.name: field.ucd or "" for field in table.fields}
    told = {name: ucd for name, ucd in ucds.items() if ucd.startswith("pos.eq")}
    assert list(told) == list(LAYERS[layer])
    assert list(told.values()) == ["pos.eq.ra;meta.main", "pos.eq.dec;meta.main"]
    assert (scene.output / layer / "Metadata.xml").exists()


def test_the_first_view_and_the_coverage_are_those_of_the_field(scene: Scene) -> None:
    said = _properties(scene.output / "hips_sky")
    centre = float(said["hips_initial_ra"])
    assert min(centre, 360 - centre) < 0.5
    assert abs(float(said["hips_initial_dec"])) < 0.5
    assert 6 < float(said["hips_initial_fov"]) < 10
    moc = MOC.from_fits(scene.output / "hips_sky" / "Moc.fits")
    whole = Catalogue(scene.output / "catalogue.parquet").read(["ra", "dec"])
    known = np.isfinite(whole["ra"]) & np.isfinite(whole["dec"])
    inside = moc.contains_lonlat(*(whole[axis][known] * units.deg for axis in ("ra", "dec")))
    assert inside.all()
    assert 0 < moc.sky_fraction < 0.001
    assert float(said["moc_sky_fraction"]) == pytest.approx(moc.sky_fraction, rel=1e-4)
    assert _properties(scene.output / "hips_sphere")["moc_sky_fraction"] == "1.0"


@pytest.mark.hipsgen
@pytest.mark.parametrize("layer", LAYERS)
def test_hipsgen_finds_nothing_to_complain_of(scene: Scene, layer: str) -> None:
    command = ["java", "-Djava.awt.headless=true", "-Xmx256m", "-cp", "/usr/share/java/aladin.jar"]
    said = subprocess.run(
        [*command, "cds.allsky.HipsGen", f"out={scene.output / layer}", "LINT"],
        capture_output=True,
        text=True,
        check=True,
    )
    text = said.stdout + said.stderr
    assert "is fully IVOA HiPS 1.0 compatible" in text, text
    assert "tile test hierarchy" in text, text
    assert "*WARN*" not in text, text
    assert "*ERROR" not in text, text
