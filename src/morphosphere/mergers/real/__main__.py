"""``python -m morphosphere.mergers.real``: real images of mergers, to an ImageSet."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.merger_sources import RealMergersSettings
from morphosphere.errors import ConfigError
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; return its exit status."""
    parser = stage_parser("mergers.real", "Bring real images of mergers into the frame of a model.")
    parser.add_argument("--name", required=True, help="name of the set of images")
    parser.add_argument(
        "--channels",
        nargs="+",
        default=["stellar_mass"],
        help="channels that the images shall have",
    )
    parser.add_argument("--size", type=int, default=64, help="width and height in pixels")
    parser.add_argument("--field-of-view", type=float, default=120.0, help="width in kpc")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.h5", help="ImageSet")
    return run_stage("mergers.real", parser.parse_args(argv), RealMergersSettings, _work)


def _work(
    args: argparse.Namespace, settings: RealMergersSettings, record: RunRecord, _: World
) -> None:
    from morphosphere.mergers.real.image import Frame
    from morphosphere.mergers.real.write import Outcome, items_of, write_images
    from morphosphere.progress import log, progress

    if args.size < 8 or not args.field_of_view > 0:
        raise ConfigError("--size must be 8 or more, --field-of-view above zero")
    frame = Frame(tuple(args.channels), args.size, args.field_of_view)
    count = len(items_of(settings, Outcome()))
    with progress("read images", count) as advance:
        outcome = write_images(args.name, settings, frame, args.output, advance)
    record.inputs_together(settings.path, outcome.files)
    if settings.table:
        record.inputs([settings.table])
    record.outputs([args.output])
    rejects = [f"{reject.id}: {reject.reason}" for reject in outcome.rejects]
    record.note(images=outcome.images, rejects=rejects, remarks=outcome.remarks)
    for line in [*(f"{each} (rejected)" for each in rejects), *outcome.remarks]:
        log(f"{args.name}: {line}")
    log(f"{args.name}: {outcome.images} images, {len(rejects)} rejected")


if __name__ == "__main__":
    main_of(main)
