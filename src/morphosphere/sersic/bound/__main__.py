"""Command line of the stage: ``python -m morphosphere.sersic.bound``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.sersic_bound import BoundSettings
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Compute the Cramér-Rao bound of the structural parameters of each test galaxy."""
    parser = stage_parser("sersic.bound", main.__doc__, mpi=True)
    parser.add_argument(
        "--images", type=Path, required=True, metavar="IMAGES.h5", help="simulated ImageSet"
    )
    parser.add_argument(
        "--psf", type=Path, required=True, metavar="PSF.h5", help="its point-spread functions"
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="BOUND.parquet", help="table to write"
    )
    return run_stage("sersic.bound", parser.parse_args(argv), BoundSettings, _work, mpi=True)


def _work(
    args: argparse.Namespace, settings: BoundSettings, record: RunRecord, world: World
) -> None:
    from threadpoolctl import threadpool_limits

    from morphosphere.progress import log
    from morphosphere.sersic.bound.work import write_bounds

    with threadpool_limits(1):
        counts = write_bounds(args.images, args.psf, args.output, settings, world=world)
    if counts is not None:
        record.inputs([args.images, args.psf])
        record.outputs([args.output])
        record.note(**counts)
        log(
            f"bounds of {counts['galaxies']} galaxies"
            + (f", {counts['singular']} of them have none" if counts["singular"] else "")
        )


if __name__ == "__main__":
    main_of(main)
