"""The page in a browser: what a visitor sees, clicks, types, downloads and links to."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import healpy
import numpy as np
import pytest
from astropy.table import Table
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from factories_explorer import COLOURS, COUNT, Run, add_page

pytestmark = pytest.mark.chromium

READY = "body[data-ready]"
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    flags = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-sandbox"]
    with sync_playwright() as play:
        one = play.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
        yield one
        one.close()


@pytest.fixture
def visit(browser: Browser, served: Callable[[Path], str]) -> Iterator[Callable[..., Page]]:
    """A function that opens the page of a run; the site lies under a path, not at the root."""
    contexts = []

    def open_page(run: Run, hash: str = "", *, viewport: dict = DESKTOP, **options: object) -> Page:
        context = browser.new_context(
            viewport=viewport, reduced_motion="reduce", accept_downloads=True, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.requested, page.errors = [], []
        page.on("request", lambda request: page.requested.append(request.url))
        page.on("pageerror", lambda error: page.errors.append(str(error)[:300]))
        root = run.folder.parent
        page.root = served(root)
        page.goto(f"{page.root}/{run.folder.name}/site/index.html{hash}")
        page.wait_for_selector(READY, timeout=90_000)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def run(finished: Run) -> Run:
    add_page(finished, title="Galaxies <of> test & more", introduction="Some\n  words.")
    return finished


def until(page: Page, expression: str, argument: object = None) -> None:
    """Wait until an expression is true; asked from outside, as the page's policy has no eval."""
    for _ in range(400):
        if page.evaluate(expression, argument):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {expression}")


def until_said(page: Page, text: str) -> None:
    until(page, "text => document.querySelector('#messages').textContent.includes(text)", text)


def until_card(page: Page, name: str) -> None:
    until(page, "id => document.querySelector('#card-title')?.textContent === id", str(name))


def settled(page: Page) -> None:
    """Wait until points are drawn and the address is written."""
    until(page, "Boolean(morphosphere.explorer?.ready && morphosphere.points.complete)")
    page.wait_for_timeout(500)


def state(page: Page) -> dict[str, str]:
    return {k: v[0] for k, v in parse_qs(urlsplit(page.url).fragment).items()}


def pixel_of(page: Page, lon: float, lat: float) -> list[float]:
    return page.evaluate("([l, b]) => morphosphere.aladin.world2pix(l, b)", [lon, lat])


def look_at(page: Page, lon: float, lat: float, fov: float = 60) -> None:
    page.evaluate(
        "([l, b, f]) => { morphosphere.sky.goTo(l, b); morphosphere.sky.fov = f; }", [lon, lat, fov]
    )
    settled(page)


def click_on(page: Page, lon: float, lat: float) -> None:
    look_at(page, lon, lat)
    page.mouse.click(*pixel_of(page, lon, lat))
    page.wait_for_selector("#card-title")


def place(run: Run, row: int) -> tuple[float, float]:
    return float(run.catalogue["lon"][row]), float(run.catalogue["lat"][row])


def colour_at(page: Page, x: float, y: float) -> tuple[int, ...]:
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    return picture.getpixel((int(x), int(y)))


def near(colour: tuple[int, ...], expected: tuple[int, ...], margin: int = 12) -> bool:
    return max(abs(a - b) for a, b in zip(colour, expected)) <= margin


def until_colour(page: Page, expected: tuple[int, ...]) -> tuple[int, ...]:
    """The colour of a place on the sphere without marks, once it is the expected one."""
    for _ in range(60):
        found = colour_at(page, 700, 300)
        if near(found, expected):
            break
        page.wait_for_timeout(250)
    return found


def messages(page: Page) -> str:
    page.wait_for_selector(".message")
    page.wait_for_timeout(500)
    return page.inner_text("#messages")


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
    page.check("input[name=base][value=generated]", force=True)
    assert near(until_colour(page, generated), generated)
    page.select_option("#overlay", "real")
    page.evaluate("morphosphere.layers.change({ opacity: 0.25 })")
    mixed = tuple(0.25 * r + 0.75 * g for r, g in zip(real, generated))
    assert near(until_colour(page, mixed), mixed)
    assert state(page)["map"] == "generated"
    assert (state(page)["blend"], state(page)["opacity"]) == ("real", "0.25")
    page.select_option("#overlay", "")
    assert near(until_colour(page, generated), generated)


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
    page.check("input[name=scale][value=log]", force=True)
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


# ---- the address


def test_a_link_restores_the_whole_view(run, visit):
    name = run.catalogue["image_id"][99]
    wanted = {
        "lon": "123.400", "lat": "-20.500", "fov": "45.6", "view": "AIT", "map": "generated",
        "blend": "real", "opacity": "0.35", "marks": "off", "colour": "outlier_score",
        "scale": "log", "colours": "magma", "size": "9", "id": name,
    }  # fmt: skip
    page = visit(run, "#" + "&".join(f"{k}={v}" for k, v in wanted.items()))
    settled(page)
    page.wait_for_selector("#card-title")
    found = state(page)
    for key, value in wanted.items():
        if key == "fov":
            assert float(found[key]) == pytest.approx(float(value), rel=1e-3)
        else:
            assert found[key] == value, key
    assert page.inner_text("#card-title") == name
    assert page.input_value("#overlay") == "real"
    assert page.input_value("#colour-map") == "magma"
    assert page.evaluate("morphosphere.aladin.getProjectionName()") == "AIT"


def test_an_address_that_asks_for_what_is_not_there_says_so(run, visit):
    asked = "#map=nowhere&colour=nothing&id=nobody&lon=abc&fov=-3&region=p_1_2&size=1e9"
    page = visit(run, asked)
    settled(page)
    for said in ("layer “nowhere”", "property “nothing”", "no galaxy “nobody”"):
        until_said(page, said)
    assert not page.errors


# ---- missing and wrong files


def spoil(copied: Run, path: str, content: bytes | None) -> None:
    for file in copied.folder.glob(path):
        if content is None:
            file.unlink()
        else:
            file.write_bytes(content)


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        ("hips/real/properties", None, r"“Real layer” cannot be shown.*missing"),
        ("site/config.json", b"{oops", r"config\.json is damaged"),
        ("site/data/index.json", None, r"data/index\.json could not be loaded.*missing"),
        ("site/data/index.json", b"{}", r"index\.json was made by another version"),
        ("site/data/columns/*/00001.bin", None, r"columns/\d+/00001\.bin could not be loaded"),
        ("site/data/columns/*/00000.bin", b"123", r"00000\.bin is damaged: 3 bytes"),
    ],
)
def test_missing_and_wrong_files_are_said_on_the_page(copied, visit, path, content, said):
    add_page(copied)
    spoil(copied, path, content)
    page = visit(copied)
    assert re.search(said, messages(page))
    assert not page.errors
    if path.startswith("hips/real"):
        spoil(copied, "hips/generated/properties", b"<html>")
        page.check("input[name=base][value=generated]", force=True)
        until_said(page, "“Generated layer” cannot be shown: its properties file is damaged")


def test_a_missing_part_is_said_when_it_is_needed_and_the_page_goes_on(copied, visit):
    add_page(copied)
    spoil(copied, "site/data/details/00001.json", b"[not json")
    spoil(copied, "site/data/original/00002.jpg", None)
    spoil(copied, "site/data/ids/00000.txt", None)
    page = visit(copied)
    settled(page)
    page.evaluate("morphosphere.explorer.choose(20)")
    assert "details/00001.json is damaged" in messages(page)
    page.evaluate("morphosphere.explorer.choose(40)")
    until_said(page, "00002.jpg")
    page.fill("#search", "synth")
    until_said(page, "ids/00000.txt")
    page.evaluate("morphosphere.explorer.choose(0)")
    page.wait_for_selector("#card-title")
    assert not page.errors


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
