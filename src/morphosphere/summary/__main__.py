"""Write the tables of the report: ``python -m morphosphere.summary``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.base import Settings
from morphosphere.files import expand_ranges, read_json, write_text
from morphosphere.parallel import World
from morphosphere.progress import log
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


class SummarySettings(Settings):
    """The summary has no settings."""


def main(argv: Sequence[str] | None = None) -> int:
    """Command line of the stage; the exit status."""
    parser = stage_parser("summary", "Write the tables of the report from what a run has left.")
    parser.add_argument("--run", type=Path, required=True, help="folder of the run's results")
    parser.add_argument(
        "--jobs",
        nargs="+",
        metavar="NAME",
        help="jobs that belong to the run, {0-9,12} standing for numbers; all that left a record",
    )
    parser.add_argument("--metrics", type=Path, required=True, help="metrics.json")
    parser.add_argument("--metrics-page", type=Path, required=True, help="table of it to write")
    parser.add_argument("--output", type=Path, required=True, help="page of provenance to write")
    return run_stage("summary", parser.parse_args(argv), SummarySettings, _work)


def _work(args: argparse.Namespace, _: SummarySettings, record: RunRecord, world: World) -> None:
    from morphosphere.provenance.runs import read_run
    from morphosphere.summary.jobs import summarise
    from morphosphere.summary.metrics import metrics_page
    from morphosphere.summary.provenance import provenance_page

    names = None
    if args.jobs is not None:
        names = [name for pattern in args.jobs for name in expand_ranges(pattern)]
    run = read_run(args.run, names)
    missing = [name for name in names or () if name not in run.jobs]
    write_text(args.metrics_page, metrics_page(read_json(args.metrics), args.run.name))
    write_text(args.output, provenance_page(summarise(run, missing), args.run.name))
    record.inputs([args.metrics])
    record.outputs([args.metrics_page])
    record.note(jobs=len(run.jobs), missing=len(missing))
    log(f"wrote the provenance of {len(run.jobs)} jobs")


if __name__ == "__main__":
    main_of(main)
