"""The records of a run, put together by stage: ten thousand jobs come down to a dozen rows."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from morphosphere.provenance.runs import Job, Run

#: What makes two jobs' software the same.
_SOFTWARE = ("morphosphere", "git_revision", "source", "python", "platform", "environment")


@dataclass(frozen=True)
class Stage:
    """All jobs of one stage.

    Attributes
    ----------
    name : str
    jobs : list of Job
    variants : list of (dict, list of Job)
        Jobs by their settings; there are several where the sources of a run have settings of
        their own.
    seeds : list of int or None
    softwares : list of int
        Numbers of `Summary.softwares`.
    """

    name: str
    jobs: list[Job]
    variants: list[tuple[dict[str, Any], list[Job]]]
    seeds: list[int | None]
    softwares: list[int]

    @property
    def seconds(self) -> float:
        """Run time of all jobs."""
        return sum(job.record["seconds"] for job in self.jobs)

    @property
    def longest(self) -> Job:
        """The job that took longest."""
        return max(self.jobs, key=lambda job: job.record["seconds"])

    @property
    def largest(self) -> Job:
        """The job with the process that took most memory."""
        return max(self.jobs, key=lambda job: job.record["peak_memory_mib"])


@dataclass(frozen=True)
class Summary:
    """What the page shows.

    Attributes
    ----------
    stages : list of Stage
        In the order in which they began.
    softwares : list of dict
        Versions, each set of them once.
    remarks : list of str
        What a reader should know before trusting the results.
    began, ended : str
        Dates of the first and the last record.
    """

    stages: list[Stage]
    softwares: list[dict[str, Any]]
    remarks: list[str]
    began: str
    ended: str


def summarise(run: Run, missing: list[str] | None = None) -> Summary:
    """Put the records of a run together.

    Parameters
    ----------
    run : Run
    missing : list of str, optional
        Names of jobs that belong to the run and have no record.
    """
    softwares: dict[str, dict[str, Any]] = {}
    numbers: dict[str, int] = {}
    groups: dict[str, list[Job]] = {}
    for job in sorted(run.jobs.values(), key=lambda job: (job.record["date"], job.name)):
        groups.setdefault(job.stage, []).append(job)
        used = {key: job.record.get(key) for key in (*_SOFTWARE, "packages")}
        key = json.dumps(used, sort_keys=True)
        softwares.setdefault(key, used)
        numbers[job.name] = list(softwares).index(key)
    stages = [_stage(name, jobs, numbers) for name, jobs in groups.items()]
    dates = sorted(job.record["date"] for job in run.jobs.values())
    used = list(softwares.values())
    remarks = [*_on_software(used), *run.broken_links(), *_on_missing(missing or [])]
    return Summary(stages, used, remarks, dates[0], dates[-1])


def _stage(name: str, jobs: list[Job], numbers: dict[str, int]) -> Stage:
    variants: dict[str, tuple[dict[str, Any], list[Job]]] = {}
    for job in jobs:
        settings = job.record["settings"]
        variants.setdefault(json.dumps(settings, sort_keys=True), (settings, []))[1].append(job)
    return Stage(
        name,
        jobs,
        list(variants.values()),
        list(dict.fromkeys(job.record["seed"] for job in jobs)),
        sorted({numbers[job.name] for job in jobs}),
    )


def _on_software(softwares: list[dict[str, Any]]) -> list[str]:
    remarks = []
    revisions = list(dict.fromkeys(one["git_revision"] for one in softwares))
    sources = {one["source"] for one in softwares}
    if len(sources) > 1:
        remarks.append(
            f"stages were run with {len(sources)} states of morphosphere's source: a stage runs "
            "again when its own code is changed, and not when that of another is"
        )
    if None in revisions:
        remarks.append("morphosphere was not in a git repository: its source has a digest only")
    if any(str(revision).endswith("-dirty") for revision in revisions):
        remarks.append("morphosphere had changes that are in no git revision (-dirty)")
    return remarks


def _on_missing(missing: list[str]) -> list[str]:
    if not missing:
        return []
    more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
    return [f"no record of {', '.join(missing[:5])}{more}"]


def combined(digests: list[str]) -> str:
    """One digest that stands for many."""
    return f"sha256-list:{hashlib.sha256(chr(10).join(digests).encode()).hexdigest()}"
