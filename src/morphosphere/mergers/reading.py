"""A model of the task ``mergers`` at work: what it says of images.

On the CPU the networks run in ONNX Runtime, on GPUs in PyTorch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.devices import gpu_of
from morphosphere.errors import InputError
from morphosphere.parallel import World, threads_given
from morphosphere.posterior import Label, probabilities
from morphosphere.views import VIEWS, view

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Reading:
    """What a model says of n images.

    Attributes
    ----------
    z : ndarray, shape (n, D)
        Latent mean of the images as they are.
    probability : ndarray, shape (L, n, K)
        Posterior of each label on its bins.
    regression : ndarray, shape (n, L, 2)
        Mean and standard deviation of the scaled labels, by the regression.
    encounter_probability : ndarray, shape (n,)
    reconstruction_error : ndarray, shape (n,)
        Mean absolute difference between the image and the one that is drawn from z.
    outlier : ndarray of bool, shape (n,)
        Whether one of the two is beyond the limits of the model.
    """

    z: np.ndarray
    probability: np.ndarray
    regression: np.ndarray
    encounter_probability: np.ndarray
    reconstruction_error: np.ndarray
    outlier: np.ndarray


@dataclass(frozen=True)
class MergerModel:
    """A ModelBundle of the task ``mergers``, on the device where it runs.

    Attributes
    ----------
    bundle : ModelBundle
    labels : tuple of Label
    limits : dict
        ``reconstruction_error`` (at most) and ``encounter_probability`` (at least).
    device : str
    networks : pair of Module, or None
        Encoder and decoder in PyTorch, on a GPU.
    """

    bundle: ModelBundle
    labels: tuple[Label, ...]
    limits: dict[str, float]
    device: str = "cpu"
    networks: tuple[nn.Module, nn.Module] | None = None

    @classmethod
    def load(
        cls, path: str | Path, *, device: str = "cpu", ranks: World | None = None
    ) -> MergerModel:
        """Open a bundle; GPUs are given to the ranks of a machine in turn.

        Raises
        ------
        InputError
            If the bundle is not whole, or of another task.
        ConfigError
            If `device` is "cuda" and PyTorch finds no GPU.
        """
        bundle = ModelBundle.load(path, threads=threads_given())
        info = bundle.info
        if info.get("task") != "mergers":
            raise InputError(
                f"{path}: a model of the task {info.get('task')!r}; mergers are read by one of "
                "the task 'mergers': give the folder model of a run of mergers"
            )
        labels = tuple(Label.of(value) for value in info["labels"])
        gpu = gpu_of(device, ranks or World(), key="predict.device")
        networks = None
        if gpu:
            from morphosphere.learn.merger_bundle import load_merger_networks

            networks = load_merger_networks(bundle.path, gpu)
        return cls(bundle, labels, dict(info["outlier"]), gpu or "cpu", networks)

    @property
    def latent(self) -> int:
        """Length of z."""
        return int(self.bundle.info["settings"]["latent"])

    def check_channels(self, images: ImageSet) -> None:
        """Raise InputError if the images have another number of channels than the model's."""
        wanted = self.bundle.transform.channels
        if len(images.channels) != len(wanted):
            raise InputError(
                f"{images.path}: {len(images.channels)} channel(s) ({', '.join(images.channels)}), "
                f"but the model {self.bundle.path} reads {len(wanted)} ({', '.join(wanted)}); "
                "give grey images to a grey model, and colour to one that was trained on colour"
            )

    def read(self, images: np.ndarray, views: int = VIEWS) -> Reading:
        """What the model says of images.

        Parameters
        ----------
        images : ndarray, shape (n, C, S, S)
            Transformed.
        views : int
            Turned and mirrored views that posteriors are averaged over, 1 to 8.
        """
        said = [self._encode(np.ascontiguousarray(view(images, k))) for k in range(views)]
        logits = [one["logits"] for one in said]
        probability = np.stack(
            [
                probabilities([x[:, k] for x in logits], label.temperature)
                for k, label in enumerate(self.labels)
            ]
        )
        z = said[0]["z"]
        chance = np.mean([1 / (1 + np.exp(-one["encounter"])) for one in said], axis=0)
        error = np.abs(self.decode(z) - images).mean(axis=(1, 2, 3))
        limits = self.limits
        outlier = (error > limits["reconstruction_error"]) | (
            chance < limits["encounter_probability"]
        )
        return Reading(
            z=z,
            probability=probability,
            regression=np.mean([one["regression"] for one in said], axis=0),
            encounter_probability=chance.astype(np.float32),
            reconstruction_error=error.astype(np.float32),
            outlier=outlier,
        )

    def decode(self, z: np.ndarray) -> np.ndarray:
        """Images (n, C, S, S) of latent vectors (n, D)."""
        if self.networks is None:
            return self.bundle.run("decoder", {"z": z.astype(np.float32, copy=False)})["images"]
        return self._on_gpu(1, z)[0]

    def _encode(self, images: np.ndarray) -> dict[str, np.ndarray]:
        if self.networks is None:
            return self.bundle.run("encoder", {"images": images.astype(np.float32, copy=False)})
        names = ("z", "logits", "regression", "encounter")
        return dict(zip(names, self._on_gpu(0, images)))

    def _on_gpu(self, part: int, values: np.ndarray) -> list[np.ndarray]:
        import torch

        with torch.inference_mode():
            out = self.networks[part](torch.from_numpy(np.asarray(values)).to(self.device))
            out = out if isinstance(out, tuple) else (out,)
            return [x.float().cpu().numpy() for x in out]


def unsound(images: np.ndarray) -> np.ndarray:
    """Which images cannot be trusted, whatever the model says of them.

    They are of one value throughout, or more than a hundredth of their pixels are not finite, or
    more than a fiftieth are at the largest value, where a detector or a file was full.

    Parameters
    ----------
    images : ndarray, shape (n, C, H, W)
        As stored.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    flat = images.reshape(len(images), -1).astype(np.float32, copy=False)
    finite = np.isfinite(flat)
    values = np.where(finite, flat, 0)
    top, low = values.max(axis=1, keepdims=True), values.min(axis=1, keepdims=True)
    full = (values == top).mean(axis=1)
    return (top == low)[:, 0] | (finite.mean(axis=1) < 0.99) | (full > 0.02)


def check_finite(reading: Reading, images: ImageSet, rows: np.ndarray) -> None:
    """Raise InputError, naming the first image, if the model gave numbers that are not finite.

    Parameters
    ----------
    reading : Reading
    images : ImageSet
    rows : ndarray of int, shape (n,)
        Of the images that were read.
    """
    fields: tuple[Any, ...] = (
        reading.z,
        np.moveaxis(reading.probability, 1, 0),
        reading.reconstruction_error,
    )
    sound = np.all([np.isfinite(f.reshape(len(f), -1)).all(axis=1) for f in fields], axis=0)
    if not sound.all():
        row = int(rows[np.flatnonzero(~sound)[0]])
        name = images.column("image_id", slice(row, row + 1))[0]
        raise InputError(
            f"{images.path}: the model gives no finite numbers for image {name} (row {row}); "
            "look at the image and at the training's log, and train again"
        )
