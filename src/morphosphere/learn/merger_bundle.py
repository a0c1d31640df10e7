"""Writing a ModelBundle of the task ``mergers``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.transform import Transform
from morphosphere.config.merger_learn import MergerLearnSettings
from morphosphere.files import atomic_directory
from morphosphere.learn.bundle_files import read_checkpoint, write_common
from morphosphere.learn.export import export_onnx
from morphosphere.learn.merger_networks import DecoderForExport, EncoderForExport, MergerNetworks


def write_merger_bundle(
    path: str | Path,
    *,
    networks: MergerNetworks,
    settings: MergerLearnSettings,
    transform: Transform,
    labels: list[dict[str, Any]],
    limits: dict[str, float],
    examples: torch.Tensor,
    training: dict[str, Any],
    metrics: dict[str, Any],
) -> ModelBundle:
    """Write networks as a ModelBundle, which appears whole or not at all.

    Parameters
    ----------
    networks : MergerNetworks
    settings : MergerLearnSettings
    transform : Transform
    labels : list of dict
        `morphosphere.posterior.Label` in the order of the logits, as dictionaries.
    limits : dict
        ``reconstruction_error`` and ``encounter_probability`` beyond which an image is an outlier.
    examples : Tensor, shape (N, C, S, S)
        Transformed images for the parity test; N is at least 2.
    training, metrics : dict
        Where the weights come from, and measures of the validation images.
    """
    networks = networks.cpu().float().eval()
    examples = examples.cpu().float()
    reader = EncoderForExport(networks)
    with atomic_directory(path) as folder, torch.no_grad():
        parity = {
            "encoder": export_onnx(
                reader,
                examples,
                folder / "encoder.onnx",
                input_name="images",
                output_names=["z", "logits", "regression", "encounter"],
            ),
            "decoder": export_onnx(
                DecoderForExport(networks),
                reader(examples)[0].contiguous(),
                folder / "decoder.onnx",
                input_name="z",
                output_names=["images"],
            ),
        }
        write_common(
            folder,
            networks=networks,
            settings=settings,
            transform=transform,
            reading={
                "latent": {
                    "space": f"R{settings.latent}",
                    "posterior": "normal",
                    "prior": "normal",
                },
                "labels": labels,
                "bins": settings.bins,
                "outlier": limits,
            },
            training=training,
            metrics=metrics,
            parity=parity,
        )
    return ModelBundle.load(path)


def load_merger_networks(path: str | Path, device: str) -> tuple[nn.Module, nn.Module]:
    """Encoder and decoder of a ModelBundle, as their ONNX files, in PyTorch on `device`.

    Raises
    ------
    InputError
        If the checkpoint cannot be read.
    """
    stored = read_checkpoint(path)
    settings = MergerLearnSettings.model_validate(stored["settings"])
    # The weights of a timm backbone come from the checkpoint, never from the file it started from.
    encoder = settings.encoder.model_copy(update={"weights": None})
    settings = settings.model_copy(update={"encoder": encoder})
    networks = MergerNetworks(stored["channels"], stored["size"], settings)
    networks.load_state_dict(stored["weights"])
    networks = networks.to(device).eval()
    return EncoderForExport(networks), DecoderForExport(networks)
