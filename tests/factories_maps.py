"""Small finished maps: images, an untrained model, the catalogue it gives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from factories_images import make_imageset
from factories_models import write_small_bundle
from morphosphere.predict.__main__ import main


@dataclass(frozen=True)
class SmallMap:
    """Paths of the artefacts."""

    images: Path
    model: Path
    catalogue: Path


def make_map(folder: Path, count: int = 60, *, views: int = 2, size: int = 40) -> SmallMap:
    """A map of `count` galaxies seen `views` times."""
    images = make_imageset(folder / "images.h5", count, views=views, size=size)
    write_small_bundle(folder / "model")
    small = SmallMap(images, folder / "model", folder / "catalogue.parquet")
    assert run_predict(small) == 0
    return small


def run_predict(small: SmallMap, output: Path | None = None, settings: str = "{}") -> int:
    """Exit status of the predict stage."""
    return main(
        ["--images", str(small.images), "--model", str(small.model), "--settings", settings,
         "--output", str(output or small.catalogue)]
    )  # fmt: skip
