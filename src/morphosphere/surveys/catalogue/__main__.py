"""Command line of the stage: ``python -m morphosphere.surveys.catalogue``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.survey_catalogue import CatalogueSettings
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Write the catalogue of a survey: one row per galaxy with class, probabilities and place."""
    parser = stage_parser("surveys.catalogue", main.__doc__)
    parser.add_argument("--images", type=Path, required=True, help="ImageSet of the target survey")
    parser.add_argument("--predictions", type=Path, required=True, help="its predictions (Parquet)")
    parser.add_argument("--model", type=Path, required=True, help="ModelBundle that made them")
    parser.add_argument(
        "--placed", type=Path, help="Catalogue with places of the same images on the sphere"
    )
    parser.add_argument("--output", type=Path, required=True, help="folder of the catalogue")
    args = parser.parse_args(argv)
    return run_stage("surveys.catalogue", args, CatalogueSettings, _work)


def _work(
    args: argparse.Namespace, settings: CatalogueSettings, record: RunRecord, ranks: World
) -> None:
    from morphosphere.surveys.catalogue.forms import make_catalogue

    facts = make_catalogue(
        images=args.images,
        predictions=args.predictions,
        model=args.model,
        placed=args.placed,
        output=args.output,
        settings=settings,
    )
    placed = [args.placed] if args.placed else []
    record.inputs([args.images, args.predictions, args.model, *placed])
    record.outputs([args.output])
    record.note(**facts)


if __name__ == "__main__":
    main_of(main)
