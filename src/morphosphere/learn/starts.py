"""Encoders that start from those of finished models, whatever these were trained for."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.errors import ConfigError
from morphosphere.learn.bundle_files import read_checkpoint
from morphosphere.learn.class_networks import ClassNetworks


def start_from(networks: ClassNetworks, path: str | Path) -> int:
    """Give the members the encoder weights of a finished model; return how many tensors.

    Of a model of classes each member starts from a member, in turn, and takes its layer and, where
    the classes are as many, what it says; of one of the map or of mergers all start from the same
    encoder.

    Raises
    ------
    InputError
        If there is no such model, or it cannot be read.
    ConfigError
        If its encoder is of another kind or size.
    """
    bundle = ModelBundle.load(path)
    stored = read_checkpoint(bundle.path)["weights"]
    task = bundle.info.get("task", "")
    groups = _members(stored) if task == "classes" else [_below(stored, "encoder.")]
    count = 0
    for k, member in enumerate(networks.members):
        given = groups[k % len(groups)]
        if task == "classes":
            count += _take(member.encoder.encoder, _below(given, "encoder.encoder."), path)
            for name in ("layer", "say", "say_type"):
                part, theirs = getattr(member, name), _below(given, f"{name}.")
                if part is not None and _fits(part, theirs):
                    part.load_state_dict(theirs)
                    count += len(theirs)
        else:
            count += _take(member.encoder.encoder, given, path)
    return count


def _members(stored: dict[str, Tensor]) -> list[dict[str, Tensor]]:
    numbers = sorted({int(name.split(".")[1]) for name in stored if name.startswith("members.")})
    return [_below(stored, f"members.{k}.") for k in numbers]


def _below(stored: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): v for name, v in stored.items() if name.startswith(prefix)}


def _fits(part: nn.Module, theirs: dict[str, Tensor]) -> bool:
    ours = part.state_dict()
    return ours.keys() == theirs.keys() and all(ours[k].shape == theirs[k].shape for k in ours)


def _take(encoder: nn.Module, theirs: dict[str, Tensor], path: str | Path) -> int:
    """Load weights whose names and shapes are the same; what has no weights may differ."""
    ours = encoder.state_dict()
    weights = {k: v for k, v in theirs.items() if k in ours and ours[k].shape == v.shape}
    lacking = [name for name, _ in encoder.named_parameters() if name not in weights]
    if lacking:
        raise ConfigError(
            f"encoder.start: the encoder of {path} is of another kind, width or size than this "
            f"one ({lacking[0]} does not fit); set encoder.name and encoder.width as they are in "
            "its model.json, and the same channels and image size"
        )
    encoder.load_state_dict(ours | weights)
    return len(weights)
