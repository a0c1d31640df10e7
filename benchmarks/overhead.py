"""What Snakemake costs: a dry run of ten thousand jobs, and each of a thousand small jobs.

The dry run is that of a simulation with 2,500 snapshots, extracted in four shards each, whose files
are empty stand-ins. It is held to ten seconds, and to a workflow of the same jobs and files that
has nothing but names and commands: what Snakemake itself takes.

The small jobs copy a file, with the resources and parameters of our rules; the same commands are
run one after the other by a plain loop. What Snakemake adds to a job is held to the time in which a
stage starts: where it is much less, larger jobs would gain little.
"""

from __future__ import annotations

import json
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.result import Result
from benchmarks.work import ROOT

SNAPSHOTS, SHARDS = 2500, 4
JOBS = 1000
_PEER = f"""
rule all:
    input: "joined"
rule join:
    input: expand("images/{{s}}/{{c}}", s=range({SNAPSHOTS}), c=range({SHARDS})),
    output: "joined",
    shell: "cat {{input[0]}} > {{output}}"
rule render:
    input: "galaxies/{{s}}/{{c}}",
    output: "images/{{s}}/{{c}}",
    shell: "cp {{input}} {{output}}"
rule extract:
    input: "box/snapdir_{{s}}",
    output: expand("galaxies/{{{{s}}}}/{{c}}", c=range({SHARDS})),
    shell: "touch {{output}}"
"""
_SMALL = f"""
include: "{ROOT}/workflow/rules/common.smk"
rule all:
    input: expand("out/{{n}}", n=range({JOBS})),
rule copy:
    input: images="in/{{n}}",
    output: images="out/{{n}}",
    log: log_of("copy-{{n}}"),
    resources:
        **needs("render", shared=True),
        launch=mpi,
        tasks=ranks,
    params:
        code=code("render"),
        settings=settings("render"),
        folder=folder("images"),
    shell: "cp {{input.images:q}} {{output.images:q}} > {{log:q}} 2>&1"
"""


def run() -> Iterator[Result]:
    """Two dry runs, alternating with the peer's; one run of small jobs and one of the loop."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _dry(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        yield from _small(Path(folder))


def _dry(folder: Path) -> Iterator[Result]:
    for number in range(SNAPSHOTS):
        for name in (f"snapdir_{number:03d}/snap", f"groups_{number:03d}/fof_subhalo_tab"):
            file = folder / "box" / f"{name}_{number:03d}.0.hdf5"
            file.parent.mkdir(parents=True)
            file.touch()
        (folder / "box" / f"snapdir_{number}").mkdir(exist_ok=True)
    box = {"path": "box", "snapshots": list(range(SNAPSHOTS))}
    config = {"run": "many", "simulations": {"box": box}, "extract": {"shards": SHARDS}}
    (folder / "my.yaml").write_text(json.dumps(config))
    (folder / "peer.smk").write_text(_PEER)
    ours = ["--snakefile", str(ROOT / "Snakefile"), "--configfile", "my.yaml"]
    ours += ["--profile", str(ROOT / "profiles" / "local")]
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(2):
        for which, words in enumerate((ours, ["--snakefile", "peer.smk", "--cores", "1"])):
            seconds[which].append(_snakemake(folder, *words, "--dry-run"))
    mine, peer = map(statistics.median, seconds)
    jobs = f"{SNAPSHOTS * SHARDS:,} render jobs"
    yield Result("overhead-dry-run", mine, 10.0, 1.0, False, "s", f"dry run, {jobs}; limit 10 s")
    yield Result(
        "overhead-dry-run-peer", mine, peer, 2.0, False, "s", "Snakemake with names and commands"
    )


def _small(folder: Path) -> Iterator[Result]:
    (folder / "src").symlink_to(ROOT / "src")
    (folder / "in").mkdir()
    for number in range(JOBS):
        (folder / "in" / str(number)).write_text("x" * 1000)
    (folder / "Snakefile").write_text(_SMALL)
    (folder / "my.yaml").write_text(json.dumps({"simulations": {"mock": {}}}))
    words = ["--configfile", "my.yaml", "--cores", "1", "--quiet", "all"]
    total = _snakemake(folder, *words)
    (folder / "loop").mkdir()
    start = time.perf_counter()
    for number in range(JOBS):
        command = f"set -euo pipefail; cp {shlex.quote(f'in/{number}')} loop/{number}"
        subprocess.run(["bash", "-c", command], cwd=folder, check=True)
    loop = time.perf_counter() - start
    added = (total - loop) / JOBS
    help_ = [sys.executable, "-m", "morphosphere.render", "--help"]
    starts = []
    for _ in range(6):
        start = time.perf_counter()
        subprocess.run(help_, check=True, capture_output=True)
        starts.append(time.perf_counter() - start)
    note = f"added to each of {JOBS:,} jobs; render --help (loop {1000 * loop / JOBS:.1f} ms a job)"
    yield Result("overhead-job", added, statistics.median(starts[1:]), 0.5, False, "s", note)


def _snakemake(folder: Path, *words: str) -> float:
    """Seconds of a Snakemake that ends well."""
    command = [sys.executable, "-m", "snakemake", "--directory", ".", *words]
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}"[-4000:])
    return time.perf_counter() - start
