"""From images and a model to the Catalogue of encounters, in pieces, over any number of ranks."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from morphosphere.artefacts.catalogue import CatalogueWriter
from morphosphere.artefacts.codes import galaxy_codes
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.splits import labels_of, origins
from morphosphere.config.merger_predict import MergerPredictSettings
from morphosphere.errors import InputError
from morphosphere.mergers.reading import MergerModel, Reading, check_finite, unsound
from morphosphere.parallel import World
from morphosphere.posterior import QUANTILES, Label
from morphosphere.predict import neighbours as similar
from morphosphere.predict.catalogue import ROWS, Chunks
from morphosphere.predict.scratch import Scratch
from morphosphere.progress import progress

_ABOUT = {
    "z": {"description": "Latent mean of the image; similar images have similar ones"},
    "neighbours": {
        "description": "Rows of the most similar images of other encounters in the orientation "
        "as stored, nearest first; -1 for none"
    },
    "neighbour_distances": {"description": "Distances to the neighbours in z"},
}
_WORDS = {
    "median": "Median of the posterior",
    "low68": "Lower end of the central 68 % of the posterior",
    "high68": "Upper end of the central 68 % of the posterior",
    "low95": "Lower end of the central 95 % of the posterior",
    "high95": "Upper end of the central 95 % of the posterior",
}
#: Columns about an image as a whole, with their types.
_WHOLE = (("encounter_probability", "f4"), ("reconstruction_error", "f4"), ("outlier", "?"))


def predict(
    *,
    images: Path,
    model: Path,
    output: Path,
    settings: MergerPredictSettings,
    seed: int,
    ranks: World,
) -> dict[str, object]:
    """Write the Catalogue of an ImageSet; return facts for the run record.

    Parameters
    ----------
    images, model, output : Path
        An ImageSet, the folder of a ModelBundle, and the Catalogue to write.
    settings : MergerPredictSettings
    seed : int
        Of the inverted-file index.
    ranks : World
        Processes that share the work.

    Raises
    ------
    InputError
        If the ImageSet is empty or has another number of channels than the model, or the model
        gives numbers that are not finite.
    """
    with ImageSet(images) as source, Scratch(output, ranks) as scratch:
        if not len(source):
            raise InputError(f"{images}: holds no images; look at the stages before")
        network = MergerModel.load(model, device=settings.device, ranks=ranks)
        network.check_channels(source)
        chunks = Chunks.of(len(source), settings.chunk, ranks)
        _read(source, network, chunks, settings, scratch, ranks)
        encounters = scratch.all("encounter").read(0, len(source))
        count = max(0, similar.usable_neighbours(settings.neighbours, encounters))
        lists = _find(scratch, encounters, count, network.latent, chunks, settings, seed, ranks)
        if ranks.first:
            _write(source, network, scratch, output)
        ranks.barrier()
    return {
        "images": len(encounters),
        "encounters": len(np.unique(encounters)),
        "neighbours": count,
        "index": f"inverted file of {lists} lists" if lists else "exhaustive",
        "device": network.device,
    }


def unit_of_split(source: ImageSet) -> str:
    """The column whose values stay together in a split: encounters, else galaxies."""
    return "encounter_id" if "encounter_id" in source.columns else "galaxy_id"


def splits_of(source: ImageSet, network: MergerModel, rows: slice) -> np.ndarray:
    """Which of `splits.LABELS` each image has for the model."""
    by = network.bundle.info["settings"]["split_by"]
    names = source.column(by if by in source.columns else unit_of_split(source), rows)
    return labels_of(names, origins(source, rows), network.bundle.trained_on)


def columns_of(label: Label) -> dict[str, float]:
    """Columns of a label's posterior, with their cumulative probabilities."""
    return {f"{label.name}_{name}": at for name, at in QUANTILES.items()}


def quantiles_of(reading: Reading, labels: tuple[Label, ...]) -> dict[str, np.ndarray]:
    """Quantiles of all posteriors by column, float32 (n,)."""
    found = {}
    for label, probability in zip(labels, reading.probability):
        columns = columns_of(label)
        values = label.quantiles(probability, list(columns.values())).astype(np.float32)
        found.update(zip(columns, values.T))
    return found


def _read(
    source: ImageSet,
    network: MergerModel,
    chunks: Chunks,
    settings: MergerPredictSettings,
    scratch: Scratch,
    ranks: World,
) -> None:
    """First pass: what the model says of every image."""
    names = [name for label in network.labels for name in columns_of(label)]
    kinds = np.dtype([*((name, "f4") for name in names), *_WHOLE])
    said = scratch.mine("said", chunks.rows, kinds)
    z = scratch.mine("z", chunks.rows, np.dtype("f4"), (network.latent,))
    encounter = scratch.mine("encounter", chunks.rows, np.dtype("i8"))
    unit = unit_of_split(source)
    with progress(ranks.doing("read images"), len(chunks.rows), show=ranks.first) as advance:
        for start, stop in chunks:
            rows = slice(start, stop)
            stored = source.read(start, stop)
            images = network.bundle.transform(stored)
            known = splits_of(source, network, rows) == "train"
            record = np.empty(stop - start, kinds)
            vectors = np.empty((stop - start, network.latent), np.float32)
            for part, views in ((known, 1), (~known, settings.views)):
                if not part.any():
                    continue
                reading = network.read(images[part], views)
                check_finite(reading, source, start + np.flatnonzero(part))
                for name, values in quantiles_of(reading, network.labels).items():
                    record[name][part] = values
                for name, _ in _WHOLE:
                    record[name][part] = getattr(reading, name)
                vectors[part] = reading.z
            record["outlier"] |= unsound(stored)
            said.write(start, record)
            z.write(start, vectors)
            encounter.write(start, galaxy_codes(source.column(unit, rows)))
            advance(stop - start)
    for part in (said, z, encounter):
        part.close()
    ranks.barrier()


def _find(
    scratch: Scratch,
    encounters: np.ndarray,
    count: int,
    width: int,
    chunks: Chunks,
    settings: MergerPredictSettings,
    seed: int,
    ranks: World,
) -> int:
    """Second pass: neighbours and their distances; return the number of lists of the index."""
    vectors, lists = scratch.all("z"), 0
    if len(vectors) > settings.exact_up_to:
        lists = similar.number_of_lists(len(vectors))
        path = scratch.path / "index.faiss"
        if ranks.first:
            similar.write_index(
                similar.build_index(vectors, width=width, lists=lists, seed=seed), path
            )
        ranks.barrier()
        index = similar.read_index(path, settings.probes)
    else:
        index = similar.build_index(vectors, width=width)
    slots = (max(count, 1),)
    rows = scratch.mine("neighbours", chunks.rows, np.dtype("i8"), slots)
    distances = scratch.mine("distances", chunks.rows, np.dtype("f4"), slots)
    with progress(ranks.doing("find neighbours"), len(chunks.rows), show=ranks.first) as advance:
        found = similar.nearest(index, vectors, encounters, chunks=iter(chunks), count=count)
        for start, row, distance in found:
            rows.write(start, row)
            distances.write(start, distance)
            advance(len(row))
    rows.close()
    distances.close()
    ranks.barrier()
    return lists


def _write(source: ImageSet, network: MergerModel, scratch: Scratch, output: Path) -> None:
    """Third pass, of one process: the table, everything in order."""
    said, z = scratch.all("said"), scratch.all("z")
    neighbours, distances = scratch.all("neighbours"), scratch.all("distances")
    about = dict(_ABOUT)
    for label in network.labels:
        for name in columns_of(label):
            words = _WORDS[name.removeprefix(f"{label.name}_")]
            about[name] = {"unit": label.unit, "description": f"{words} of {label.name}"}
    made = {*said.read(0, 1).dtype.names, *_ABOUT, "split"}
    names = {name: f"input_{name}" if name in made else name for name in source.columns}
    about.update({names[name]: source.column_attributes(name) for name in source.columns})
    with CatalogueWriter(output) as out:
        for start in range(0, len(source), ROWS):
            rows = slice(start, min(start + ROWS, len(source)))
            columns = {new: source.column(name, rows) for name, new in names.items()}
            part = said.read(rows.start, rows.stop)
            columns.update({name: np.ascontiguousarray(part[name]) for name in part.dtype.names})
            columns["split"] = splits_of(source, network, rows)
            columns["z"] = z.read(rows.start, rows.stop)
            columns["neighbours"] = neighbours.read(rows.start, rows.stop)
            columns["neighbour_distances"] = distances.read(rows.start, rows.stop)
            out.append(columns, about)
