"""``python -m morphosphere.sersic.fit --images IMG.h5 --psf PSF.h5 --output F.parquet``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.sersic_fit import FitSettings
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Fit profiles to test images with classical fitters, the peers of the network."""
    parser = stage_parser("sersic.fit", main.__doc__, mpi=True)
    parser.add_argument("--images", type=Path, required=True, help="ImageSet")
    parser.add_argument("--psf", type=Path, required=True, help="its point-spread functions")
    parser.add_argument("--output", type=Path, required=True, help="table to write (Parquet)")
    return run_stage("sersic.fit", parser.parse_args(argv), FitSettings, _work, mpi=True)


def _work(args: argparse.Namespace, settings: FitSettings, record: RunRecord, ranks: World) -> None:
    from threadpoolctl import threadpool_limits

    from morphosphere.progress import log
    from morphosphere.sersic.fit.work import write_fits

    with threadpool_limits(1):  # times are those of one core
        counts = write_fits(args.images, args.psf, args.output, settings, world=ranks)
    if counts is not None:
        record.inputs([args.images, args.psf])
        record.outputs([args.output])
        record.note(fits=counts)
        for tool, count in counts.items():
            log(f"{tool}: {count['galaxies']} images, {count['failed']} without a fit")


if __name__ == "__main__":
    main_of(main)
