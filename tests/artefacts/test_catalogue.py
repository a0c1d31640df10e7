import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from morphosphere.artefacts.catalogue import Catalogue, CatalogueWriter
from morphosphere.errors import InputError


def rows(start, count):
    number = np.arange(start, start + count)
    return {
        "image_id": np.array([f"a_{i}" for i in number], dtype=object),
        "lon": number.astype(float),
        "flip": number % 2 == 0,
        "T": np.where(number % 3 == 0, np.nan, number),
        "features": np.outer(number, np.ones(4)).astype(np.float32),
        "neighbours": np.outer(number, np.ones(2, dtype=np.int64)),
    }


def write(path, pieces=(5, 3), metadata=None):
    about = {"T": {"description": "Hubble type", "ucd": "src.morph.type"}}
    start = 0
    with CatalogueWriter(path, metadata) as out:
        for count in pieces:
            out.append(rows(start, count), about)
            start += count
    return path


def write_unequal(path):
    with CatalogueWriter(path) as out:
        out.append(rows(0, 1))
        out.append({**rows(1, 2), "lon": np.zeros(3)})


def test_rows_come_back(tmp_path):
    catalogue = Catalogue(write(tmp_path / "c.parquet", metadata={"run": "demo"}))
    assert len(catalogue) == 8
    assert catalogue.metadata["run"] == "demo"
    assert catalogue.columns == list(rows(0, 1))
    assert catalogue.properties == ["lon", "T"]
    values = catalogue.read(catalogue.columns)
    for name, expected in rows(0, 8).items():
        np.testing.assert_array_equal(values[name], expected, err_msg=name)
    batches = list(catalogue.batches(["image_id", "features"], 3))
    assert [len(b["image_id"]) for b in batches] == [3, 3, 2]
    np.testing.assert_array_equal(
        np.concatenate([b["features"] for b in batches]), values["features"]
    )


def test_columns_say_what_they_are_to_any_reader(tmp_path):
    schema = pq.read_schema(write(tmp_path / "c.parquet"))
    assert schema.field("lon").metadata[b"unit"] == b"deg"
    assert schema.field("lon").metadata[b"ucd"].startswith(b"pos.eq.ra")
    catalogue = Catalogue(tmp_path / "c.parquet")
    assert catalogue.about("T") == {"description": "Hubble type", "ucd": "src.morph.type"}
    assert pa.types.is_fixed_size_list(schema.field("features").type)


def test_a_catalogue_without_rows_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no rows"), CatalogueWriter(tmp_path / "c.parquet"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_error_leaves_the_earlier_catalogue(tmp_path):
    path = write(tmp_path / "c.parquet")
    with pytest.raises(pa.ArrowInvalid):
        write_unequal(path)
    assert len(Catalogue(path)) == 8
    assert [p.name for p in tmp_path.iterdir()] == ["c.parquet"]


def test_files_that_are_no_catalogues(tmp_path):
    with pytest.raises(InputError, match="cannot be read as a Catalogue"):
        Catalogue(tmp_path / "missing.parquet")
    path = write(tmp_path / "c.parquet")
    (tmp_path / "cut.parquet").write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"cut\.parquet: cannot be read"):
        Catalogue(tmp_path / "cut.parquet")
    pq.write_table(pa.table({"x": [1]}), tmp_path / "other.parquet")
    with pytest.raises(InputError, match="not a Catalogue; run the predict stage"):
        Catalogue(tmp_path / "other.parquet")
    with pytest.raises(InputError, match="no column 'colour'"):
        Catalogue(path).read(["lon", "colour"])
