"""Render galaxies: ``python -m morphosphere.render --input 0.h5 1.h5 --output images/``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.render import RenderSettings
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Command line of the stage; the exit status."""
    parser = stage_parser("render", "Render the galaxies of GalaxySets into ImageSets.", mpi=True)
    parser.add_argument(
        "--input", type=Path, nargs="+", required=True, metavar="GALAXYSET.h5", help="GalaxySets"
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="folder of the ImageSets"
    )
    return run_stage("render", parser.parse_args(argv), RenderSettings, _work, mpi=True)


def _work(
    args: argparse.Namespace, settings: RenderSettings, record: RunRecord, world: World
) -> None:
    from threadpoolctl import threadpool_limits

    from morphosphere.progress import log, progress
    from morphosphere.render.work import output_paths, render_files, shares_of

    targets = output_paths(args.input, args.output)
    device = None
    if settings.device != "cpu":
        from morphosphere.render.on_device import device_of

        device = device_of(settings.device, world)
    shares = shares_of(args.input, world.size)
    total = sum(len(ranges[world.rank]) for ranges in shares)
    if world.first:
        record.inputs(args.input)
    said = world.doing("render galaxies")
    # the matrices are small: threads of the linear algebra would only wait for each other
    with threadpool_limits(1), progress(said, total, show=world.first) as advance:
        counts = render_files(
            args.input, targets, settings,
            seed=args.seed, world=world, device=device, shares=shares, advance=advance,
        )  # fmt: skip
    gathered = world.gather(counts)
    if gathered is not None:
        record.outputs(targets)
        counts = {name: sum(one[name] for one in gathered) for name in gathered[0]}
        record.note(**counts)
        log(f"rendered {counts['images']} images of {counts['galaxies']} galaxies")
        if left_out := counts["particles_left_out"]:
            log(f"left out {left_out} particles whose position or mass is not a sound number")


if __name__ == "__main__":
    main_of(main)
