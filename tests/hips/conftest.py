"""A small map's inputs, and a way to make its layers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg

from factories_hips import make_catalogue
from factories_images import make_imageset
from factories_models import write_small_bundle
from morphosphere.hips.__main__ import main

#: Small maps: 60 tiles of 64 px.
SMALL = {"unique": "galaxy", "align": False, "order": 1, "tile_width": 64, "cells": 2}


@dataclass(frozen=True)
class Scene:
    """Paths of an ImageSet, a ModelBundle and a Catalogue that belong together."""

    images: Path
    model: Path
    catalogue: Path

    def arguments(self, layer: str, output: Path, **settings: Any) -> list[str]:
        """Command line that makes `layer`."""
        values = {"--layer": layer, "--images": self.images, "--model": self.model}
        values |= {"--catalogue": self.catalogue, "--output": output, "--threads": 2}
        values |= {"--settings": json.dumps({**SMALL, **settings})}
        return [str(part) for pair in values.items() for part in pair]

    def make(self, layer: str, output: Path, **settings: Any) -> Path:
        """Make `layer`, which must succeed."""
        assert main(self.arguments(layer, output, **settings)) == 0
        return output


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """120 galaxies in two views each."""
    folder = tmp_path_factory.mktemp("scene")
    images = make_imageset(folder / "images.h5", 120, views=2, size=40)
    catalogue = make_catalogue(folder / "catalogue.parquet", images)
    write_small_bundle(folder / "model", size=32)
    return Scene(images, folder / "model", catalogue)


@pytest.fixture(scope="session")
def made(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """``made(layer)``: folder of a layer of the scene, made once."""
    folder = tmp_path_factory.mktemp("hips")
    done: dict[str, Path] = {}

    def make(layer: str) -> Path:
        if layer not in done:
            done[layer] = scene.make(layer, folder / layer)
        return done[layer]

    return make


def tree(root: Path) -> dict[str, bytes]:
    """Every file below a folder but ``properties``, which holds the date."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != "properties"
    }


def read_properties(root: Path) -> dict[str, str]:
    """Keywords of a properties file."""
    lines = (root / "properties").read_text().splitlines()
    return {key.strip(): value.strip() for key, _, value in (x.partition("=") for x in lines)}


def read_jpeg(path: Path) -> np.ndarray:
    """Pixels of a JPEG."""
    return simplejpeg.decode_jpeg(path.read_bytes(), colorspace="RGB")
