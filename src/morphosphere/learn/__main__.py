"""Command line of the learn stage."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.learn import LearnSettings
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def _work(
    args: argparse.Namespace, settings: LearnSettings, record: RunRecord, world: World
) -> None:
    # Threads that wait asleep: spinning ones stop each other where cores are shared. It is read
    # when torch is first imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from morphosphere.learn.training import train

    record.inputs([args.images])
    bundle = train(
        args.images,
        output=args.output,
        training=args.training,
        settings=settings,
        seed=args.seed,
        world_size=args.world_size,
    )
    if bundle is None:  # the first process writes what is written once
        args.provenance = None
    else:
        record.note(**bundle.info["training"], metrics=bundle.info["metrics"])


def main(argv: Sequence[str] | None = None) -> int:
    """Train a model on an ImageSet and write it as a ModelBundle."""
    parser = stage_parser("learn", "Train a model on an ImageSet; resumes by itself.")
    parser.add_argument("--images", type=Path, required=True, help="ImageSet (HDF5)")
    parser.add_argument("--output", type=Path, required=True, help="ModelBundle folder to write")
    parser.add_argument(
        "--training", type=Path, required=True, help="folder for checkpoints and metrics.csv"
    )
    parser.add_argument(
        "--world-size",
        type=int,
        help="number of processes that torchrun was to start; another number is an error",
    )
    return run_stage("learn", parser.parse_args(argv), LearnSettings, _work)


if __name__ == "__main__":
    main_of(main)
