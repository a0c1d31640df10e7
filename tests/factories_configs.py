"""Configurations of runs that are over in seconds."""

from __future__ import annotations

import copy
from typing import Any

_SMALL: dict[str, Any] = {
    "learn": {
        "epochs": 1,
        "batch_size": 16,
        "transform": {"size": 32},
        "encoder": {"width": 4},
        "decoder": {"width": 8},
        "features": 8,
    },
    "predict": {"neighbours": 3},
    "evaluate": {"neighbours": 3, "max_rotated": 8, "copies": 1, "dpi": 50},
    "hips": {"order": 1, "tile_width": 64, "cells": 2},
}
_MOCK: dict[str, Any] = {
    "simulations": {"mock": {}},
    "mock": {"galaxies": 16, "files": 2, "stars_range": [300, 600]},
}
_RENDER: dict[str, Any] = {"render": {"size": 32, "cameras": {"isotropic": 2}}}


def small(run: str, **sections: Any) -> dict[str, Any]:
    """A small network and map of what `sections` say; these go before what is here."""
    return {"run": run, **copy.deepcopy(_SMALL), **sections}


def small_rendered(run: str, **sections: Any) -> dict[str, Any]:
    """The same of rendered images of simulations."""
    return small(run, **(copy.deepcopy(_RENDER) | sections))


def small_mock(run: str, **sections: Any) -> dict[str, Any]:
    """The same of a mock box of 16 galaxies."""
    return small_rendered(run, **(copy.deepcopy(_MOCK) | sections))
