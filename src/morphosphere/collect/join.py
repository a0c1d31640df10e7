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
    parser.add_argument(
        "--input", nargs="+", required=True, help="ImageSets; {0-9,12} in a path stands for numbers"
    )
    parser.add_argument("--output", type=Path, required=True, help="the joined ImageSet")
    return run_stage("join", parser.parse_args(argv), JoinSettings, _work)


def _work(args: argparse.Namespace, _: JoinSettings, record: RunRecord, world: World) -> None:
    from morphosphere.artefacts.joining import join
    from morphosphere.files import expand_ranges
    from morphosphere.progress import log

    parts = [Path(path) for pattern in args.input for path in expand_ranges(pattern)]
    digests = record.inputs(parts)
    total = join(parts, args.output, digests=list(digests.values()))
    record.outputs([args.output])
    record.note(images=total, parts=len(parts))
    log(f"joined {total} images of {len(parts)} sets")


if __name__ == "__main__":
    main_of(main)
