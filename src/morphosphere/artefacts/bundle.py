"""ModelBundle: a folder that holds all that is needed to use a model anywhere.

::

    model.json         task, shapes, digest of the training data, metrics, settings
    transform.json     the transform between stored images and the network
    encoder.onnx       images (N, C, S, S) in [0, 1]
                       -> mean (N, 3), concentration (N,), features (N, F)
    decoder.onnx       position (N, 3) -> images (N, C, S, S) in [0, 1], in canonical orientation
    checkpoint.ckpt    weights and settings for PyTorch

``mean`` and ``position`` are unit vectors on the sphere: longitude atan2(y, x), latitude asin(z).

Of the task ``mergers``, the networks are others::

    encoder.onnx       images (N, C, S, S) in [0, 1] -> z (N, D), logits (N, L, K),
                       regression (N, L, 2), encounter (N,)
    decoder.onnx       z (N, D) -> images (N, C, S, S) in [0, 1]

Of ``model.json``, ``labels`` names the L labels with their ranges and calibration, and ``outlier``
the limits beyond which an image is unlike those of training.

Of the task ``classes`` there is no decoder::

    encoder.onnx       images (N, C, S, S) in [0, 1] -> features (N, F), logits (N, M, K),
                       distance (N,), and type_logits (N, M, B) if a type is told

M members say each class; ``classes``, ``calibration``, ``priors``, ``type`` and ``domain`` of
``model.json`` say how they are read.

Of the task ``sersic`` there is no decoder either::

    encoder.onnx       images (N, 1, S, S) over the noise of the sky, facts (N, F)
                       -> mean (N, P), cholesky (N, P, P), distance (N,)

``latents`` and ``facts`` of ``model.json`` name what is told and what is asked for beside the image
(see `morphosphere.structure`); the first latent parameter is relative to the noise of the sky.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from morphosphere.artefacts.transform import Transform
from morphosphere.errors import InputError
from morphosphere.files import read_json

if TYPE_CHECKING:
    import onnxruntime

FORMAT = "morphosphere.ModelBundle"
VERSION = 1
FILES = ("model.json", "transform.json", "encoder.onnx", "decoder.onnx", "checkpoint.ckpt")
#: Files of a model that draws nothing.
READER_FILES = tuple(name for name in FILES if name != "decoder.onnx")
#: Tasks of such models.
READERS = ("classes", "sersic")


@dataclass(frozen=True)
class ModelBundle:
    """A trained model on disk.

    Attributes
    ----------
    path : Path
    info : dict
        The contents of ``model.json``.
    transform : Transform
    threads : int
        Of ONNX Runtime in `encode` and `decode`; 0 for as many as there are cores.
    """

    path: Path
    info: dict[str, Any]
    transform: Transform
    threads: int = 0

    @classmethod
    def load(cls, path: str | Path, *, threads: int = 0) -> ModelBundle:
        """Open a bundle, to be run with so many threads (0: as many as there are cores).

        Raises
        ------
        InputError
            If a file is missing or of another version.
        """
        path = Path(path)
        info = read_json(path / "model.json") if (path / "model.json").exists() else {}
        for name in READER_FILES if info.get("task") in READERS else FILES:
            if not (path / name).exists():
                raise InputError(f"{path / name}: missing; train the model (again) to get it")
        if info.get("format") != FORMAT or info.get("version") != VERSION:
            raise InputError(f"{path}: not a ModelBundle of version {VERSION}; train again")
        return cls(path, info, Transform.read(path / "transform.json"), threads)

    @property
    def trained_on(self) -> list[str] | None:
        """Origins of the training images (see `splits.origins`); None where none are recorded."""
        return self.info.get("training", {}).get("sources")

    def session(self, part: str, threads: int = 0) -> onnxruntime.InferenceSession:
        """ONNX Runtime session of ``encoder`` or ``decoder``; on a GPU if the runtime has one."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        return onnxruntime.InferenceSession(
            self.path / f"{part}.onnx", options, providers=onnxruntime.get_available_providers()
        )

    @cached_property
    def _encoder(self) -> onnxruntime.InferenceSession:
        return self.session("encoder", self.threads)

    @cached_property
    def _decoder(self) -> onnxruntime.InferenceSession:
        return self.session("decoder", self.threads)

    def run(self, part: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """All outputs of ``encoder`` or ``decoder`` by name."""
        session = self._encoder if part == "encoder" else self._decoder
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, inputs)))

    def encode(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Latent mean (N, 3), concentration (N,) and features (N, F) of transformed images."""
        mean, concentration, features = self._encoder.run(
            ["mean", "concentration", "features"], {"images": images.astype(np.float32, copy=False)}
        )
        return mean, concentration, features

    def decode(self, position: np.ndarray) -> np.ndarray:
        """Canonical images (N, C, S, S) in [0, 1] at unit vectors (N, 3)."""
        return self._decoder.run(["images"], {"position": position.astype(np.float32, copy=False)})[
            0
        ]


def lonlat(position: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Longitude in [0, 360) and latitude in [-90, 90], in degrees, of vectors (..., 3)."""
    position = np.asarray(position, dtype=np.float64)
    x, y, z = np.moveaxis(position, -1, 0)
    return np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arctan2(z, np.hypot(x, y)))


def unit_vector(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Unit vectors (..., 3) at longitude and latitude in degrees."""
    lon, lat = np.radians(lon), np.radians(lat)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
