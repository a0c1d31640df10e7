"""How training's processes are started."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from morphosphere import launch
from morphosphere.config.compute import ComputeSettings
from morphosphere.errors import ConfigError

STEP = {
    "SLURM_STEP_NUM_NODES": "2",
    "SLURM_STEP_NODELIST": "a7",
    "SLURM_NODEID": "0",
    "SLURM_JOB_ID": "1234",
}


def test_one_process_is_plain_python() -> None:
    assert launch.command(ComputeSettings(), 2) == "python"
    assert launch.resources(ComputeSettings())["mpi"] is None


def test_a_process_for_each_gpu_or_as_many_as_asked_for() -> None:
    assert ComputeSettings(nodes=3, gpus=4, processes=7).world_size == 12
    assert ComputeSettings(nodes=3, processes=7).world_size == 21


def test_several_processes_of_one_node_need_no_srun() -> None:
    compute = ComputeSettings(processes=2)
    assert launch.command(compute, 4).startswith("python -m morphosphere.launch --processes 2")
    given = {"OMP_NUM_THREADS": "4", "MKL_NUM_THREADS": "4"}  # as Snakemake sets them
    words, variables = launch.torchrun(nodes=1, processes=2, cores=4, environment=given)
    assert words[0] == sys.executable
    assert "--standalone" in words
    assert set(variables.values()) == {"2"}
    assert set(given) < set(variables)


def test_processes_of_a_node_share_its_cores_as_torch_counts_them() -> None:
    code = "import torch; print(torch.get_num_threads())"
    for processes in (1, 2):
        environment = {**os.environ, "OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"}
        words = {"nodes": 1, "processes": processes, "cores": 2}
        environment |= launch.torchrun(**words, environment=environment)[1]
        ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
        assert int(ran.stdout) == 2 // processes


def test_a_node_gets_one_task_its_gpus_and_its_cores() -> None:
    compute = ComputeSettings(nodes=2, gpus=4, cores=32)
    words = launch.command(compute, 32).split()
    assert words[0] == "srun"
    for word in ("--ntasks=2", "--ntasks-per-node=1", "--gres=gpu:4", "--cpus-per-task=32"):
        assert word in words
    asked = launch.resources(compute)
    assert asked == {
        "world_size": 8,
        "nodes": 2,
        "mpi": "srun",
        "tasks": 2,
        "gres": "gpu:4",
        "tasks_per_gpu": 0,
    }


@pytest.mark.parametrize(("node", "host"), [("0", 1), ("1", 0)])
def test_nodes_meet_on_the_first(node: str, host: int, monkeypatch) -> None:
    monkeypatch.setattr(launch, "_hostnames", lambda listed: ["a7", "a9"])
    environment = {**STEP, "SLURM_NODEID": node}
    words, variables = launch.torchrun(nodes=2, processes=4, cores=8, environment=environment)
    endpoint = next(word for word in words if word.startswith("--rdzv-endpoint"))
    assert endpoint.startswith("--rdzv-endpoint=a7:")
    assert any(f"is_host={host}" in word for word in words)
    assert f"--local-addr={['a7', 'a9'][int(node)]}" in words
    assert set(variables.values()) == {"2"}


def test_a_step_that_is_not_the_promised_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="no Slurm step"):
        launch.torchrun(nodes=2, processes=1, cores=1, environment={})
    with pytest.raises(ConfigError, match="has 2 node"):
        launch.torchrun(nodes=3, processes=1, cores=1, environment=STEP)


def test_mistakes_end_the_command_with_one_line(monkeypatch, capsys) -> None:
    for name in STEP:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("SLURM_NNODES", raising=False)
    assert launch.main(["--nodes", "2"]) == 1
    assert capsys.readouterr().err.startswith("morphosphere launch: error: compute.nodes is 2")
