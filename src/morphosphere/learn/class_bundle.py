"""Writing a ModelBundle of the task ``classes``, and loading one into PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.transform import Transform
from morphosphere.config.class_learn import ClassLearnSettings
from morphosphere.files import atomic_directory
from morphosphere.learn.bundle_files import read_checkpoint, write_common
from morphosphere.learn.class_networks import ClassNetworks, output_names
from morphosphere.learn.export import export_onnx


def write_class_bundle(
    path: str | Path,
    *,
    networks: ClassNetworks,
    settings: ClassLearnSettings,
    transform: Transform,
    reading: dict[str, Any],
    examples: torch.Tensor,
    training: dict[str, Any],
    metrics: dict[str, Any],
) -> ModelBundle:
    """Write networks as a ModelBundle, which appears whole or not at all.

    Parameters
    ----------
    networks : ClassNetworks
    settings : ClassLearnSettings
    transform : Transform
    reading : dict
        How the outputs are read: classes, priors, calibration, decision, type, domain.
    examples : Tensor, shape (N, C, S, S)
        Transformed images for the parity test; N is at least 2.
    training, metrics : dict
        Where the weights come from, and measures of the validation images.
    """
    networks = networks.cpu().float().eval()
    examples = examples.cpu().float()
    with atomic_directory(path) as folder, torch.no_grad():
        parity = export_onnx(
            networks,
            examples,
            folder / "encoder.onnx",
            input_name="images",
            output_names=output_names(settings),
        )
        write_common(
            folder,
            networks=networks,
            settings=settings,
            transform=transform,
            reading=reading,
            training=training,
            metrics=metrics,
            parity={"encoder": parity},
        )
    return ModelBundle.load(path)


def load_class_networks(path: str | Path, device: str) -> ClassNetworks:
    """The networks of a ModelBundle, as its ONNX file, in PyTorch on `device`.

    Raises
    ------
    InputError
        If the checkpoint cannot be read.
    """
    stored = read_checkpoint(path)
    settings = ClassLearnSettings.model_validate(stored["settings"])
    # The weights come from the checkpoint, never from what training started from.
    encoder = settings.encoder.model_copy(update={"weights": None, "start": None})
    settings = settings.model_copy(update={"encoder": encoder})
    networks = ClassNetworks(stored["channels"], stored["size"], settings)
    networks.load_state_dict(stored["weights"])
    return networks.to(device).eval()
