"""Command line of the stage: ``python -m morphosphere.surveys.choose``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.survey_recursion import RecursionSettings
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Label the galaxies of a survey that a model is surest of."""
    parser = stage_parser("surveys.choose", main.__doc__)
    parser.add_argument("--target", type=Path, required=True, help="ImageSet with labels of people")
    parser.add_argument(
        "--predictions", type=Path, required=True, help="what the round before says of it (Parquet)"
    )
    parser.add_argument(
        "--calibration",
        type=Path,
        help="what the same model says of galaxies with labels of people, if they are others",
    )
    parser.add_argument(
        "--previous", default="none", metavar="CHOICE.json|none", help="the choice before"
    )
    parser.add_argument("--output", type=Path, required=True, help="ImageSet to write")
    parser.add_argument("--choice", type=Path, required=True, help="the choice (JSON) to write")
    return run_stage("surveys.choose", parser.parse_args(argv), RecursionSettings, _work)


def _work(
    args: argparse.Namespace, settings: RecursionSettings, record: RunRecord, world: World
) -> None:
    from morphosphere.surveys.choose.choice import make_choice

    previous = None if args.previous == "none" else Path(args.previous)
    calibration = args.calibration or args.predictions
    choice = make_choice(
        args.target,
        args.predictions,
        calibration,
        previous,
        output=args.output,
        path=args.choice,
        settings=settings,
    )
    read = [args.target, args.predictions, calibration, *([previous] if previous else [])]
    record.inputs(dict.fromkeys(read))
    record.outputs([args.output, args.choice])
    record.note(**{name: value for name, value in choice.items() if name != "chosen"})


if __name__ == "__main__":
    main_of(main)
