"""Runs, servers and a browser for the tests of the explorer."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from factories_explorer import DATA_SETTINGS, Run, add_page, make_run
from morphosphere.explorer.data import make_data
from morphosphere.explorer.serve import server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

READY = "body[data-ready]"
DESKTOP = {"width": 1280, "height": 800}


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with its data; not to be changed by tests."""
    run = make_run(tmp_path_factory.mktemp("explorer") / "deep" / "er" / "a run")
    make_data(run.images, run.model, run.table, run.data, DATA_SETTINGS)
    return run


@pytest.fixture
def copied(finished: Run, tmp_path: Path) -> Run:
    """A copy of the finished run that a test may change."""
    folder = tmp_path / "a run"
    shutil.copytree(finished.folder, folder)
    return Run(folder, finished.catalogue)


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
    """The finished run with its page; not to be changed by tests."""
    add_page(finished, title="Galaxies <of> test & more", introduction="Some\n  words.")
    return finished
