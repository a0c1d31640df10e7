"""A model of the task ``classes`` at work: what it says of images.

On the CPU the network runs in ONNX Runtime, on GPUs in PyTorch. Nothing is drawn by chance: the
same image gives the same numbers each time.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.splits import SPLITS, split_of
from morphosphere.errors import ConfigError, InputError
from morphosphere.parallel import World, threads_given
from morphosphere.posterior import QUANTILES, Label, probabilities
from morphosphere.views import VIEWS, view

if TYPE_CHECKING:
    from torch import nn

#: Keys of model.json that a model of classes needs.
_KEYS = ("classes", "priors", "calibration", "decision", "domain", "settings")
_DECISIONS = ("balanced", "most_probable")
_TINY = 1e-12
#: What the network gives, in order; the last only where there is an ordinal target.
_OUTPUTS = ("features", "logits", "distance", "type_logits")


@dataclass(frozen=True)
class Reading:
    """What a model says of n images, means over the views.

    Attributes
    ----------
    probability : ndarray, shape (n, K)
        Calibrated probability of each class.
    uncalibrated : ndarray, shape (n, K)
        Mean of the members' softmax, before calibration.
    std : ndarray, shape (n, K)
        Standard deviation of the members' softmax: what they disagree on (epistemic).
    predicted : ndarray of int, shape (n,)
        Index of the predicted class.
    confidence : ndarray, shape (n,)
        Calibrated probability of the predicted class.
    features : ndarray, shape (n, F)
    distance : ndarray, shape (n,)
        Domain distance: about 1 for images like those of training.
    outlier : ndarray of bool, shape (n,)
        Whether the distance is beyond the model's limit.
    type_probability : ndarray, shape (n, B), or None
        Posterior of the ordinal target on its bins.
    """

    probability: np.ndarray
    uncalibrated: np.ndarray
    std: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray
    features: np.ndarray
    distance: np.ndarray
    outlier: np.ndarray
    type_probability: np.ndarray | None = None


@dataclass(frozen=True)
class ClassModel:
    """A ModelBundle of the task ``classes``, on the device where it runs.

    Attributes
    ----------
    bundle : ModelBundle
    classes : tuple of str, length K
    priors : ndarray, shape (K,)
        Shares of the classes among the labels of training.
    type : Label or None
        The ordinal target.
    version : str
        See `model_version`.
    device : str
    network : Module or None
        The encoder in PyTorch, on a GPU.
    """

    bundle: ModelBundle
    classes: tuple[str, ...]
    priors: np.ndarray
    type: Label | None
    version: str
    device: str = "cpu"
    network: nn.Module | None = field(default=None, repr=False)

    @classmethod
    def load(cls, path: str | Path, device: str = "cpu", ranks: World | None = None) -> ClassModel:
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
        if info.get("task") != "classes":
            raise InputError(
                f"{path}: a model of the task {info.get('task')!r}; a survey is read by one of "
                "the task 'classes': give the folder model of a run of surveys"
            )
        _check_info(bundle)
        label = Label.of(info["type"]) if info.get("type") else None
        gpu = _gpu(device, ranks or World())
        network = None
        if gpu:
            from morphosphere.learn.class_bundle import load_class_networks

            network = load_class_networks(bundle.path, gpu)
        return cls(
            bundle,
            tuple(map(str, info["classes"])),
            np.asarray(info["priors"], dtype=np.float64),
            label,
            model_version(bundle.path),
            gpu or "cpu",
            network,
        )

    @property
    def split(self) -> dict[str, float]:
        """Fractions of the validation and the test set, as `splits.split_of` takes them."""
        return {key: float(self.bundle.info["settings"]["split"][key]) for key in SPLITS[1:]}

    def splits(self, images: ImageSet, rows: slice = slice(None)) -> np.ndarray:
        """Which of `SPLITS` images are in for this model, by object, shape (n,), strings."""
        by = "object" if "object" in images.columns else "galaxy_id"
        return np.array(SPLITS, dtype=object)[split_of(images.column(by, rows), **self.split)]

    def check_channels(self, images: ImageSet) -> None:
        """Raise InputError if the images have other channels than the model's."""
        wanted = self.bundle.transform.channels
        if images.channels != wanted:
            raise InputError(
                f"{images.path}: channels {', '.join(images.channels)}, but the model "
                f"{self.bundle.path} was trained on {', '.join(wanted)}; give the target survey "
                "the bands of the labelled one"
            )

    def feature_width(self) -> int:
        """Length of the feature vector."""
        transform = self.bundle.transform
        blank = np.zeros((1, len(transform.channels), transform.size, transform.size), np.float32)
        return self.encode(blank)["features"].shape[1]

    def encode(self, images: Any) -> dict[str, np.ndarray]:
        """The network's outputs by name for transformed images (n, C, S, S), of one view."""
        if self.network is None:
            return self.bundle.run(
                "encoder", {"images": np.ascontiguousarray(images, dtype=np.float32)}
            )
        import torch

        with torch.inference_mode():
            out = self.network(torch.as_tensor(images, device=self.device).contiguous())
            return {name: x.float().cpu().numpy() for name, x in zip(_OUTPUTS, out)}

    def read(self, images: np.ndarray, views: int = VIEWS) -> Reading:
        """What the model says of images.

        Parameters
        ----------
        images : ndarray, shape (n, C, S, S)
            Transformed.
        views : int
            Turned and mirrored views to average over, 1 to 8; fewer where the model does not see
            how an image is turned.
        """
        views = min(views, int(self.bundle.info.get("views", VIEWS)))
        if self.network is not None:  # views are made where the network runs
            import torch

            images = torch.as_tensor(images, device=self.device)
        said = [self.encode(view(images, number)) for number in range(views)]
        members = sum(softmax(one["logits"]) for one in said) / views
        uncalibrated = members.mean(axis=1)
        probability = self.calibrated(uncalibrated)
        predicted = self.decide(probability)
        distance = np.mean([one["distance"] for one in said], axis=0)
        return Reading(
            probability=probability,
            uncalibrated=uncalibrated,
            std=members.std(axis=1),
            predicted=predicted,
            confidence=np.take_along_axis(probability, predicted[:, None], axis=1)[:, 0],
            features=np.mean([one["features"] for one in said], axis=0),
            distance=distance,
            outlier=~(distance <= float(self.bundle.info["domain"]["limit"])),
            type_probability=self._type(said) if self.type else None,
        )

    def calibrated(self, probability: np.ndarray) -> np.ndarray:
        """Calibrated probabilities (n, K): softmax(log(p) / temperature + bias).

        Temperature scaling (Guo et al. 2017, ICML, PMLR 70, 1321) of the log of the mean softmax,
        with a bias for each class.
        """
        known = self.bundle.info["calibration"]
        logits = np.log(np.maximum(probability, _TINY)) / float(known["temperature"])
        return softmax(logits + np.asarray(known["bias"], dtype=np.float64))

    def decide(self, probability: np.ndarray) -> np.ndarray:
        """Index of the predicted class (n,) for calibrated probabilities (n, K).

        The most probable class; or, where the model's decision is "balanced", the one whose
        probability is largest in units of its share among the labels of training.
        """
        balanced = self.bundle.info["decision"] == "balanced"
        return np.argmax(probability / self.priors if balanced else probability, axis=1)

    def type_quantiles(self, reading: Reading) -> dict[str, np.ndarray]:
        """Quantiles of the ordinal target by column (``type_median``, ...), float32 (n,)."""
        if self.type is None or reading.type_probability is None:
            return {}
        values = self.type.quantiles(reading.type_probability, list(QUANTILES.values()))
        return dict(zip(type_columns(), values.astype(np.float32).T))

    def _type(self, said: list[dict[str, np.ndarray]]) -> np.ndarray:
        logits = [one["type_logits"][:, m] for one in said for m in range(one["logits"].shape[1])]
        return probabilities(logits, self.type.temperature)


def type_columns() -> list[str]:
    """Columns of the ordinal target's posterior, in the order of `posterior.QUANTILES`."""
    return [f"type_{name}" for name in QUANTILES]


def softmax(logits: np.ndarray) -> np.ndarray:
    """Softmax over the last axis, in float64."""
    x = np.asarray(logits, dtype=np.float64)
    x = np.exp(x - x.max(axis=-1, keepdims=True))
    return x / x.sum(axis=-1, keepdims=True)


def model_version(path: str | Path) -> str:
    """Version of a bundle: 12 hexadecimal digits of the SHA-256 of encoder.onnx and model.json."""
    total = hashlib.sha256()
    for name in ("encoder.onnx", "model.json"):
        with open(Path(path) / name, "rb") as handle:
            while block := handle.read(1 << 22):
                total.update(block)
    return total.hexdigest()[:12]


def _check_info(bundle: ModelBundle) -> None:
    info, file = bundle.info, bundle.path / "model.json"
    if missing := [key for key in _KEYS if key not in info]:
        raise InputError(f"{file}: lacks {', '.join(missing)}; train the model again")
    count = len(info["classes"])
    sizes = {"priors": len(info["priors"]), "calibration.bias": len(info["calibration"]["bias"])}
    for name, size in sizes.items():
        if size != count or count < 2:
            raise InputError(f"{file}: {size} {name} for {count} classes; train the model again")
    if info["decision"] not in _DECISIONS:
        raise InputError(
            f"{file}: decision is {info['decision']!r}, not one of {', '.join(_DECISIONS)}; "
            "train the model again"
        )
    if min(info["priors"]) <= 0:
        raise InputError(f"{file}: a class without labels (priors {info['priors']}); train again")


def _gpu(device: str, ranks: World) -> str | None:
    if device == "cpu":
        return None
    import torch

    count = torch.cuda.device_count()
    if device == "cuda" and not count:
        raise ConfigError(
            "transfer.predict.device is cuda, but PyTorch finds no GPU here; use auto or cpu"
        )
    return f"cuda:{ranks.local_rank % count}" if count else None
