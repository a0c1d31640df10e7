"""Command line of the collect stage."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.collect import SurveySettings
from morphosphere.errors import ConfigError
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Collect a survey; return the exit status."""
    parser = stage_parser("collect", "Collect the images of a survey into an ImageSet.")
    parser.add_argument("--name", required=True, help="name of the survey")
    parser.add_argument("--output", type=Path, required=True, help="folder for images.h5")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="threads that read and decode"
    )
    return run_stage("collect", parser.parse_args(argv), SurveySettings, _work)


def _work(
    args: argparse.Namespace, settings: SurveySettings, record: RunRecord, world: World
) -> None:
    from morphosphere.collect.survey import collect

    if settings.path is None:
        raise ConfigError("path: give the folder that the download stage put the images into")
    counts = collect(args.name, settings, args.output, workers=max(1, args.workers))
    if settings.table:
        record.inputs([settings.table])
    record.inputs_together(settings.path, counts.files)
    record.outputs([args.output / name for name in ("images.h5", "rejects.csv")])
    record.note(
        survey=args.name,
        images=counts.images,
        files_digest=counts.files_digest,
        rejects=dict(counts.rejects),
        images_without_row=counts.without_row,
        images_with_bad_pixels=counts.with_bad_pixels,
        images_without_object=counts.without_object,
    )


if __name__ == "__main__":
    main_of(main)
