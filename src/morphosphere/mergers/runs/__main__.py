"""``python -m morphosphere.mergers.runs``: snapshots of a run of a merger, to a GalaxySet."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.merger_sources import RunSettings
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; return its exit status."""
    parser = stage_parser("mergers.runs", "Take the snapshots of an N-body run of a merger.")
    parser.add_argument("--name", required=True, help="name of the run, which becomes its id")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.h5", help="GalaxySet")
    return run_stage("mergers.runs", parser.parse_args(argv), RunSettings, _work)


def _work(args: argparse.Namespace, settings: RunSettings, record: RunRecord, _: World) -> None:
    from morphosphere.mergers.runs.files import find_moments
    from morphosphere.mergers.runs.plan import make_plan
    from morphosphere.mergers.runs.write import write_run
    from morphosphere.progress import log, progress

    count = len(find_moments(settings))
    with progress("look at snapshots", count) as advance:
        plan = make_plan(settings, advance)
    with progress("read snapshots", count) as advance:
        write_run(args.name, plan, settings, args.output, advance)
    orbit = plan.orbit
    record.inputs_together(settings.path, plan.files)
    if settings.table:
        record.inputs([plan.table])
    record.outputs([args.output])
    facts = {
        "first_pericentre_myr": orbit.first,
        "pericentre_kpc": orbit.pericentre,
        "second_pericentre_myr": orbit.second,
        "coalescence_myr": orbit.coalescence,
        "mass_ratio": plan.mass_ratio,
    }
    record.note(
        moments=count,
        remarks=plan.remarks,
        **{name: value if value == value else None for name, value in facts.items()},
    )
    for remark in plan.remarks:
        log(f"{args.name}: {remark}")
    log(
        f"{args.name}: {count} moments; first pericentre {orbit.first:.4g} Myr "
        f"({orbit.pericentre:.3g} kpc), second {orbit.second:.4g} Myr, coalescence "
        f"{orbit.coalescence:.4g} Myr; mass ratio {plan.mass_ratio:.3g}"
    )


if __name__ == "__main__":
    main_of(main)
