"""Small simulation boxes for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from morphosphere.config.mock import MockSettings
from morphosphere.snapshots.mock.box import write_box
from morphosphere.snapshots.mock.plan import BoxPlan, plan_box


def write_tiny_box(folder: Path, *, seed: int = 1, **settings: Any) -> BoxPlan:
    """Write a box of 12 galaxies of 300 to 1000 stars in 3 files under `folder`; return its plan.

    Settings of the mock stage can be given by name.
    """
    chosen = {"galaxies": 12, "stars_range": (300, 1000), "files": 3, **settings}
    plan = plan_box(MockSettings(**chosen), seed)
    write_box(plan, folder, show=False)
    return plan
