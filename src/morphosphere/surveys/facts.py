"""What a model of the task ``classes`` is: its classes, how they are read, its version."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from morphosphere import calibration
from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.splits import SPLITS, split_of
from morphosphere.artefacts.versions import model_version as model_version
from morphosphere.errors import InputError
from morphosphere.parallel import threads_given
from morphosphere.posterior import QUANTILES, Label

#: Keys of model.json that a model of classes needs.
_KEYS = ("classes", "priors", "calibration", "decision", "domain", "settings")
_DECISIONS = ("balanced", "most_probable")


@dataclass(frozen=True)
class ModelFacts:
    """What a ModelBundle of the task ``classes`` says of itself; it does not run the network.

    Attributes
    ----------
    bundle : ModelBundle
    classes : tuple of str, length K
    priors : ndarray, shape (K,)
        Shares of the classes among the labels of training that people gave.
    type : Label or None
        The ordinal target.
    version : str
        See `model_version`.
    """

    bundle: ModelBundle
    classes: tuple[str, ...]
    priors: np.ndarray
    type: Label | None
    version: str

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Open a bundle.

        Raises
        ------
        InputError
            If the bundle is not whole, or of another task.
        """
        return cls(**facts_of(path))

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

    def calibrated(self, probability: np.ndarray) -> np.ndarray:
        """Calibrated probabilities (n, K): softmax(log(p) / temperature + bias).

        Temperature scaling (Guo et al. 2017, ICML, PMLR 70, 1321) of the log of the mean softmax,
        with a bias for each class.
        """
        known = self.bundle.info["calibration"]
        return calibration.calibrated(probability, float(known["temperature"]), known["bias"])

    def decide(self, probability: np.ndarray) -> np.ndarray:
        """Index of the predicted class (n,) for calibrated probabilities (n, K).

        The most probable class; or, where the model's decision is "balanced", the one whose
        probability is largest in units of its share among the labels of training.
        """
        balanced = self.bundle.info["decision"] == "balanced"
        return np.argmax(probability / self.priors if balanced else probability, axis=1)


def facts_of(path: str | Path, threads: int | None = None) -> dict[str, Any]:
    """The attributes of `ModelFacts`, by name, for the bundle at `path`.

    A pass through its network takes so many threads, all that this process may use if not given.

    Raises
    ------
    InputError
        If the bundle is not whole, or of another task.
    """
    bundle = ModelBundle.load(path, threads=threads or threads_given())
    info = bundle.info
    if info.get("task") != "classes":
        raise InputError(
            f"{path}: a model of the task {info.get('task')!r}; a survey is read by one of "
            "the task 'classes': give the folder model of a run of surveys"
        )
    _check_info(bundle)
    return {
        "bundle": bundle,
        "classes": tuple(map(str, info["classes"])),
        "priors": np.asarray(info["priors"], dtype=np.float64),
        "type": Label.of(info["type"]) if info.get("type") else None,
        "version": model_version(bundle.path),
    }


def type_columns() -> list[str]:
    """Columns of the ordinal target's posterior, in the order of `posterior.QUANTILES`."""
    return [f"type_{name}" for name in QUANTILES]


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
