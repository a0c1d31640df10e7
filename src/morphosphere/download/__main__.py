"""Command line of the download stage."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.base import Settings, check
from morphosphere.config.download import Hips2fitsSettings, TngApiSettings
from morphosphere.errors import ConfigError
from morphosphere.files import digest
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser

_SOURCES: dict[str, type[Settings]] = {"tng_api": TngApiSettings, "hips2fits": Hips2fitsSettings}


def main(argv: Sequence[str] | None = None) -> int:
    """Download what one section of the configuration names; return the exit status."""
    parser = stage_parser("download", "Download cutouts of galaxies, or images of a survey.")
    parser.add_argument("--source", choices=sorted(_SOURCES), required=True, help="kind of server")
    parser.add_argument("--snapshot", type=int, help="number of the snapshot (tng_api)")
    parser.add_argument("--bands", nargs="*", help="names of the bands, if several HiPS are given")
    parser.add_argument(
        "--transfer",
        default="{}",
        metavar="JSON",
        help="rate, retries and the like, in place of those of --settings; they change no result",
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="folder for the files"
    )
    args = parser.parse_args(argv)
    if args.source == "tng_api" and args.snapshot is None:
        parser.error("--source tng_api needs --snapshot")
    return run_stage("download", args, _SOURCES[args.source], _work)


def _work(args: argparse.Namespace, settings: Settings, record: RunRecord, world: World) -> None:
    settings = _with_transfer(settings, args.transfer)
    if isinstance(settings, TngApiSettings):
        from morphosphere.download.tng import download_cutouts

        batch = download_cutouts(settings, args.snapshot, args.output, seed=args.seed)
    else:
        from morphosphere.download.hips import download_images

        record.inputs([settings.positions])
        batch = download_images(settings, args.bands or None, args.output, seed=args.seed)
    record.settings = settings.model_dump(mode="json")
    record.outputs([args.output / "manifest.json"])
    record.note(
        files=len(batch.entries),
        bytes=sum(entry.bytes for entry in batch.entries.values()),
        rejects=len(batch.rejects),
        manifest=digest(args.output / "manifest.json"),
    )


def _with_transfer(settings: Settings, text: str) -> Settings:
    try:
        transfer = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"--transfer: not valid JSON ({error})") from None
    if not isinstance(transfer, dict):
        raise ConfigError("--transfer: expected a mapping of keys")
    return check(type(settings), {**settings.model_dump(), **transfer}, source="--settings")


if __name__ == "__main__":
    main_of(main)
