"""The pages of the report from records made by hand, few and ten thousand."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from html_pages import assert_sound, text_of
from morphosphere.provenance.runs import Job, Run
from morphosphere.summary.__main__ import main
from morphosphere.summary.jobs import summarise
from morphosphere.summary.metrics import metrics_page
from morphosphere.summary.provenance import provenance_page


def job(name: str, **values) -> Job:
    """A record with what the page needs."""
    record = {
        "stage": name.partition("-")[0],
        "morphosphere": "0.1.0",
        "git_revision": "0123456789abcdef",
        "source": "sha256:50ce",
        "date": "2026-01-02T03:04:05+00:00",
        "seed": 42,
        "settings": {"size": 32},
        "notes": {},
        "seconds": 2.0,
        "peak_memory_mib": 100.0,
        "processes": {"ranks": 1, "hosts": {"n1": 1}, "cpu_seconds": 1.0},
        "slurm": None,
        "python": "3.11.1",
        "environment": "/env",
        "platform": "Linux",
        "packages": {"numpy": "2.0"},
    }
    inputs, outputs = values.pop("inputs", {}), values.pop("outputs", {})
    return Job(name, {**record, **values}, inputs, outputs)


def run_of(*jobs: Job) -> Run:
    return Run(Path("results/demo"), {one.name: one for one in jobs})


def page_of(*jobs: Job, missing: list[str] | None = None) -> str:
    page = provenance_page(summarise(run_of(*jobs), missing), "demo")
    assert_sound(page)
    return page


def test_a_job_is_shown_with_all_that_is_known_of_it() -> None:
    ranks = {
        "ranks": 3,
        "hosts": {"n1": 1, "n2": 2},
        "largest_rank": 2,
        "memory_mib_of_all": 2048.0,
        "cpu_seconds": 90.0,
        "gpu_memory_mib": 512.0,
    }
    said = text_of(
        page_of(
            job(
                "learn",
                settings={"epochs": 9, "loss": {"kl": 0.1}},
                inputs={"images.h5": "sha256:1111"},
                outputs={
                    "model/model.json": {"digest": "sha256:2222"},
                    "tiles": {"digest": "sha256-tree:3333", "files": 1234},
                },
                processes=ranks,
                slurm={"job": "17", "nodes": "n[1-2]"},
                notes={"device": "cuda"},
                seconds=3700.0,
                peak_memory_mib=1500.0,
            )
        )
    )
    for expected in (
        "epochs: 9",
        "kl: 0.1",
        "images.h5 sha256:1111",
        "model/model.json sha256:2222",
        "tiles (1,234 files) sha256-tree:3333",
        "n1 × 1, n2 × 2, Slurm job 17",
        "1.5 GiB (rank 2); 2.0 GiB of all ranks",
        "memory of a GPU 512 MiB",
        "run time 1.0 h",
        "processor time 1 min 30 s",
        "seed 42",
        "0123456789",
        "numpy 2.0",
        "device: cuda",
    ):
        assert expected in said, expected


def test_what_a_reader_should_know_is_said() -> None:
    join = job("join", outputs={"images.h5": {"digest": "sha256:1"}})
    learn = job("learn", inputs={"images.h5": "sha256:0"}, git_revision="beef-dirty", source="x")
    other = job("predict", git_revision=None, source="y")
    said = text_of(page_of(join, learn, other, missing=["render-a-1", "render-a-2"]))
    assert "learn read another images.h5 than join has made" in said
    assert "3 states of morphosphere's source" in said
    assert "not in a git repository" in said
    assert "in no git revision (-dirty)" in said
    assert "no record of render-a-1, render-a-2" in said
    assert 'class="remarks"' not in page_of(job("join"))


def test_names_and_values_cannot_break_the_page() -> None:
    bad = "<b>&\"'"
    page = page_of(
        job("collect", settings={bad: bad}, inputs={bad: bad}, notes={bad: bad}, environment=bad),
        *(job(f"render-{i}", inputs={bad: bad}, outputs={bad: {"digest": bad}}) for i in (1, 2)),
    )
    assert "<b>" not in page
    page = metrics_page({"x": {bad: 1.0}, bad: 2, "notes": {"x": bad, f"x.{bad}": bad}}, "demo")
    assert "<b>" not in page
    assert_sound(page)


def test_ten_thousand_jobs_are_a_row_and_tables_that_open() -> None:
    jobs = [
        job(
            f"render-box-{i}",
            seconds=1.0 + (i == 77),
            peak_memory_mib=100.0 + (i == 99),
            inputs={f"galaxies/{i}.h5": f"sha256:{i:064x}"},
            outputs={f"images/{i}.h5": {"digest": f"sha256:{i + 10**6:064x}"}},
        )
        for i in range(10_000)
    ]
    page = page_of(*jobs, job("join"))
    said = text_of(page)
    assert "10,001 jobs of 2 stages" in said
    assert "render 10,000 42 2.8 h 2.0 s 101 MiB 1 0123456789 1" in said
    assert all(facts["digest"] in page for one in jobs for facts in one.outputs.values())
    tables = re.findall(r"<tbody>.*?</tbody>", page, flags=re.S)
    assert max(table.count("<tr>") for table in tables) <= 200
    assert len(page) < 500 * len(jobs)


def test_a_thousand_inputs_of_one_job_are_one_line() -> None:
    inputs = {f"snap.{i}.hdf5": f"sha256:{i}" for i in range(1000)}
    said = text_of(page_of(job("extract", inputs=inputs)))
    assert "snap.0.hdf5 to snap.999.hdf5, 1,000 files sha256-list:" in said
    other = text_of(page_of(job("extract", inputs={**inputs, "snap.5.hdf5": "sha256:changed"})))
    assert said != other


def test_sources_with_settings_of_their_own_are_told_apart() -> None:
    page = page_of(
        job("collect-a", settings={"pattern": "*.jpg"}),
        job("collect-b", settings={"pattern": "*.fits"}),
    )
    said = text_of(page)
    assert "Settings of collect-a pattern: '*.jpg'" in said
    assert "Settings of collect-b pattern: '*.fits'" in said


def test_metrics_of_every_shape_are_tables() -> None:
    page = metrics_page(
        {
            "sphere_entropy": 0.97654,
            "rotation_scatter_deg": {"median": 0.5, "p90": None},
            "reconstruction_by_source": {"sky": {"images": 3, "trained_on": True, "l1": 0.1}},
            "knn_r2": {"sphere": {"mass": 0.5, "age": None}, "random": {"mass": -0.1}},
            "notes": {
                "sphere_entropy": "of 44 images",
                "knn_r2.age": "known for 2",
                "knn_r2.size": "known for 2",
            },
        },
        "demo",
    )
    assert_sound(page)
    said = text_of(page)
    assert "sphere_entropy 0.9765" in said
    assert "median 0.5 p90 –" in said
    assert "images trained_on l1 sky 3 yes 0.1" in said
    assert "sphere random mass 0.5 -0.1 age – –" in said
    assert "of 44 images" in said
    assert "age, size: known for 2" in said


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with two records and metrics."""
    folder = tmp_path / "results" / "demo"
    (folder / "provenance").mkdir(parents=True)
    for name in ("join", "render-a-3", "render-old-1"):
        one = job(name)
        record = {**one.record, "inputs": {}, "outputs": {}, "folder": str(folder)}
        (folder / "provenance" / f"{name}.json").write_text(json.dumps(record))
    (folder / "metrics.json").write_text('{"sphere_entropy": 0.5}')
    return folder


def arguments(run: Path, *words: str) -> list[str]:
    return [
        *("--run", str(run), "--metrics", str(run / "metrics.json")),
        *("--metrics-page", str(run / "metrics.html")),
        *("--output", str(run / "provenance" / "provenance.html")),
        *("--provenance", str(run / "provenance" / "summary.json"), *words),
    ]


def test_only_jobs_of_the_run_are_shown(run: Path) -> None:
    assert main(arguments(run, "--jobs", "join", "render-a-{3-4}")) == 0
    page = (run / "provenance" / "provenance.html").read_text()
    assert "render-a-3" in page or "1 job" in page
    assert "render-old-1" not in page
    assert "no record of render-a-4" in page
    assert "0.5" in (run / "metrics.html").read_text()
    record = json.loads((run / "provenance" / "summary.json").read_text())
    assert list(record["outputs"]) == [str(run / "metrics.html")]
    assert record["notes"]["missing"] == 1


def test_a_broken_record_is_one_error_and_the_old_page_stays(run: Path, capsys) -> None:
    (run / "provenance" / "provenance.html").write_text("old")
    (run / "provenance" / "join.json").write_text("{")
    assert main(arguments(run)) == 1
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert "join.json: not valid JSON" in said[0]
    assert (run / "provenance" / "provenance.html").read_text() == "old"


def test_values_deeper_than_a_table_are_told_by_their_median() -> None:
    page = metrics_page(
        {
            "by_phase": {
                "approach": {"images": 4, "time_error_myr": {"median": 12.345, "bias": 1.0}},
                "final": {"images": 3, "coverage": {"68": 0.5, "each": {"a": 1}}},
            }
        },
        "demo",
    )
    assert "12.35" in page or "12.34" in page
    assert "68: 0.5" in page
    assert "{" not in page[page.index("By phase") :]
