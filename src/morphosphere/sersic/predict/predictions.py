"""From images and a model to the Catalogue of structural parameters, over any number of ranks.

While the network reads one chunk, the next is taken from disk and looked at for faults.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morphosphere.artefacts.catalogue import CatalogueWriter
from morphosphere.artefacts.columns import free_names
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.splits import SPLITS, split_of
from morphosphere.config.sersic_predict import SersicPredictSettings
from morphosphere.errors import InputError
from morphosphere.parallel import World
from morphosphere.predict.catalogue import Chunks
from morphosphere.predict.scratch import Scratch
from morphosphere.progress import progress
from morphosphere.sersic.predict.columns import about_columns, predicted_columns
from morphosphere.sersic.reading import SersicModel
from morphosphere.structure import flags as flagging
from morphosphere.structure.flags import BITS, FLAGS, Seen
from morphosphere.structure.intervals import interval_columns, intervals

#: Rows that are written to the Catalogue at a time.
ROWS = 8192
#: Without a source or without knowing how the image was taken there is nothing to tell.
_NOTHING = BITS["blank"] | BITS["no_psf"] | BITS["no_scale"]


def predict(
    *,
    images: Path,
    model: Path,
    output: Path,
    settings: SersicPredictSettings,
    ranks: World,
) -> dict[str, object]:
    """Write the Catalogue of an ImageSet; return facts for the run record.

    Parameters
    ----------
    images, model, output : Path
        An ImageSet, the folder of a ModelBundle, and the Catalogue to write.
    settings : SersicPredictSettings
    ranks : World
        Processes that share the work.

    Raises
    ------
    InputError
        If the ImageSet is empty, has more than one channel or lacks a column that says how its
        images were taken, or the model gives numbers that are not finite.
    """
    with ImageSet(images) as source, Scratch(output, ranks) as scratch:
        check_images(source)
        network = SersicModel.load(model, settings.device, ranks)
        chunks = Chunks.of(len(source), settings.chunk, ranks)
        _read(source, network, chunks, settings, scratch, ranks)
        counts = _write(source, network, scratch, output) if ranks.first else {}
        ranks.barrier()
        total = len(source)
    return {
        "images": total,
        **counts,
        "model_version": network.version,
        "device": network.device,
    }


def check_images(source: ImageSet) -> None:
    """Raise InputError if images cannot be read by a model of structural parameters."""
    if not len(source):
        raise InputError(f"{source.path}: holds no images; look at the stages before")
    if len(source.channels) != 1:
        raise InputError(
            f"{source.path}: {len(source.channels)} channels ({', '.join(source.channels)}); "
            "structural parameters are told from images in one band"
        )
    if len(set(source.images.shape[-2:])) > 1:
        raise InputError(
            f"{source.path}: images are {source.images.shape[-1]} pixels wide and "
            f"{source.images.shape[-2]} high; cut them to squares with the galaxy in the middle"
        )
    if source.images.dtype.kind != "f":
        raise InputError(
            f"{source.path}: pixels are {source.images.dtype}, but structural parameters need "
            "fluxes; give images as floating-point numbers, as FITS has them"
        )
    if missing := [name for name in flagging.COLUMNS if name not in source.columns]:
        raise InputError(
            f"{source.path}: no column {', '.join(missing)}; an image says nothing of magnitude "
            "and size without its zero point, pixel size, noise, gain and point-spread function: "
            "give them in its table"
        )


@dataclass(frozen=True)
class _Piece:
    """A chunk of images with what is known of them."""

    start: int
    images: np.ndarray
    columns: dict[str, np.ndarray]
    flags: np.ndarray
    seen: list[Seen]


def _pieces(
    source: ImageSet, chunks: Iterable[tuple[int, int]], settings: SersicPredictSettings
) -> Iterator[_Piece]:
    """Chunks in order, one of them made ahead of its use."""
    names = list(flagging.COLUMNS)
    if flagging.SATURATION in source.columns:
        names.append(flagging.SATURATION)

    def make(start: int, stop: int) -> _Piece:
        stored = source.read(start, stop)
        columns = {
            name: np.asarray(source.column(name, slice(start, stop)), np.float64) for name in names
        }
        flags = flagging.flags_of_table(columns)
        seen = [
            Seen(0) if flags[k] & BITS["no_scale"] else _look(stored[k, 0], columns, k, settings)
            for k in range(len(stored))
        ]
        return _Piece(start, stored, columns, flags, seen)

    with ThreadPoolExecutor(1) as worker:
        ahead = None
        for start, stop in chunks:
            now, ahead = ahead, worker.submit(make, start, stop)
            if now:
                yield now.result()
        if ahead:
            yield ahead.result()


def _look(
    image: np.ndarray, columns: dict[str, np.ndarray], row: int, settings: SersicPredictSettings
) -> Seen:
    level = columns.get(flagging.SATURATION)
    return flagging.flags_of_image(
        image,
        sky_noise=columns["sky_noise"][row],
        gain=columns["gain"][row],
        stamp_size=columns["stamp_size"][row],
        settings=settings.flags,
        saturation=np.nan if level is None else level[row],
    )


def _kinds(network: SersicModel) -> np.dtype:
    """Type of the rows that are read, in the order of their columns."""
    width = len(network.space.latents)
    fields: list[tuple] = [(name, "f4") for name in interval_columns(network.space)]
    fields += [("latent", "f4", (width,)), ("covariance", "f4", (width * width,))]
    fields += [("domain_distance", "f4"), ("neighbour_share", "f4"), ("neighbour_noise", "f4")]
    return np.dtype([*fields, ("flags", "i4")])


def _record(
    piece: _Piece, network: SersicModel, settings: SersicPredictSettings, source: ImageSet
) -> np.ndarray:
    columns, count = piece.columns, len(piece.images)
    reading = network.read(piece.images, columns)
    flags = piece.flags | np.array([seen.flags for seen in piece.seen], dtype=np.int32)
    told = (flags & _NOTHING) == 0
    _check_finite(reading.latent, reading.covariance, told, source, piece.start)
    latent = np.where(told[:, None], reading.latent, np.nan)
    covariance = np.where(told[:, None, None], reading.covariance, np.nan)
    found = intervals(
        network.space, latent, covariance,
        columns["zero_point"], columns["pixel_size"], settings.samples,
    )  # fmt: skip
    profile = {name: found[f"{name}_median"] for name in network.space.columns}
    width = np.minimum(columns["stamp_size"], piece.images.shape[-1])
    width = np.minimum(width, network.size) * columns["pixel_size"]
    flags |= flagging.flags_of_prediction(profile, width, settings.flags)
    beyond = network.beyond_training(reading, settings.flags.prior_margin)
    flags |= (BITS["outside_prior"] * (beyond & told)).astype(np.int32)
    unlike = ~(reading.distance <= network.limit)
    flags |= (BITS["unlike"] * (unlike & told)).astype(np.int32)
    record = np.empty(count, _kinds(network))
    for name, values in found.items():
        record[name] = values
    record["latent"], record["covariance"] = latent, covariance.reshape(count, -1)
    record["domain_distance"], record["flags"] = reading.distance, flags
    for name in ("neighbour_share", "neighbour_noise"):
        record[name] = [getattr(seen, name) for seen in piece.seen]
    return record


def _check_finite(
    latent: np.ndarray, covariance: np.ndarray, told: np.ndarray, source: ImageSet, start: int
) -> None:
    finite = np.isfinite(latent).all(axis=1) & np.isfinite(covariance).all(axis=(1, 2))
    if (bad := told & ~finite).any():
        row = start + int(np.flatnonzero(bad)[0])
        name = source.column("image_id", slice(row, row + 1))[0]
        raise InputError(
            f"{source.path}: the model gives no finite numbers for image {name} (row {row}); "
            "look at the image and at the training's log, and train again"
        )


def _read(
    source: ImageSet,
    network: SersicModel,
    chunks: Chunks,
    settings: SersicPredictSettings,
    scratch: Scratch,
    ranks: World,
) -> None:
    """First pass: what is said of every image of this process."""
    said = scratch.mine("said", chunks.rows, _kinds(network))
    with progress(ranks.doing("read images"), len(chunks.rows), show=ranks.first) as advance:
        for piece in _pieces(source, chunks, settings):
            said.write(piece.start, _record(piece, network, settings, source))
            advance(len(piece.images))
    said.close()
    ranks.barrier()


def _write(
    source: ImageSet, network: SersicModel, scratch: Scratch, output: Path
) -> dict[str, object]:
    """Second pass, of one process: the table in order; return how many images have each flag."""
    said = scratch.all("said")
    names = free_names(source.columns, predicted_columns(network.space))
    about = about_columns(network.space)
    about.update({names[name]: source.column_attributes(name) for name in source.columns})
    counts, sound = dict.fromkeys(FLAGS, 0), 0
    labels = np.array(SPLITS, dtype=object)
    facts = {
        "task": "sersic",
        "model_version": network.version,
        "components": str(network.space.components),
        "latents": ", ".join(network.space.latents),
        "band": source.channels[0],
    }
    with CatalogueWriter(output, facts) as out:
        for start in range(0, len(source), ROWS):
            rows = slice(start, min(start + ROWS, len(source)))
            columns = {new: source.column(name, rows) for name, new in names.items()}
            part = said.read(rows.start, rows.stop)
            columns.update({name: np.ascontiguousarray(part[name]) for name in part.dtype.names})
            columns["sound"] = part["flags"] == 0
            columns["split"] = labels[split_of(source.column("galaxy_id", rows), **network.split)]
            columns["model_version"] = np.full(len(part), network.version, dtype=object)
            sound += int(columns["sound"].sum())
            for name, bit in BITS.items():
                counts[name] += int(np.count_nonzero(part["flags"] & bit))
            out.append(columns, about)
    return {"sound": sound, "flagged": counts}
