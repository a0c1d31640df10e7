"""``python -m morphosphere.mergers.deepgalaxy``: DeepGalaxy's HDF5 files to ImageSets and back."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.merger_sources import DeepGalaxySettings
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


class _Options(DeepGalaxySettings):
    """The settings of a file whose path is on the command line."""

    path: str | None = None


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; return its exit status."""
    parser = stage_parser("mergers.deepgalaxy", "Read or write the HDF5 layout of DeepGalaxy.")
    either = parser.add_mutually_exclusive_group(required=True)
    either.add_argument("--read", type=Path, metavar="FILE", help="DeepGalaxy's file to read")
    either.add_argument("--write", type=Path, metavar="IMAGESET", help="ImageSet to write as one")
    parser.add_argument("--name", default="deepgalaxy", help="name of the set that is read")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="what is made")
    return run_stage("mergers.deepgalaxy", parser.parse_args(argv), _Options, _work)


def _work(args: argparse.Namespace, settings: _Options, record: RunRecord, _: World) -> None:
    from morphosphere.artefacts.imageset import ImageSet
    from morphosphere.mergers.deepgalaxy.layout import cameras_of, open_file
    from morphosphere.mergers.deepgalaxy.read import read
    from morphosphere.mergers.deepgalaxy.write import write
    from morphosphere.progress import log, progress

    if args.read:
        with open_file(args.read) as file:
            total = sum(len(c.times) for c in cameras_of(file, args.read, settings.cameras))
        with progress("read images", total) as advance:
            facts = read(args.read, args.output, args.name, settings, advance)
        record.note(images=facts.images, groups=facts.groups, inverted=facts.inverted)
        if facts.inverted:
            log(
                f"mass ratios above 1 became their inverse, and size ratios with them, in "
                f"{', '.join(facts.inverted)}"
            )
        log(f"read {facts.images} images of {facts.groups} initial conditions")
    else:
        with ImageSet(args.write) as images:
            total = len(images)
        with progress("write images", total) as advance:
            remarks = write(args.write, args.output, settings, advance)
        record.note(remarks=remarks)
        for remark in remarks:
            log(remark)
    record.inputs([args.read or args.write])
    record.outputs([args.output])


if __name__ == "__main__":
    main_of(main)
