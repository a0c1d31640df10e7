"""A model at work: where images lie on the sphere, how they are turned, what it draws of them.

On the CPU the networks run in ONNX Runtime, on GPUs in PyTorch; the alignment is the trainer's own
in both cases.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from morphosphere.artefacts.bundle import ModelBundle, lonlat
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.errors import ConfigError, InputError
from morphosphere.parallel import World, threads_given

if TYPE_CHECKING:
    from morphosphere.learn.networks import SphereNetworks


@dataclass(frozen=True)
class Placed:
    """What a model says of n images.

    Attributes
    ----------
    position : ndarray, shape (n, 3)
        Unit vectors on the sphere.
    concentration : ndarray, shape (n,)
        Of the Power Spherical posterior.
    features : ndarray, shape (n, F)
    angle : ndarray, shape (n,)
        Degrees counter-clockwise from the canonical image to this one.
    flip : ndarray of bool, shape (n,)
        Whether the canonical image is mirrored before it is turned.
    reconstruction : ndarray, shape (n, C, S, S)
        The decoder's canonical image, mirrored and turned onto this one.
    reconstruction_error : ndarray, shape (n,)
        Mean absolute difference between the image and its reconstruction, over all pixels.
    """

    position: np.ndarray
    concentration: np.ndarray
    features: np.ndarray
    angle: np.ndarray
    flip: np.ndarray
    reconstruction: np.ndarray
    reconstruction_error: np.ndarray

    @property
    def lon(self) -> np.ndarray:
        """Longitude on the sphere in degrees."""
        return lonlat(self.position)[0]

    @property
    def lat(self) -> np.ndarray:
        """Latitude on the sphere in degrees."""
        return lonlat(self.position)[1]


@dataclass(frozen=True)
class Model:
    """A ModelBundle on the device where it runs.

    Attributes
    ----------
    bundle : ModelBundle
    device : str
        ``cpu`` or ``cuda:<number>``.
    network : SphereNetworks or None
        The networks in PyTorch, on a GPU; None where ONNX Runtime runs them.
    """

    bundle: ModelBundle
    device: str
    network: SphereNetworks | None = None

    @classmethod
    def load(cls, path: str | Path, *, device: str = "auto", ranks: World | None = None) -> Model:
        """Open a bundle for this process; GPUs are given to the ranks of a machine in turn.

        Raises
        ------
        InputError
            If the bundle is not whole.
        ConfigError
            If `device` is "cuda" and PyTorch finds no GPU.
        """
        import torch

        ranks = ranks or World()
        gpus = 0 if device == "cpu" else torch.cuda.device_count()
        if device == "cuda" and not gpus:
            raise ConfigError(
                "predict.device is cuda, but PyTorch finds no GPU here; use auto or cpu"
            )
        threads = threads_given()
        torch.set_num_threads(threads)
        bundle = ModelBundle.load(path, threads=threads)
        if not gpus:
            return cls(bundle, "cpu")
        from morphosphere.learn import load_model

        name = f"cuda:{ranks.local_rank % gpus}"
        return cls(bundle, name, load_model(bundle.path, name)[0])

    def check_channels(self, images: ImageSet) -> None:
        """Raise InputError if the model was trained on other channels."""
        wanted = self.bundle.transform.channels
        if images.channels != wanted:
            raise InputError(
                f"{images.path}: channels {', '.join(images.channels)}, but the model "
                f"{self.bundle.path} was trained on {', '.join(wanted)}; train one on these images "
                "or give them the same channels"
            )

    def feature_width(self) -> int:
        """Length of the feature vector."""
        transform = self.bundle.transform
        blank = np.zeros((1, len(transform.channels), transform.size, transform.size), np.float32)
        return self.encode(blank)[2].shape[1]

    def encode(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Position (n, 3), concentration (n,) and features (n, F) of transformed images."""
        if self.network is None:
            return self.bundle.encode(images)
        import torch

        with torch.inference_mode():
            out = self.network.encode(torch.from_numpy(images).to(self.device))
            return tuple(part.float().cpu().numpy() for part in out)

    def decode(self, position: np.ndarray) -> np.ndarray:
        """Canonical images (n, C, S, S) in [0, 1] at unit vectors (n, 3)."""
        if self.network is None:
            return self.bundle.decode(position)
        import torch

        with torch.inference_mode():
            vectors = torch.from_numpy(position.astype(np.float32, copy=False))
            return self.network.decoder(vectors.to(self.device)).float().cpu().numpy()

    def place(self, images: np.ndarray) -> Placed:
        """Place transformed images (n, C, S, S) on the sphere and align their reconstructions."""
        import torch

        from morphosphere.learn import align

        position, concentration, features = self.encode(images)
        canonical = self.decode(position)
        with torch.inference_mode():
            pair = (torch.from_numpy(x).to(self.device) for x in (images, canonical))
            angle, flip, aligned = (part.cpu().numpy() for part in align(*pair))
        return Placed(
            position=position,
            concentration=concentration,
            features=features,
            angle=angle,
            flip=flip,
            reconstruction=aligned,
            reconstruction_error=np.abs(aligned - images).mean(axis=(1, 2, 3)),
        )


def check_placed(placed: Placed, images: ImageSet, start: int) -> None:
    """Raise InputError, naming the first image, if the model gave numbers that are not finite."""
    fields = (placed.position, placed.concentration, placed.features, placed.reconstruction_error)
    sound = np.all([np.isfinite(f.reshape(len(f), -1)).all(axis=1) for f in fields], axis=0)
    if not sound.all():
        row = start + int(np.flatnonzero(~sound)[0])
        name = images.column("image_id", slice(row, row + 1))[0]
        raise InputError(
            f"{images.path}: the model gives no finite numbers for image {name} (row {row}); "
            "look at the image and at the training's log, and train again"
        )
