"""Writing a ModelBundle and loading one into PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.transform import Transform
from morphosphere.config.learn import LearnSettings
from morphosphere.files import atomic_directory
from morphosphere.learn.bundle_files import read_checkpoint, write_common
from morphosphere.learn.export import export_onnx
from morphosphere.learn.networks import EncoderForExport, SphereNetworks


def write_bundle(
    path: str | Path,
    *,
    networks: SphereNetworks,
    settings: LearnSettings,
    transform: Transform,
    examples: torch.Tensor,
    training: dict[str, Any],
    metrics: dict[str, Any],
) -> ModelBundle:
    """Write networks as a ModelBundle, which appears whole or not at all.

    Parameters
    ----------
    networks : SphereNetworks
    examples : Tensor, shape (N, C, S, S)
        Transformed images for the parity test; N is at least 2.
    training : dict
        Where the weights come from: digest of the images, numbers of images, epochs, seed.
    metrics : dict
        Of the validation images.
    """
    networks = networks.cpu().float().eval()
    examples = examples.cpu().float()
    with atomic_directory(path) as folder, torch.no_grad():
        parity = {
            "encoder": export_onnx(
                EncoderForExport(networks),
                examples,
                folder / "encoder.onnx",
                input_name="images",
                output_names=["mean", "concentration", "features"],
            ),
            "decoder": export_onnx(
                networks.decoder,
                networks.encode(examples)[0].contiguous(),
                folder / "decoder.onnx",
                input_name="position",
                output_names=["images"],
            ),
        }
        write_common(
            folder,
            networks=networks,
            settings=settings,
            transform=transform,
            reading={
                "features": settings.features,
                "latent": {
                    "space": "S2",
                    "posterior": "power_spherical",
                    "prior": "uniform",
                    "concentration": list(settings.concentration),
                },
            },
            training=training,
            metrics=metrics,
            parity=parity,
        )
    return ModelBundle.load(path)


def load_model(path: str | Path, device: str = "cpu") -> tuple[SphereNetworks, Transform]:
    """Networks of a ModelBundle in evaluation mode on `device`, and the transform of its images.

    Raises
    ------
    InputError
        If a file is missing or cannot be read.
    """
    bundle = ModelBundle.load(path)
    stored = read_checkpoint(bundle.path)
    settings = LearnSettings.model_validate(stored["settings"])
    # The weights of a timm backbone come from the checkpoint, never from the file it started from.
    encoder = settings.encoder.model_copy(update={"weights": None})
    settings = settings.model_copy(update={"encoder": encoder})
    networks = SphereNetworks(stored["channels"], stored["size"], settings)
    networks.load_state_dict(stored["weights"])
    return networks.to(device).eval(), bundle.transform
