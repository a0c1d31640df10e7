"""Command line of the stage: ``python -m morphosphere.surveys.evaluate``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.survey_evaluate import SurveyEvaluateSettings
from morphosphere.errors import ConfigError
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what a classifier of survey images is worth, and draw the figures of the report."""
    parser = stage_parser("surveys.evaluate", main.__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder of a ModelBundle")
    parser.add_argument(
        "--predictions", type=Path, required=True, help="of the survey that is scored (Parquet)"
    )
    parser.add_argument("--images", type=Path, required=True, help="its ImageSet, with labels")
    parser.add_argument(
        "--labelled-predictions", type=Path, help="of the labelled survey, for domain distances"
    )
    parser.add_argument(
        "--target-predictions", type=Path, help="of the target survey, if another one is scored"
    )
    parser.add_argument("--target-images", type=Path, help="its ImageSet")
    parser.add_argument("--recursion", type=Path, help="recursion.json of the rounds")
    parser.add_argument(
        "--first-model",
        type=Path,
        help="ModelBundle of the labelled survey, that the model was begun from",
    )
    parser.add_argument(
        "--run", type=Path, help="folder of the survey's results, for how long trainings took"
    )
    parser.add_argument(
        "--curve",
        action="append",
        default=[],
        metavar="KIND:N=BUNDLE",
        help="a model for the learning curve: transferred or scratch, and its number of labels",
    )
    parser.add_argument("--metrics", type=Path, required=True, help="metrics.json to write")
    parser.add_argument("--figures", type=Path, required=True, help="folder to write figures to")
    args = parser.parse_args(argv)
    return run_stage("surveys.evaluate", args, SurveyEvaluateSettings, _work)


def _work(
    args: argparse.Namespace, settings: SurveyEvaluateSettings, record: RunRecord, _: World
) -> None:
    from morphosphere.files import write_json
    from morphosphere.surveys.evaluate.curve import parse_point
    from morphosphere.surveys.evaluate.report import Given, evaluate

    if (args.target_predictions is None) != (args.target_images is None):
        raise ConfigError("--target-predictions and --target-images belong together: give both")
    given = Given(
        model=args.model,
        predictions=args.predictions,
        images=args.images,
        labelled=args.labelled_predictions,
        target=args.target_predictions,
        target_images=args.target_images,
        recursion=args.recursion,
        first=args.first_model,
        run=args.run,
        curve=[parse_point(text) for text in args.curve],
    )
    metrics, figures = evaluate(given, settings, args.figures, args.seed)
    write_json(args.metrics, metrics)
    record.inputs(given.files)
    record.outputs([args.metrics, *figures])
    record.note(metrics=metrics)


if __name__ == "__main__":
    main_of(main)
