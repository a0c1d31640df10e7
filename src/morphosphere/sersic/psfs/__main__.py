"""Command line of the stage: ``python -m morphosphere.sersic.psfs --output psf.h5``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.sersic_simulate import SimulateSettings
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Draw the point-spread functions of simulated images, or read them from a file."""
    parser = stage_parser("sersic.psfs", main.__doc__)
    parser.add_argument(
        "--output", type=Path, required=True, metavar="PSF.h5", help="file to write"
    )
    return run_stage("sersic.psfs", parser.parse_args(argv), SimulateSettings, _work)


def _work(
    args: argparse.Namespace, settings: SimulateSettings, record: RunRecord, ranks: World
) -> None:
    from morphosphere.progress import log
    from morphosphere.sersic.psfs.library import write_library

    if settings.psf.file is not None:
        record.inputs([Path(settings.psf.file)])
    count = write_library(args.output, settings.psf, pixel_size=settings.pixel_size, seed=args.seed)
    record.outputs([args.output])
    record.note(psfs=count)
    log(f"wrote {count} point-spread functions")


if __name__ == "__main__":
    main_of(main)
