"""A model of the task ``sersic`` at work: structural parameters of images with their covariance.

On the CPU the network runs in ONNX Runtime, on GPUs in PyTorch. Its outputs are *latent*
parameters, see `structure.parameters`; of the magnitude it tells the part relative to the noise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from morphosphere.artefacts.bundle import FORMAT, VERSION
from morphosphere.artefacts.versions import model_version
from morphosphere.devices import gpu_of
from morphosphere.errors import InputError
from morphosphere.files import read_json
from morphosphere.parallel import World, threads_given
from morphosphere.structure.facts import FACTS, facts_of
from morphosphere.structure.flags import outside
from morphosphere.structure.parameters import Space
from morphosphere.structure.pixels import filled, resized

if TYPE_CHECKING:
    import onnxruntime
    from torch import nn

TASK = "sersic"
#: Keys of model.json that a model of this task needs.
_KEYS = ("components", "latents", "facts", "calibration", "domain", "prior", "image_size")
#: Facts may lie so far beyond those of training: shares of the light of a PSF, dex of noise.
_SLACK = 0.02
_OUTPUTS = ("mean", "cholesky", "distance")


@dataclass(frozen=True)
class Reading:
    """What a model says of n images; NaN where the noise or the PSF of an image is not known.

    Attributes
    ----------
    latent : ndarray of float64, shape (n, P)
        Mean of the latent parameters, in the unit of the image.
    covariance : ndarray of float64, shape (n, P, P)
        Calibrated.
    distance : ndarray, shape (n,)
        Domain distance: about 1 for images like those of training.
    relative : ndarray of float64, shape (n, P)
        The same as `latent`, with the magnitude relative to the noise of a pixel, as the network
        was trained.
    facts : ndarray, shape (n, F)
        What the network was told beside the image.
    """

    latent: np.ndarray
    covariance: np.ndarray
    distance: np.ndarray
    relative: np.ndarray
    facts: np.ndarray


@dataclass(frozen=True)
class SersicModel:
    """A ModelBundle of the task ``sersic``, on the device where it runs.

    Attributes
    ----------
    path : Path
    info : dict
        The contents of ``model.json``.
    version : str
    device : str
    network : Module or None
        The encoder in PyTorch, on a GPU.
    """

    path: Path
    info: dict[str, Any]
    version: str
    device: str = "cpu"
    network: nn.Module | None = field(default=None, repr=False)
    _session: onnxruntime.InferenceSession | None = field(default=None, repr=False)

    @classmethod
    def load(
        cls,
        path: str | Path,
        device: str = "cpu",
        ranks: World | None = None,
        *,
        threads: int = 0,
    ) -> SersicModel:
        """Open a bundle; GPUs are given to the ranks of a machine in turn.

        On the CPU it runs with so many threads (0: those that this process was given).

        Raises
        ------
        InputError
            If the bundle is not whole, or of another task.
        ConfigError
            If `device` is "cuda" and PyTorch finds no GPU.
        """
        path = Path(path)
        info = _checked_info(path)
        gpu = gpu_of(device, ranks or World(), key="sersic.predict.device")
        network, session = None, None
        if gpu:
            from morphosphere.learn.sersic_bundle import load_sersic_networks

            network = load_sersic_networks(path, gpu)
        else:
            import onnxruntime

            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = threads or threads_given()
            try:
                session = onnxruntime.InferenceSession(
                    path / "encoder.onnx", options, providers=["CPUExecutionProvider"]
                )
            except Exception as error:  # its kinds are ONNX Runtime's own
                said = str(error).splitlines()[0]
                raise InputError(
                    f"{path / 'encoder.onnx'}: cannot be read ({said}); train the model again"
                ) from None
        return cls(path, info, model_version(path), gpu or "cpu", network, session)

    @property
    def space(self) -> Space:
        """The parameters that the model tells."""
        return Space(int(self.info["components"]))

    @property
    def size(self) -> int:
        """Width of the images that the network reads, in pixels."""
        return int(self.info["image_size"])

    @property
    def limit(self) -> float:
        """Domain distance beyond which an image is unlike those of training."""
        return float(self.info["domain"]["limit"])

    def beyond_training(self, reading: Reading, margin: float) -> np.ndarray:
        """Which images have parameters or facts beyond those of training, shape (n,).

        Parameters
        ----------
        reading : Reading
        margin : float
            Share of a range that a value may lie beyond its ends.
        """
        beyond = outside(reading.relative, self._ranges(self.space.latents), margin)
        if set(FACTS) <= set(self.info["prior"]):
            ranges = self._ranges(FACTS) + np.array([-_SLACK, _SLACK])
            beyond |= outside(reading.facts, ranges, margin)
        return beyond

    def _ranges(self, names: Sequence[str]) -> np.ndarray:
        """Least and greatest values in training, shape (k, 2)."""
        return np.array([self.info["prior"][name] for name in names], np.float64)

    @property
    def split(self) -> dict[str, float]:
        """Fractions of the validation and the test set, as `splits.split_of` takes them."""
        known = self.info.get("settings", {}).get("split", {})
        return {key: float(known.get(key, 0.1)) for key in ("validation", "test")}

    def encode(self, images: np.ndarray, facts: np.ndarray) -> tuple[np.ndarray, ...]:
        """The network's outputs (mean, cholesky, distance) for its inputs."""
        inputs = {"images": images, "facts": facts}
        if self._session is not None:
            return tuple(self._session.run(list(_OUTPUTS), inputs))
        import torch

        with torch.inference_mode():
            given = [torch.from_numpy(value).to(self.device) for value in inputs.values()]
            return tuple(x.float().cpu().numpy() for x in self.network(*given))

    def read(self, images: np.ndarray, columns: Mapping[str, np.ndarray]) -> Reading:
        """What the model says of images.

        Parameters
        ----------
        images : ndarray, shape (n, 1, H, W)
            As stored; pixels that are not finite are filled, and images of another size than the
            network's are cut or padded.
        columns : mapping of ndarray, each of shape (n,)
            Those of `structure.facts.COLUMNS_NEEDED`.
        """
        noise = np.asarray(columns["sky_noise"], np.float64)
        facts = facts_of(columns, self.size)
        known = np.isfinite(facts).all(axis=1) & (noise > 0) & np.isfinite(noise)
        count, parameters = len(images), len(self.space.latents)
        mean = np.full((count, parameters), np.nan)
        factor = np.full((count, parameters, parameters), np.nan)
        distance = np.full(count, np.nan, np.float32)
        if known.any():
            given = resized(filled(images[known]), self.size) / noise[known, None, None, None]
            out = self.encode(np.ascontiguousarray(given, np.float32), facts[known])
            mean[known], factor[known], distance[known] = out
        factor *= self._scale(mean[:, 0])[:, :, None]
        latent = mean.copy()
        with np.errstate(invalid="ignore", divide="ignore"):
            latent[:, 0] -= 2.5 * np.log10(np.where(noise > 0, noise, np.nan))
        return Reading(latent, factor @ factor.transpose(0, 2, 1), distance, mean, facts)

    def _scale(self, magnitude: np.ndarray) -> np.ndarray:
        """Factors (n, P) of the deviations of galaxies of such magnitudes over the noise (n,)."""
        given = self.info["calibration"]
        knots = given.get("by_magnitude")
        if not knots:
            return np.broadcast_to(given["scale"], (len(magnitude), len(given["scale"])))
        scales = np.asarray(knots["scale"], np.float64).T
        return np.stack([np.interp(magnitude, knots["at"], one) for one in scales], axis=1)


def _checked_info(path: Path) -> dict[str, Any]:
    """The contents of model.json; InputError if the bundle is not whole or of another task."""
    for name in ("model.json", "encoder.onnx"):
        if not (path / name).exists():
            raise InputError(f"{path / name}: missing; train the model (again) to get it")
    info, file = read_json(path / "model.json"), path / "model.json"
    if info.get("format") != FORMAT or info.get("version") != VERSION:
        raise InputError(f"{path}: not a ModelBundle of version {VERSION}; train again")
    if info.get("task") != TASK:
        raise InputError(
            f"{path}: a model of the task {info.get('task')!r}; structural parameters are read by "
            f"one of the task {TASK!r}: give the folder model of a run of sersic"
        )
    if missing := [key for key in _KEYS if key not in info]:
        raise InputError(f"{file}: lacks {', '.join(missing)}; train the model again")
    if tuple(info["facts"]) != FACTS:
        raise InputError(
            f"{file}: the network is told {', '.join(info['facts'])}, but this version knows "
            f"{', '.join(FACTS)}; train the model again"
        )
    try:
        latents = Space(int(info["components"])).latents
    except ValueError as error:
        raise InputError(f"{file}: {error}; train the model again") from None
    scale = info["calibration"].get("scale", ())
    if tuple(info["latents"]) != latents or len(scale) != len(latents):
        raise InputError(
            f"{file}: {len(info['latents'])} parameters and {len(scale)} calibrations, not "
            f"{', '.join(latents)}; train the model again"
        )
    if missing := [name for name in latents if name not in info["prior"]]:
        raise InputError(f"{file}: prior lacks {', '.join(missing)}; train the model again")
    return info
