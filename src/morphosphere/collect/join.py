"""Join the ImageSets of a run into one, without copying images."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.base import Settings
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


class JoinSettings(Settings):
    """Joining has no settings."""


def main(argv: Sequence[str] | None = None) -> int:
    """Join ImageSets; return the exit status."""
    parser = stage_parser("collect.join", "Join ImageSets into one, without copying images.")
    parser.add_argument("--input", type=Path, nargs="+", required=True, help="ImageSets")
    parser.add_argument("--output", type=Path, required=True, help="the joined ImageSet")
    return run_stage("join", parser.parse_args(argv), JoinSettings, _work)


def _work(args: argparse.Namespace, _: JoinSettings, record: RunRecord, world: World) -> None:
    from morphosphere.artefacts.joining import join
    from morphosphere.progress import log

    total = join(args.input, args.output)
    record.inputs(args.input)
    record.note(images=total, parts=len(args.input))
    log(f"joined {total} images of {len(args.input)} sets")


if __name__ == "__main__":
    main_of(main)
