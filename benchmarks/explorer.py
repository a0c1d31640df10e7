"""The page of a million galaxies in a browser: how soon there is a picture, how soon it answers.

The browser is headless Chromium with an empty cache and no graphics card: graphics are computed on
the cores that also run the page, which is the slowest way to look at it. The first picture is the
first frame in which tiles of the map stand in a canvas (``explorer_probe.js`` looks from within);
times begin with the navigation. An answer is there when it is drawn and its pictures are
loaded.
"""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.explorer_made import made
from benchmarks.peers import MissingPeer
from benchmarks.result import Result, Seconds, alternate, quartiles
from benchmarks.work import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

GALAXIES = 1_000_000
REPEATS = 5
#: Seconds that the first picture and an answer may take, megabytes that the page may weigh.
PICTURE, ANSWER, WEIGHT = 2.0, 1.0, 5.0
#: A block of the main thread from which a visitor notices that the page does not follow, seconds.
NOTICED = 0.1
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-sandbox")
PROBE = Path(__file__).with_name("explorer_probe.js")
VIEW = {"width": 1280, "height": 800}
_TILE = re.compile(r"/(Npix\d+|Allsky|preview)\.(jpg|png)$")
_BARE = """<!doctype html><meta charset="utf-8"><title>Aladin Lite</title>
<style>html,body,#sky{margin:0;width:100%;height:100%}</style><div id="sky"></div>
<script type="module">
import A from "./aladin.js";
await A.init;
const given = { log: false, samp: false, hipsList: [], survey: [], cooFrame: "ICRS" };
const aladin = A.aladin("#sky", { ...given, projection: "SIN", fov: 180, target: "0 +0" });
const layer = new URL("../hips/real", location.href).href;
aladin.setBaseImageLayer(A.imageHiPS(layer, { name: "real" }));
</script>
"""


def run() -> Iterator[Result]:
    """A map of a million galaxies that is made on first use; both pages from the same server."""
    if not CHROMIUM.exists():
        raise MissingPeer(f"{CHROMIUM}: no such file; the page needs a browser")
    folder = made(GALAXIES)
    write_bare(folder / "bare")
    with browser() as chromium, server(folder) as root:
        yield from _pictures(chromium, root)
        with opened(chromium, f"{root}/site/index.html") as (page, answers):
            page.wait_for_selector("body[data-ready]", timeout=60_000)
            page.wait_for_timeout(2000)
            yield _weight(page, answers)
            yield from _answers(page)


def write_bare(folder: Path) -> None:
    """Write a page that is nothing but Aladin Lite with the layer that ours shows first."""
    folder.mkdir(exist_ok=True)
    shutil.copy(ROOT / "node_modules" / "aladin-lite" / "dist" / "aladin.js", folder)
    (folder / "index.html").write_text(_BARE)


@contextmanager
def browser() -> Iterator[Any]:
    """Chromium's launcher; each launch has an empty cache."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        yield lambda: play.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """The page's own server in a process of its own; its address without the page."""
    command = [sys.executable, "-m", "morphosphere.explorer.serve", "--port", "0"]
    process = subprocess.Popen([*command, "--folder", folder], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[0].removesuffix("/site/")
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


@contextmanager
def opened(launch: Any, address: str) -> Iterator[tuple[Page, list[Any]]]:
    """A page in a new browser, and the requests that it has got answers to."""
    started: Browser = launch()
    try:
        page = started.new_context(viewport=VIEW, reduced_motion="reduce").new_page()
        page.add_init_script(PROBE.read_text())
        answers: list[Any] = []
        page.on("requestfinished", lambda request: answers.append(request))
        page.goto(address, wait_until="commit")
        yield page, answers
    finally:
        started.close()


def picture(launch: Any, address: str, *, of: str = "picture") -> dict[str, float]:
    """Seconds from the navigation to the first picture, and to that of Aladin Lite."""
    with opened(launch, address) as (page, _):
        end = time.monotonic() + 60
        while page.evaluate("probe.sky") is None:
            if time.monotonic() > end:
                raise SystemExit(f"explorer: no picture after a minute: {address}")
            time.sleep(0.05)
        return {name: page.evaluate(f"probe.{name}") / 1000 for name in ("picture", "sky")}


def _pictures(launch: Any, root: str) -> Iterator[Result]:
    skies: list[float] = []

    def ours() -> Seconds:
        found = picture(launch, f"{root}/site/index.html")
        skies.append(found["sky"])
        return Seconds(found["picture"])

    def bare() -> Seconds:
        return Seconds(picture(launch, f"{root}/bare/index.html")["picture"])

    pair = alternate(ours, bare, repeats=REPEATS)
    taken = [one for one, _ in pair.turns]
    more = {
        "seconds": [round(t, 3) for t in taken],
        "aladin_lite": round(statistics.median(skies[1:]), 3),
    }
    note = f"{GALAXIES} galaxies, empty cache, graphics on the CPU; seconds allowed"
    yield _limited("explorer-first-picture", taken, PICTURE, note, **more)
    note = "against a page that is Aladin Lite with the same layer and nothing else"
    yield pair.result("explorer-first-picture-aladin", 1, "pictures/s", 1.0, note, **more)


def _limited(name: str, taken: list[float], limit: float, note: str, **more: Any) -> Result:
    """A median against a limit of the same unit, at most 1.0 of it."""
    ratios = quartiles([t / limit for t in taken])
    middle = statistics.median(taken)
    return Result(name, middle, limit, 1.0, False, "s", note, ratios, len(taken), more)


def _weight(page: Page, answers: list[Any]) -> Result:
    """Bytes over the wire, headers included, of all but tiles and previews."""
    first = page.evaluate("probe.picture")
    kinds: dict[str, float] = {}
    before = total = tiles = 0.0
    for request in answers:
        sizes = request.sizes()
        size = (sizes["responseBodySize"] + sizes["responseHeadersSize"]) / 1e6
        path = request.url.split("?")[0]
        if _TILE.search(path):
            tiles += size
            continue
        if not path.startswith("http"):
            continue
        kind = "columns" if "/columns/" in path else Path(path).suffix[1:] or Path(path).name
        kinds[kind] = round(kinds.get(kind, 0) + size, 3)
        total += size
    entries = "performance.getEntriesByType('resource')"
    asked = f"{entries}.map((e) => [e.name, e.responseEnd, e.transferSize])"
    for name, end, size in page.evaluate(asked):
        if end <= first and not _TILE.search(name):
            before += size / 1e6
    more = {
        "until_first_picture": round(before, 3),
        "kinds": kinds,
        "tiles_and_previews": round(tiles, 3),
        "on_demand": "columns of chunks that a view needs (0.26 MB a column), details (a block of "
        "64 galaxies), sheets of pictures, blocks of the search",
    }
    note = "all that is fetched before the page is at rest, without tiles; megabytes allowed"
    return Result("explorer-weight", total, WEIGHT, 1.0, False, "MB", note, more=more)


def _answers(page: Page) -> Iterator[Result]:
    """Each action again and again, for galaxies of which nothing was fetched before."""
    taken: dict[str, list[float]] = {}
    blocks: dict[str, list[float]] = {}

    def ask(kind: str, action: str, result: str, /, **words: Any) -> None:
        seconds, block, _ = page.evaluate("(given) => probe.ask(given)", [action, result, words])
        taken.setdefault(kind, []).append(seconds)
        blocks.setdefault(kind, []).append(block)

    for turn in range(REPEATS):
        name = f"made_{(turn + 1) * GALAXIES // (REPEATS + 2) + 17 * turn:07d}"
        ask("search", "search", "found", id=name)
        ask("open", "pick", "card", id=name)
        ask("similar", "similar", "card", before=name)
    page.keyboard.press("Escape")
    for turn, column in enumerate(["axis_ratio", "outlier_score", "concentration", "lon", "lat"]):
        ask("colour", "colour", "coloured", name=column)
        before = page.evaluate("document.getElementById('card-title')?.textContent ?? null")
        page.mouse.click(560 + 40 * turn, 360 + 25 * turn)
        ask("click", "clicked", "card", before=before)
    notes = {
        "search": "typed identifier to its suggestion, with the pause of 90 ms while typing",
        "open": "suggestion to the card with both pictures",
        "click": "click on the map to the card with both pictures",
        "similar": "click on a similar galaxy to its card with both pictures",
        "colour": "another property: all shown galaxies coloured, and the legend",
    }
    for name, note in notes.items():
        longest = round(max(blocks[name]), 3)
        text = f"{note}; seconds allowed"
        yield _limited(f"explorer-{name}", taken[name], ANSWER, text, longest_block=longest)
    worst = [max(blocks[name][turn] for name in blocks) for turn in range(REPEATS)]
    ratios = quartiles([block / NOTICED for block in worst])
    note = "longest block of the main thread in any of these, against what is noticed"
    middle = statistics.median(worst)
    yield Result("explorer-blocked", middle, NOTICED, None, False, "s", note, ratios, REPEATS)
