"""Command line of the predict stage."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.predict import PredictSettings
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Place every image of an ImageSet on the sphere of a model; write a Catalogue."""
    parser = stage_parser("predict", main.__doc__, mpi=True)
    parser.add_argument("--images", type=Path, required=True, help="ImageSet")
    parser.add_argument("--model", type=Path, required=True, help="folder of a ModelBundle")
    parser.add_argument("--output", type=Path, required=True, help="Catalogue to write (Parquet)")
    return run_stage("predict", parser.parse_args(argv), PredictSettings, _work, mpi=True)


def _work(
    args: argparse.Namespace, settings: PredictSettings, record: RunRecord, ranks: World
) -> None:
    from morphosphere.predict.catalogue import predict

    facts = predict(
        images=args.images,
        model=args.model,
        output=args.output,
        settings=settings,
        seed=args.seed,
        ranks=ranks,
    )
    if ranks.first:
        record.inputs([args.images, args.model])
        record.outputs([args.output])
        record.note(**facts)


if __name__ == "__main__":
    main_of(main)
