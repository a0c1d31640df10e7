"""Whether two runs made the same results, and if not, what was different before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from morphosphere.provenance.runs import Job, Run

#: Facts of a record that a result may depend on, with their names in messages.
_FACTS = {
    "seed": "seed",
    "source": "source of morphosphere",
    "git_revision": "git revision",
    "python": "Python",
    "platform": "platform",
}


@dataclass(frozen=True)
class Comparison:
    """Two runs, result by result.

    Attributes
    ----------
    same, differ, only_a, only_b : list of str
        Names of results, relative to the run's folder.
    origins : list of str
        Jobs whose results differ although they read the same.
    causes : list of str
        Settings, seeds, inputs and versions that differ, one line each.
    """

    same: list[str] = field(default_factory=list)
    differ: list[str] = field(default_factory=list)
    only_a: list[str] = field(default_factory=list)
    only_b: list[str] = field(default_factory=list)
    origins: list[str] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """Whether both runs hold the same results."""
        return not (self.differ or self.only_a or self.only_b)


def compare(a: Run, b: Run) -> Comparison:
    """Compare the results of two runs by the digests in their records."""
    ours, theirs = a.outputs, b.outputs
    found = Comparison(
        only_a=[name for name in ours if name not in theirs],
        only_b=[name for name in theirs if name not in ours],
    )
    for name in (name for name in ours if name in theirs):
        equal = ours[name][1]["digest"] == theirs[name][1]["digest"]
        (found.same if equal else found.differ).append(name)
    both = [(a.jobs[name], b.jobs[name]) for name in a.jobs if name in b.jobs]
    changed = {ours[name][0].name for name in found.differ}
    found.origins.extend(
        one.name for one, other in both if one.name in changed and one.inputs == other.inputs
    )
    made = ours.keys() | theirs.keys()
    causes = (cause for one, other in both for cause in _causes(one, other, made))
    found.causes.extend(dict.fromkeys(causes))
    return found


def _causes(a: Job, b: Job, made: set[str]) -> Iterator[str]:
    """What was different about a job, but for inputs that jobs of the runs have made."""
    settings = [dict(_leaves(job.record.get("settings", {}))) for job in (a, b)]
    for key in settings[0].keys() | settings[1].keys():
        values = [one.get(key, "not given") for one in settings]
        if values[0] != values[1]:
            yield f"{a.stage}: {key} is {values[0]} in A, {values[1]} in B"
    for key, name in _FACTS.items():
        if a.record.get(key) != b.record.get(key):
            yield f"{name}: {_short(a.record.get(key))} in A, {_short(b.record.get(key))} in B"
    packages = [job.record.get("packages", {}) for job in (a, b)]
    for key in sorted(packages[0].keys() | packages[1].keys()):
        values = [one.get(key, "missing") for one in packages]
        if values[0] != values[1]:
            yield f"package {key}: {values[0]} in A, {values[1]} in B"
    for key, what in (("ranks", "process(es)"), ("threads", "thread(s) each")):
        values = [job.record.get("processes", {}).get(key) for job in (a, b)]
        if values[0] != values[1]:
            yield f"{a.stage}: {values[0]} {what} in A, {values[1]} in B"
    yield from _inputs(a, b, made)


def _inputs(a: Job, b: Job, made: set[str]) -> Iterator[str]:
    """Inputs from outside of the runs whose digests differ."""
    outside = [
        sorted(value for name, value in job.inputs.items() if name not in made) for job in (a, b)
    ]
    if outside[0] != outside[1]:
        yield f"{a.name}: other input files"


def _leaves(value: Any, start: str = "") -> Iterator[tuple[str, Any]]:
    if not isinstance(value, dict):
        yield start, value
        return
    for key, item in value.items():
        yield from _leaves(item, f"{start}.{key}" if start else str(key))


def _short(value: Any) -> str:
    text = str(value)
    return f"{text[:19]}…" if len(text) > 60 and ":" in text[:12] else text
