"""How long the network takes for a galaxy, on one core."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from morphosphere.artefacts.imageset import ImageSet
from morphosphere.sersic.reading import SersicModel
from morphosphere.structure.facts import COLUMNS_NEEDED

#: Passes over the images, of which the fastest counts: others wait for other work of the machine.
_PASSES = 3


def network_seconds(model: Path, images: ImageSet, rows: np.ndarray, batch: int) -> float | None:
    """Seconds per galaxy from pixels in memory to parameters with their standard deviations.

    One thread. As for a fitter, reading of files and flags are left out.

    Parameters
    ----------
    model : Path
        ModelBundle.
    images : ImageSet
    rows : ndarray of int, shape (n,)
        Galaxies that are timed; None comes back without any.
    batch : int
        Galaxies that are predicted at a time.
    """
    if not len(rows):
        return None
    rows = np.sort(rows)
    pixels = images.images[rows]
    names = (*COLUMNS_NEEDED, "zero_point", "pixel_size")
    table = {name: images.column(name)[rows] for name in names}
    parts = [slice(start, start + batch) for start in range(0, len(rows), batch)]
    found = []
    with threadpool_limits(1):
        network = SersicModel.load(model, threads=1)
        _predict(network, pixels[parts[0]], {k: v[parts[0]] for k, v in table.items()})
        for _ in range(_PASSES):
            began = time.perf_counter()
            for part in parts:
                _predict(network, pixels[part], {k: v[part] for k, v in table.items()})
            found.append((time.perf_counter() - began) / len(rows))
    return min(found)


def _predict(network: SersicModel, pixels: np.ndarray, table: dict[str, np.ndarray]) -> None:
    said = network.read(pixels, table)
    network.space.to_columns(said.latent, table["zero_point"], table["pixel_size"])
    network.space.propagate(said.covariance, said.latent, table["pixel_size"])
