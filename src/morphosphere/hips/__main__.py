"""Make one layer of the map as HiPS."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from morphosphere.config.hips import HipsSettings, Layer
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of ``python -m morphosphere.hips``."""
    parser = stage_parser("hips", __doc__ or "")
    parser.add_argument("--layer", required=True, choices=get_args(Layer), help="what to make")
    parser.add_argument("--images", required=True, type=Path, help="ImageSet")
    parser.add_argument("--model", required=True, type=Path, help="ModelBundle")
    parser.add_argument("--catalogue", required=True, type=Path, help="Catalogue")
    parser.add_argument("--output", required=True, type=Path, help="folder of the layer")
    parser.add_argument(
        "--threads", type=int, default=_cores(), help="tiles drawn at a time, in each MPI rank"
    )
    args = parser.parse_args(argv)
    return run_stage("hips", args, HipsSettings, work, mpi=True)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def work(args: argparse.Namespace, settings: HipsSettings, record: RunRecord, ranks: World) -> None:
    """Make the layer named by the arguments."""
    from morphosphere.hips.layers import Inputs, make_layer

    inputs = Inputs(args.images, args.model, args.catalogue, args.output, max(1, args.threads))
    facts = make_layer(args.layer, inputs, settings, ranks)
    if ranks.first:
        used = {"generated": [args.model], "real": [args.images, args.model, args.catalogue]}
        record.inputs(used.get(args.layer, [args.catalogue]))
        record.outputs([args.output])
        record.note(layer=args.layer, **facts)


if __name__ == "__main__":
    main_of(main)
