"""The same run made twice, in another place and environment; and the report on it."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from morphosphere.evaluate import FIGURES
from morphosphere.provenance.contents import digest_of
from morphosphere.provenance.nearly import nearness
from morphosphere.provenance.runs import read_run

from .conftest import copy_project
from .faults import CONFIG, Faulty, Undisturbed, environment

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Frame, Page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("undisturbed"),
]

#: Files that are not the same in two runs, and why.
OTHERWISE = {
    "logs/*": "what jobs said: times, process ids",
    "provenance/*": "run times, memory, the machine",
    "training/checkpoints/*": "seconds of the training so far; weights are the same",
    "training/metrics.csv": "seconds of each epoch; the same without them",
    "hips/*/properties": "dates of making; the same without them",
}
#: Of these the timeless part is the same.
TIMELESS = ("training/metrics.csv", "hips/*/properties")


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


def _files(results: Path) -> dict[str, str]:
    """SHA-256 of the bytes of every file, of the timeless part of some."""
    found = {}
    for path in sorted(results.rglob("*")):
        name = path.relative_to(results).as_posix()
        if not path.is_file() or path.name.startswith("."):
            continue
        if _matches(name, TIMELESS):
            found[name] = digest_of(path)
        elif not _matches(name, tuple(OTHERWISE)):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@pytest.fixture(scope="module")
def again(undisturbed: Undisturbed, tmp_path_factory: pytest.TempPathFactory) -> Faulty:
    """The undisturbed run, made again in another folder and environment."""
    folder = tmp_path_factory.mktemp("another") / "place with a longer name"
    folder.mkdir()
    project = Faulty(copy_project(folder).folder)
    shutil.copytree(undisturbed.project.folder / "pictures", folder / "pictures")
    (folder / "my.yaml").write_text(json.dumps(CONFIG))
    for name in ("home", "scratch"):
        (folder.parent / name).mkdir()
    done = project.snakemake(
        TMPDIR=str(folder.parent / "scratch"),
        HOME=str(folder.parent / "home"),
        TZ="Pacific/Chatham",
        LC_ALL="C",
        LANG="C",
        PYTHONHASHSEED="1234",
    )
    assert done.code == 0, str(done)
    return project


def _compare(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "morphosphere.provenance", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True)


def test_every_file_is_the_same_in_two_runs(undisturbed: Undisturbed, again: Faulty) -> None:
    ours, theirs = _files(undisturbed.project.results), _files(again.results)
    differ = {name for name in ours.keys() | theirs if ours.get(name) != theirs.get(name)}
    assert not differ
    for part in ("snapshots", "galaxies", "images", "model", "figures", "hips", "site"):
        assert any(name.startswith(f"{part}/") for name in ours), part


def test_records_of_two_runs_hold_the_same_digests(undisturbed: Undisturbed, again: Faulty) -> None:
    done = _compare("compare", undisturbed.project.results, again.results)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "results have the same digests" in done.stdout


def test_records_name_every_result(again: Faulty) -> None:
    made = set(read_run(again.results).outputs)
    for name in _files(again.results):
        within = {name, *(parent.as_posix() for parent in Path(name).parents)}
        # What the explorer downloads lies beside the page; checkpoints are no results.
        assert within & made or name.startswith("training/"), name


def test_results_are_as_their_records_say(again: Faulty, tmp_path: Path) -> None:
    done = _compare("verify", again.results)
    assert done.returncode == 0, done.stdout + done.stderr
    changed = tmp_path / "results" / "tiny"
    shutil.copytree(again.results, changed)
    (changed / "catalogue.parquet").write_bytes(b"another")
    (changed / "metrics.json").unlink()
    done = _compare("verify", changed)
    assert done.returncode == 1
    assert "catalogue.parquet: was changed after predict made it" in done.stdout
    assert "metrics.json: missing; evaluate made it" in done.stdout


def test_another_seed_is_found_out(again: Faulty, tmp_path: Path) -> None:
    project = Faulty(copy_project(tmp_path).folder)
    config = {**CONFIG, "seed": 43, "surveys": {}}
    (tmp_path / "my.yaml").write_text(json.dumps(config))
    done = project.snakemake("--until", "extract")
    assert done.code == 0, str(done)
    done = _compare("compare", again.results, project.results)
    assert done.returncode == 1
    assert "seed: 42 in A, 43 in B" in done.stdout
    assert "results differ although inputs are the same:\n  mock" in done.stdout
    assert "snapshots/mock/snapdir_099/snap_099.0.hdf5" in done.stdout
    assert "made by A alone" in done.stdout


def test_training_with_other_threads_differs_in_last_digits(again: Faulty, tmp_path: Path) -> None:
    record = read_run(again.results).jobs["learn"].record
    threads = 1 if record["processes"]["threads"] > 1 else 2
    command = [sys.executable, "-m", "morphosphere.learn", "--seed", str(record["seed"])]
    command += ["--settings", json.dumps(record["settings"])]
    command += ["--images", str(again.results / "images_training.h5")]
    command += ["--output", str(tmp_path / "model"), "--training", str(tmp_path / "training")]
    command += ["--provenance", str(tmp_path / "provenance" / "learn.json")]
    done = subprocess.run(
        command, env=environment(OMP_NUM_THREADS=str(threads)), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert read_run(tmp_path).jobs["learn"].record["processes"]["threads"] == threads
    # 1e-6 was measured; a training of hundreds of steps lets it grow, see docs/provenance.md.
    tables = [folder / "training" / "metrics.csv" for folder in (tmp_path, again.results)]
    assert nearness(*tables).within(1e-4), nearness(*tables)


@pytest.fixture(scope="module")
def report(again: Faulty, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked report of a run."""
    folder = tmp_path_factory.mktemp("report")
    done = again.snakemake("--report", str(folder / "report.zip"))
    assert done.code == 0, str(done)
    with zipfile.ZipFile(folder / "report.zip") as archive:
        archive.extractall(folder)
    return folder / "report"


def test_the_report_holds_everything(report: Path) -> None:
    found = {path.name for path in (report / "data").rglob("*") if path.is_file()}
    assert found >= {*FIGURES, "metrics.json", "metrics.html", "provenance.html"}


def test_the_page_of_provenance_tells_of_every_job(report: Path, again: Faulty) -> None:
    page = next(report.rglob("provenance.html")).read_text()
    assert "http" not in page
    assert "<script" not in page
    assert str(again.folder) not in page.replace(sys.prefix, "")
    run = read_run(again.results)
    for job in run.jobs.values():
        for name, facts in job.outputs.items():
            if job.name != "summary":
                assert name in page
                assert facts["digest"] in page, name
        assert all(digest in page for digest in job.inputs.values()), job.name
    assert run.jobs["learn"].record["packages"]["torch"] in page
    assert "no record of" not in page
    assert "read another" not in page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        one = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield one
        one.close()


@pytest.fixture
def opened(browser: Browser, report: Path) -> Iterator[Page]:
    """The landing page in a browser without a network."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    page = context.new_page()
    page.asked, page.errors = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.goto((report / "report.html").as_uri())
    yield page
    assert not page.errors
    outside = [url for url in page.asked if not url.startswith(("file:", "data:", "blob:"))]
    assert not outside
    context.close()


def _look_at(page: Page, category: str, item: str) -> None:
    page.click(f"text={category} >> nth=0")
    page.locator("tr", has_text=item).locator("a").first.click()


def _frame(page: Page, name: str) -> Frame:
    for _ in range(200):
        for frame in page.frames:
            if frame.url.endswith(name):
                return frame
        page.wait_for_timeout(50)
    raise AssertionError(f"{name} is not shown")


@pytest.mark.chromium
def test_the_landing_page_tells_what_the_run_is(opened: Page) -> None:
    opened.wait_for_selector("text=A map of galaxy morphology")
    said = opened.inner_text("body")
    assert "run tiny" in said
    assert all(category in said for category in ("Figures", "Metrics", "Provenance"))


@pytest.mark.chromium
def test_a_figure_is_shown_with_its_caption(opened: Page) -> None:
    _look_at(opened, "Figures", "Reconstructions")
    opened.wait_for_selector("img[src*='reconstructions.png']")
    width = "() => document.querySelector(\"img[src*='reconstructions.png']\").naturalWidth"
    assert opened.evaluate(width) > 100
    opened.locator("tr", has_text="Reconstructions").locator("a").nth(1).click()
    opened.wait_for_selector("text=Held-out images, chosen at random")


@pytest.mark.chromium
def test_metrics_are_a_table(opened: Page, again: Faulty) -> None:
    _look_at(opened, "Metrics", "Table")
    said = _frame(opened, "metrics.html").inner_text("body")
    entropy = json.loads((again.results / "metrics.json").read_text())["sphere_entropy"]
    assert f"{entropy:.4g}" in said
    assert "held-out images" in said


@pytest.mark.chromium
def test_a_stage_opens_when_its_name_is_clicked(opened: Page) -> None:
    _look_at(opened, "Provenance", "All stages")
    frame = _frame(opened, "provenance.html")
    assert not frame.is_visible("text=model/encoder.onnx")
    frame.click("a[href='#stage-learn']")
    frame.wait_for_selector("text=model/encoder.onnx")
    assert frame.is_visible("text=epochs: 1")
