"""``python -m morphosphere.mergers.encounters --shard 0 --output 0.h5``: simulate encounters."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.encounters import EncounterSettings
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Command line of the stage; the exit status."""
    parser = stage_parser(
        "mergers.encounters",
        "Simulate encounters of galaxies into a GalaxySet (restricted N-body).",
    )
    parser.add_argument(
        "--shard", type=int, default=0, metavar="K", help="number of the part that is made"
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FILE.h5", help="the GalaxySet"
    )
    args = parser.parse_args(argv)
    return run_stage("mergers.encounters", args, EncounterSettings, _work)


def _work(
    args: argparse.Namespace, settings: EncounterSettings, record: RunRecord, ranks: World
) -> None:
    from threadpoolctl import threadpool_limits

    from morphosphere.mergers.encounters.work import names_of, write_shard
    from morphosphere.progress import log, progress

    names = names_of(settings, args.shard)
    with threadpool_limits(1), progress("simulate encounters", len(names)) as advance:
        counts = write_shard(args.output, settings, args.shard, seed=args.seed, advance=advance)
    record.outputs([args.output])
    record.note(**counts)
    log(
        f"simulated {counts['encounters']} encounters and {counts['singles']} single galaxies, "
        f"{counts['moments']} moments"
    )


if __name__ == "__main__":
    main_of(main)
