"""Command line of the stage: ``python -m morphosphere.sersic.attach``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.sersic_catalogue import SersicAttachSettings
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Add structural parameters to the catalogue of a map, to colour galaxies by them."""
    parser = stage_parser("sersic.attach", main.__doc__)
    parser.add_argument("--catalogue", type=Path, required=True, help="Catalogue of a map")
    parser.add_argument("--predictions", type=Path, required=True, help="of sersic.predict")
    parser.add_argument("--output", type=Path, required=True, help="Catalogue to write (Parquet)")
    args = parser.parse_args(argv)
    return run_stage("sersic.attach", args, SersicAttachSettings, _work)


def _work(
    args: argparse.Namespace, settings: SersicAttachSettings, record: RunRecord, ranks: World
) -> None:
    from morphosphere.sersic.attach.columns import attach

    facts = attach(
        catalogue=args.catalogue,
        predictions=args.predictions,
        output=args.output,
        settings=settings,
    )
    record.inputs([args.catalogue, args.predictions])
    record.outputs([args.output])
    record.note(**facts)


if __name__ == "__main__":
    main_of(main)
