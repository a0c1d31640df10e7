"""Command line of the stage: ``python -m morphosphere.surveys.label``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.survey_label import LabelSettings
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Label the images of a survey, and those of another that show the same galaxies."""
    parser = stage_parser("surveys.label", main.__doc__)
    parser.add_argument("--labelled", type=Path, required=True, help="ImageSet of labelled survey")
    parser.add_argument("--target", type=Path, required=True, help="ImageSet of the other survey")
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="DIR",
        help="labelled.h5, target.h5, matches.csv, rejects.csv and report.json",
    )
    return run_stage("surveys.label", parser.parse_args(argv), LabelSettings, _work)


def _work(
    args: argparse.Namespace, settings: LabelSettings, record: RunRecord, world: World
) -> None:
    from morphosphere.surveys.label.carry import FILES, carry

    report = carry(args.labelled, args.target, args.output, settings)
    table = [settings.table.path] if settings.table else []
    record.inputs([args.labelled, args.target, *table])
    record.outputs([args.output / name for name in FILES])
    record.note(**report)


if __name__ == "__main__":
    main_of(main)
