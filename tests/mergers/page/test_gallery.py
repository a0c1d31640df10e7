"""The page in a browser: images of the gallery, what is missing, keyboard and phone."""

from __future__ import annotations

from urllib.parse import urlsplit

import numpy as np
import pytest

from factories_merger_page import LABELS, MOMENTS, read_by_python
from merger_visitor import compare, give, pick, picture, result, save
from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.imageset import ImageSet
from visitor import choose, until

pytestmark = pytest.mark.chromium

PHONE = {"width": 360, "height": 740}


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
    choose(page, "input[value=own][name=follow]")
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


def test_nothing_moves_for_a_visitor_who_wants_no_motion(run, visit):
    page = visit(run, viewport=PHONE)
    scrolled = """async () => {
      const { bringIntoView } = await import("./page/js/dom.js");
      scrollTo(0, 0);
      bringIntoView(document.querySelector("#result"));
      return document.querySelector("#result").getBoundingClientRect().top;
    }"""
    at_once = page.evaluate(scrolled)
    page.emulate_media(reduced_motion="no-preference")
    assert at_once < 100 < page.evaluate(scrolled)


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
