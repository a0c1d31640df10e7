"""The record of one job, which it collects while it runs."""

from __future__ import annotations

import datetime
import platform
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from morphosphere import __version__
from morphosphere.files import write_json
from morphosphere.provenance.contents import digests_of, files_below, together
from morphosphere.provenance.known import Known, run_folder
from morphosphere.provenance.machine import Usage, slurm_job, summary
from morphosphere.provenance.software import git_revision, package_versions, source_digest


class RunRecord:
    """Collects one stage's provenance while it runs.

    Parameters
    ----------
    stage : str
        Name of the stage, for example ``render``.
    settings : dict
        The stage's slice of the configuration.
    seed : int or None
        The seed that the stage was given.
    path : Path, optional
        Where the record is to be written. Without it no file is read for its digest.
    """

    def __init__(
        self, stage: str, settings: dict[str, Any], seed: int | None, path: Path | None = None
    ) -> None:
        self.stage = stage
        self.settings = settings
        self.seed = seed
        self.path = path
        self.notes: dict[str, Any] = {}
        self._inputs: dict[str, str] = {}
        self._outputs: dict[str, dict[str, Any]] = {}
        self._usages: list[Usage] = []
        self._known = Known(path)
        self._started = time.monotonic()
        self._date = datetime.datetime.now(datetime.UTC)

    def inputs(self, paths: Iterable[str | Path]) -> dict[str, str]:
        """Add the digests of input files (folders: of every file below them); return them.

        Large files that another stage of this run has made, and that were not touched since, are
        not read again: its record has their digests.
        """
        if self.path is None:
            return {}
        files: list[Path] = []
        for path in map(Path, paths):
            files += files_below(path) if path.is_dir() else [path]
        found = {file: self._known.digest(file) for file in files}
        found |= digests_of(file for file, value in found.items() if value is None)
        digests = {str(file): str(value) for file, value in found.items()}
        self._inputs |= digests
        return digests

    def inputs_together(self, root: str | Path, files: Iterable[str | Path]) -> None:
        """Add one digest for many input files at or below `root`."""
        if self.path is not None:
            self._inputs[str(root)] = together(Path(root), map(Path, files))[0]

    def outputs(self, paths: Iterable[str | Path]) -> None:
        """Add what was made: digests of files, and one for all that a folder holds."""
        if self.path is None:
            return
        given = list(map(Path, paths))
        files = [path for path in given if not path.is_dir()]
        for file, value in digests_of(files).items():
            status = file.stat()
            facts = {"digest": value, "bytes": status.st_size, "modified_ns": status.st_mtime_ns}
            self._outputs[str(file)] = facts
        for folder in (path for path in given if path.is_dir()):
            value, count, size = together(folder, files_below(folder))
            self._outputs[str(folder)] = {"digest": value, "bytes": size, "files": count}

    def note(self, **values: Any) -> None:
        """Add facts worth keeping: counts of galaxies, of rejects, of epochs."""
        self.notes.update(values)

    def gather(self, gather: Callable[[Any], list[Any] | None]) -> None:
        """Add what all processes of the job took; each of them calls this.

        Parameters
        ----------
        gather : callable
            Takes a process's value; returns those of all on the first, None on the others.
        """
        self._usages = gather(Usage.now()) or []

    def write(self, path: str | Path) -> None:
        """Write the record as JSON."""
        usages = self._usages or [Usage.now()]
        write_json(
            path,
            {
                "stage": self.stage,
                "morphosphere": __version__,
                "git_revision": git_revision(),
                "source": source_digest(),
                "date": self._date.isoformat(timespec="seconds"),
                "seed": self.seed,
                "settings": self.settings,
                "folder": str(run_folder(Path(path))),
                "inputs": self._inputs,
                "outputs": self._outputs,
                "notes": self.notes,
                "seconds": round(time.monotonic() - self._started, 3),
                "peak_memory_mib": round(max(usage.memory_mib for usage in usages), 1),
                "processes": summary(usages),
                "slurm": slurm_job(),
                "python": platform.python_version(),
                "environment": sys.prefix,
                "platform": platform.platform(),
                "packages": package_versions(),
            },
        )
