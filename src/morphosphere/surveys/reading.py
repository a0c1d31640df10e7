"""A model of the task ``classes`` at work: what it says of images.

On the CPU the network runs in ONNX Runtime, on GPUs in PyTorch. Nothing is drawn by chance: the
same image gives the same numbers each time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from morphosphere.calibration import softmax
from morphosphere.devices import gpu_of
from morphosphere.parallel import World
from morphosphere.posterior import QUANTILES, probabilities
from morphosphere.surveys.facts import ModelFacts, facts_of, type_columns
from morphosphere.views import VIEWS, view

if TYPE_CHECKING:
    from torch import nn

#: What the network gives, in order; the last only where there is an ordinal target.
_OUTPUTS = ("features", "logits", "distance", "type_logits")
#: Images in a pass of one core.
BATCH = 16


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
class ClassModel(ModelFacts):
    """A ModelBundle of the task ``classes``, on the device where it runs.

    Attributes
    ----------
    device : str
    network : Module or None
        The encoder in PyTorch, on a GPU.
    """

    device: str = "cpu"
    network: nn.Module | None = field(default=None, repr=False)

    @classmethod
    def load(
        cls,
        path: str | Path,
        device: str = "cpu",
        ranks: World | None = None,
        *,
        threads: int | None = None,
    ) -> ClassModel:
        """Open a bundle; GPUs are given to the ranks of a machine in turn.

        A pass on the CPU takes so many threads, all that this process may use if not given.

        Raises
        ------
        InputError
            If the bundle is not whole, or of another task.
        ConfigError
            If `device` is "cuda" and PyTorch finds no GPU.
        """
        facts = facts_of(path, threads)
        gpu = gpu_of(device, ranks or World(), key="transfer.predict.device")
        network = None
        if gpu:
            from morphosphere.learn.class_bundle import load_class_networks

            network = load_class_networks(facts["bundle"].path, gpu)
        return cls(**facts, device=gpu or "cpu", network=network)

    def feature_width(self) -> int:
        """Length of the feature vector."""
        transform = self.bundle.transform
        blank = np.zeros((1, len(transform.channels), transform.size, transform.size), np.float32)
        return self.encode(blank)["features"].shape[1]

    def encode(self, images: Any) -> dict[str, np.ndarray]:
        """The network's outputs by name for transformed images (n, C, S, S), of one view."""
        if self.network is None:
            # A pass of one core is quickest with what stays in its cache.
            size = BATCH if self.bundle.threads == 1 else max(1, len(images))
            starts = range(0, max(1, len(images)), size)
            parts = [self._pass(images[start : start + size]) for start in starts]
            return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        import torch

        with torch.inference_mode():
            out = self.network(torch.as_tensor(images, device=self.device).contiguous())
            return {name: x.float().cpu().numpy() for name, x in zip(_OUTPUTS, out)}

    def _pass(self, images: np.ndarray) -> dict[str, np.ndarray]:
        return self.bundle.run("encoder", {"images": np.ascontiguousarray(images, np.float32)})

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

    def type_quantiles(self, reading: Reading) -> dict[str, np.ndarray]:
        """Quantiles of the ordinal target by column (``type_median``, ...), float32 (n,)."""
        if self.type is None or reading.type_probability is None:
            return {}
        values = self.type.quantiles(reading.type_probability, list(QUANTILES.values()))
        return dict(zip(type_columns(), values.astype(np.float32).T))

    def _type(self, said: list[dict[str, np.ndarray]]) -> np.ndarray:
        logits = [one["type_logits"][:, m] for one in said for m in range(one["logits"].shape[1])]
        return probabilities(logits, self.type.temperature)
