"""Command line of the learn stage."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.tasks import SETTINGS
from morphosphere.config.training import TrainingSettings
from morphosphere.errors import MorphosphereError
from morphosphere.learn.memory import keep_memory
from morphosphere.learn.place import place_of
from morphosphere.learn.signals import Stopped
from morphosphere.parallel import World, die_with_launcher
from morphosphere.progress import log
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser

#: Seconds in which the first process says what is wrong, before others say it too.
HEAR = 15.0


def _work(
    args: argparse.Namespace, settings: TrainingSettings, record: RunRecord, world: World
) -> None:
    # Threads that wait asleep: spinning ones stop each other where cores are shared. It is read
    # when torch is first imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    first = os.environ.get("RANK", "0") == "0"
    if "TORCHELASTIC_RUN_ID" in os.environ:
        die_with_launcher()
    try:
        place_of(os.environ, args.world_size)  # before anything that takes long
        keep_memory()
        from morphosphere.learn.training import train

        if first:
            record.inputs([args.images])
        bundle = train(
            args.images,
            output=args.output,
            training=args.training,
            settings=settings,
            seed=args.seed,
            world_size=args.world_size,
            gather=record.gather,
        )
    except Stopped as stop:
        if first:
            log(f"learn: {stop}")
        sys.exit(Stopped.status)
    except MorphosphereError:
        if not first:  # the first process has most likely the same to say, and ends this one
            time.sleep(HEAR)
        raise
    if bundle is None:  # the first process writes what is written once
        args.provenance = None
    else:
        record.outputs([*sorted(bundle.path.iterdir()), args.training / "metrics.csv"])
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
    parser.add_argument(
        "--task", choices=sorted(SETTINGS), default="sphere", help="what is learned"
    )
    args = parser.parse_args(argv)
    return run_stage("learn", args, SETTINGS[args.task], _work)


if __name__ == "__main__":
    main_of(main)
