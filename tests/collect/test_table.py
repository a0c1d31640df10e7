import gzip

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy import units
from astropy.table import MaskedColumn, Table
from PIL import Image

from morphosphere.errors import InputError

BIG = 1237678620102623480


@pytest.fixture
def folder(tmp_path, galaxies):
    """Pictures 0001 .. 0003."""
    path = tmp_path / "pictures"
    path.mkdir()
    for i in (1, 2, 3):
        Image.fromarray(galaxies[i]).save(path / f"{i:04d}.png")
    return path


def full():
    """A table of all kinds of columns, in another order than the pictures."""
    table = Table()
    table["name"] = ["0003", "0001", "0002"]
    table["mass"] = MaskedColumn([3.5, 1.5, 0.0], mask=[0, 0, 1], unit=units.solMass)
    table["type"] = MaskedColumn([3, 1, 2], description="Hubble type")
    table["objid"] = [BIG + 3, BIG + 1, BIG + 2]
    table["barred"] = [True, False, True]
    table["class"] = MaskedColumn(["Sc", "E0", "none"], mask=[0, 0, 1])
    return table


def write(path, table):
    if path.suffix == ".parquet":
        frame = {n: pa.array(np.asarray(table[n]), mask=mask_of(table[n])) for n in table.colnames}
        pq.write_table(pa.table(frame), path)
    elif path.name.endswith(".csv.gz"):
        table.write(path.parent / "plain.csv", format="ascii.csv")
        path.write_bytes(gzip.compress((path.parent / "plain.csv").read_bytes()))
    else:
        kinds = {".csv": "ascii.csv", ".ecsv": "ascii.ecsv", ".vot": "votable", ".tsv": "ascii.tab"}
        table.write(path, format=kinds.get(path.suffix, "fits"))
    return str(path)


def mask_of(column):
    return np.asarray(getattr(column, "mask", np.zeros(len(column), dtype=bool)))


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "tsv", "ecsv", "fits", "vot", "parquet"])
def test_any_kind_of_table(tmp_path, run, folder, suffix):
    table = write(tmp_path / f"t.{suffix}", full())
    out = run(folder, table=table)
    assert out.ids == ["0001", "0002", "0003"]
    assert out.table["type"].tolist() == [1, 2, 3]
    assert out.table["objid"].tolist() == [BIG + 1, BIG + 2, BIG + 3]
    np.testing.assert_array_equal(out.table["mass"], [1.5, np.nan, 3.5])
    assert out.table["class"][[0, 2]].tolist() == ["E0", "Sc"]
    assert out.table["class"][1] in ("", "none")  # FITS has no masked strings
    if suffix not in ("csv", "csv.gz", "tsv"):
        assert out.table["barred"].tolist() == [0, 1, 1]
    assert out.rejects == []


@pytest.mark.parametrize("suffix", ["ecsv", "fits", "vot"])
def test_units_and_descriptions_are_kept(tmp_path, run, folder, suffix):
    from morphosphere.artefacts.imageset import ImageSet

    run(folder, table=write(tmp_path / f"t.{suffix}", full()))
    with ImageSet(tmp_path / "collected" / "images.h5") as images:
        assert images.column_attributes("mass")["unit"] == "solMass"
        if suffix != "fits":
            assert images.column_attributes("type")["description"] == "Hubble type"


def csv(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_text(text)
    return str(path)


def test_images_without_a_row_are_kept_and_rows_without_an_image_listed(
    tmp_path, run, folder, capsys
):
    table = csv(tmp_path, f"id,T,word,big\n0001,1,x,{BIG}\n0003,3,z,{BIG}\n0004,4,q,1\n")
    out = run(folder, table=table)
    assert out.ids == ["0001", "0002", "0003"]
    np.testing.assert_array_equal(out.table["T"], [1, np.nan, 3])
    assert out.table["word"].tolist() == ["x", "", "z"]
    assert out.table["big"].tolist() == [str(BIG), "", str(BIG)]  # float64 would round it
    assert out.rejects == [
        {"file": table, "id": "0004", "reason": "no image for this row of the table"}
    ]
    assert "1 images without a row of the table" in capsys.readouterr().err


def test_of_two_rows_the_first_counts(tmp_path, run, folder):
    out = run(folder, table=csv(tmp_path, "id,T\n0001,1\n0001,9\n0002,2\n0003,3\n"))
    assert out.table["T"].tolist() == [1, 2, 3]
    assert out.reasons == {"0001": "duplicate id: an earlier row of the table has it"}


def test_a_row_whose_image_is_faulty_is_listed_once(tmp_path, run, folder):
    (folder / "0002.png").write_bytes(b"")
    out = run(folder, table=csv(tmp_path, "id,T\n0001,1\n0002,2\n0003,3\n"))
    assert out.table["T"].tolist() == [1, 3]
    assert [row["reason"] for row in out.rejects] == ["the file is empty"]


def test_with_a_limit_the_other_rows_are_no_rejects(tmp_path, run, folder):
    out = run(folder, limit=2, table=csv(tmp_path, "id,T\n0001,1\n0002,2\n0003,3\n"))
    assert out.ids == ["0001", "0002"]
    assert out.rejects == []


def test_file_names_are_ids_too(tmp_path, run, folder):
    table = csv(tmp_path, "T,picture\n1,pictures/0001.png\n2,0002.png\n3,0003\n")
    assert run(folder, table=table, table_id="picture").table["T"].tolist() == [1, 2, 3]


def test_columns_are_chosen_and_numbers_that_mean_unknown_are_resolved(tmp_path, run, folder):
    table = csv(tmp_path, "id,T,B,x\n0001,1,-1,7\n0002,-1,0.5,7\n0003,3,-1,7\n")
    out = run(folder, table=table, columns=["T", "B"], missing={"B": -1})
    assert set(out.table) == {"image_id", "galaxy_id", "source", "file", "T", "B"}
    np.testing.assert_array_equal(out.table["B"], [np.nan, 0.5, np.nan])
    assert out.table["T"].tolist() == [1, -1, 3]


def test_names_that_are_taken_or_cannot_be(tmp_path, run, folder):
    table = csv(tmp_path, "id,source,a/b\n0001,x,1\n0002,y,2\n0003,z,3\n")
    out = run(folder, table=table)
    assert out.table["source"].tolist() == ["test"] * 3
    assert out.table["table_source"].tolist() == ["x", "y", "z"]
    assert out.table["a_b"].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "settings", "message"),
    [
        ("id,T\n1,2\n", {"table_id": "name"}, "no column 'name'; it has id, T"),
        ("id,T\n1,2\n", {"columns": ["T", "U"]}, "no column 'U'; it has id, T"),
        ("id,T\n1,2\n", {"missing": {"U": -1}}, "no column 'U'"),
        ("id,T\n1,2,3\n", {}, "cannot be read as a table"),
        ("", {}, "empty"),
        ("id,ra\n0001,2\n", {"name_columns": "(?P<ra>.)"}, "'ra' also comes from the file"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path, run, folder, text, settings, message):
    with pytest.raises(InputError, match=message) as caught:
        run(folder, table=csv(tmp_path, text), **settings)
    assert "t.csv" in str(caught.value)


def test_other_kinds_of_files(tmp_path, run, folder):
    (tmp_path / "t.xlsx").write_text("x")
    with pytest.raises(InputError, match=r"t\.xlsx: unknown kind of table"):
        run(folder, table=str(tmp_path / "t.xlsx"))
    (tmp_path / "t.fits").write_text("x")
    with pytest.raises(InputError, match=r"t\.fits: cannot be read as a table"):
        run(folder, table=str(tmp_path / "t.fits"))


def test_vectors_are_left_out_unless_asked_for(tmp_path, run, folder):
    table = full()
    table["spectrum"] = np.zeros((3, 5))
    path = write(tmp_path / "t.fits", table)
    assert "spectrum" not in run(folder, table=path).table
    with pytest.raises(InputError, match="'spectrum' is not one number or string per row"):
        run(folder, table=path, columns=["spectrum"])


def test_columns_from_names(tmp_path, run, galaxies):
    for name in ("ra1.5_dec-0.25_a", "ra20_dec+1_b", "other"):
        Image.fromarray(galaxies[0]).save(tmp_path / f"{name}.png")
    out = run(tmp_path, name_columns=r"ra(?P<ra>[-+.\d]+)_dec(?P<dec>[-+.\d]+)_(?P<field>\w)\.")
    assert out.ids == ["other", "ra1.5_dec-0.25_a", "ra20_dec+1_b"]
    np.testing.assert_array_equal(out.table["ra"], [np.nan, 1.5, 20])
    np.testing.assert_array_equal(out.table["dec"], [np.nan, -0.25, 1])
    assert out.table["field"].tolist() == ["", "a", "b"]


def test_a_survey_in_the_folder_of_its_table(tmp_path, run, folder):
    """A FITS or HDF5 table beside the images is not taken for one of them."""
    from astropy.io import fits

    fits.PrimaryHDU(np.eye(16)).writeto(tmp_path / "0001.fits")
    table = write(tmp_path / "t.fits", full())
    out = run(tmp_path, table=table, pattern="*.fits")
    assert out.ids == ["0001"]
    assert out.table["type"].tolist() == [1]
