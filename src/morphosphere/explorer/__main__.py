"""The page: ``python -m morphosphere.explorer``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.explore import ExploreSettings
from morphosphere.explorer.site import find_aladin, write_site
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def _work(
    args: argparse.Namespace, settings: ExploreSettings, record: RunRecord, ranks: World
) -> None:
    aladin = find_aladin(args.aladin)
    config = write_site(settings, data=args.data, hips=args.hips, site=args.output, aladin=aladin)
    record.inputs([args.data / "index.json", *(folder / "properties" for folder in args.hips)])
    names = ("index.html", "config.json", "aladin.js", "aladin.wasm", "page")
    record.outputs([path for name in names if (path := args.output / name).exists()])
    record.note(layers=len(config["layers"]), aladin_lite=config["aladin_version"])


def main(argv: Sequence[str] | None = None) -> int:
    """Command line of the stage."""
    parser = stage_parser("explorer", "Write the explorer page: a site of static files.")
    parser.add_argument("--catalogue", type=Path, help="Catalogue that the data were made from")
    parser.add_argument("--data", type=Path, required=True, help="folder of explorer.data")
    parser.add_argument("--hips", type=Path, nargs="+", required=True, help="folders of layers")
    parser.add_argument("--aladin", type=Path, help="Aladin Lite's module, aladin.js")
    parser.add_argument("--output", type=Path, required=True, help="folder of the site")
    args = parser.parse_args(argv)
    return run_stage("explorer", args, ExploreSettings, _work)


if __name__ == "__main__":
    main_of(main)
