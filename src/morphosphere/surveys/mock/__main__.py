"""Command line of the stage: ``python -m morphosphere.surveys.mock``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.survey_mock import MockSurveySettings
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Make one of two mock surveys of pictures of simulated galaxies."""
    parser = stage_parser("surveys.mock", main.__doc__)
    parser.add_argument("--images", type=Path, required=True, help="ImageSet of rendered galaxies")
    parser.add_argument(
        "--survey", choices=("labelled", "target"), required=True, help="which of the two"
    )
    parser.add_argument("--output", type=Path, required=True, help="ImageSet to write")
    return run_stage("surveys.mock", parser.parse_args(argv), MockSurveySettings, _work)


def _work(
    args: argparse.Namespace, settings: MockSurveySettings, record: RunRecord, world: World
) -> None:
    from morphosphere.progress import log
    from morphosphere.surveys.mock.survey import observe

    facts = observe(args.images, args.output, survey=args.survey, settings=settings, seed=args.seed)
    record.inputs([args.images])
    record.outputs([args.output])
    record.note(**facts)
    log(
        f"{args.survey}: {facts['images']} of {facts['of']} images are in its footprint, "
        f"{facts['overlap']} of them in both surveys"
    )


if __name__ == "__main__":
    main_of(main)
