"""Command line of the stage: ``python -m morphosphere.sersic.simulate``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.sersic_simulate import SimulateSettings
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Simulate images of galaxies with known structural parameters, with noise and without."""
    parser = stage_parser("sersic.simulate", main.__doc__, mpi=True)
    parser.add_argument(
        "--shard", type=int, default=0, metavar="K", help="number of the part that is made"
    )
    parser.add_argument(
        "--psf", type=Path, required=True, metavar="PSF.h5", help="of python -m ….sersic.psfs"
    )
    parser.add_argument(
        "--images", type=Path, required=True, metavar="FILE.h5", help="ImageSet with noise to write"
    )
    parser.add_argument(
        "--noiseless", type=Path, required=True, metavar="FILE.h5", help="the same without noise"
    )
    return run_stage("sersic.simulate", parser.parse_args(argv), SimulateSettings, _work, mpi=True)


def _work(
    args: argparse.Namespace, settings: SimulateSettings, record: RunRecord, world: World
) -> None:
    from threadpoolctl import threadpool_limits

    from morphosphere.progress import log, progress
    from morphosphere.sersic.simulate.work import numbers_of, simulate_shard

    numbers = numbers_of(settings, args.shard)
    said = world.doing("simulate galaxies")
    with (
        threadpool_limits(1),
        progress(said, len(world.share(len(numbers))), show=world.first) as advance,
    ):
        found = simulate_shard(
            args.images,
            args.noiseless,
            settings,
            args.shard,
            psf=args.psf,
            seed=args.seed,
            world=world,
            advance=advance,
        )
    if world.first:
        sources = [args.psf, *(Path(p) for p in (settings.table, settings.real.catalog) if p)]
        record.inputs(sources)
        record.outputs([args.images, args.noiseless])
        record.note(galaxies=len(numbers))
        log(f"simulated {len(numbers)} galaxies" + (f", {found} of them before" if found else ""))


if __name__ == "__main__":
    main_of(main)
