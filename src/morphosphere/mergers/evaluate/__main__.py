"""Command line of the stage: ``python -m morphosphere.mergers.evaluate``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.merger_evaluate import MergerEvaluateSettings
from morphosphere.errors import ConfigError
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what a model of mergers is worth, and draw the figures of the report."""
    parser = stage_parser("mergers.evaluate", main.__doc__)
    parser.add_argument("--images", type=Path, required=True, help="ImageSet of the training")
    parser.add_argument("--model", type=Path, required=True, help="folder of a ModelBundle")
    parser.add_argument("--catalogue", type=Path, required=True, help="predictions of the images")
    parser.add_argument(
        "--leaky-model", type=Path, help="the same network, trained under a split by snapshot"
    )
    parser.add_argument(
        "--test",
        action="append",
        default=[],
        metavar="NAME=IMAGESET=PREDICTIONS",
        help="a run or a set of real images that the model was not trained on",
    )
    parser.add_argument("--metrics", type=Path, required=True, help="metrics.json to write")
    parser.add_argument("--figures", type=Path, required=True, help="folder to write figures to")
    args = parser.parse_args(argv)
    return run_stage("mergers.evaluate", args, MergerEvaluateSettings, _work)


def _work(
    args: argparse.Namespace, settings: MergerEvaluateSettings, record: RunRecord, _: World
) -> None:
    from morphosphere.files import write_json
    from morphosphere.mergers.evaluate.report import evaluate

    tests = {}
    for given in args.test:
        name, _, rest = given.partition("=")
        images, _, catalogue = rest.partition("=")
        if not catalogue:
            raise ConfigError(f"--test {given}: expected NAME=IMAGESET=PREDICTIONS")
        tests[name] = (Path(images), Path(catalogue))
    metrics, figures = evaluate(
        images=args.images,
        model=args.model,
        catalogue=args.catalogue,
        leaky=args.leaky_model,
        tests=tests,
        settings=settings,
        folder=args.figures,
        seed=args.seed,
    )
    write_json(args.metrics, metrics)
    leaky = [args.leaky_model] if args.leaky_model else []
    record.inputs([args.images, args.model, args.catalogue, *leaky, *sum(tests.values(), ())])
    record.outputs([args.metrics, *figures])
    record.note(metrics=metrics)


if __name__ == "__main__":
    main_of(main)
