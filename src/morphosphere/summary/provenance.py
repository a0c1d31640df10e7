"""The page of provenance: a table of all stages, and what is known of each below it."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import yaml

from morphosphere.provenance.runs import Job
from morphosphere.summary.html import Markup, code, details, listing, page, table
from morphosphere.summary.jobs import Stage, Summary, combined

#: Input files of one job that are listed; of more there is one digest for all.
_LISTED = 50
#: Jobs in one table: browsers take seconds to lay out a table of ten thousand rows.
_ROWS = 200


def provenance_page(summary: Summary, run: str) -> str:
    """What a run was made with and what it made, as a page."""
    return page(f"Provenance of the run {run}", _body(summary))


def _body(summary: Summary) -> Iterator[str]:
    jobs = [job for stage in summary.stages for job in stage.jobs]
    results = sum(len(job.outputs) for job in jobs)
    yield (
        f"<p>{_count(len(jobs), 'job')} of {_count(len(summary.stages), 'stage')} made "
        f"{_count(results, 'result')} between {_date(summary.began)} and {_date(summary.ended)} "
        f"(start of the last job, UTC), in {_time(sum(s.seconds for s in summary.stages))} of run "
        "time.</p>"
    )
    if summary.remarks:
        yield f'<div class="remarks">{listing(summary.remarks)}</div>'
    yield "<h2>Stages</h2>"
    yield _overview(summary)
    yield (
        '<p class="quiet">Run time is the sum over all jobs, which may have run side by side. '
        "Memory is the largest resident memory of one process, over all jobs and ranks.</p>"
    )
    yield "<h2>Settings, inputs and results</h2>"
    for stage in summary.stages:
        yield _of_stage(stage)
    yield "<h2>Software</h2>"
    for number, software in enumerate(summary.softwares):
        yield _software(number, software)
    yield "<h2>Digests</h2>"
    yield (
        "<p><code>sha256:</code> is that of a file's bytes, as <code>sha256sum</code> says. "
        "<code>sha256-sampled:</code> is that of length, first and last 64 MiB of a file above "
        "1 GiB. <code>sha256-timeless:</code> leaves out the dates of a HiPS and the seconds of a "
        "training. <code>sha256-tree:</code> stands for the names and digests of all files below a "
        "folder, <code>sha256-list:</code> for a list of digests, one a line.</p>"
    )


def _overview(summary: Summary) -> Markup:
    head = [
        "stage",
        "jobs",
        "seed",
        "run time",
        "longest",
        "memory",
        "ranks",
        "revision",
        "software",
    ]
    rows = []
    for stage in summary.stages:
        ranks = sorted({_processes(job).get("ranks", 1) for job in stage.jobs})
        revisions = dict.fromkeys(summary.softwares[i]["git_revision"] for i in stage.softwares)
        rows.append(
            [
                Markup(f'<a href="#stage-{stage.name}">{stage.name}</a>'),
                f"{len(stage.jobs):,}",
                ", ".join("–" if seed is None else str(seed) for seed in stage.seeds),
                _time(stage.seconds),
                _time(stage.longest.record["seconds"]) if len(stage.jobs) > 1 else "",
                _memory(stage.largest.record["peak_memory_mib"]),
                "–".join(str(n) for n in (ranks if len(ranks) < 2 else (ranks[0], ranks[-1]))),
                code(", ".join(_revision(revision) for revision in revisions)),
                ", ".join(str(number + 1) for number in stage.softwares),
            ]
        )
    return table(head, rows, numbers=[1, 2, 3, 4, 5, 6])


def _of_stage(stage: Stage) -> Markup:
    count = sum(len(job.outputs) for job in stage.jobs)
    said = f"{_count(len(stage.jobs), 'job')}, {_count(count, 'result')}"
    parts: list[str] = []
    for settings, jobs in stage.variants:
        of = f" of {_names(jobs)}" if len(stage.variants) > 1 else ""
        parts.append(f"<h3>Settings{of}</h3>")
        parts.append(f"<pre>{_yaml(settings)}</pre>" if settings else "<p>There are none.</p>")
    if len(stage.jobs) == 1:
        parts.append(_of_job(stage.jobs[0]))
    else:
        every = [facts["digest"] for job in stage.jobs for facts in job.outputs.values()]
        parts.append(f"<h3>Jobs</h3><p>All results: {code(combined(every))}</p>")
        parts += _tables(stage.jobs)
    title = Markup(f'{stage.name} <span class="quiet">– {said}</span>')
    return details(title, "\n".join(parts), name=f"stage-{stage.name}")


def _of_job(job: Job) -> str:
    parts = ["<h3>Results</h3>", _files(_results(job)), "<h3>Inputs</h3>"]
    parts.append(_files(_inputs(job)) if job.inputs else "<p>There are none.</p>")
    parts += ["<h3>Run</h3>", table(["", ""], _run(job))]
    if job.record.get("notes"):
        parts.append(
            details("Facts that the stage noted", f"<pre>{_yaml(job.record['notes'])}</pre>")
        )
    return "\n".join(parts)


def _tables(jobs: list[Job]) -> Iterator[str]:
    """One table of jobs, or several that open one by one."""
    if len(jobs) <= _ROWS:
        yield _jobs(jobs)
        return
    for start in range(0, len(jobs), _ROWS):
        part = jobs[start : start + _ROWS]
        took = _time(sum(job.record["seconds"] for job in part))
        yield details(f"{part[0].name} to {part[-1].name}: {len(part)} jobs, {took}", _jobs(part))


def _jobs(jobs: list[Job]) -> Markup:
    head = ["job", "run time", "memory", "where", "results", "inputs"]
    rows = (
        [
            job.name,
            _time(job.record["seconds"]),
            _memory(job.record["peak_memory_mib"]),
            _where(job),
            _lines(_results(job)),
            _lines(_inputs(job)),
        ]
        for job in jobs
    )
    return table(head, rows, numbers=[1, 2])


def _files(files: list[tuple[str, str]]) -> Markup:
    return table(["", ""], [[name, code(digest)] for name, digest in files])


def _lines(files: list[tuple[str, str]]) -> Markup:
    return Markup("<br>".join(f"{escape(name)} {code(digest)}" for name, digest in files))


def _results(job: Job) -> list[tuple[str, str]]:
    return [
        (f"{name} ({facts['files']:,} files)" if "files" in facts else name, facts["digest"])
        for name, facts in job.outputs.items()
    ]


def _inputs(job: Job) -> list[tuple[str, str]]:
    given = list(job.inputs.items())
    if len(given) <= _LISTED:
        return given
    rest = combined([digest for _, digest in given])
    return [(f"{given[0][0]} to {given[-1][0]}, {len(given):,} files", rest)]


def _run(job: Job) -> list[list[Any]]:
    record, processes = job.record, _processes(job)
    rows: list[list[Any]] = [
        ["began (UTC)", _date(record["date"])],
        ["run time", _time(record["seconds"])],
        ["processor time", _time(processes.get("cpu_seconds", 0.0))],
        ["memory", _memory_of(record["peak_memory_mib"], processes)],
        ["where", _where(job)],
        ["threads of each process", processes.get("threads", "–")],
        ["seed", "–" if record["seed"] is None else record["seed"]],
    ]
    if gpu := processes.get("gpu_memory_mib"):
        rows.insert(4, ["memory of a GPU", _memory(gpu)])
    return rows


def _memory_of(peak: float, processes: dict[str, Any]) -> str:
    if processes.get("ranks", 1) == 1:
        return _memory(peak)
    total = _memory(processes["memory_mib_of_all"])
    return f"{_memory(peak)} (rank {processes['largest_rank']}); {total} of all ranks"


def _where(job: Job) -> str:
    processes, slurm = _processes(job), job.record.get("slurm")
    ranks, hosts = processes.get("ranks", 1), processes.get("hosts", {})
    of = [f"{name} × {count}" if ranks > 1 else name for name, count in hosts.items()]
    more = f" and {len(of) - 4} more" if len(of) > 4 else ""
    where = ", ".join(of[:4]) + more
    return f"{where}, Slurm job {slurm['job']}" if slurm else where


def _processes(job: Job) -> dict[str, Any]:
    return job.record.get("processes") or {}


def _software(number: int, software: dict[str, Any]) -> Markup:
    revision = software["git_revision"] or "none"
    facts = [
        ["morphosphere", software["morphosphere"]],
        ["git revision", code(revision)],
        ["source", code(software["source"])],
        ["Python", software["python"]],
        ["platform", software["platform"]],
        ["environment", code(software["environment"])],
        *sorted(software["packages"].items()),
    ]
    title = Markup(f'{number + 1} <span class="quiet">– revision {_revision(revision)}</span>')
    return details(title, table(["", ""], facts))


def _names(jobs: list[Job]) -> str:
    names = ", ".join(job.name for job in jobs[:3])
    return names if len(jobs) <= 3 else f"{names} and {len(jobs) - 3} more"


def _revision(revision: str | None) -> str:
    name, dash, dirty = str(revision or "none").partition("-")
    return name[:10] + dash + dirty


def _yaml(value: Any) -> str:
    """As in the configuration, with lists of numbers or words on one line."""
    return escape(yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100))


class _Dumper(yaml.SafeDumper):
    """Writes lists of plain values on one line."""

    def represent_list(self, value: list[Any]) -> yaml.SequenceNode:
        plain = not any(isinstance(item, (dict, list)) for item in value)
        return self.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=plain)


_Dumper.add_representer(list, _Dumper.represent_list)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _date(date: str) -> str:
    return date.replace("T", " ").removesuffix("+00:00")


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{seconds / 3600:,.1f} h"


def _memory(mib: float) -> str:
    return f"{mib:,.0f} MiB" if mib < 1024 else f"{mib / 1024:,.1f} GiB"
