"""Command line of the stage: ``python -m morphosphere.sersic.evaluate``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.sersic_evaluate import SersicEvaluateSettings
from morphosphere.errors import ConfigError
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what predicted structural parameters are worth, and draw the report's figures."""
    parser = stage_parser("sersic.evaluate", main.__doc__)
    parser.add_argument("--images", type=Path, required=True, help="ImageSet, as observed")
    parser.add_argument("--psf", type=Path, required=True, help="its PSFs (psf.h5)")
    parser.add_argument("--predictions", type=Path, required=True, help="of these images (Parquet)")
    parser.add_argument(
        "--bound", type=Path, required=True, help="Cramér-Rao bounds of its test galaxies (Parquet)"
    )
    parser.add_argument(
        "--fits", type=Path, help="what classical fitters tell of some of them (Parquet)"
    )
    parser.add_argument("--model", type=Path, required=True, help="folder of a ModelBundle")
    parser.add_argument(
        "--real",
        action="append",
        default=[],
        metavar="NAME=IMAGES=BEFORE[=AFTER][=FITS]",
        help="real galaxies: ImageSet, predictions before and after the network was adapted to "
        "them, fits; AFTER may be empty",
    )
    parser.add_argument("--metrics", type=Path, required=True, help="metrics.json to write")
    parser.add_argument("--figures", type=Path, required=True, help="folder to write figures to")
    args = parser.parse_args(argv)
    return run_stage("sersic.evaluate", args, SersicEvaluateSettings, _work)


def _work(
    args: argparse.Namespace, settings: SersicEvaluateSettings, record: RunRecord, _: World
) -> None:
    from morphosphere.files import write_json
    from morphosphere.sersic.evaluate.real import parse_real
    from morphosphere.sersic.evaluate.report import Given, evaluate

    real = [parse_real(text) for text in args.real]
    if len({files.name for files in real}) < len(real):
        raise ConfigError("--real: two sets of real galaxies have the same name; rename one")
    given = Given(
        images=args.images,
        psf=args.psf,
        predictions=args.predictions,
        bound=args.bound,
        model=args.model,
        fits=args.fits,
        real=real,
    )
    metrics, figures = evaluate(given, settings, args.figures, args.seed)
    write_json(args.metrics, metrics)
    record.inputs(given.files)
    record.outputs([args.metrics, *figures])
    record.note(metrics=metrics)


if __name__ == "__main__":
    main_of(main)
