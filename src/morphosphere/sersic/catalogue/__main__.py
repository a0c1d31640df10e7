"""Command line of the stage: ``python -m morphosphere.sersic.catalogue``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.sersic_catalogue import SersicCatalogueSettings
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Write the catalogue of structural parameters: one row per galaxy, with units and UCDs."""
    parser = stage_parser("sersic.catalogue", main.__doc__)
    parser.add_argument("--predictions", type=Path, required=True, help="of sersic.predict")
    parser.add_argument("--output", type=Path, required=True, help="folder of the catalogue")
    args = parser.parse_args(argv)
    return run_stage("sersic.catalogue", args, SersicCatalogueSettings, _work)


def _work(
    args: argparse.Namespace, settings: SersicCatalogueSettings, record: RunRecord, ranks: World
) -> None:
    from morphosphere.sersic.catalogue.forms import make_catalogue

    facts = make_catalogue(predictions=args.predictions, output=args.output, settings=settings)
    record.inputs([args.predictions])
    record.outputs([args.output])
    record.note(**facts)


if __name__ == "__main__":
    main_of(main)
