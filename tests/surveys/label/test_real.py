"""The EFIGI catalogue as the labelled survey, Stripe 82 as the other."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from morphosphere.artefacts.imageset import ImageSet
from morphosphere.collect.__main__ import main as collect
from morphosphere.surveys.label.__main__ import main

CLASSES = {"elliptical": {"where": "T <= -4"}, "spiral": {"where": "1 <= T <= 7"}}


@pytest.fixture
def surveys(real_data, tmp_path):
    """Small pictures of the first galaxies of both."""
    given = {
        "efigi": {"path": str(real_data / "efigi" / "images"), "limit": 300},
        "stripe82": {
            "path": str(real_data / "stripe82"),
            "name_columns": r"ra(?P<ra>[-+.\d]+)_dec(?P<dec>[-+.\d]+)\.jpg",
            "limit": 60,
        },
    }
    for name, settings in given.items():
        settings |= {"bands": ["i", "r", "g"], "size": 16}
        words = ["--name", name, "--settings", json.dumps(settings), "--workers", "1"]
        assert collect([*words, "--output", str(tmp_path / name)]) == 0
    return tmp_path


def test_ellipticals_and_spirals_of_efigi_by_their_table(surveys, real_data):
    path = real_data / "efigi" / "attributes.csv"
    settings = {
        "classes": CLASSES, "type": "T", "overlap": False, "table": {"path": str(path)}
    }  # fmt: skip
    output = surveys / "labels"
    words = ["--settings", json.dumps(settings), "--output", output]
    for survey, name in (("labelled", "efigi"), ("target", "stripe82")):
        words += [f"--{survey}", surveys / name / "images.h5"]
    assert main([str(word) for word in words]) == 0
    with open(path, newline="") as handle:
        types = {row["PGCname"]: float(row["T"]) for row in csv.DictReader(handle)}
    with ImageSet(output / "labelled.h5") as images:
        found = images.table()
    known = [types.get(name.removeprefix("efigi_"), np.nan) for name in found["image_id"]]
    np.testing.assert_array_equal(found["type"], known)
    for row, t in zip(found["label"], known):
        want = 0 if t <= -4 else 1 if 1 <= t <= 7 else np.nan
        assert row == want or (np.isnan(row) and np.isnan(want))
    report = json.loads((output / "report.json").read_text())
    unlabelled = int(np.isnan(found["label"]).sum())
    assert sum(report["rejects"]["labelled"].values()) == unlabelled
    # Rows of the table of which no picture was taken are told as well.
    assert report["rejects"]["table"]["label without an image"] > len(types) - 300
