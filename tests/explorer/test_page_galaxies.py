"""Galaxies on the page: opened, searched, coloured, selected and downloaded."""

from __future__ import annotations

import re
from pathlib import Path

import healpy
import numpy as np
import pytest
from astropy.table import Table
from PIL import Image
from playwright.sync_api import Page

from factories_explorer import COUNT, Run
from visitor import (
    choose,
    click_on,
    colour_at,
    look_at,
    near,
    pixel_of,
    place,
    settled,
    state,
    until,
    until_card,
)

pytestmark = pytest.mark.chromium

# ---- a galaxy


def sprite_pixels(page: Page, selector: str) -> np.ndarray:
    """The thumbnail of an element as the page's style shows it, in its own pixels."""
    pixels = page.evaluate(
        """async (selector) => {
          const node = document.querySelector(selector);
          const style = getComputedStyle(node);
          const image = new Image();
          image.src = style.backgroundImage.slice(5, -2);
          await image.decode();
          const side = parseFloat(style.backgroundSize) / 100;
          const [px, py] = style.backgroundPosition.split(" ").map(parseFloat);
          const width = image.width / side;
          const canvas = new OffscreenCanvas(width, width);
          const context = canvas.getContext("2d");
          const at = (percent) => -Math.round(percent / 100 * (side - 1)) * width;
          context.drawImage(image, at(px), at(py));
          return Array.from(context.getImageData(0, 0, width, width).data);
        }""",
        selector,
    )
    width = round((len(pixels) / 4) ** 0.5)
    return np.array(pixels, dtype=float).reshape(width, width, 4)[..., :3]


def stored_thumbnail(run: Run, row: int, kind: str) -> np.ndarray:
    sheet, cell = divmod(row, 16)
    picture = np.asarray(Image.open(run.data / kind / f"{sheet:05d}.jpg"), dtype=float)
    top, left = cell // 4 * 64, cell % 4 * 64
    return picture[top : top + 64, left : left + 64]


def test_a_click_where_a_galaxy_lies_opens_it(run, visit):
    page = visit(run)
    for row in (0, 77, COUNT - 1):
        click_on(page, *place(run, row))
        name = run.catalogue["image_id"][row]
        until_card(page, name)
        for number, kind in enumerate(("original", "reconstruction"), start=1):
            shown = sprite_pixels(page, f".pair figure:nth-child({number}) .picture")
            assert np.abs(shown - stored_thumbnail(run, row, kind)).mean() < 2
        card = page.inner_text("#card")
        assert run.catalogue["stellar_mass"][row] > 0
        assert "M☉" in card
        assert f"Outlier score {run.catalogue['outlier_score'][row]:.4g}"[:18] in card
        assert state(page)["id"] == name
        assert len(page.query_selector_all(".similar button")) == 6


def test_a_click_on_a_picture_of_the_map_opens_that_galaxy(run, visit):
    page = visit(run, "#map=real")
    settled(page)
    cells = np.frombuffer((run.folder / "hips/real/Norder0/cells.bin").read_bytes(), "<i4")
    cell, row = next((c, r) for c, r in enumerate(cells) if r >= 0)
    lon, lat = healpy.pix2ang(4, int(cell), nest=True, lonlat=True)
    look_at(page, float(lon), float(lat), 30)
    page.mouse.click(*pixel_of(page, float(lon), float(lat)))
    page.wait_for_selector("#card-title")
    assert page.inner_text("#card-title") == run.catalogue["image_id"][row]


def test_cells_are_those_of_healpix(run, visit):
    random = np.random.default_rng(2)
    lon, lat = random.uniform(0, 360, 500), np.degrees(np.arcsin(random.uniform(-1, 1, 500)))
    page = visit(run)
    for order in (0, 3, 9):
        found = page.evaluate(
            """async ([order, lon, lat]) => {
              const { cellAt } = await import(new URL("page/js/healpix.js", document.baseURI));
              return lon.map((l, i) => cellAt(order, l, lat[i]));
            }""",
            [order, lon.tolist(), lat.tolist()],
        )
        assert found == healpy.ang2pix(2**order, lon, lat, nest=True, lonlat=True).tolist()


def test_hovering_shows_the_galaxy_and_similar_ones_are_a_click_away(run, visit):
    page = visit(run)
    lon, lat = place(run, 30)
    look_at(page, lon, lat)
    x, y = pixel_of(page, lon, lat)
    page.mouse.move(x + 40, y + 40)
    page.mouse.move(x + 1, y)
    page.wait_for_selector("#tip:not([hidden])")
    assert run.catalogue["image_id"][30] in page.inner_text("#tip")
    page.mouse.click(x, y)
    page.wait_for_selector("#card-title")
    page.click(".similar li:nth-child(2) button")
    until_card(page, run.catalogue["image_id"][32])
    page.go_back()
    until_card(page, run.catalogue["image_id"][30])
    page.go_forward()
    until_card(page, run.catalogue["image_id"][32])


def test_search_suggests_by_any_part_and_opens(run, visit):
    page = visit(run)
    settled(page)
    page.keyboard.press("/")
    page.keyboard.type("00004")
    page.wait_for_selector("#suggestions li")
    names = page.eval_on_selector_all(
        "#suggestions li span:last-child", "n => n.map(x => x.textContent)"
    )
    expected = [n for n in run.catalogue["image_id"] if "_00004" in n]
    assert names == expected
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector("#card-title")
    assert page.inner_text("#card-title") == expected[1]
    page.fill("#search", "no such galaxy")
    page.wait_for_selector("#suggestions .none")


# ---- colours


def test_galaxies_are_coloured_by_any_property(run, visit):
    page = visit(run)
    settled(page)
    page.select_option("#colour", "stellar_mass")
    choose(page, "input[name=scale][value=log]")
    until(page, "document.querySelector('#legend').textContent.includes('stellar mass')")
    assert "[M☉]" in page.inner_text("#legend")
    assert (state(page)["colour"], state(page)["scale"]) == ("stellar_mass", "log")
    page.select_option("#colour", "split")
    page.wait_for_selector("#legend .chips")
    assert page.inner_text("#legend .chips").split() == ["test", "train", "validation"]
    # A point has the colour of its galaxy's category.
    row = 12
    lon, lat = place(run, row)
    look_at(page, lon, lat, 10)
    page.mouse.move(5, 5)
    category = sorted(["train", "validation", "test"]).index(run.catalogue["split"][row])
    chip = page.evaluate(
        "i => getComputedStyle(document.querySelectorAll('.chips i')[i]).backgroundColor", category
    )
    expected = tuple(map(int, re.findall(r"\d+", chip)))[:3]
    assert near(colour_at(page, *pixel_of(page, lon, lat)), expected)


# ---- regions


def drag(page: Page, tool: str, points: list[tuple[float, float]]) -> None:
    page.click(f"[data-tool={tool}]")
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=8)
    page.mouse.up()
    page.wait_for_selector("#take-csv")


def inside_cap(run: Run, lon: float, lat: float, radius: float) -> set[str]:
    from morphosphere.artefacts.bundle import unit_vector

    cosine = unit_vector(run.catalogue["lon"], run.catalogue["lat"]) @ unit_vector(lon, lat)
    return set(run.catalogue["image_id"][cosine > np.cos(np.radians(radius))])


def download(page: Page, button: str, tmp_path: Path) -> Path:
    with page.expect_download() as event:
        page.click(button)
    path = tmp_path / event.value.suggested_filename
    event.value.save_as(path)
    return path


def test_a_circle_is_exported_as_csv_and_votable(run, visit, tmp_path):
    page = visit(run)
    lon, lat = place(run, 50)
    look_at(page, lon, lat, 90)
    x, y = pixel_of(page, lon, lat)
    edge = page.evaluate("([x, y]) => morphosphere.aladin.pix2world(x, y)", [x + 200, y])
    from morphosphere.artefacts.bundle import unit_vector

    radius = np.degrees(np.arccos(unit_vector(lon, lat) @ unit_vector(*edge)))
    drag(page, "circle", [(x, y), (x + 200, y)])
    expected = inside_cap(run, lon, lat, float(radius))
    assert len(expected) > 5
    assert page.inner_text(".count") == f"{len(expected)} galaxies selected"

    csv = Table.read(download(page, "#take-csv", tmp_path), format="ascii.csv")
    vot = Table.read(download(page, "#take-votable", tmp_path), format="votable")
    for table in (csv, vot):
        assert set(map(str, table["image_id"])) == expected
        rows = [list(run.catalogue["image_id"]).index(name) for name in table["image_id"]]
        mass = np.ma.filled(np.ma.asarray(table["stellar_mass"], dtype=float), np.nan)
        assert np.allclose(mass, run.catalogue["stellar_mass"][rows], rtol=1e-6, equal_nan=True)
        assert list(table["subhalo_id"]) == list(run.catalogue["subhalo_id"][rows])
        # astropy makes the name of this column an XML identifier.
        note = next(name for name in table.colnames if name.startswith("note"))
        assert list(table[note]) == list(run.catalogue["note <&>"][rows])
    assert str(vot["stellar_mass"].unit) == "solMass"
    assert vot["lon"].meta["ucd"] == "pos.eq.ra;meta.main"

    link = page.url
    page.goto("about:blank")
    page.goto(link)
    page.wait_for_selector("#take-csv")
    assert page.inner_text(".count") == f"{len(expected)} galaxies selected"
    page.click("#clear")
    until(page, "!location.hash.includes('region')")


def test_rectangles_and_lassos_hold_what_is_drawn_inside(run, visit):
    page = visit(run)
    look_at(page, 120, 10, 90)
    pixels = np.array(
        [pixel_of(page, *place(run, row)) or [np.nan, np.nan] for row in range(COUNT)], dtype=float
    )
    seen = np.array(
        page.evaluate(
            """([lon, lat]) => lon.map((l, i) => {
              const r = Math.PI / 180, c = Math.cos(lat[i] * r);
              const v = [c * Math.cos(l * r), c * Math.sin(l * r), Math.sin(lat[i] * r)];
              return morphosphere.sky.camera.pixel(v) !== null;
            })""",
            [run.catalogue["lon"].tolist(), run.catalogue["lat"].tolist()],
        )
    )
    # A rectangle on the screen is a polygon of great circles: stay clear of its bent edges.
    drag(page, "rectangle", [(560, 320), (720, 480)])
    margin = np.abs(np.maximum(np.abs(pixels[:, 0] - 640), np.abs(pixels[:, 1] - 400)) - 80)
    inside = seen & (np.abs(pixels[:, 0] - 640) < 80) & (np.abs(pixels[:, 1] - 400) < 80)
    count = int(re.match(r"\d+", page.inner_text(".count")).group())
    assert abs(count - inside.sum()) <= (margin < 6).sum()
    assert count > 0
    drag(page, "lasso", [(560, 320), (720, 320), (720, 480), (560, 480), (560, 330)])
    lasso = int(re.match(r"\d+", page.inner_text(".count")).group())
    assert abs(lasso - inside.sum()) <= (margin < 6).sum()
