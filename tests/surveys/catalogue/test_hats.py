"""Partitions on the sky: read back by the library of the format."""

from __future__ import annotations

import hats
import numpy as np
import pyarrow.parquet as pq
import pytest
from hats.io.validation import is_valid_catalog
from hats.pixel_math.spatial_index import compute_spatial_index

from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.surveys.catalogue.hats import LAST_ORDER, partitions, write_hats

from .conftest import COUNT, LIMIT, Scene


@pytest.fixture(scope="module")
def opened(scene: Scene):
    return hats.read_hats(scene.output / "hats")


def test_hats_finds_it_valid(scene: Scene, opened) -> None:
    assert is_valid_catalog(scene.output / "hats", strict=True)
    assert opened.catalog_info.total_rows == COUNT - 3
    assert opened.catalog_info.hats_max_rows <= LIMIT
    assert len(opened.get_healpix_pixels()) > 2
    assert opened.schema.field("ra").metadata[b"ucd"] == b"pos.eq.ra;meta.main"


def test_every_row_with_a_position_is_in_the_partition_of_its_place(scene: Scene, opened) -> None:
    found = {}
    for pixel in opened.get_healpix_pixels():
        rows = opened.read_pixel_to_pandas(pixel)
        assert 0 < len(rows) <= LIMIT
        index = compute_spatial_index(rows["ra"].to_numpy(), rows["dec"].to_numpy())
        np.testing.assert_array_equal(rows["_healpix_29"], index)
        assert (np.diff(index) >= 0).all()
        assert set(index >> (2 * (29 - pixel.order))) == {pixel.pixel}
        found.update(zip(rows["id"], zip(rows["p_smooth"], rows["note"])))
    whole = Catalogue(scene.output / "catalogue.parquet").read(
        ["id", "p_smooth", "note", "ra", "dec"]
    )
    known = np.isfinite(whole["ra"]) & np.isfinite(whole["dec"])
    wanted = zip(whole["id"][known], zip(whole["p_smooth"][known], whole["note"][known]))
    assert found == dict(wanted)


def test_partitions_are_the_coarsest_that_hold_no_more_than_the_limit() -> None:
    random = np.random.default_rng(0)
    places = np.sort(random.integers(0, 12 << 58, 1000))
    cells = partitions(places, 30)
    assert sum(count for _, _, count in cells) == 1000
    assert max(count for _, _, count in cells) <= 30
    for order, pixel, _ in cells:
        if order:
            parent = places >> (2 * (29 - order + 1)) == pixel >> 2
            assert parent.sum() > 30
    assert len(partitions(places, 1000)) == 12


def test_galaxies_at_one_place_stay_together() -> None:
    assert partitions(np.full(50, 5 << 40), 10) == [(LAST_ORDER, (5 << 40) >> 20, 50)]


def test_a_second_writing_gives_the_same_bytes(scene: Scene, tmp_path) -> None:
    write_hats(
        tmp_path / "hats", scene.output / "catalogue.parquet", title="Galaxy classes", limit=LIMIT
    )
    files = [p for p in (scene.output / "hats").rglob("*") if p.is_file()]
    assert len(files) > 6
    for path in files:
        other = tmp_path / "hats" / path.relative_to(scene.output / "hats")
        assert other.read_bytes() == path.read_bytes()


def test_memory_is_that_of_a_partition(scene: Scene) -> None:
    """Each file has the rows of one partition in one group, whatever the number of batches."""
    files = sorted((scene.output / "hats" / "dataset").rglob("Npix=*.parquet"))
    assert [pq.ParquetFile(path).num_row_groups for path in files] == [1] * len(files)
    assert not (scene.output / "hats" / ".rows").exists()
