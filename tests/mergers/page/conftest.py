"""A run with its page, a server, a browser, and JavaScript without a browser."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from factories_merger_page import MergerRun, arguments, make_merger_run
from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.explorer.serve import server
from morphosphere.mergers.page.__main__ import main

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DESKTOP = {"width": 1280, "height": 800}


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> MergerRun:
    """A run with its page; not to be changed by tests."""
    made = make_merger_run(tmp_path_factory.mktemp("mergers") / "deep" / "a run")
    assert main(arguments(made, {"title": "Pairs <of> test & more", "nearest": 5})) == 0
    return made


@pytest.fixture(scope="session")
def predictions(run: MergerRun) -> dict[str, np.ndarray]:
    """The catalogue of the run."""
    catalogue = Catalogue(run.catalogue)
    return catalogue.read(catalogue.columns)


@pytest.fixture
def copied(run: MergerRun, tmp_path: Path) -> MergerRun:
    """A copy of the run that a test may change."""
    shutil.copytree(run.folder, tmp_path / "a run")
    return MergerRun(tmp_path / "a run")


@pytest.fixture
def javascript(run: MergerRun) -> Callable[..., Any]:
    """A function that runs an expression over modules of the page in Node, with an argument."""
    node = Path(sys.executable).parent / "node"
    folder = (run.site / "page" / "js").as_uri()

    def call(modules: str, expression: str, argument: object = None) -> Any:
        names = [name.strip() for name in modules.split(",")]
        imports = "".join(f'import * as {n} from "{folder}/{n}.js";\n' for n in names)
        script = (
            f"{imports}let text = '';\nfor await (const part of process.stdin) text += part;\n"
            f"const given = JSON.parse(text);\n"
            f"const out = await (async () => {{ {expression} }})();\n"
            "console.log(JSON.stringify(out));\n"
        )
        done = subprocess.run(
            [str(node if node.exists() else "node"), "--input-type=module", "--eval", script],
            input=json.dumps(argument),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return call


@pytest.fixture
def served() -> Iterator[Callable[[Path], str]]:
    """A function that serves a folder and returns its address."""
    running = []

    def start(folder: Path) -> str:
        one = server(folder)
        threading.Thread(target=one.serve_forever, daemon=True).start()
        running.append(one)
        return f"http://127.0.0.1:{one.server_address[1]}"

    yield start
    for one in running:
        one.shutdown()
        one.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        one = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield one
        one.close()


@pytest.fixture
def visit(browser: Browser, served: Callable[[Path], str]) -> Iterator[Callable[..., Page]]:
    """A function that opens the page of a run; it lies under a path, not at the root."""
    contexts = []

    def open_page(
        run: MergerRun, hash: str = "", *, viewport: dict = DESKTOP, **options: object
    ) -> Page:
        context = browser.new_context(viewport=viewport, reduced_motion="reduce", **options)
        contexts.append(context)
        page = context.new_page()
        page.requested, page.errors = [], []
        page.on("request", lambda request: page.requested.append(request.url))
        page.on("pageerror", lambda error: page.errors.append(str(error)[:300]))
        page.on(
            "console",
            lambda said: page.errors.append(said.text[:300]) if said.type == "error" else None,
        )
        page.root = served(run.folder.parent)
        page.goto(f"{page.root}/{run.folder.name}/site/index.html{hash}")
        page.wait_for_selector("body[data-ready]", timeout=90_000)
        return page

    yield open_page
    for context in contexts:
        context.close()
