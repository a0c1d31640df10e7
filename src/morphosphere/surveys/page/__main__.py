"""The page on a survey: ``python -m morphosphere.surveys.page``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from morphosphere.artefacts.imageset import ImageSet
from morphosphere.config.survey_page import SurveyPageSettings
from morphosphere.errors import InputError
from morphosphere.files import atomic_directory, read_json
from morphosphere.parallel import World
from morphosphere.provenance import RunRecord
from morphosphere.stage import main_of, run_stage, stage_parser
from morphosphere.surveys.clusters.members import class_names, open_predictions
from morphosphere.surveys.clusters.pictures import check_same, shown_as
from morphosphere.surveys.page.choice import read_embedding
from morphosphere.surveys.page.data import write_data
from morphosphere.surveys.page.site import write_site

#: Files of numbers that the page shows, by the names of their options.
REPORTS = ("metrics", "clusters", "recursion")


def make_page(
    predictions: Path,
    images_path: Path,
    embedding: Path,
    output: Path,
    settings: SurveyPageSettings,
    *,
    reports: dict[str, Path | None],
    model: Path | None = None,
    seed: int = 42,
) -> dict[str, Any]:
    """Make the page in the folder `output`; return the index of its data.

    Raises
    ------
    InputError
        If an input is missing, or predictions, images and embedding do not belong together.
    """
    catalogue = open_predictions(predictions)
    facts = {name: _report(reports.get(name)) for name in REPORTS}
    with ImageSet(images_path) as images:
        check_same(images, catalogue)
        place = read_embedding(embedding, catalogue)
        transform = shown_as(images, model)
        classes = class_names(images)
        with atomic_directory(output / "data") as folder:
            index = write_data(folder, catalogue, place, images, transform, classes, settings, seed)
            (output / "index.html").unlink(missing_ok=True)  # the former page had other data
    write_site(settings, facts, site=output)
    return index


def _report(path: Path | None) -> dict[str, Any] | None:
    """A file of numbers; None if it is not given.

    Raises
    ------
    InputError
        If it is missing or holds something else.
    """
    if path is None:
        return None
    value = read_json(path)
    if not isinstance(value, dict):
        raise InputError(f"{path}: holds no names with values; run the stage that writes it")
    return value


def _work(
    args: argparse.Namespace, settings: SurveyPageSettings, record: RunRecord, _: World
) -> None:
    reports = {name: getattr(args, name) for name in REPORTS}
    index = make_page(
        args.predictions,
        args.images,
        args.embedding,
        args.output,
        settings,
        reports=reports,
        model=args.model,
        seed=args.seed,
    )
    inputs = [args.predictions, args.images, args.embedding]
    record.inputs([*inputs, *(path for path in reports.values() if path)])
    record.outputs([args.output / name for name in ("index.html", "config.json", "page", "data")])
    record.note(galaxies=index["rows"], of=index["total"], columns=len(index["columns"]))


def main(argv: Sequence[str] | None = None) -> int:
    """Command line of the stage."""
    parser = stage_parser("surveys.page", "Write the page on a survey: a site of static files.")
    parser.add_argument("--predictions", type=Path, required=True, help="of the target survey")
    parser.add_argument("--images", type=Path, required=True, help="its ImageSet")
    parser.add_argument("--embedding", type=Path, required=True, help="of surveys.clusters")
    parser.add_argument("--metrics", type=Path, help="metrics.json of surveys.evaluate")
    parser.add_argument("--clusters", type=Path, help="clusters.json of surveys.clusters")
    parser.add_argument("--recursion", type=Path, help="recursion.json of surveys.settle")
    parser.add_argument("--model", type=Path, help="ModelBundle: pictures as the network sees them")
    parser.add_argument("--output", type=Path, required=True, help="folder of the page")
    args = parser.parse_args(argv)
    return run_stage("surveys.page", args, SurveyPageSettings, _work)


if __name__ == "__main__":
    main_of(main)
