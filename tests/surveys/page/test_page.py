"""The page in a browser: points, galaxies, filters, search, numbers, keyboard, narrow screens."""

from __future__ import annotations

import io
import json
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from factories_survey_page import CLASSES, SurveyRun
from morphosphere.artefacts.catalogue import Catalogue
from visitor import until, until_said

pytestmark = pytest.mark.chromium

BLUE, ORANGE = (86, 180, 233), (230, 159, 0)


@pytest.fixture(scope="module")
def table(run: SurveyRun) -> dict[str, np.ndarray]:
    """Predictions by identifier of the galaxy, in the order of the page."""
    catalogue = Catalogue(run.predictions)
    found = catalogue.read([name for name in catalogue.columns if name != "features"])
    row = {name: k for k, name in enumerate(found["image_id"])}
    rows = [row[name] for name in (run.site / "data" / "ids.txt").read_text().split("\n")]
    return {name: values[rows] for name, values in found.items()}


def pixel_of(page: Page, row: int) -> tuple[float, float]:
    """Where a galaxy is on the screen."""
    x, y = page.evaluate(
        "r => survey.plane.toScreen(survey.survey.places[2 * r], survey.survey.places[2 * r + 1])",
        row,
    )
    box = page.locator("#plane").bounding_box()
    return box["x"] + x, box["y"] + y


def painted(page: Page) -> np.ndarray:
    """The screen as an array, once it is painted anew."""
    page.wait_for_timeout(350)
    return np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB")).astype(int)


def near(picture: np.ndarray, colour: tuple[int, ...]) -> np.ndarray:
    return np.abs(picture - colour).max(axis=-1) <= 12


def until_card(page: Page, name: str) -> str:
    until(page, "id => document.querySelector('#card-title')?.textContent === id", name)
    return page.inner_text("#card")


def shown(page: Page) -> int:
    return int(page.inner_text("#count").split(" of ")[0].replace(",", ""))


def test_nothing_is_loaded_from_elsewhere_and_pictures_only_where_they_are_seen(run, visit):
    page = visit(run)
    page.wait_for_timeout(300)
    assert page.get_attribute("body", "data-ready") == "true"
    assert page.title() == page.inner_text("h1") == "Surveys <of> test & more"
    assert {urlsplit(url).netloc for url in page.requested if url.startswith("http")} == {
        urlsplit(page.root).netloc
    }
    assert not page.errors
    assert page.query_selector(".message") is None


def test_every_galaxy_is_a_point_in_the_colour_of_its_class(run, visit, table):
    page = visit(run)
    picture = painted(page)
    for row in range(0, 299, 13):
        x, y = pixel_of(page, row)
        around = picture[int(y) - 2 : int(y) + 3, int(x) - 2 : int(x) + 3]
        assert (around.max(axis=2) > 100).any(), row
    alone = page.evaluate(
        """() => [...Array(survey.survey.rows).keys()].filter((r) => survey.grid.nearest(
          survey.survey.places[2 * r], survey.survey.places[2 * r + 1], 14 / survey.plane.scale,
          { count: 2 }).length === 1)"""
    )
    assert len(alone) > 3
    for row in alone:
        x, y = pixel_of(page, row)
        around = picture[int(y) - 2 : int(y) + 3, int(x) - 2 : int(x) + 3]
        colour = {"round": BLUE, "spiral": ORANGE, "edge_on": (47, 199, 154)}
        assert near(around, colour[table["predicted"][row]]).any(), row


def test_pointing_and_clicking_tell_what_is_known_of_a_galaxy(run, visit, table):
    page = visit(run)
    label = np.isin(table["label_origin"], ("survey", "match"))
    wrong = np.flatnonzero(
        label & (np.array(CLASSES)[np.nan_to_num(table["label"]).astype(int)] != table["predicted"])
    )
    for row in (int(wrong[0]), int(np.flatnonzero(~label)[3])):
        page.keyboard.press("Escape")
        page.evaluate("r => { survey.plane.home(); }", row)
        page.evaluate(
            "r => survey.plane.show([survey.survey.places[2 * r], survey.survey.places[2 * r + 1]],"
            " 30)",
            row,
        )
        x, y = pixel_of(page, row)
        page.mouse.move(x, y)
        name = table["image_id"][row]
        until(page, "id => document.querySelector('#tip b')?.textContent === id", name)
        page.mouse.click(x, y)
        text = until_card(page, name)
        assert table["predicted"][row] in text
        for cls in CLASSES:
            assert f"{100 * table[f'p_{cls}'][row]:.1f} %" in text
            assert f"± {100 * table[f'p_{cls}_std'][row]:.1f}" in text
        assert f"{table['ra'][row]:.5f}°" in text
        assert f"{table['type_median'][row]:.1f}".replace("-", "−") in text
        assert ("✗ label:" in text) == (row == wrong[0])
        assert ("no label" in text) == (not label[row])
        assert page.url.endswith(f"#galaxy={name}")
        assert page.locator("#card .beside button").count() == 8
    assert not page.errors


def test_filters_count_and_hide_galaxies(run, visit, table):
    page = visit(run)
    assert shown(page) == 299
    page.uncheck("#classes input[data-class=spiral]")
    until(page, "survey.filters.count < 299")
    assert shown(page) == (table["predicted"] != "spiral").sum()
    assert near(painted(page)[70:760, 300:900], ORANGE).sum() == 0
    page.evaluate("document.querySelector('#from').value = 500")
    page.dispatch_event("#from", "input")
    limit = float(page.evaluate("survey.filters.confidence('from')"))
    expected = (table["predicted"] != "spiral") & (table["confidence"] >= np.float32(limit))
    until(page, "n => survey.filters.count === n", int(expected.sum()))
    row = int(np.flatnonzero(~expected)[0])
    page.mouse.click(*pixel_of(page, row))
    page.wait_for_timeout(300)
    card = page.query_selector("#card-title")
    assert card is None or card.inner_text() != table["image_id"][row]
    page.click("#reset")
    until(page, "survey.filters.count === 299")
    page.select_option("#subset", "labelled")
    people = int(np.isin(table["label_origin"], ("survey", "match")).sum())
    until(page, "n => survey.filters.count === n", people)
    page.select_option("#subset", "strange")
    until(page, "n => survey.filters.count === n", int(table["domain_outlier"].sum()))


def test_colours_can_be_of_any_column_and_are_explained(run, visit, table):
    page = visit(run)
    options = page.eval_on_selector_all("#colour option", "all => all.map((o) => o.value)")
    assert {"predicted", "label", "cluster", "confidence", "domain_distance"} <= set(options)
    page.select_option("#colour", "label")
    until(page, "survey.dots.scale.column.name === 'label'")
    people = int(np.isin(table["label_origin"], ("survey", "match")).sum())
    assert f"no label ({299 - people})" in page.inner_text("#legend")
    page.select_option("#colour", "confidence")
    until(page, "survey.dots.scale.column.name === 'confidence'")
    assert page.locator("#legend .bars i").count() > 20
    many = painted(page)[70:760, 300:900]
    assert (near(many, (68, 1, 84)).sum() > 0) or (near(many, (253, 231, 37)).sum() > 0)


def test_pictures_lie_on_the_plane_and_open_their_galaxies(run, visit):
    page = visit(run)
    page.check("#pictures")
    until(page, "survey.marks.chosen.length > 10 && survey.marks.chosen.every((o) => o.image)")
    boxes = page.evaluate(
        "survey.marks.chosen.map((o) => [...survey.plane.toScreen(o.x, o.y), o.row])"
    )
    for k, (x, y, _) in enumerate(boxes):
        for a, b, _ in boxes[:k]:
            assert max(abs(x - a), abs(y - b)) >= 50
    inside = [box for box in boxes if 60 < box[0] < 600 and 60 < box[1] < 600]
    x, y, row = inside[0]
    origin = page.locator("#plane").bounding_box()
    page.mouse.click(origin["x"] + x + 20, origin["y"] + y - 20)
    ids = (run.site / "data" / "ids.txt").read_text().split("\n")
    until_card(page, ids[row])


def test_a_galaxy_is_found_by_a_part_of_its_identifier_and_by_the_address(run, visit, table):
    page = visit(run)
    page.keyboard.press("/")
    name = str(table["image_id"][77])
    page.keyboard.type(name[-4:])
    page.wait_for_selector("#suggestions [role=option] .picture")
    assert name in page.inner_text("#suggestions")
    page.fill("#search", name.upper())
    until(page, "document.querySelectorAll('#suggestions li').length === 1")
    page.keyboard.press("Enter")
    until_card(page, name)
    page.fill("#search", "nothing like it")
    page.wait_for_selector("#suggestions .none")
    other = str(table["image_id"][5])
    page = visit(run, f"#galaxy={other}")
    until_card(page, other)
    assert page.evaluate("survey.plane.zoom") == pytest.approx(3)
    page = visit(run, "#galaxy=unheard_of")
    until_said(page, "There is no galaxy unheard_of on this page.")


def test_the_plane_is_moved_by_keys_wheel_and_dragging(run, visit):
    page = visit(run)
    page.focus("#plane")
    before = page.evaluate("[...survey.plane.centre, survey.plane.zoom]")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("+")
    x, y, zoom = page.evaluate("[...survey.plane.centre, survey.plane.zoom]")
    assert x < before[0]
    assert y > before[1]
    assert zoom == pytest.approx(1.6)
    page.keyboard.press("Enter")
    page.wait_for_selector("#card-title")
    assert page.evaluate("document.activeElement.id") == "card-title"
    page.keyboard.press("Escape")
    until(page, "!document.querySelector('#card-title')")
    page.keyboard.press("0")
    assert page.evaluate("survey.plane.zoom") == pytest.approx(1)
    box = page.locator("#plane").bounding_box()
    at = box["x"] + 150, box["y"] + 200
    under = "survey.plane.toPlane(150, 200)"
    held = page.evaluate(under)
    page.mouse.move(*at)
    page.mouse.wheel(0, -300)
    until(page, "survey.plane.zoom > 1.5")
    assert page.evaluate(under) == pytest.approx(held, abs=1e-6)
    page.mouse.down()
    page.mouse.move(at[0] + 90, at[1] + 40, steps=4)
    page.mouse.up()
    assert page.evaluate("survey.plane.toPlane(240, 240)") == pytest.approx(held, abs=0.1)
    assert page.query_selector("#card-title") is None


def test_lists_and_numbers_say_what_was_measured_and_what_was_not(run, visit, copied):
    page = visit(run)
    assert page.locator("#lists .strip button").count() == 24
    page.click("#lists .strip button >> nth=0")
    page.wait_for_selector("#card-title")
    text = page.inner_text("#numbers")
    for said in ("91.3 %", "0.9871", "1.3 %", "87.0–95.0 %", "more confident half (79)"):
        assert said in text
    assert "not measured" in page.inner_text("#numbers tr:has-text('Log loss') >> nth=0")
    assert "Round 1 is kept: it is better on validation." in text
    assert "31 round, 1,065 spiral" in text
    assert "A mixture of 3 components agrees with 97.0 % of 48 labels" in text
    assert page.locator("#numbers .reliability circle").count() >= 2
    config = json.loads((copied.site / "config.json").read_text())
    config |= {"metrics": None, "clusters": None, "recursion": None}
    (copied.site / "config.json").write_text(json.dumps(config))
    text = visit(copied).inner_text("#numbers")
    for name in ("metrics", "clusters", "recursion"):
        assert f"there is no {name}.json" in text


@pytest.mark.parametrize("width", [800, 360])
def test_narrow_screens_show_everything_without_scrolling_sideways(run, visit, width):
    page = visit(run, viewport={"width": width, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate("survey.plane.node.scrollIntoView()")
    page.mouse.click(*pixel_of(page, 40))
    page.wait_for_selector("#card-title")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.locator("#stage").bounding_box()
    assert box["width"] > 0.55 * width


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda data: (data / "places.bin").unlink(), "data/places.bin could not be loaded"),
        (lambda data: (data / "places.bin").write_bytes(b"123"), "data/places.bin is damaged"),
        (lambda data: (data / "ids.txt").write_text("one"), "ids.txt is damaged"),
        (lambda data: (data / "index.json").write_text("{"), "data/index.json is damaged"),
    ],
)
def test_files_that_are_missing_or_damaged_are_named(copied, visit, damage, said):
    damage(copied.site / "data")
    page = visit(copied)
    until_said(page, said)
    assert page.get_attribute("body", "data-ready") == "failed"
