"""The parts of Lightning's Fabric that training uses, without what it does not.

``lightning.fabric`` comes with all of Lightning. Fabric alone still imports TorchMetrics to compare
its version, and with it torchvision and much of SciPy: a third of the time in which a process
starts, and thousands of files on a shared file system.
"""

from __future__ import annotations

import sys

_absent = "torchmetrics" not in sys.modules
if _absent:
    sys.modules["torchmetrics"] = None  # an import of it fails, which Fabric is prepared for
try:
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments import LightningEnvironment, TorchElasticEnvironment
    from lightning_fabric.strategies import DDPStrategy
finally:
    if _absent:
        del sys.modules["torchmetrics"]

__all__ = ["DDPStrategy", "Fabric", "LightningEnvironment", "TorchElasticEnvironment"]
