"""``python -m morphosphere.sersic.real --name NAME --output DIR``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.sersic_real import RealSettings
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Bring real images of galaxies and their PSFs to the form of simulated ones."""
    parser = stage_parser("sersic.real", main.__doc__)
    parser.add_argument("--name", required=True, help="name of the set")
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="folder of images.h5 and psf.h5"
    )
    return run_stage("sersic.real", parser.parse_args(argv), RealSettings, _work)


def _work(args: argparse.Namespace, settings: RealSettings, record: RunRecord, _: World) -> None:
    from threadpoolctl import threadpool_limits

    from morphosphere.progress import log, progress
    from morphosphere.sersic.real.write import open_set, write_real

    found = open_set(settings)
    with threadpool_limits(1), progress("real images", len(found)) as advance:
        outcome = write_real(
            args.name, settings, found, args.output, seed=args.seed, advance=advance
        )
    record.inputs([Path(path) for path in settings.files().values() if Path(path).is_file()])
    record.outputs([args.output / "images.h5", args.output / "psf.h5"])
    record.note(images=outcome.images, labelled=outcome.labelled, remarks=outcome.remarks)
    for remark in outcome.remarks:
        log(f"{args.name}: {remark}")
    log(f"{args.name}: {outcome.images} images, {outcome.labelled} with structural parameters")


if __name__ == "__main__":
    main_of(main)
