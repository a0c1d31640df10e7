"""The first picture, which stands until Aladin Lite draws the same."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from factories_explorer import Run, add_page
from visitor import settled

pytestmark = pytest.mark.chromium

#: Keeps the poster when the page takes it away, with what is on it.
KEEP = """
new MutationObserver((changes) => {
  for (const { removedNodes } of changes)
    for (const node of removedNodes) if (node.id === "poster") window.kept = node;
}).observe(document, { subtree: true, childList: true });
"""
#: Colours of every fifth pixel beside the panels and the legend.
PIXELS = """() => {
  const out = [];
  if (!window.kept.width) return out;
  const { data } = window.kept.getContext("2d").getImageData(420, 100, 440, 500);
  for (let y = 0; y < 500; y += 5)
    for (let x = 0; x < 440; x += 5) {
      const at = 4 * (440 * y + x);
      out.push(...data.slice(at, at + 3));
    }
  return out;
}"""


@pytest.fixture
def painted(copied: Run) -> Run:
    """A run of which every quarter of every tile of order 0 has a colour of its own."""
    random = np.random.default_rng(3)
    for number in range(12):
        colours = random.integers(40, 255, (2, 2, 3), dtype=np.uint8)
        tile = np.ascontiguousarray(colours.repeat(256, axis=0).repeat(256, axis=1))
        path = copied.folder / "hips" / "real" / "Norder0" / "Dir0" / f"Npix{number}.jpg"
        path.write_bytes(simplejpeg.encode_jpeg(tile, 95))
    (copied.folder / "hips" / "real" / "Norder3" / "Allsky.jpg").unlink()
    add_page(copied)
    return copied


@pytest.fixture
def come(browser, served: Callable[[Path], str]):
    """A function that opens the page of a run and keeps its poster."""
    contexts = []

    def open_page(run: Run, hash: str):
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(KEEP)
        page.goto(f"{served(run.folder.parent)}/{run.folder.name}/site/index.html{hash}")
        page.wait_for_selector("body[data-ready=true]", timeout=90_000)
        settled(page)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize(
    "hash",
    [
        "#lon=30&lat=25&marks=off",
        "#view=AIT&lon=200&lat=-60&marks=off",
        "#view=ZEA&lon=300&lat=80&marks=off",
        "#view=TAN&lon=100&lat=10&fov=90&marks=off",
    ],
)
def test_it_is_what_aladin_lite_draws(painted: Run, come, hash: str) -> None:
    page = come(painted, hash)
    page.wait_for_timeout(1500)
    assert page.query_selector("#poster") is None
    poster = np.array(page.evaluate(PIXELS), int).reshape(100, 88, 3)
    with Image.open(io.BytesIO(page.screenshot())) as image:
        seen = np.asarray(image.convert("RGB"))[100:600:5, 420:860:5].astype(int)
    assert (np.abs(poster - seen).max(axis=-1) < 40).mean() > 0.92  # but for edges
    assert (np.abs(poster[::-1] - seen).max(axis=-1) < 40).mean() < 0.8


@pytest.mark.parametrize("hash", ["#fov=5", "#map=none"])
def test_where_aladin_lite_shows_other_tiles_there_is_none(painted: Run, come, hash: str) -> None:
    assert not any(come(painted, hash).evaluate(PIXELS))


def test_without_tiles_the_page_is_as_it_was(painted: Run, come) -> None:
    for path in (painted.folder / "hips" / "real" / "Norder0" / "Dir0").glob("*.jpg"):
        path.unlink()
    page = come(painted, "")
    assert page.query_selector("#poster") is None
    assert page.query_selector(".message") is None
