"""Command line of the stage: ``python -m morphosphere.surveys.settle``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.survey_recursion import RecursionSettings
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Keep the model of the best round of recursive training."""
    parser = stage_parser("surveys.settle", main.__doc__)
    parser.add_argument(
        "--rounds", type=int, help="number of rounds after the first; end if others are given"
    )
    parser.add_argument(
        "--predictions",
        type=Path,
        nargs="+",
        required=True,
        metavar="P.parquet",
        help="what the model of each round says of the same survey",
    )
    parser.add_argument(
        "--models", type=Path, nargs="+", required=True, metavar="BUNDLE", help="those models"
    )
    parser.add_argument(
        "--choices",
        type=Path,
        nargs="*",
        default=[],
        metavar="CHOICE.json",
        help="what each round after the first chose; one more may say why there are no more",
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="gets model and recursion.json"
    )
    return run_stage("surveys.settle", parser.parse_args(argv), RecursionSettings, _work)


def _work(
    args: argparse.Namespace, settings: RecursionSettings, record: RunRecord, world: World
) -> None:
    from morphosphere.surveys.settle.keep import settle

    report = settle(
        args.predictions,
        args.models,
        args.choices,
        args.output,
        settings=settings,
        seed=args.seed,
        rounds=args.rounds,
    )
    record.inputs([*args.predictions, *args.models, *args.choices])
    record.outputs([args.output / name for name in ("model", "recursion.json")])
    record.note(kept=report["kept"], worse=report["worse"], said=report["said"])


if __name__ == "__main__":
    main_of(main)
