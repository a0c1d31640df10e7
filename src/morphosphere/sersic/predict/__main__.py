"""Command line of the stage: ``python -m morphosphere.sersic.predict``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.sersic_predict import SersicPredictSettings
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Tell the structural parameters of every image of an ImageSet; write a Catalogue."""
    parser = stage_parser("sersic.predict", main.__doc__, mpi=True)
    parser.add_argument("--images", type=Path, required=True, help="ImageSet")
    parser.add_argument("--model", type=Path, required=True, help="folder of a ModelBundle")
    parser.add_argument("--output", type=Path, required=True, help="Catalogue to write (Parquet)")
    args = parser.parse_args(argv)
    return run_stage("sersic.predict", args, SersicPredictSettings, _work, mpi=True)


def _work(
    args: argparse.Namespace, settings: SersicPredictSettings, record: RunRecord, ranks: World
) -> None:
    from morphosphere.sersic.predict.predictions import predict

    facts = predict(
        images=args.images,
        model=args.model,
        output=args.output,
        settings=settings,
        ranks=ranks,
    )
    if ranks.first:
        record.inputs([args.images, args.model])
        record.outputs([args.output])
        record.note(**facts)


if __name__ == "__main__":
    main_of(main)
