"""The check without labels: ``python -m morphosphere.surveys.clusters``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.survey_clusters import SurveyClustersSettings
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Embed the features of a survey and see whether it falls into the classes by itself."""
    parser = stage_parser("surveys.clusters", main.__doc__ or "")
    parser.add_argument("--predictions", type=Path, required=True, help="of the target survey")
    parser.add_argument("--images", type=Path, required=True, help="ImageSet of the target survey")
    parser.add_argument("--also", type=Path, help="predictions of the labelled survey")
    parser.add_argument("--model", type=Path, help="ModelBundle: pictures as the network sees them")
    parser.add_argument("--metrics", type=Path, required=True, help="clusters.json to write")
    parser.add_argument("--embedding", type=Path, required=True, help="Parquet file to write")
    parser.add_argument("--figures", type=Path, required=True, help="folder to write figures to")
    args = parser.parse_args(argv)
    return run_stage("surveys.clusters", args, SurveyClustersSettings, _work)


def _work(
    args: argparse.Namespace, settings: SurveyClustersSettings, record: RunRecord, _: World
) -> None:
    from morphosphere.artefacts.catalogue import CatalogueWriter
    from morphosphere.artefacts.imageset import ImageSet
    from morphosphere.files import write_json
    from morphosphere.surveys.clusters.figures import draw_all
    from morphosphere.surveys.clusters.measure import measure, placed_batches
    from morphosphere.surveys.clusters.members import class_names, open_predictions
    from morphosphere.surveys.clusters.pictures import check_same, shown_as

    catalogue = open_predictions(args.predictions)
    labelled = open_predictions(args.also) if args.also else None
    with ImageSet(args.images) as images:
        check_same(images, catalogue)
        transform = shown_as(images, args.model)
        found = measure(catalogue, labelled, class_names(images), settings, args.seed)
        draw_all(found, images, transform, settings, args.figures)
    with CatalogueWriter(args.embedding, {"table": "embedding"}) as out:
        for batch in placed_batches(catalogue, found, settings):
            out.append(batch)
    write_json(args.metrics, found.metrics)
    record.inputs([args.predictions, args.images, *([args.also] if args.also else [])])
    record.outputs([args.metrics, args.embedding, *sorted(args.figures.glob("*.png"))])
    record.note(galaxies=len(catalogue), metrics=found.metrics)


if __name__ == "__main__":
    main_of(main)
