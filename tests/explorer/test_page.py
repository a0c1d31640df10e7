"""The page in a browser: it loads, switches layers, is used by keyboard and on a phone."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

import pytest

from factories_explorer import COLOURS
from visitor import choose, look_at, near, pixel_of, place, settled, state, until, until_colour

pytestmark = pytest.mark.chromium

PHONE = {"width": 360, "height": 740}


# ---- it loads


def test_it_loads_from_any_path_without_asking_any_other_host(run, visit):
    page = visit(run)
    settled(page)
    page.wait_for_timeout(1500)
    assert page.title() == "Galaxies <of> test & more"
    assert page.inner_text("h1") == "Galaxies <of> test & more"
    assert not page.errors
    assert page.query_selector(".message") is None
    hosts = {urlsplit(url).netloc for url in page.requested if url.startswith("http")}
    assert hosts == {urlsplit(page.root).netloc}
    assert all(url.startswith((page.root, "data:", "blob:")) for url in page.requested)


def test_projections_agree_with_aladin_to_a_tenth_of_a_pixel(run, visit):
    page = visit(run)
    settled(page)
    for projection in ("SIN", "AIT", "ZEA", "TAN"):
        page.select_option("#projection", projection)
        for lon, lat, fov in ((10, 20, 140), (200, -75, 40), (359, 5, 3)):
            look_at(page, lon, lat, fov)
            worst = page.evaluate(
                """async () => {
                  const { sky } = morphosphere;
                  let worst = 0, seen = 0;
                  for (let x = 100; x < 1200; x += 90) for (let y = 60; y < 780; y += 90) {
                    const world = sky.world(x, y);
                    if (!world) continue;
                    const [l, b] = world.map((d) => d * Math.PI / 180);
                    const v = [Math.cos(b) * Math.cos(l), Math.cos(b) * Math.sin(l), Math.sin(b)];
                    const p = sky.camera.pixel(v);
                    if (!p) continue;
                    seen++;
                    worst = Math.max(worst, Math.hypot(p[0] - x, p[1] - y));
                  }
                  return seen > 20 ? worst : 1e9;
                }"""
            )
            assert worst < 0.1, (projection, lon, lat, fov, worst)


# ---- layers


def test_layers_switch_and_blend(run, visit):
    page = visit(run, "#marks=off&lon=40&lat=10&fov=60")
    real, generated = COLOURS["real"], COLOURS["generated"]
    assert near(until_colour(page, real), real)
    choose(page, "input[name=base][value=generated]")
    assert near(until_colour(page, generated), generated)
    page.select_option("#overlay", "real")
    page.evaluate("morphosphere.layers.change({ opacity: 0.25 })")
    mixed = tuple(0.25 * r + 0.75 * g for r, g in zip(real, generated))
    assert near(until_colour(page, mixed), mixed)
    assert state(page)["map"] == "generated"
    assert (state(page)["blend"], state(page)["opacity"]) == ("real", "0.25")
    page.select_option("#overlay", "")
    assert near(until_colour(page, generated), generated)


# ---- keyboard and phone


def test_everything_is_reached_by_keyboard(run, visit):
    page = visit(run, "#fov=100")
    settled(page)
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                """() => {
                  const { id, dataset, name } = document.activeElement;
                  return id || dataset.tool || name || "";
                }"""
            )
        )
        shown = page.evaluate(
            """() => {
              const node = document.activeElement;
              const style = getComputedStyle(node);
              const near = node.nextElementSibling && getComputedStyle(node.nextElementSibling);
              return style.outlineStyle !== 'none' || (near && near.outlineStyle !== 'none');
            }"""
        )
        assert shown or reached[-1] == "", f"focus is not visible on {reached[-1]}"
    for name in (
        "search",
        "about-open",
        "map",
        "base",
        "overlay",
        "colour",
        "rectangle",
        "zoom-in",
    ):
        assert name in reached, name

    page.focus("#map")
    before = page.evaluate("morphosphere.sky.centre")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    after = page.evaluate("morphosphere.sky.centre")
    assert after[1] > before[1] + 5
    assert (before[0] - after[0]) % 360 > 5
    fov = page.evaluate("morphosphere.sky.fov")
    page.keyboard.press("+")
    assert page.evaluate("morphosphere.sky.fov") < 0.8 * fov
    page.keyboard.press("0")
    assert page.evaluate("morphosphere.sky.fov / morphosphere.sky.wholeFov") == pytest.approx(1)
    page.keyboard.press("Enter")
    page.wait_for_selector("#card-title")
    nearest = page.evaluate("morphosphere.points.nearest(morphosphere.sky.camera.forward).angle")
    assert nearest < 15
    page.keyboard.press("Escape")
    page.wait_for_selector("#card", state="hidden")
    assert page.evaluate("document.activeElement.id") == "map"
    page.click("[data-tool=circle]")
    page.keyboard.press("Escape")
    assert page.get_attribute("[data-tool=circle]", "aria-pressed") == "false"


def test_it_can_be_read_on_a_phone(run, visit):
    page = visit(run, viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2)
    settled(page)
    # The marks lie on Aladin's own picture: both have the same middle.
    middle = page.evaluate("morphosphere.sky.camera.origin")
    box = page.locator(".aladin-imageCanvas").bounding_box()
    assert middle == pytest.approx([box["width"] / 2, box["y"] + box["height"] / 2], abs=1)
    page.set_viewport_size({"width": PHONE["width"], "height": 600})
    until(page, "morphosphere.sky.camera.origin[1] < 300")
    page.set_viewport_size(PHONE)
    until(page, "y => Math.abs(morphosphere.sky.camera.origin[1] - y) < 1", middle[1])
    for panel in ("layers", "galaxies", "select"):
        page.tap(f"[data-panel=panel-{panel}]")
        box = page.locator(f"#panel-{panel}").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
        assert box["y"] + box["height"] <= PHONE["height"]
    page.tap("[data-panel=panel-select]")
    lon, lat = place(run, 5)
    look_at(page, lon, lat, 60)
    page.touchscreen.tap(*pixel_of(page, lon, lat))
    page.wait_for_selector("#card-title")
    assert page.inner_text("#card-title") == run.catalogue["image_id"][5]
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, select, input:not([type=radio])")]
          .filter((node) => node.offsetParent && !node.closest("table"))
          .map((node) => [node.outerHTML, node.getBoundingClientRect().height])
          .filter(([, height]) => height < 22)"""
    )
    assert not small


def test_about_names_licences_and_the_layers(run, visit):
    page = visit(run)
    page.click("#about-open")
    page.wait_for_selector("#about-body a")
    text = page.inner_text("#about")
    assert "Aladin Lite 3." in text
    assert "GPL" in text
    assert "hips/catalogue" in text
    page.keyboard.press("Escape")
    page.wait_for_selector("#about", state="hidden")


def test_index_and_policy(run):
    text = (run.site / "index.html").read_text()
    assert "default-src 'self'" in text
    assert "Galaxies &lt;of&gt; test &amp; more" in text
    config = json.loads((run.site / "config.json").read_text())
    assert all(not re.match(r"[a-z]+:|/", layer["url"]) for layer in config["layers"])
