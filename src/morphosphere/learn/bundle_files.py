"""What the files of every ModelBundle have in common, whatever the task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from morphosphere.artefacts.bundle import FORMAT, VERSION
from morphosphere.artefacts.transform import Transform
from morphosphere.config.training import TrainingSettings
from morphosphere.errors import InputError
from morphosphere.files import write_json


def write_common(
    folder: Path,
    *,
    networks: nn.Module,
    settings: TrainingSettings,
    transform: Transform,
    reading: dict[str, Any],
    training: dict[str, Any],
    metrics: dict[str, Any],
    parity: dict[str, float],
) -> None:
    """Write ``transform.json``, ``checkpoint.ckpt`` and ``model.json`` into `folder`.

    Parameters
    ----------
    reading : dict
        What ``model.json`` says of how the networks' outputs are read.
    training, metrics : dict
        Where the weights come from, and measures of the validation images.
    parity : dict
        Largest difference between PyTorch and each ONNX file.
    """
    transform.write(folder / "transform.json")
    stored = {
        "settings": settings.model_dump(mode="json"),
        "channels": len(transform.channels),
        "size": transform.size,
        "weights": networks.state_dict(),
    }
    torch.save(stored, folder / "checkpoint.ckpt")
    info = {
        "format": FORMAT,
        "version": VERSION,
        "task": settings.task,
        "channels": list(transform.channels),
        "image_size": transform.size,
        **reading,
        "encoder": settings.encoder.name,
        "parameters": sum(p.numel() for p in networks.parameters()),
        "settings": settings.model_dump(mode="json"),
        "training": training,
        "metrics": metrics,
        "onnx_parity": parity,
    }
    write_json(folder / "model.json", info)


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """What ``checkpoint.ckpt`` of the ModelBundle at `path` holds.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    file = Path(path) / "checkpoint.ckpt"
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        raise InputError(f"{file}: cannot be read ({error}); train again") from None
