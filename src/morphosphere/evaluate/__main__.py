"""Command line of the evaluate stage."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.evaluate import EvaluateSettings
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what a map is worth and draw the figures of the report."""
    parser = stage_parser("evaluate", main.__doc__)
    parser.add_argument("--images", type=Path, required=True, help="ImageSet")
    parser.add_argument("--model", type=Path, required=True, help="folder of a ModelBundle")
    parser.add_argument("--catalogue", type=Path, required=True, help="Catalogue of the images")
    parser.add_argument("--training", type=Path, required=True, help="folder of the training's log")
    parser.add_argument("--metrics", type=Path, required=True, help="metrics.json to write")
    parser.add_argument("--figures", type=Path, required=True, help="folder to write figures to")
    return run_stage("evaluate", parser.parse_args(argv), EvaluateSettings, _work)


def _work(
    args: argparse.Namespace, settings: EvaluateSettings, record: RunRecord, _: World
) -> None:
    from morphosphere.evaluate.figures import draw_all
    from morphosphere.evaluate.inputs import Inputs
    from morphosphere.evaluate.metrics import measure
    from morphosphere.files import write_json

    inputs = Inputs.open(images=args.images, catalogue=args.catalogue, model=args.model)
    results = measure(inputs, settings, seed=args.seed)
    draw_all(inputs, results, settings, training=args.training, folder=args.figures, seed=args.seed)
    write_json(args.metrics, results.metrics)
    record.inputs([args.images, args.model, args.catalogue, *args.training.glob("metrics.csv")])
    record.outputs([args.metrics, *sorted(args.figures.glob("*.png"))])
    record.note(images=len(inputs), metrics=results.metrics)


if __name__ == "__main__":
    main_of(main)
