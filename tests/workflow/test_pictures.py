"""Real survey pictures from a folder and a table to the page."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from factories_configs import small
from morphosphere.artefacts.catalogue import Catalogue

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("workflow"),
]


def test_pictures_and_their_table_become_a_map(project, real_data: Path) -> None:
    efigi = real_data / "efigi"
    folder = project.folder / "pictures"
    folder.mkdir()
    for picture in sorted((efigi / "images").iterdir())[:160]:
        (folder / picture.name).write_bytes(picture.read_bytes())
    (folder / "broken.jpg").write_bytes(b"no picture")
    survey = {
        "path": "pictures",
        "bands": ["i", "r", "g"],
        "table": str(efigi / "attributes.csv"),
        "table_id": "PGCname",
        "columns": ["T"],
        "size": 32,
    }
    config = small("pictures", surveys={"efigi": survey})
    done = project.snakemake(config=config)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    results = project.folder / "results" / "pictures"
    metrics = json.loads((results / "metrics.json").read_text())
    assert isinstance(metrics["knn_r2"]["sphere"]["T"], float), metrics["notes"]
    assert len(Catalogue(results / "catalogue.parquet")) == 160
    assert (results / "site" / "index.html").is_file()
    with open(results / "images" / "efigi" / "rejects.csv", newline="") as file:
        rejects = [row for row in csv.DictReader(file) if row["file"].endswith("broken.jpg")]
    assert len(rejects) == 1
