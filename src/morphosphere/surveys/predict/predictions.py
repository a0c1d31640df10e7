"""From images and a model to the Catalogue of classes, in pieces, over any number of ranks.

Each thread takes a chunk all the way on one core, as `morphosphere.predict.catalogue` does.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from morphosphere.artefacts.catalogue import CatalogueWriter
from morphosphere.artefacts.columns import free_names
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.config.survey_predict import SurveyPredictSettings
from morphosphere.errors import InputError
from morphosphere.parallel import World, threads_given
from morphosphere.predict.ahead import in_order
from morphosphere.predict.catalogue import Chunks
from morphosphere.predict.scratch import Scratch
from morphosphere.progress import progress
from morphosphere.surveys.facts import type_columns
from morphosphere.surveys.predict.soundness import broken, check_finite
from morphosphere.surveys.reading import ClassModel, Reading

#: Rows that are written to the Catalogue at a time.
ROWS = 8192
_WORDS = {
    "median": "Median of the posterior",
    "low68": "Lower end of the central 68 % of the posterior",
    "high68": "Upper end of the central 68 % of the posterior",
    "low95": "Lower end of the central 95 % of the posterior",
    "high95": "Upper end of the central 95 % of the posterior",
}


def predict(
    *,
    images: Path,
    model: Path,
    output: Path,
    settings: SurveyPredictSettings,
    ranks: World,
) -> dict[str, object]:
    """Write the Catalogue of an ImageSet; return facts for the run record.

    Parameters
    ----------
    images, model, output : Path
        An ImageSet, the folder of a ModelBundle, and the Catalogue to write.
    settings : SurveyPredictSettings
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
            raise InputError(f"{images}: holds no images; look at the stages before")
        network = ClassModel.load(model, settings.device, ranks, threads=1)
        network.check_channels(source)
        chunks = Chunks.of(len(source), settings.chunk, ranks)
        width = _read(source, network, chunks, settings, scratch, ranks)
        counts = _write(source, network, scratch, output) if ranks.first else {}
        ranks.barrier()
        total = len(source)
    return {
        "images": total,
        "predicted": counts,
        "features": width,
        "model_version": network.version,
        "device": network.device,
    }


def predicted_columns(network: ClassModel) -> list[str]:
    """Names of the columns that this stage makes, in order."""
    return [*_kinds(network).names, "split", "model_version", "features"]


def _kinds(network: ClassModel) -> np.dtype:
    """Type of the rows that are read, in the order of their columns."""
    fields = [(f"p_{name}{end}", "f4") for end in ("", "_std") for name in network.classes]
    fields += [("predicted", "i4"), ("confidence", "f4"), ("spread", "f4")]
    fields += [("domain_distance", "f4"), ("domain_outlier", "?")]
    fields += [(name, "f4") for name in type_columns()] if network.type else []
    return np.dtype(fields)


def _record(network: ClassModel, reading: Reading, unsound: np.ndarray) -> np.ndarray:
    record = np.empty(len(unsound), _kinds(network))
    for number, name in enumerate(network.classes):
        record[f"p_{name}"] = reading.probability[:, number]
        record[f"p_{name}_std"] = reading.std[:, number]
    record["predicted"], record["confidence"] = reading.predicted, reading.confidence
    record["spread"] = reading.std.max(axis=1)
    record["domain_distance"] = reading.distance
    record["domain_outlier"] = reading.outlier | unsound
    for name, values in network.type_quantiles(reading).items():
        record[name] = values
    return record


def _read(
    source: ImageSet,
    network: ClassModel,
    chunks: Chunks,
    settings: SurveyPredictSettings,
    scratch: Scratch,
    ranks: World,
) -> int:
    """First pass: what the model says of every image; return the features' width."""
    width = network.feature_width()
    said = scratch.mine("said", chunks.rows, _kinds(network))
    features = scratch.mine("features", chunks.rows, np.dtype("f4"), (width,))

    def work(start: int, stop: int) -> tuple[int, Reading, np.ndarray]:
        stored = source.read(start, stop)
        with np.errstate(invalid="ignore"):  # told by check_finite, with the image's name
            reading = network.read(network.bundle.transform(stored), settings.views)
        return start, reading, broken(stored)

    with (
        threadpool_limits(1, "blas"),
        progress(ranks.doing("read images"), len(chunks.rows), show=ranks.first) as advance,
    ):
        for start, reading, unsound in in_order(work, chunks, threads_given()):
            check_finite(reading, source, start)
            said.write(start, _record(network, reading, unsound))
            features.write(start, reading.features)
            advance(len(unsound))
    said.close()
    features.close()
    ranks.barrier()
    return width


def _write(source: ImageSet, network: ClassModel, scratch: Scratch, output: Path) -> dict[str, int]:
    """Second pass, of one process: the table in order; return how many are in each class."""
    said, features = scratch.all("said"), scratch.all("features")
    names = free_names(source.columns, predicted_columns(network))
    about = _about(network)
    about.update({names[name]: source.column_attributes(name) for name in source.columns})
    classes = np.array(network.classes, dtype=object)
    counts = np.zeros(len(classes), dtype=np.int64)
    facts = {"task": "classes", "model_version": network.version}
    with CatalogueWriter(output, facts) as out:
        for start in range(0, len(source), ROWS):
            rows = slice(start, min(start + ROWS, len(source)))
            columns = {new: source.column(name, rows) for name, new in names.items()}
            part = said.read(rows.start, rows.stop)
            columns.update({name: np.ascontiguousarray(part[name]) for name in part.dtype.names})
            columns["predicted"] = classes[part["predicted"]]
            counts += np.bincount(part["predicted"], minlength=len(classes))
            columns["split"] = network.splits(source, rows)
            columns["model_version"] = np.full(len(part), network.version, dtype=object)
            columns["features"] = features.read(rows.start, rows.stop)
            out.append(columns, about)
    return dict(zip(network.classes, counts.tolist()))


def _about(network: ClassModel) -> dict[str, dict[str, str]]:
    chance, spread = "stat.probability", "stat.stdev;stat.probability"
    about = {
        "predicted": {"description": "Predicted class", "ucd": "src.class"},
        "confidence": {"description": "Probability of the predicted class", "ucd": chance},
        "spread": {
            "description": "Largest standard deviation of a class's probability over the members "
            "of the model",
            "ucd": spread,
        },
        "domain_distance": {
            "description": "Distance of the features to those of training (Mahalanobis, per "
            "degree of freedom); about 1 for images like those of training",
            "ucd": "stat.value",
        },
        "domain_outlier": {
            "description": "Whether the image is unlike those of training, or shows nothing",
            "ucd": "meta.code",
        },
        "split": {
            "description": "train, validation or test, decided by the object's identifier",
            "ucd": "meta.code",
        },
        "model_version": {
            "description": "Version of the model: start of the SHA-256 of its files",
            "ucd": "meta.version",
        },
        "features": {
            "description": "Feature vector of the image (penultimate layer); similar images have "
            "similar ones"
        },
    }
    for name in network.classes:
        about[f"p_{name}"] = {"description": f"Calibrated probability of {name}", "ucd": chance}
        about[f"p_{name}_std"] = {
            "description": f"Standard deviation of the probability of {name} over the members of "
            "the model, before calibration",
            "ucd": spread,
        }
    if network.type:
        for name in type_columns():
            words = f"{_WORDS[name.removeprefix('type_')]} of {network.type.name}"
            about[name] = {"unit": network.type.unit, "description": words, "ucd": "src.morph.type"}
    return about
