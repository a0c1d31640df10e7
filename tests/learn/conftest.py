"""Small image sets for the tests of training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from factories_models import blobs
from morphosphere.artefacts.imageset import ImageSetWriter


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def write_images(path: Path, images: np.ndarray) -> Path:
    """Write images (N, C, S, S) as an ImageSet; two views of each galaxy side by side."""
    count = len(images)
    with ImageSetWriter(
        path,
        channels=[f"c{k}" for k in range(images.shape[1])],
        size=images.shape[-1],
        dtype=images.dtype,
    ) as out:
        out.append(
            images,
            {
                "image_id": [f"g{k // 2}_c{k % 2}" for k in range(count)],
                "galaxy_id": [f"g{k // 2}" for k in range(count)],
                "source": ["test"] * count,
                "brightness": images.astype(np.float64).mean((1, 2, 3)),
            },
        )
    return path


@pytest.fixture(scope="session")
def pictures(tmp_path_factory) -> Path:
    """ImageSet of 96 pictures of 8 bits, 17 pixels wide."""
    images = (255 * blobs(96, 3, 17).numpy()).astype(np.uint8)
    return write_images(tmp_path_factory.mktemp("pictures") / "images.h5", images)
