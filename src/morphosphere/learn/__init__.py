"""Learn: networks, the trainer and the ModelBundle it writes.

``align`` finds the pose of canonical images, ``turn`` applies one, ``load_model`` opens a bundle in
PyTorch, ``train`` makes one. Nothing heavy is imported until one of them is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "align": "morphosphere.learn.alignment",
    "turn": "morphosphere.learn.polar",
    "load_model": "morphosphere.learn.bundle",
    "write_bundle": "morphosphere.learn.bundle",
    "train": "morphosphere.learn.training",
}
__all__ = ["align", "load_model", "train", "turn", "write_bundle"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
