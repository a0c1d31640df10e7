"""How tests run the simulation of galaxies: small images, and a command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

#: Small images, so that tests are short.
SETTINGS = {
    "number": 12,
    "shards": 2,
    "size": 64,
    "stamp_size": [40, 90],
    "psf": {"number": 3},
}
Simulate = Callable[..., tuple[Path, Path]]


def words(folder: Path, psf: Path, shard: int = 0, seed: int = 42, **changes: object) -> list[str]:
    """The stage's command line."""
    return [
        "--settings", json.dumps({**SETTINGS, **changes}), "--seed", str(seed),
        "--shard", str(shard), "--psf", str(psf), "--images", str(folder / f"{shard}.h5"),
        "--noiseless", str(folder / f"clean-{shard}.h5"),
    ]  # fmt: skip
