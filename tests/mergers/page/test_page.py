"""The page in a browser: picks, own images, bad files, keyboard and phone."""

from __future__ import annotations

import io
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image
from playwright.sync_api import Page

from factories_merger_page import FIELD, LABELS, MOMENTS, SIZE, MergerRun, draw_pair, read_by_python
from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.imageset import ImageSet
from visitor import until

pytestmark = pytest.mark.chromium

PHONE = {"width": 360, "height": 740}
QUANTILES = ("median", "low68", "high68", "low95", "high95")
READ = """() => {
  const { reading, nearest, subject, reasons } = mergers.result;
  return {
    name: subject.name, faults: subject.faults, reasons,
    quantiles: reading.posteriors.map((p) => [p.label.name, p.quantiles]),
    encounter: reading.encounter, error: reading.error, z: [...reading.z[0]],
    seen: [...reading.seen.data],
    nearest: nearest.map(({ encounter, snapshot, camera, distance }) =>
      ({ encounter, snapshot, camera, distance })),
  };
}"""


def result(page: Page, readings: int = 1) -> dict:
    """What the page says after so many readings."""
    until(page, "n => mergers.readings >= n", readings)
    return page.evaluate(READ)


def pick(page: Page, name: str) -> dict:
    before = page.evaluate("mergers.readings")
    page.fill("#find", name)
    until(page, "name => mergers.gallery.shown.map((i) => i.image_id).join() === name", name)
    page.click("#picks button")
    return result(page, before + 1)


def give(page: Page, path: Path) -> None:
    page.check("input[name=from][value=own]", force=True)
    page.set_input_files("#file", str(path))


def compare(found: dict, said: dict[str, np.ndarray], row: int, tolerance: float) -> None:
    """Quantiles within a part of the label's range of those by Python."""
    for label, (name, quantiles) in zip(LABELS, found["quantiles"], strict=True):
        assert name == label.name
        for q in QUANTILES:
            ours = label.scaled(np.array(quantiles[q]))
            theirs = label.scaled(np.array(said[f"{name}_{q}"][row]))
            assert ours == pytest.approx(theirs, abs=tolerance), (name, q)
    assert found["encounter"] == pytest.approx(said["encounter_probability"][row], abs=tolerance)
    assert found["error"] == pytest.approx(said["reconstruction_error"][row], abs=tolerance)


@pytest.fixture(scope="module")
def predictions(run: MergerRun) -> dict[str, np.ndarray]:
    catalogue = Catalogue(run.catalogue)
    return catalogue.read(catalogue.columns)


# ---- images of the gallery


def test_nothing_is_loaded_from_elsewhere_and_the_network_only_when_it_is_needed(run, visit):
    page = visit(run)
    page.wait_for_timeout(500)
    assert page.title() == page.inner_text("h1") == "Pairs <of> test & more"
    assert not [url for url in page.requested if "/runtime/" in url or "/model/" in url]
    assert not [url for url in page.requested if "/data/library/" in url]
    page.click("#examples button")
    result(page)
    page.wait_for_timeout(500)
    assert [url for url in page.requested if url.endswith(".wasm")]
    hosts = {urlsplit(url).netloc for url in page.requested if url.startswith("http")}
    assert hosts == {urlsplit(page.root).netloc}
    assert all(url.startswith((page.root, "data:", "blob:")) for url in page.requested)
    assert not page.errors
    assert page.query_selector(".message") is None


def test_picked_images_are_read_as_the_predictions_have_them(run, visit, predictions):
    page = visit(run)
    held = np.flatnonzero(predictions["split"] == "test")
    for row in held[[0, 7, 20, -1]]:
        found = pick(page, predictions["image_id"][row])
        assert found["name"] == predictions["image_id"][row]
        compare(found, predictions, row, 2e-4)
        np.testing.assert_allclose(found["z"], predictions["z"][row], atol=2e-3)
        assert bool(found["reasons"]) == bool(predictions["outlier"][row])
    assert not page.errors


def test_the_nearest_frames_are_those_of_an_exact_search(run, visit, predictions):
    model = ModelBundle.load(run.model)
    row = int(np.flatnonzero(predictions["split"] == "test")[7])
    with ImageSet(run.images) as images:
        z = read_by_python(model, model.transform(images.read(row, row + 1)))["all_z"][0]
    known = np.isfinite(predictions["time_since_pericentre"])
    others = np.flatnonzero(
        known & (predictions["encounter_id"] != predictions["encounter_id"][row])
    )
    frames = predictions["z"][others].astype(np.float16).astype(np.float64)
    distance = np.linalg.norm(frames[:, None] - z[None], axis=2).min(axis=1)
    best: dict[str, float] = {}
    for encounter, d in zip(predictions["encounter_id"][others], distance):
        best[encounter] = min(d, best.get(encounter, np.inf))
    expected = sorted(best.items(), key=lambda item: item[1])[:5]
    page = visit(run, f"#image={predictions['image_id'][row]}")
    found = result(page)["nearest"]
    assert [f["encounter"] for f in found] == [name for name, _ in expected]
    np.testing.assert_allclose([f["distance"] for f in found], [d for _, d in expected], atol=2e-3)


def test_what_is_shown_of_a_picked_image(run, visit, predictions):
    row = int(np.flatnonzero(predictions["split"] == "test")[7])
    page = visit(run, f"#image={predictions['image_id'][row]}")
    found = result(page)
    text = page.inner_text("#shown")
    assert "Time since the first pericentre" in text
    assert "68 % between" in text
    assert "true:" in text
    assert "ms for 8 views" in text
    assert page.locator(".chart").count() == len(LABELS)
    assert page.locator(".chart .true").count() == len(LABELS)
    assert page.locator(".nearest li").count() == 5
    first = found["nearest"][0]["encounter"]
    assert f"encounter {first}" in page.inner_text("[data-label=time_since_pericentre] .caption")
    # Lines lead from the moments' times to the moments, which are in their order.
    film = page.evaluate(
        """() => {
          const part = document.querySelector("[data-label=time_since_pericentre]");
          const width = part.querySelector(".leads").viewBox.baseVal.width;
          return [...part.querySelectorAll(".moment")].map((moment, n) => {
            const [from, to] = part.querySelectorAll(".lead")[n].getAttribute("d")
              .match(/[-\\d.]+(?=,)/g).map(Number);
            const { left, right } = moment.getBoundingClientRect();
            const row = Number(moment.querySelector("button").dataset.row);
            const start = part.querySelector(".film").getBoundingClientRect().left;
            const middle = (left + right) / 2 - start;
            return [mergers.library.get(row).time_since_pericentre, from / width, to, middle];
          });
        }"""
    )
    assert len(film) == MOMENTS
    for time, from_, to, middle in film:
        assert from_ == pytest.approx((time + 300) / 1600, abs=1e-4)
        assert to == pytest.approx(middle, abs=2)
    middles = [middle for *_, middle in film]
    assert (np.diff(middles) > 40).all()
    # Another frame brings the film strip of its encounter.
    second = found["nearest"][1]["encounter"]
    page.click(".nearest li:nth-child(2) button")
    assert f"encounter {second}" in page.inner_text("[data-label=time_since_pericentre] .caption")
    own = predictions["encounter_id"][row]
    page.check("input[value=own][name=follow]", force=True)
    assert f"encounter {own}" in page.inner_text("[data-label=time_since_pericentre] .caption")
    assert not page.errors


def test_single_galaxies_are_flagged_in_words(run, visit, predictions):
    row = int(np.flatnonzero(predictions["phase"] == "none")[0])
    page = visit(run)
    pick(page, predictions["image_id"][row])
    page.evaluate(
        """() => {
          mergers.config.outlier.encounter_probability = 2;
          mergers.result.show(mergers.result.subject, mergers.result.reading);
        }"""
    )
    text = page.inner_text(".flag.strange")
    assert "do not trust the numbers" in text
    assert "the probability of an encounter is" in text
    assert page.locator(".chart .true").count() == 0


def test_the_gallery_is_filtered(run, visit, predictions):
    page = visit(run)
    held = predictions["split"] == "test"
    assert page.evaluate("mergers.gallery.shown.length") == held.sum()
    page.select_option("#phase", "approach")
    count = (held & (predictions["phase"] == "approach")).sum()
    assert 0 < count == page.evaluate("mergers.gallery.shown.length")
    page.select_option("#phase", "")
    page.select_option("#ratio", "minor")
    count = (held & (predictions["mass_ratio"] <= 0.25)).sum()
    assert count == page.evaluate("mergers.gallery.shown.length")
    page.fill("#find", "nothing like it")
    page.wait_for_selector("#picks .none")
    assert page.is_disabled("#any")


# ---- one's own


def save(path: Path, array: np.ndarray) -> Path:
    Image.fromarray(array).save(path)
    return path


def picture(size: int = 96) -> np.ndarray:
    """A pair as a grey picture of `size` pixels, uint8, with a sky of 12."""
    light = draw_pair(30.0, 0.7, 0.4, size)
    noise = np.random.default_rng(5).integers(0, 3, light.shape)
    return np.clip(12 + 200 * light + noise, 0, 250).astype(np.uint8)


def by_python(run: MergerRun, array: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """What the model says of an array (S, S): the sky taken off by the median of the border."""
    border = np.ones(array.shape, bool)
    thick = max(1, round(0.05 * len(array)))
    border[thick:-thick, thick:-thick] = False
    model = ModelBundle.load(run.model)
    seen = model.transform((array - np.median(array[border]))[None, None].astype(np.float32))
    return read_by_python(model, seen), seen


def test_a_grey_png_is_read_as_python_reads_it(run, visit, tmp_path):
    page = visit(run)
    array = picture()
    give(page, save(tmp_path / "pair.png", array))
    found = result(page)
    said, seen = by_python(run, array.astype(np.float32))
    np.testing.assert_allclose(np.reshape(found["seen"], seen.shape), seen, atol=1e-5)
    compare(found, said, 0, 2e-4)
    assert "scale of the image is not known" in " ".join(found["faults"])
    assert not page.errors


def test_a_colour_picture_becomes_the_mean_of_its_channels(run, visit, tmp_path):
    page = visit(run)
    array = np.stack([picture(), picture() // 2, picture() // 3], axis=-1)
    give(page, save(tmp_path / "pair.png", array))
    found = result(page)
    said, seen = by_python(run, array.astype(np.float32).mean(axis=-1))
    np.testing.assert_allclose(np.reshape(found["seen"], seen.shape), seen, atol=1e-5)
    compare(found, said, 0, 2e-4)


def test_the_scale_decides_what_is_cut(run, visit, tmp_path):
    page = visit(run)
    array = picture(100)
    wide = np.full((150, 200), 12, np.uint8)
    wide[20:120, 40:140] = array
    give(page, save(tmp_path / "wide.png", wide))
    result(page)
    page.select_option("#method", "width")
    until(page, "document.querySelector('#box-text').textContent.includes('Give the scale')")
    page.fill("#width", str(FIELD * 200 / 100))
    page.evaluate("mergers.own.editor.change({ x: 90, y: 70 })")
    until(page, "mergers.result.reading.seen.width && mergers.own.editor.box.side === 100")
    page.wait_for_timeout(800)
    found = page.evaluate(READ)
    said, seen = by_python(run, array.astype(np.float32))
    np.testing.assert_allclose(np.reshape(found["seen"], seen.shape), seen, atol=1e-5)
    compare(found, said, 0, 2e-4)
    page.select_option("#method", "redshift")
    page.fill("#redshift", "0.03")
    page.fill("#arcsec", "1.5")
    until(page, "Math.abs(mergers.own.editor.box.side - 128.8) < 1")  # 0.6208 kpc per arcsec
    before = page.evaluate("mergers.own.editor.box")
    page.focus("#whole")
    page.keyboard.press("ArrowLeft")
    after = page.evaluate("mergers.own.editor.box")
    assert after["x"] < before["x"]
    assert after["y"] == before["y"]


def test_stars_are_hidden_by_a_button_and_by_clicks(run, visit, tmp_path):
    page = visit(run)
    array = picture(96)
    y, x = np.mgrid[:96, :96] + 0.5
    star = np.clip(array + 150 * np.exp(-0.5 * np.hypot(x - 80, y - 16) ** 2 / 4), 0, 250)
    give(page, save(tmp_path / "star.png", star.astype(np.uint8)))
    before = np.array(result(page)["seen"]).reshape(SIZE, SIZE)
    page.select_option("#method", "width")
    page.fill("#width", str(FIELD / 1.5))  # the square is wider than the image
    page.click("#hide")
    found = page.evaluate("mergers.own.editor.hidden")
    assert min(np.hypot(c["x"] - 80, c["y"] - 16) for c in found) < 2
    assert all(np.hypot(c["x"] - 80, c["y"] - 16) < 40 for c in found)
    page.select_option("#method", "box")
    page.evaluate("mergers.own.editor.change({ side: 96 })")
    until(page, "mergers.readings > 1")
    page.wait_for_timeout(600)
    after = np.array(page.evaluate(READ)["seen"]).reshape(SIZE, SIZE)
    there = (slice(4, 7), slice(25, 28))
    assert before[there].min() > 0.3
    assert after[there].max() < 0.1
    page.click("#hide")
    assert page.evaluate("mergers.own.editor.hidden.length") == 0
    box = page.locator("#whole").bounding_box()
    place = {"x": box["width"] * 80 / 96, "y": box["height"] * 16 / 96}
    page.click("#whole", position=place)
    hidden = page.evaluate("mergers.own.editor.hidden")
    assert len(hidden) == 1
    assert np.hypot(hidden[0]["x"] - 80, hidden[0]["y"] - 16) < 1
    page.click("#whole", position=place)
    assert page.evaluate("mergers.own.editor.hidden.length") == 0


def test_a_fits_image_is_read_and_its_scale_taken(run, visit, tmp_path):
    page = visit(run)
    array = (picture(64).astype(np.float32) - 900)[::-1]
    hdu = fits.PrimaryHDU(array)
    hdu.header.update({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CDELT1": -1e-4})
    hdu.header["CDELT2"] = 1e-4
    hdu.writeto(tmp_path / "pair.fits")
    give(page, tmp_path / "pair.fits")
    found = result(page)
    said, seen = by_python(run, array[::-1])
    np.testing.assert_allclose(np.reshape(found["seen"], seen.shape), seen, atol=1e-5)
    compare(found, said, 0, 2e-4)
    assert page.input_value("#method") == "redshift"
    assert float(page.input_value("#arcsec")) == pytest.approx(0.36)


def test_a_file_is_dropped_anywhere(run, visit, tmp_path):
    page = visit(run)
    out = io.BytesIO()
    Image.fromarray(picture()).save(out, "JPEG")
    page.evaluate(
        """(bytes) => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(bytes)], "pair.jpg", { type: "image/jpeg" }));
          for (const name of ["dragover", "drop"]) {
            document.body.dispatchEvent(
              new DragEvent(name, { dataTransfer: data, bubbles: true, cancelable: true }));
          }
        }""",
        list(out.getvalue()),
    )
    assert result(page)["name"] == "pair.jpg"
    assert page.is_visible("#editor")


def bad_files(folder: Path) -> dict[str, tuple[Path, str]]:
    text = folder / "notes.txt"
    text.write_text("not an image")
    (folder / "empty.png").touch()
    cut = folder / "cut.png"
    cut.write_bytes(save(folder / "whole.png", picture()).read_bytes()[:900])
    nan = folder / "nan.fits"
    fits.PrimaryHDU(np.full((40, 40), np.nan, np.float32)).writeto(nan)
    cube = folder / "cube.fits"
    fits.PrimaryHDU(np.ones((5, 40, 40), np.float32)).writeto(cube)
    centre = picture()[24:72, 24:72]
    return {
        "text": (text, "notes.txt is not an image that can be read here"),
        "empty": (folder / "empty.png", "empty.png is empty"),
        "cut": (cut, "cut.png is not an image that can be read here"),
        "constant": (
            save(folder / "constant.png", np.full((64, 64), 9, np.uint8)),
            "Every pixel of the square has the same value (9)",
        ),
        "small": (
            save(folder / "small.png", picture()[:8, :8]),
            "small.png is much too small (8 × 8 pixels)",
        ),
        "saturated": (
            save(folder / "saturated.png", np.where(centre > 14, 255, 12).astype(np.uint8)),
            "is saturated: nothing can be told from it",
        ),
        "inverted": (save(folder / "inverted.png", 255 - picture()), "dark sky"),
        "nan": (nan, "No pixel of the square has a value"),
        "cube": (cube, "cube.fits has 5 channels; the network needs one channel, or red, green"),
    }


def test_bad_files_are_said_in_one_message_and_the_page_goes_on(run, visit, tmp_path):
    page = visit(run)
    for path, said in bad_files(tmp_path).values():
        give(page, path)
        until(
            page,
            "text => document.querySelector('#messages').textContent.includes(text)",
            said,
        )
        assert page.locator(".message").count() == 1
    give(page, save(tmp_path / "good.png", picture()))
    assert result(page)["name"] == "good.png"
    assert page.locator(".message").count() == 0
    assert not page.errors


def test_what_is_missing_of_the_site_is_named(copied, visit):
    (copied.site / "model" / "encoder.onnx").unlink()
    page = visit(copied)
    page.click("#examples button")
    until(
        page,
        "document.querySelector('#messages').textContent.includes('encoder.onnx could not be')",
    )
    (copied.site / "data" / "gallery" / "index.json").unlink()
    page = visit(copied)
    assert "it is missing from the site" in page.inner_text("#messages")


# ---- keyboard and phone


def test_everything_is_reached_by_keyboard(run, visit, predictions):
    name = predictions["image_id"][predictions["split"] == "test"][3]
    page = visit(run, f"#image={name}")
    result(page)
    reached = set()
    for _ in range(120):
        page.keyboard.press("Tab")
        node = page.evaluate(
            """() => {
              const node = document.activeElement;
              const beside = node.nextElementSibling;
              const seen = [node, beside].some((n) =>
                n && getComputedStyle(n).outlineStyle !== "none");
              const group = node.closest(".film, .nearest, #picks");
              const name = group ? group.className || group.id : node.id || node.name || "";
              return { name, seen };
            }"""
        )
        assert node["seen"] or not node["name"], node
        reached.add(node["name"])
    for name in ("about-open", "from", "phase", "ratio", "find", "picks", "any", "follow", "film"):
        assert name in reached, name
    assert "panel nearest" in reached
    page.focus("#about-open")
    page.keyboard.press("Enter")
    text = page.inner_text("#about")
    assert "31 Myr" in text
    assert "67.1 %" in text
    assert "ONNX Runtime Web 1." in text
    page.keyboard.press("Escape")
    page.wait_for_selector("#about", state="hidden")


def test_it_can_be_read_on_a_phone(run, visit, tmp_path):
    page = visit(run, viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.tap("#examples button")
    result(page)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    give(page, save(tmp_path / "pair.png", picture(300)))
    result(page, 2)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, select, input")]
          .filter((node) => node.offsetParent && !["radio", "file"].includes(node.type))
          .map((node) => [node.outerHTML, node.getBoundingClientRect().height])
          .filter(([, height]) => height < 22)"""
    )
    assert not small
