"""The stage: what it writes, which galaxies it takes, and inputs that cannot be."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from factories_survey_page import CLASSES, SurveyRun, page_arguments
from morphosphere.artefacts.catalogue import Catalogue, CatalogueWriter
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.graph import code
from morphosphere.surveys.page.__main__ import main
from morphosphere.surveys.page.certain import reliability, wilson
from morphosphere.surveys.page.choice import along_curve, choose, spread

ROOT = Path(__file__).resolve().parents[3]
KINDS = {"category": "u1", "float32": "<f4", "float64": "<f8", "int32": "<i4"}


def index(run: SurveyRun) -> dict:
    return json.loads((run.site / "data" / "index.json").read_text())


def column(run: SurveyRun, name: str) -> tuple[np.ndarray, dict]:
    facts = next(item for item in index(run)["columns"] if item["name"] == name)
    path = run.site / "data" / "columns" / facts["file"]
    return np.fromfile(path, KINDS[facts["kind"]]), facts


def ids(run: SurveyRun) -> list[str]:
    return (run.site / "data" / "ids.txt").read_text().split("\n")


def _large(picture: np.ndarray, width: int) -> np.ndarray:
    """A picture (S, S, 3) in `width` pixels."""
    image = Image.fromarray(picture.astype(np.uint8))
    return np.asarray(image.resize((width, width), Image.Resampling.BILINEAR), dtype=float)


def rewrite(path: Path, change) -> None:
    """Write a table again with other columns."""
    old = Catalogue(path)
    columns = change(old.read(old.columns))
    with CatalogueWriter(path) as out:
        out.append(columns)


# ---- what is written


def test_the_site_is_whole_and_names_nothing_elsewhere(run):
    for name in ("index.html", "config.json", "page/js/main.js", "page/js/dom.js"):
        assert (run.site / name).stat().st_size > 0
    text = (run.site / "index.html").read_text()
    assert "default-src 'self'" in text
    assert "Surveys &lt;of&gt; test &amp; more" in text
    assert "http" not in text.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")


def test_columns_hold_what_the_predictions_say(run):
    found = index(run)
    catalogue = Catalogue(run.predictions)
    table = catalogue.read(catalogue.columns)
    names = ids(run)
    row = {name: k for k, name in enumerate(table["image_id"])}
    rows = np.array([row[name] for name in names])
    assert found["rows"] == len(names) == len(set(names)) == 299
    assert (found["total"], found["unplaced"]) == (300, 1)
    for name in ("confidence", "ra", "dec", "p_spiral", "p_spiral_std", "type_low95"):
        values, facts = column(run, name)
        np.testing.assert_array_equal(values, table[name][rows])
        assert facts["minimum"] == pytest.approx(values.min())
    values, _ = column(run, "predicted")
    assert np.array(CLASSES)[values].tolist() == table["predicted"][rows].tolist()
    label, _ = column(run, "label")
    people = np.isin(table["label_origin"][rows], ("survey", "match"))
    assert ((label != 255) == people).all()
    np.testing.assert_array_equal(label[people], table["label"][rows][people])
    place = np.fromfile(run.site / "data" / "places.bin", "<f4").reshape(-1, 2)
    embedding = Catalogue(run.embedding).read(["x", "y", "cluster"])
    np.testing.assert_array_equal(place[:, 0], embedding["x"][rows])
    cluster, _ = column(run, "cluster")
    np.testing.assert_array_equal(cluster == 255, embedding["cluster"][rows] == -1)


def test_pictures_stand_in_the_order_of_the_galaxies(run):
    found, names = index(run), ids(run)
    side, width = found["sheet_side"], found["thumbnail"]
    with ImageSet(run.images) as images:
        known = {name: k for k, name in enumerate(images.column("image_id"))}
        for place in (0, 5, 36, 200, 298):
            sheet = run.site / "data" / "sheets" / f"{place // side**2:05d}.jpg"
            picture = np.asarray(Image.open(io.BytesIO(sheet.read_bytes())), dtype=float)
            n = place % side**2
            top, left = n // side * width, n % side * width
            cell = picture[top : top + width, left : left + width]
            row = known[names[place]]
            expected = images.read(row, row + 1)[0].transpose(1, 2, 0).astype(float)
            far = np.abs(cell.mean(axis=(0, 1)) - expected.mean(axis=(0, 1))).max()
            assert far < 4
            alike = np.corrcoef(cell.ravel(), _large(expected, width).ravel())[0, 1]
            assert alike > 0.97


def test_lists_hold_the_most_and_the_least_certain_of_each_class(run):
    names = np.array(ids(run))
    wanted = ["image_id", "predicted", "confidence", "domain_outlier"]
    table = Catalogue(run.predictions).read(wanted)
    placed = np.isfinite(Catalogue(run.embedding).read(["x"])["x"])
    for item in index(run)["lists"]:
        of_class = (table["predicted"] == item["class"]) & placed
        for key, sign in (("most", -1), ("least", 1)):  # those unlike training come last
            confidence, strange = (table[k][of_class] for k in ("confidence", "domain_outlier"))
            order = np.lexsort((sign * confidence, strange))
            expected = table["image_id"][of_class][order]
            assert names[item[key]].tolist() == expected[:4].tolist()


def test_reliability_is_of_test_galaxies_with_labels_by_people(run):
    catalogue = Catalogue(run.predictions)
    table = catalogue.read(["label", "label_origin", "split", "predicted", "confidence"])
    known = (table["label_origin"] == "match") & (table["split"] == "test")
    found = index(run)["reliability"]
    assert found["n"] == known.sum() == sum(item["n"] for item in found["bins"])
    right = np.array(CLASSES)[table["label"][known].astype(int)] == table["predicted"][known]
    total = sum(item["right"] * item["n"] for item in found["bins"])
    assert total == pytest.approx(right.sum())


def test_a_smaller_page_keeps_the_lists_and_galaxies_that_were_embedded(copied):
    assert main(page_arguments(copied, {"points": 100})) == 0
    found, names = index(copied), ids(copied)
    assert found["rows"] == 100
    assert all(len(item["most"]) == 4 for item in found["lists"])
    table = Catalogue(copied.embedding).read(["image_id", "fitted"])
    fitted = set(table["image_id"][table["fitted"]])
    listed = {names[k] for item in found["lists"] for k in (*item["most"], *item["least"])}
    assert set(names) - listed <= fitted


def test_pages_without_measurements_or_labels_are_made(copied):
    rewrite(
        copied.predictions,
        lambda c: {k: v for k, v in c.items() if k[:5] not in ("label", "type_", "domai")},
    )
    given = page_arguments(copied, metrics=None, clusters=None, recursion=None)
    assert main(given) == 0
    config = json.loads((copied.site / "config.json").read_text())
    assert config["metrics"] is config["clusters"] is config["recursion"] is None
    assert index(copied)["reliability"] == {"n": 0, "bins": []}
    assert (column(copied, "label")[0] == 255).all()


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("embedding", lambda c: {k: v for k, v in c.items() if k != "x"}, "no column 'x'"),
        ("embedding", lambda c: {k: v[:7] for k, v in c.items()}, "7 rows for 300"),
        ("embedding", lambda c: c | {"image_id": c["image_id"][::-1]}, "other galaxies"),
        ("embedding", lambda c: c | {"x": c["x"] * np.nan}, "no galaxy of the embedding"),
        ("predictions", lambda c: {k: v[:7] for k, v in c.items()}, "7 rows for 300 images"),
        ("predictions", lambda c: c | {"predicted": np.full(300, "odd")}, "predicts 'odd'"),
    ],
)
def test_tables_that_do_not_fit_are_one_line_and_the_page_stays(copied, capsys, file, change, said):
    before = (copied.site / "index.html").read_text()
    rewrite(getattr(copied, file), change)
    assert main(page_arguments(copied)) == 1
    text = capsys.readouterr().err
    assert said in text
    assert "Traceback" not in text
    assert (copied.site / "index.html").read_text() == before


def test_a_report_that_is_no_table_of_names_is_refused(copied, capsys):
    copied.metrics.write_text("[1, 2]")
    assert main(page_arguments(copied)) == 1
    assert "metrics.json: holds no names with values" in capsys.readouterr().err


def test_editing_the_page_or_what_it_shares_with_other_pages_makes_it_again():
    files = code(ROOT / "src", "surveys.page")
    for part in (
        "surveys/page/web/js/main.js",
        "mergers/page/web/js/pictures.js",
        "explorer/page/js/legend.js",
        "surveys/clusters/mosaic.py",
    ):
        assert str(ROOT / "src" / "morphosphere" / part) in files


# ---- parts


def test_the_overview_is_spread_and_neighbours_follow_each_other():
    random = np.random.default_rng(3)
    place = {
        "x": random.normal(size=3000).astype(np.float32),
        "y": random.normal(size=3000).astype(np.float32),
        "fitted": np.ones(3000, bool),
    }
    kept = np.array([17, 18])
    found = choose(place, kept, most=2000, overview=100, seed=1)
    assert len(found.rows) == len(set(found.rows.tolist())) == 2000
    assert {17, 18} <= set(found.rows.tolist())
    assert 50 <= found.overview <= 100
    xy = np.stack([place["x"], place["y"]], axis=1)[found.rows]
    steps = np.linalg.norm(np.diff(xy[found.overview :], axis=0), axis=1)
    shuffled = np.linalg.norm(np.diff(random.permutation(xy), axis=0), axis=1)
    assert np.median(steps) < 0.15 * np.median(shuffled)


def test_the_curve_visits_quarters_one_after_the_other():
    x, y = np.meshgrid(np.arange(4.0), np.arange(4.0))
    positions = np.stack([x.ravel(), y.ravel()], axis=1)
    quarter = (positions[:, 0] > 1.5) + 2 * (positions[:, 1] > 1.5)
    assert quarter[along_curve(positions)].tolist() == [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4
    assert len(spread(positions, 4)) == 4


def test_reliability_and_its_interval_are_those_by_hand():
    confidence = np.array([0.55, 0.58, 0.95, 0.97, 1.0])
    found = reliability(confidence, np.array([True, False, True, True, True]), 10)
    assert [item["n"] for item in found] == [2, 3]
    assert [item["right"] for item in found] == [0.5, 1.0]
    assert found[0]["confidence"] == pytest.approx(0.565)
    # Wilson's interval of 8 of 10, from the formula's own example (Newcombe 1998, Stat. Med. 17).
    assert wilson(0.8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
