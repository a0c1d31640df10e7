"""The device on which a rank runs a network."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

from morphosphere.errors import ConfigError
from morphosphere.parallel import World


def gpu_of(device: str, ranks: World, *, key: str) -> str | None:
    """The GPU of this rank in PyTorch's words, ``cuda:N``; None for the CPU.

    GPUs of a machine are given to its ranks in turn.

    Parameters
    ----------
    device : str
        "cpu", "cuda", or "auto" for a GPU if there is one.
    ranks : World
    key : str
        The setting that says so, for the error.

    Raises
    ------
    ConfigError
        If `device` is "cuda" and PyTorch finds no GPU.
    """
    if device == "cpu" or (device == "auto" and not _driver()):
        return None
    import torch

    count = torch.cuda.device_count()
    if device == "cuda" and not count:
        raise ConfigError(f"{key} is cuda, but PyTorch finds no GPU here; use auto or cpu")
    return f"cuda:{ranks.local_rank % count}" if count else None


def _driver() -> bool:
    """Whether this machine may have a GPU: its driver is there; spares the import of PyTorch."""
    if sys.platform != "linux":
        return True
    if Path("/dev/kfd").exists():  # AMD
        return True
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return True
