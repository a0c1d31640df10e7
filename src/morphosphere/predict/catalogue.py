"""From images and a model to the Catalogue, in pieces, over any number of processes.

The images are cut into chunks of a fixed size, and each process takes a contiguous range of
chunks. What is computed of an image therefore does not depend on the number of processes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from morphosphere.artefacts.catalogue import CatalogueWriter
from morphosphere.artefacts.codes import galaxy_codes
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.splits import labels_of, origins
from morphosphere.config.predict import PredictSettings
from morphosphere.errors import InputError
from morphosphere.parallel import World, threads_given
from morphosphere.predict import neighbours as similar
from morphosphere.predict.ahead import in_order
from morphosphere.predict.outliers import mean_of, outlier_score
from morphosphere.predict.placement import Model, Placed, check_placed
from morphosphere.predict.scratch import Scratch
from morphosphere.progress import progress

#: Rows that are written to the Catalogue at a time.
ROWS = 8192
#: Columns of the Catalogue that this stage makes.
PREDICTED = (
    "lon", "lat", "concentration", "angle", "flip", "reconstruction_error", "outlier_score",
    "split", "features", "neighbours", "neighbour_distances",
)  # fmt: skip
_PLACE = np.dtype(
    [
        ("lon", "f8"),
        ("lat", "f8"),
        ("concentration", "f4"),
        ("angle", "f4"),
        ("flip", "?"),
        ("reconstruction_error", "f4"),
    ]
)
_ABOUT = {
    "features": {"description": "Feature vector of the image; similar images have similar ones"},
    "neighbours": {
        "description": "Rows of the most similar images of other galaxies, nearest first; "
        "-1 for none"
    },
    "neighbour_distances": {"description": "Distances to the neighbours in feature space"},
}


@dataclass(frozen=True)
class Chunks:
    """Images cut into chunks of a fixed size, of which this process has a contiguous range."""

    count: int
    size: int
    mine: range

    @classmethod
    def of(cls, count: int, size: int, ranks: World) -> Chunks:
        """Share ``count`` images over the processes."""
        return cls(count, size, ranks.share(-(-count // size)))

    @property
    def rows(self) -> range:
        """This process's images."""
        return range(
            min(self.mine.start * self.size, self.count),
            min(self.mine.stop * self.size, self.count),
        )

    def __iter__(self) -> Iterator[tuple[int, int]]:
        for number in self.mine:
            yield number * self.size, min((number + 1) * self.size, self.count)


def predict(
    *,
    images: Path,
    model: Path,
    output: Path,
    settings: PredictSettings,
    seed: int,
    ranks: World,
) -> dict[str, object]:
    """Write the Catalogue of an ImageSet; return facts for the run record.

    Parameters
    ----------
    images, model, output : Path
        An ImageSet, the folder of a ModelBundle, and the Catalogue to write.
    settings : PredictSettings
    seed : int
        Of the inverted-file index.
    ranks : World
        Processes that share the work.

    Raises
    ------
    InputError
        If the ImageSet is empty or has other channels than the model, or the model gives numbers
        that are not finite.
    """
    with ImageSet(images) as source, Scratch(output, ranks) as scratch:
        if not len(source):
            raise InputError(f"{images}: holds no images; loosen the cuts of the stages before")
        network = Model.load(model, device=settings.device, ranks=ranks, threads=1)
        network.check_channels(source)
        chunks = Chunks.of(len(source), settings.chunk, ranks)
        width = _place(source, network, chunks, scratch, ranks)
        galaxies = scratch.all("galaxy").read(0, len(source))
        count = similar.usable_neighbours(settings.neighbours, galaxies)
        lists = _find_neighbours(scratch, galaxies, count, width, chunks, settings, seed, ranks)
        if ranks.first:
            _write(source, scratch, output, network.bundle.trained_on)
        ranks.barrier()
    return {
        "images": len(galaxies),
        "galaxies": len(np.unique(galaxies)),
        "features": width,
        "neighbours": count,
        "index": f"inverted file of {lists} lists" if lists else "exhaustive",
        "device": network.device,
    }


def _place(
    source: ImageSet,
    network: Model,
    chunks: Chunks,
    scratch: Scratch,
    ranks: World,
) -> int:
    """First pass: place, pose, features and galaxy of every image; return the features' width.

    Each thread takes a chunk all the way, from reading to the pose, on one core: cores that share
    the passes through a network wait for each other at the end of every layer.
    """
    width = network.feature_width()
    place = scratch.mine("place", chunks.rows, _PLACE)
    features = scratch.mine("features", chunks.rows, np.dtype("f4"), (width,))
    galaxy = scratch.mine("galaxy", chunks.rows, np.dtype("i8"))

    def work(start: int, stop: int) -> tuple[int, Placed, np.ndarray]:
        found = network.place_stored(source.read(start, stop), keep=False)
        return start, found, galaxy_codes(source.column("galaxy_id", slice(start, stop)))

    with (
        threadpool_limits(1, "blas"),
        progress(ranks.doing("place images"), len(chunks.rows), show=ranks.first) as advance,
    ):
        for start, found, codes in in_order(work, chunks, threads_given()):
            check_placed(found, source, start)
            record = np.empty(len(codes), _PLACE)
            for name in _PLACE.names:
                record[name] = getattr(found, name)
            place.write(start, record)
            features.write(start, found.features)
            galaxy.write(start, codes)
            advance(len(codes))
    for part in (place, features, galaxy):
        part.close()
    ranks.barrier()
    return width


def _find_neighbours(
    scratch: Scratch,
    galaxies: np.ndarray,
    count: int,
    width: int,
    chunks: Chunks,
    settings: PredictSettings,
    seed: int,
    ranks: World,
) -> int:
    """Second pass: neighbours and their distances; return the number of lists of the index."""
    vectors = scratch.all("features")
    lists = 0
    if len(vectors) > settings.exact_up_to:
        lists = similar.number_of_lists(len(vectors))
        path = scratch.path / "index.faiss"
        if ranks.first:
            index = similar.build_index(vectors, width=width, lists=lists, seed=seed)
            similar.write_index(index, path)
        ranks.barrier()
        index = similar.read_index(path, settings.probes)
    else:
        index = similar.build_index(vectors, width=width)
    slots = (max(count, 1),)
    rows = scratch.mine("neighbours", chunks.rows, np.dtype("i8"), slots)
    distances = scratch.mine("distances", chunks.rows, np.dtype("f4"), slots)
    means = scratch.mine("means", chunks.rows, np.dtype("f8"))
    with progress(ranks.doing("find neighbours"), len(chunks.rows), show=ranks.first) as advance:
        found = similar.nearest(index, vectors, galaxies, chunks=iter(chunks), count=count)
        for start, row, distance in found:
            rows.write(start, row)
            distances.write(start, distance)
            means.write(start, mean_of(distance))
            advance(len(row))
    for part in (rows, distances, means):
        part.close()
    ranks.barrier()
    return lists


def _write(source: ImageSet, scratch: Scratch, output: Path, trained: list[str] | None) -> None:
    """Third pass, of one process: the table, the scores, everything in order."""
    place, features = scratch.all("place"), scratch.all("features")
    neighbours, distances = scratch.all("neighbours"), scratch.all("distances")
    means = scratch.all("means").read(0, len(source))
    names = {name: f"input_{name}" if name in PREDICTED else name for name in source.columns}
    described = {names[name]: source.column_attributes(name) for name in source.columns}
    described.update(_ABOUT)
    with CatalogueWriter(output) as out:
        for start in range(0, len(source), ROWS):
            stop = min(start + ROWS, len(source))
            rows = slice(start, stop)
            columns = {new: source.column(name, rows) for name, new in names.items()}
            found = place.read(start, stop)
            columns.update({name: np.ascontiguousarray(found[name]) for name in _PLACE.names})
            near, far = neighbours.read(start, stop), distances.read(start, stop)
            columns["outlier_score"] = outlier_score(far, near, means)
            columns["split"] = labels_of(columns["galaxy_id"], origins(source, rows), trained)
            columns["features"] = features.read(start, stop)
            columns["neighbours"], columns["neighbour_distances"] = near, far
            out.append(columns, described)
