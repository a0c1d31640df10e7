"""A run with its page, a server and a browser."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from factories_survey_page import (
    SurveyRun,
    make_survey_run,
    page_arguments,
    write_embedding,
    write_numbers,
)
from morphosphere.explorer.serve import server
from morphosphere.surveys.page.__main__ import main

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DESKTOP = {"width": 1280, "height": 800}
#: Galaxies of the run; one has no place.
GALAXIES = 300


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> SurveyRun:
    """A run with its page; not to be changed by tests."""
    made = make_survey_run(tmp_path_factory.mktemp("survey") / "deep" / "a run", GALAXIES)
    write_embedding(made)
    write_numbers(made)
    assert main(page_arguments(made, {"title": "Surveys <of> test & more"})) == 0
    return made


@pytest.fixture
def copied(run: SurveyRun, tmp_path: Path) -> SurveyRun:
    """A copy of the run that a test may change."""
    shutil.copytree(run.folder, tmp_path / "a run")
    return SurveyRun(tmp_path / "a run")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        one = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield one
        one.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """A function that opens the page of a run; it lies under a path, not at the root."""
    contexts, running = [], []

    def open_page(
        run: SurveyRun, hash: str = "", *, viewport: dict = DESKTOP, **options: object
    ) -> Page:
        one = server(run.folder.parent)
        threading.Thread(target=one.serve_forever, daemon=True).start()
        running.append(one)
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
        page.root = f"http://127.0.0.1:{one.server_address[1]}"
        page.goto(f"{page.root}/{run.folder.name}/site/index.html{hash}")
        page.wait_for_selector("body[data-ready]", timeout=90_000)
        return page

    yield open_page
    for context in contexts:
        context.close()
    for one in running:
        one.shutdown()
        one.server_close()
