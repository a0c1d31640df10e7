"""A run that nothing disturbed, and what runs that something disturbed are held to.

Results are the same byte for byte when a run is made again, but for the dates of a HiPS. So what a
disturbed run has left is judged by its digests: a file that looks finished has the bytes of the
undisturbed run, or it is half of something.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from factories_configs import small_mock

HERE = Path(__file__).parent
CONFIG = small_mock(
    "tiny",
    surveys={"sky": {"path": "pictures", "bands": ["i", "r", "g"], "size": 32}},
    explore={"data": {"sheet_side": 4}},
)
#: What a job makes and keeps beside what Snakemake knows of.
UNDECLARED = {"learn": ["model", "training"], "page_data": ["site/data"]}
#: Names of files that nobody takes for results.
HIDDEN = re.compile(r"(^|/)\.")
UNCOUNTED = ("logs/", "provenance/", "training/")


def environment(**more: str) -> dict[str, str]:
    """Of Snakemake and jobs: one thread each, as results may depend on the number."""
    ours = ("PYTHONPATH", "MORPHOSPHERE_SNAKEMAKE")
    given = {name: value for name, value in os.environ.items() if name not in ours}
    path = f"{Path(sys.executable).parent}{os.pathsep}{given['PATH']}"
    return {**given, "PATH": path, "OMP_NUM_THREADS": "1", "NO_COLOR": "1", **more}


@dataclass(frozen=True)
class Faulty:
    """A project whose jobs can be disturbed.

    Attributes
    ----------
    folder : Path
        Of a copy of the project, in which a run was made or is to be made.
    """

    folder: Path

    @property
    def results(self) -> Path:
        """Folder of the run's results."""
        return self.folder / "results" / CONFIG["run"]

    def snakemake(
        self, *words: str, on: Sequence[str] = (), timeout: float = 600, **variables: str
    ) -> Done:
        """Run Snakemake as a user would; `on` is put before it, see `disks`."""
        with self.started(*words, on=on, **variables) as process:
            try:
                said = process.communicate(timeout=timeout)[0]
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return Done(process.returncode, said)

    def started(
        self, *words: str, on: Sequence[str] = (), **variables: str
    ) -> subprocess.Popen[str]:
        """Start Snakemake; everything that it says goes to ``stdout``."""
        command = [sys.executable, "-m", "snakemake", "--profile", "profiles/local"]
        return subprocess.Popen(
            [*on, *command, "--configfile", "my.yaml", "--cores", "2", *words],
            cwd=self.folder,
            env=environment(**variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @cached_property
    def jobs(self) -> dict[str, Job]:
        """The jobs of the run that was made here, by the name of their record."""
        found: dict[str, Job] = {}
        for path in (self.folder / ".snakemake" / "metadata").rglob("*"):
            if not path.is_file():
                continue
            about = json.loads(path.read_text())
            name = Path(about["log"][0]).stem
            job = found.setdefault(name, Job(name, about["shellcmd"]))
            job.outputs.append(base64.b64decode(path.name).decode())
        for name, _, kind, text in read_record(self.folder):
            if kind == "environment":
                variable, _, value = text.partition("=")
                found[name].variables[variable] = value
        return found

    def run(
        self, job: str, *, on: Sequence[str] = (), timeout: float = 120, **variables: str
    ) -> Done:
        """Run the shell command of one job; `on` is put before it, see `disks`."""
        command = f"set -euo pipefail; export PYTHONPATH={self.folder / 'src'}; "
        done = subprocess.run(
            [*on, "bash", "-c", command + self.jobs[job].command],
            cwd=self.folder,
            env=environment(**self.jobs[job].variables, **variables),
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        log = self.results / "logs" / f"{job}.log"
        said = log.read_text(errors="replace") if log.exists() else ""
        return Done(done.returncode, done.stdout + done.stderr + said)

    def forget(self, *jobs: str) -> int:
        """Remove what jobs have made; return its size in KiB."""
        before = self._size()
        for job in jobs:
            self._forget(job)
        return (before - self._size()) // 1024

    def _size(self) -> int:
        return sum(p.stat().st_blocks * 512 for p in self.results.rglob("*") if p.is_file())

    def _forget(self, job: str) -> None:
        for name in self.jobs[job].outputs:
            (self.folder / name).unlink()
        more = UNDECLARED.get(job, [])
        if job.startswith("hips-"):
            more = [f"hips/{job.removeprefix('hips-')}"]
        for name in more:
            shutil.rmtree(self.results / name)

    def digests(self) -> dict[str, str]:
        """Digest of each finished file, by its path below the results."""
        found = {}
        for path in sorted(self.results.rglob("*")):
            name = path.relative_to(self.results).as_posix()
            if path.is_file() and not HIDDEN.search(name) and not name.startswith(UNCOUNTED):
                found[name] = hashlib.sha256(_content(path)).hexdigest()
        return found


def _content(path: Path) -> bytes:
    data = path.read_bytes()
    if path.name == "properties":  # the date of a HiPS is that of its making
        data = re.sub(rb"(?m)^hips_\w+_date .*\n", b"", data)
    return data


@dataclass(frozen=True)
class Done:
    """How a command ended and what it said."""

    code: int
    said: str

    def __str__(self) -> str:
        return f"exit status {self.code}\n{self.said[-4000:]}"


@dataclass(frozen=True)
class Job:
    """One job of a run: its shell command, what Snakemake knows that it makes and sets for it."""

    name: str
    command: str
    outputs: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Undisturbed:
    """A finished run.

    Attributes
    ----------
    project : Faulty
        Not to be changed; see `copy`.
    digests : dict
        See `Faulty.digests`.
    """

    project: Faulty
    digests: dict[str, str]

    @cached_property
    def record(self) -> list[tuple[str, str, str, str]]:
        """See `read_record`."""
        return read_record(self.project.folder)

    @cached_property
    def renames(self) -> dict[tuple[str, str], int]:
        """How many files each rank of each job brings to their place."""
        return Counter((job, rank) for job, rank, kind, _ in self.record if kind == "rename")

    @contextlib.contextmanager
    def copied(self, folder: Path, *, results: bool = True) -> Iterator[Faulty]:
        """A copy to disturb, with or without results, removed at the end."""
        leave_out = None if results else shutil.ignore_patterns("results", ".snakemake")
        shutil.copytree(self.project.folder, folder / "p", symlinks=True, ignore=leave_out)
        try:
            yield Faulty(folder / "p")
        finally:
            shutil.rmtree(folder / "p", ignore_errors=True)

    def assert_whole(self, project: Faulty) -> None:
        """Whatever looks finished is as it is in an undisturbed run; records can be read."""
        half = {n for n, digest in project.digests().items() if self.digests.get(n) != digest}
        assert not half, f"look finished, but are not: {sorted(half)}"
        for record in project.results.glob("provenance/*.json"):
            json.loads(record.read_text())

    def assert_same(self, project: Faulty) -> None:
        """The run is finished, and nothing of the disturbance is left."""
        found = project.digests()
        differ = {n for n in found.keys() | self.digests if found.get(n) != self.digests.get(n)}
        assert not differ, f"not as in an undisturbed run: {sorted(differ)}"
        names = [p.relative_to(project.results).as_posix() for p in project.results.rglob(".*")]
        left = [n for n in names if not n.startswith("provenance/")]
        assert not left, f"left behind: {left}"


def read_record(folder: Path) -> list[tuple[str, str, str, str]]:
    """Of each rename, opening or variable: job, rank, kind, and path or value; see the injector."""
    return [tuple(line.split("\t")) for line in (folder / "record").read_text().splitlines()]


def make_undisturbed(project: Faulty) -> Undisturbed:
    """Make the run, in a project without results."""
    (project.folder / "src" / "sitecustomize.py").write_text(
        (HERE / "fault_injector.py").read_text()
    )
    (project.folder / "my.yaml").write_text(json.dumps(CONFIG))
    (project.folder / "pictures").mkdir()
    random = np.random.default_rng(0)
    for number in range(12):
        pixels = random.integers(0, 255, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(project.folder / "pictures" / f"{number}.png")
    done = project.snakemake(FAULT_RECORD=str(project.folder / "record"))
    assert done.code == 0, str(done)
    (project.folder / "digests.json").write_text(json.dumps(project.digests()))
    return read_undisturbed(project.folder)


def read_undisturbed(folder: Path) -> Undisturbed:
    """A run that `make_undisturbed` has made."""
    return Undisturbed(Faulty(folder), json.loads((folder / "digests.json").read_text()))


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """One worker at a time."""
    with open(path, "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
