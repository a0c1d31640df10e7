"""The records of a finished run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from morphosphere.errors import InputError
from morphosphere.files import read_json
from morphosphere.provenance.known import FOLDER


@dataclass(frozen=True)
class Job:
    """One job's record.

    Attributes
    ----------
    name : str
        Of the record, for example ``render-mock-99-0``.
    record : dict
        What `RunRecord.write` wrote.
    inputs : dict
        Digests by path; paths of the run's own files are relative to its folder.
    outputs : dict
        Facts (``digest``, ``bytes``, ``files``) by path relative to the run's folder.
    """

    name: str
    record: dict[str, Any]
    inputs: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def stage(self) -> str:
        """What jobs of one kind have in common: the record's name up to the first dash."""
        return self.name.partition("-")[0]


def read_job(path: Path) -> Job:
    """One record.

    Raises
    ------
    InputError
        If it is no record, or one of a version that did not hold digests of results.
    """
    record = read_json(path)
    if not isinstance(record, dict) or not isinstance(record.get("inputs"), dict):
        raise InputError(f"{path}: not a run record; remove it and run the stage again")
    if not isinstance(record.get("outputs"), dict):
        raise InputError(
            f"{path}: holds no digests of results: an older version wrote it; run the stage again"
        )
    start = f"{record.get('folder', '')}/"
    inputs = {name.removeprefix(start): value for name, value in record["inputs"].items()}
    outputs = {name.removeprefix(start): value for name, value in record["outputs"].items()}
    return Job(path.stem, record, inputs, outputs)


@dataclass(frozen=True)
class Run:
    """All records of a run.

    Attributes
    ----------
    folder : Path
        Of its results.
    jobs : dict of Job
        By name.
    """

    folder: Path
    jobs: dict[str, Job]

    @property
    def outputs(self) -> dict[str, tuple[Job, dict[str, Any]]]:
        """Each result with the job that made it and its facts."""
        return {
            name: (job, facts) for job in self.jobs.values() for name, facts in job.outputs.items()
        }

    def broken_links(self) -> list[str]:
        """Inputs that are not what the job that made them left: something changed in between."""
        made = self.outputs
        return [
            f"{job.name} read another {name} than {made[name][0].name} has made"
            for job in self.jobs.values()
            for name, digest in job.inputs.items()
            if name in made and made[name][1]["digest"] != digest
        ]


def read_run(folder: Path, names: Iterable[str] | None = None) -> Run:
    """The records of a run, or those of them that are named.

    Parameters
    ----------
    folder : Path
        Of the run's results, or of its records.
    names : iterable of str, optional
        Names of jobs; those without a record are left out.

    Raises
    ------
    InputError
        If there is no record, or one cannot be read.
    """
    records = folder if folder.name == FOLDER else folder / FOLDER
    if not records.is_dir():
        raise InputError(
            f"{folder}: holds no folder {FOLDER}; name the folder of a run, as in results/demo"
        )
    found = {path.stem: path for path in sorted(records.glob("*.json"))}
    if names is not None:
        found = {name: found[name] for name in names if name in found}
    if not found:
        raise InputError(f"{records}: holds no run records; no stage of this run has finished")
    return Run(records.parent, {name: read_job(path) for name, path in found.items()})
