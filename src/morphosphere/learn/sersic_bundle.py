"""Writing a ModelBundle of the task ``sersic``, and loading one into PyTorch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.transform import Transform
from morphosphere.config.sersic_learn import SersicLearnSettings
from morphosphere.errors import ConfigError
from morphosphere.files import atomic_directory
from morphosphere.learn.bundle_files import read_checkpoint, write_common
from morphosphere.learn.export import export_onnx
from morphosphere.learn.sersic_networks import SersicNetworks
from morphosphere.structure.facts import FACTS
from morphosphere.structure.parameters import Space

INPUTS = ("images", "facts")
OUTPUTS = ("mean", "cholesky", "distance")


@dataclass(frozen=True)
class Calibration:
    """What was found on held-out images.

    Attributes
    ----------
    scale : list of float, length P
        Factors of the standard deviations, of all galaxies together.
    at : list of float, length K
        Magnitudes relative to the noise, ascending; empty if there were too few galaxies.
    scales : list of K lists of P
        Factors at these magnitudes; between them they are interpolated.
    limit : float
        Distance beyond which an image is unlike those of training.
    prior : dict
        Least and greatest value of each latent parameter and each fact of training.
    """

    scale: list[float]
    limit: float
    prior: dict[str, tuple[float, float]]
    at: list[float] = field(default_factory=list)
    scales: list[list[float]] = field(default_factory=list)

    @property
    def info(self) -> dict[str, Any]:
        """As it stands in ``model.json``."""
        found: dict[str, Any] = {"scale": self.scale}
        return found | {"by_magnitude": {"at": self.at, "scale": self.scales}} if self.at else found

    @classmethod
    def none(cls, count: int) -> Self:
        """Of networks that nothing is known of."""
        return cls([1.0] * count, float("inf"), {})


def write_sersic_bundle(
    path: str | Path,
    *,
    networks: SersicNetworks,
    settings: SersicLearnSettings,
    transform: Transform,
    calibration: Calibration,
    examples: tuple[Tensor, Tensor],
    training: dict[str, Any],
    metrics: dict[str, Any],
) -> ModelBundle:
    """Write networks as a ModelBundle, which appears whole or not at all.

    Parameters
    ----------
    networks : SersicNetworks
    settings : SersicLearnSettings
    transform : Transform
    calibration : Calibration
    examples : Tensor (N, 1, S, S), Tensor (N, F)
        Images over the noise of the sky and facts for the parity test; N is at least 2.
    training, metrics : dict
        Where the weights come from, and measures of the validation images.
    """
    networks = networks.cpu().float().eval()
    with atomic_directory(path) as folder, torch.no_grad():
        parity = export_onnx(
            networks,
            tuple(part.cpu().float().contiguous() for part in examples),
            folder / "encoder.onnx",
            input_name=INPUTS,
            output_names=list(OUTPUTS),
        )
        write_common(
            folder,
            networks=networks,
            settings=settings,
            transform=transform,
            reading={
                "components": settings.components,
                "latents": list(Space(settings.components).latents),
                "facts": list(FACTS),
                "calibration": calibration.info,
                "domain": {"limit": calibration.limit},
                "prior": {name: list(ends) for name, ends in calibration.prior.items()},
            },
            training=training,
            metrics=metrics,
            parity={"encoder": parity},
        )
    return ModelBundle.load(path)


def load_sersic_networks(path: str | Path, device: str) -> SersicNetworks:
    """The networks of a ModelBundle, as its ONNX file, in PyTorch on `device`.

    Raises
    ------
    InputError
        If the checkpoint cannot be read.
    """
    stored = read_checkpoint(path)
    settings = SersicLearnSettings.model_validate(stored["settings"])
    # The weights come from the checkpoint, never from what training started from.
    encoder = settings.encoder.model_copy(update={"weights": None, "start": None})
    networks = SersicNetworks(stored["size"], settings.model_copy(update={"encoder": encoder}))
    networks.load_state_dict(stored["weights"])
    return networks.to(device).eval()


def start_from(networks: SersicNetworks, settings: SersicLearnSettings) -> Calibration:
    """Give networks all weights of the model that the settings start from; how sure it is.

    Raises
    ------
    InputError
        If there is no such model, or it cannot be read.
    ConfigError
        If it is of another task, kind or size.
    """
    path = settings.encoder.start
    bundle = ModelBundle.load(path)
    if bundle.info.get("task") != "sersic":
        raise ConfigError(
            f"encoder.start: {path} is a model of the task {bundle.info.get('task')!r}; structural "
            "parameters start from one of the task 'sersic'"
        )
    try:
        networks.load_state_dict(read_checkpoint(path)["weights"])
    except RuntimeError as error:
        said = str(error).strip().splitlines()[-1].strip()
        raise ConfigError(
            f"encoder.start: the model of {path} is of another kind or size ({said}); set "
            "components, encoder, hidden, blocks and transform.size as they are in its model.json"
        ) from None
    info = bundle.info
    knots = info["calibration"].get("by_magnitude", {"at": [], "scale": []})
    return Calibration(
        at=list(knots["at"]),
        scales=[list(one) for one in knots["scale"]],
        scale=list(info["calibration"]["scale"]),
        limit=float(info["domain"]["limit"]),
        prior={name: tuple(ends) for name, ends in info["prior"].items()},
    )
