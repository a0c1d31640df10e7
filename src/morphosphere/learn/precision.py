"""In which arithmetic networks are trained where the settings leave it open."""

from __future__ import annotations

import torch


def arithmetic_of(wanted: str, device: torch.device) -> str:
    """The arithmetic of a device, in Lightning's words.

    ``auto`` is bfloat16 beside 32 bits where the device computes with it by itself (GPUs since
    2020, processors with AVX-512 BF16 or AMX), else 32 bits: elsewhere it would be slower.
    """
    if wanted != "auto":
        return wanted
    if device.type == "cuda":
        return (
            "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "32-true"
        )
    return "bf16-mixed" if _processor_has_bfloat16() else "32-true"


def _processor_has_bfloat16() -> bool:
    # PyTorch has no public name for these questions yet.
    asked = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in asked)
