"""``python -m morphosphere.snapshots.mock``: write a mock simulation box."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.mock import MockSettings
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Write a mock box in the IllustrisTNG layout; returns the exit status."""
    parser = stage_parser(
        "snapshots.mock", "Write a mock simulation box in the IllustrisTNG layout."
    )
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder that gets snapdir_NNN and groups_NNN",
    )
    return run_stage("snapshots.mock", parser.parse_args(argv), MockSettings, _work)


def _work(
    args: argparse.Namespace, settings: MockSettings, record: RunRecord, ranks: World
) -> None:
    from morphosphere.snapshots.mock.box import write_box
    from morphosphere.snapshots.mock.plan import GALAXY, plan_box

    plan = plan_box(settings, args.seed)
    write_box(plan, args.output, show=ranks.first)
    record.outputs(sorted(args.output.glob(f"*_{settings.snapshot:03d}/*.hdf5")))
    record.note(
        galaxies=int((plan.kind == GALAXY).sum()),
        subhalos=len(plan.kind),
        groups=len(plan.group_subhalos),
        particles=plan.total.tolist(),
    )


if __name__ == "__main__":
    main_of(main)
