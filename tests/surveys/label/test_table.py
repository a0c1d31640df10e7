"""A table of labels beside the images, by id and by position, with all its faults."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.table import MaskedColumn, Table

ARCSEC = 1 / 3600


def write(folder, **columns):
    path = folder / "labels.csv"
    Table(columns).write(path, overwrite=True)
    return str(path)


def settings(by_type, path, **more):
    return {**by_type, "table": {"path": path, **more}}


def test_rows_belong_to_images_by_id_with_or_without_the_surveys_name(surveys, by_type):
    surveys.labelled(x=[0.0] * 5)
    surveys.target(x=[0.0])
    path = write(surveys.folder, name=["3", "1", "A_2", "0", "9"], T=[2.0, -4.0, 3.0, -5.0, 2.0])
    assert surveys.run(settings(by_type, path, id="name")) == 0
    np.testing.assert_array_equal(surveys.table("labelled")["label"], [0, 0, 1, 1, np.nan])
    assert [(r["survey"], r["id"], r["reason"]) for r in surveys.lines("rejects")] == [
        ("labelled", "A_4", "no row in the table"),
        ("table", "9", "label without an image"),
    ]


def test_ids_that_stand_twice_count_if_they_agree(surveys, by_type):
    surveys.labelled(x=[0.0] * 5)
    surveys.target(x=[0.0])
    ids, types = ["0", "1", "2", "3", "4", "0", "4"], [-5.0, -4.0, 2.0, 3.0, 3.0, -5.0, -5.0]
    path = write(surveys.folder, name=ids, T=types)
    assert surveys.run(settings(by_type, path)) == 0
    np.testing.assert_array_equal(surveys.table("labelled")["label"], [0, 0, 1, 1, np.nan])
    assert [(r["survey"], r["id"], r["reason"]) for r in surveys.lines("rejects")] == [
        ("labelled", "A_4", "stands twice in the table, with different labels"),
        ("table", "0", "stands twice, with the same label"),
        ("table", "4", "stands twice, with different labels"),
    ]


@pytest.mark.parametrize("suffix", ["fits", "ecsv", "vot"])
def test_masked_values_are_no_labels(surveys, by_type, suffix):
    surveys.labelled(x=[0.0] * 5)
    surveys.target(x=[0.0])
    types = MaskedColumn([-5, -4, 2, 3, -5], mask=[False] * 4 + [True])
    name = f"labels.{suffix}"
    table = Table({"name": [f"A_{k}" for k in range(5)], "T": types})
    form = {"vot": "votable"}.get(suffix)
    table.write(surveys.folder / name, **({"format": form} if form else {}))
    assert surveys.run(settings(by_type, str(surveys.folder / name))) == 0
    np.testing.assert_array_equal(surveys.table("labelled")["label"], [0, 0, 1, 1, np.nan])
    (reject,) = surveys.lines("rejects")
    assert reject["reason"] == "no value of T"


def test_columns_of_the_images_can_be_used_with_those_of_the_table(surveys, by_type):
    surveys.labelled(r=[15.0, 15, 15, 15, 19], T=[9.0] * 5)
    surveys.target(x=[0.0])
    path = write(surveys.folder, name=[f"A_{k}" for k in range(5)], T=[-5.0, -4, 2, 3, 4])
    assert surveys.run({**settings(by_type, path), "confident": "r < 17"}) == 0
    table = surveys.table("labelled")
    np.testing.assert_array_equal(table["label"], [0, 0, 1, 1, 1])  # the table's T
    np.testing.assert_array_equal(table["confident_label"], [1, 1, 1, 1, 0])


def test_rows_belong_to_images_by_position(surveys, by_type):
    surveys.labelled(ra=[10.0, 20.0, 30.0, 40.0, 50.0, np.nan], dec=[0.0] * 6)
    surveys.target(x=[0.0])
    path = write(
        surveys.folder,
        RAJ=[40.0, 30.0, 20.0, 10.0, 50.0, 50.0, 90.0],
        DEJ=[0.0, 0.3 * ARCSEC, 0, 0, 0.4 * ARCSEC, -0.4 * ARCSEC, 0],
        T=[2.0, 3.0, -4.0, -5.0, 2.0, 2.0, 2.0],
    )
    assert surveys.run(settings(by_type, path, by="position", ra="RAJ", dec="DEJ")) == 0
    expected = [0, 0, 1, 1, np.nan, np.nan]
    np.testing.assert_array_equal(surveys.table("labelled")["label"], expected)
    assert [(r["survey"], r["id"], r["reason"]) for r in surveys.lines("rejects")] == [
        ("labelled", "A_4", "several rows of the table within the radius"),
        ("labelled", "A_5", "no position"),
        ("table", "90.0", "label without an image"),
    ]


def test_the_nearest_row_counts_if_it_is_asked_for(surveys, by_type):
    surveys.labelled(ra=[10.0, 20.0, 30.0, 40.0], dec=[0.0] * 4)
    surveys.target(x=[0.0])
    path = write(
        surveys.folder,
        n=[1, 2, 3, 4, 5],
        ra=[10.0, 10.0, 20.0, 30.0, 40.0],
        dec=[0.1 * ARCSEC, 0.2 * ARCSEC, 0, 0, 0],
        T=[-5.0, 2.0, -5.0, 2.0, 2.0],
    )
    given = settings(by_type, path, by="position") | {"ambiguous": "nearest"}
    assert surveys.run(given) == 0
    np.testing.assert_array_equal(surveys.table("labelled")["label"], [0, 0, 1, 1])


@pytest.mark.parametrize(
    ("columns", "more", "said"),
    [
        ({"name": ["u", "v"], "T": [1.0, 2.0]}, {}, "none of its 2 rows is with the id of"),
        ({"name": ["0"], "S": [1.0]}, {}, "no column 'T' for classes.early.where"),
        ({"name": ["0"], "T": [1.0]}, {"id": "nam"}, "no column 'nam'"),
        ({"name": ["0"], "T": [1.0]}, {"by": "position"}, "no column 'ra'"),
        ({"ra": ["x"], "dec": [0.0], "T": [1.0]}, {"by": "position"}, "holds text, not degrees"),
        ({"ra": [99.0], "dec": [0.0], "T": [1.0]}, {"by": "position"}, "within the radius of"),
    ],
)
def test_tables_that_cannot_be_used(surveys, by_type, capsys, columns, more, said):
    surveys.labelled(ra=[10.0, 20.0], dec=[0.0] * 2)
    surveys.target(x=[0.0])
    assert surveys.run(settings(by_type, write(surveys.folder, **columns), **more)) == 1
    text = capsys.readouterr().err
    assert said in text
    assert "Traceback" not in text


def test_a_table_that_is_not_there(surveys, by_type, capsys):
    surveys.labelled(x=[0.0])
    surveys.target(x=[0.0])
    assert surveys.run(settings(by_type, str(surveys.folder / "no.csv"))) == 1
    assert "no.csv: no such file" in capsys.readouterr().err


def test_by_position_images_need_positions(surveys, by_type, capsys):
    surveys.labelled(x=[0.0])
    surveys.target(x=[0.0])
    path = write(surveys.folder, ra=[10.0], dec=[0.0], T=[1.0])
    assert surveys.run(settings(by_type, path, by="position")) == 1
    assert "cannot be matched by position" in capsys.readouterr().err
