"""A model at work: where images lie on the sphere, how they are turned, what it draws of them.

On the CPU the networks run in ONNX Runtime and the alignment is compiled (`alignment`), so that
PyTorch is not even imported; on GPUs both are PyTorch's.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from morphosphere.artefacts.bundle import ModelBundle, lonlat
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.devices import gpu_of
from morphosphere.errors import InputError
from morphosphere.parallel import World, threads_given

#: Images in a network at a time on the CPU: what lies between layers should stay in the cache.
BATCH = 16

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
    reconstruction : ndarray, shape (n, C, S, S), or None
        The decoder's canonical image, mirrored and turned onto this one; if it was asked for.
    reconstruction_error : ndarray, shape (n,)
        Mean absolute difference between the image and its reconstruction, over all pixels.
    """

    position: np.ndarray
    concentration: np.ndarray
    features: np.ndarray
    angle: np.ndarray
    flip: np.ndarray
    reconstruction: np.ndarray | None
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
    def load(
        cls,
        path: str | Path,
        *,
        device: str = "auto",
        ranks: World | None = None,
        threads: int | None = None,
    ) -> Model:
        """Open a bundle for this process; GPUs are given to the ranks of a machine in turn.

        Parameters
        ----------
        path : path-like
        device : str
            "auto", "cpu" or "cuda".
        ranks : World, optional
        threads : int, optional
            Of one pass through a network on the CPU; all that this process may use if not given.

        Raises
        ------
        InputError
            If the bundle is not whole.
        ConfigError
            If `device` is "cuda" and PyTorch finds no GPU.
        """
        gpu = gpu_of(device, ranks or World(), key="predict.device")
        bundle = ModelBundle.load(path, threads=threads or threads_given())
        if gpu is None:
            return cls(bundle, "cpu")
        from morphosphere.learn import load_model

        return cls(bundle, gpu, load_model(bundle.path, gpu)[0])

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
        """Length of the feature vector; opens and compiles all that `place` uses."""
        transform = self.bundle.transform
        blank = np.zeros((1, len(transform.channels), transform.size, transform.size), np.float32)
        return self.place(blank, keep=False).features.shape[1]

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

    def place(self, images: np.ndarray, *, keep: bool = True) -> Placed:
        """Place transformed images (n, C, S, S) on the sphere and align their reconstructions.

        Several threads may do so at once. `keep` says whether the reconstructions are wanted.
        """
        return _joined([self._place(images[part], keep) for part in self._parts(len(images))])

    def place_stored(self, images: np.ndarray, *, keep: bool = True) -> Placed:
        """The same for images (n, C, H, W) as they are stored, which are transformed first."""
        transform = self.bundle.transform
        parts = self._parts(len(images))
        return _joined([self._place(transform(images[part]), keep) for part in parts])

    def _parts(self, count: int) -> list[slice]:
        """Images that go through all steps together: all on a GPU, few on the CPU."""
        size = BATCH if self.device == "cpu" else max(1, count)
        return [slice(start, start + size) for start in range(0, count, size)]

    def _place(self, images: np.ndarray, keep: bool) -> Placed:
        position, concentration, features = self.encode(images)
        angle, flip, error, aligned = self._align(images, self.decode(position), keep)
        return Placed(position, concentration, features, angle, flip, aligned, error)

    def _align(self, images: np.ndarray, canonical: np.ndarray, keep: bool) -> tuple:
        """Angles, flips, errors and, if they are to be kept, reconstructions."""
        if self.device == "cpu":
            from morphosphere.predict.alignment import align

            return align(images, canonical, keep=keep)
        import torch

        from morphosphere.learn import align as align_on_gpu

        with torch.inference_mode():
            pair = [torch.from_numpy(x).to(self.device) for x in (images, canonical)]
            angle, flip, aligned = align_on_gpu(*pair)
            error = (aligned - pair[0]).abs().mean((1, 2, 3))
            found = [part.cpu().numpy() for part in (angle, flip, error)]
            return *found, aligned.cpu().numpy() if keep else None


def _joined(parts: list[Placed]) -> Placed:
    if len(parts) == 1:
        return parts[0]
    columns = ([getattr(part, field.name) for part in parts] for field in fields(Placed))
    return Placed(*(None if c[0] is None else np.concatenate(c) for c in columns))


def check_placed(placed: Placed, images: ImageSet, start: int) -> None:
    """Raise InputError, naming the first image, if the model gave numbers that are not finite."""
    told = (placed.position, placed.concentration, placed.features, placed.reconstruction_error)
    sound = np.all([np.isfinite(f.reshape(len(f), -1)).all(axis=1) for f in told], axis=0)
    if not sound.all():
        row = start + int(np.flatnonzero(~sound)[0])
        name = images.column("image_id", slice(row, row + 1))[0]
        raise InputError(
            f"{images.path}: the model gives no finite numbers for image {name} (row {row}); "
            "look at the image and at the training's log, and train again"
        )
