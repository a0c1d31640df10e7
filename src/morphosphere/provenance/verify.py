"""Whether the results of a run are still those that were made."""

from __future__ import annotations

from collections.abc import Iterator

from morphosphere.provenance.contents import digest_of, files_below, together
from morphosphere.provenance.runs import Run


def verify(run: Run) -> list[str]:
    """A line for each result that is missing or was changed, and for each broken link."""
    return [*_changed(run), *run.broken_links()]


def _changed(run: Run) -> Iterator[str]:
    for name, (job, facts) in run.outputs.items():
        path = run.folder / name
        if not path.exists():
            yield f"{name}: missing; {job.name} made it"
            continue
        folder = path.is_dir()
        found = together(path, files_below(path))[0] if folder else digest_of(path)
        if found != facts["digest"]:
            yield f"{name}: was changed after {job.name} made it"
