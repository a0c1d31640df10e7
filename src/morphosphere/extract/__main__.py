"""``python -m morphosphere.extract``: from a snapshot to GalaxySets and a table of properties."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from morphosphere.config.extract import ExtractSettings
from morphosphere.config.simulation import Family
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; return its exit status."""
    parser = stage_parser("extract", "Extract the galaxies of one snapshot.", mpi=True)
    parser.add_argument("--simulation", required=True, help="name of the simulation")
    parser.add_argument("--snapshot", type=int, required=True, help="number of the snapshot")
    parser.add_argument(
        "--input",
        type=Path,
        required=True,
        metavar="PATH",
        help="folder with snapdir_NNN and groups_NNN, folder of cutouts, or a file",
    )
    parser.add_argument(
        "--family", choices=get_args(Family), default="auto", help="family of the files"
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="0.h5, ... and galaxies.parquet"
    )
    return run_stage("extract", parser.parse_args(argv), ExtractSettings, _work, mpi=True)


def _work(
    args: argparse.Namespace, settings: ExtractSettings, record: RunRecord, world: World
) -> None:
    from morphosphere.extract.work import extract

    facts = extract(
        args.input,
        args.output,
        simulation=args.simulation,
        number=args.snapshot,
        family=args.family,
        settings=settings,
        world=world,
    )
    if facts is not None:
        record.inputs(facts.pop("files"))
        shards = [args.output / f"{index}.h5" for index in range(settings.shards)]
        tables = [args.output / name for name in ("galaxies.parquet", "rejects.csv")]
        record.outputs([*shards, *tables])
        record.note(**facts)


if __name__ == "__main__":
    main_of(main)
