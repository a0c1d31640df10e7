"""The page on mergers: ``python -m morphosphere.mergers.page``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.config.merger_page import MergerPageSettings
from morphosphere.errors import InputError
from morphosphere.files import atomic_directory, read_json
from morphosphere.mergers.page.choice import check_columns
from morphosphere.mergers.page.data import write_gallery, write_library
from morphosphere.mergers.page.model import field_of_view, labels_of, model_facts
from morphosphere.mergers.page.site import find_runtime, write_site
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser


def make_page(
    images_path: Path,
    catalogue_path: Path,
    model_path: Path,
    output: Path,
    settings: MergerPageSettings,
    *,
    metrics: Path | None = None,
    runtime: Path | None = None,
    seed: int = 42,
) -> dict[str, Any]:
    """Make the page in the folder `output`; return its configuration.

    Raises
    ------
    InputError
        If an input is missing, or images, catalogue and model do not belong together.
    ConfigError
        If the width of the images is known neither from their table nor from the settings.
    """
    runtime = find_runtime(runtime)
    model = ModelBundle.load(model_path)
    facts = {**model_facts(model), "metrics": read_json(metrics) if metrics else None}
    labels = [label.name for label in labels_of(model)]
    catalogue = Catalogue(catalogue_path)
    check_columns(catalogue)
    with ImageSet(images_path) as images:
        _check_same(images, catalogue, model)
        facts["field_of_view"] = field_of_view(settings, images)
        parts = (images, catalogue, model, settings)
        with atomic_directory(output / "data") as folder:
            gallery = write_gallery(folder / "gallery", *parts, labels=labels, seed=seed)
            library = write_library(folder / "library", *parts, labels=labels, seed=seed)
            (output / "index.html").unlink(missing_ok=True)  # the former page had other data
    facts["library"] = {"frames": library["frames"], "encounters": len(library["encounters"])}
    facts["gallery"] = len(gallery["images"])
    return write_site(settings, facts, site=output, model=model_path, runtime=runtime)


def _check_same(images: ImageSet, catalogue: Catalogue, model: ModelBundle) -> None:
    if len(images) != len(catalogue):
        raise InputError(
            f"{catalogue.path}: {len(catalogue)} rows for {len(images)} images of {images.path}; "
            "predict again"
        )
    first = 0
    for batch in catalogue.batches(["image_id"]):
        here = slice(first, first + len(batch["image_id"]))
        if list(map(str, images.column("image_id", here))) != list(map(str, batch["image_id"])):
            raise InputError(
                f"{images.path}: images do not belong to the catalogue (row {first} on); "
                "predict again"
            )
        first = here.stop
    if images.channels != model.transform.channels:
        raise InputError(
            f"{images.path}: channels {', '.join(images.channels)}; the model was trained on "
            f"{', '.join(model.transform.channels)}"
        )


def _work(
    args: argparse.Namespace, settings: MergerPageSettings, record: RunRecord, ranks: World
) -> None:
    config = make_page(
        args.images,
        args.catalogue,
        args.model,
        args.output,
        settings,
        metrics=args.metrics,
        runtime=args.runtime,
        seed=args.seed,
    )
    inputs = [args.images, args.catalogue, args.model / "model.json"]
    record.inputs([*inputs, *([args.metrics] if args.metrics else [])])
    names = ("index.html", "config.json", "page", "runtime", "model", "data")
    record.outputs([args.output / name for name in names])
    record.note(
        frames=config["library"]["frames"],
        encounters=config["library"]["encounters"],
        gallery=config["gallery"],
        onnxruntime_web=config["runtime_version"],
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Command line of the stage."""
    parser = stage_parser(
        "mergers.page", "Write the page on mergers: a site of static files with the network."
    )
    parser.add_argument("--images", type=Path, required=True, help="ImageSet")
    parser.add_argument("--catalogue", type=Path, required=True, help="predictions")
    parser.add_argument("--model", type=Path, required=True, help="ModelBundle folder")
    parser.add_argument("--metrics", type=Path, help="metrics.json of the evaluation")
    parser.add_argument("--runtime", type=Path, help="folder dist of ONNX Runtime Web")
    parser.add_argument("--output", type=Path, required=True, help="folder of the page")
    args = parser.parse_args(argv)
    return run_stage("mergers.page", args, MergerPageSettings, _work)


if __name__ == "__main__":
    main_of(main)
