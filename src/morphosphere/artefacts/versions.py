"""Versions of models: which of them made a table."""

from __future__ import annotations

import hashlib
from pathlib import Path


def model_version(path: str | Path) -> str:
    """Version of a bundle: 12 hexadecimal digits of the SHA-256 of encoder.onnx and model.json."""
    total = hashlib.sha256()
    for name in ("encoder.onnx", "model.json"):
        with open(Path(path) / name, "rb") as handle:
            while block := handle.read(1 << 22):
                total.update(block)
    return total.hexdigest()[:12]
