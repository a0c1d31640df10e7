"""Settings of the hardware that training uses."""

from __future__ import annotations

from pydantic import Field

from morphosphere.config.base import Settings


class ComputeSettings(Settings):
    """What training runs on; it never re-runs a stage, and a cluster's profile sets it."""

    nodes: int = Field(
        1, ge=1, le=4096, description="Number of nodes; more than one needs Slurm (srun)."
    )
    gpus: int = Field(0, ge=0, le=64, description="GPUs on each node; each gets a process.")
    processes: int = Field(
        1, ge=1, le=1024, description="Processes on each node, where no GPUs are asked for."
    )
    cores: int = Field(2, ge=1, le=4096, description="Cores on each node, for all its processes.")

    @property
    def processes_per_node(self) -> int:
        """Processes that a node runs: one for each GPU, else `processes`."""
        return self.gpus or self.processes

    @property
    def world_size(self) -> int:
        """Processes of all nodes: what the trainer is promised."""
        return self.nodes * self.processes_per_node
