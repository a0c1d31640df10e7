from __future__ import annotations

import pytest
import torch

from morphosphere.errors import ConfigError
from morphosphere.learn.place import Place, place_of
from morphosphere.learn.processes import device_of

TORCHRUN = {"RANK": "5", "WORLD_SIZE": "6", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}
SLURM = {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "2", "SLURM_PROCID": "0"}


def test_torchrun_says_where_a_process_is():
    assert place_of(TORCHRUN) == place_of(TORCHRUN, 6) == Place(5, 6, 1, 2)
    # srun starts one torchrun on each node: its own count of tasks says nothing of the processes.
    assert place_of({**TORCHRUN, **SLURM, "SLURM_STEP_NUM_TASKS": "3"}, 6).size == 6


def test_plain_python_is_one_process():
    assert place_of({}) == place_of({}, 1) == Place()
    # The script of a Slurm job is one process, whatever the job was given.
    assert place_of(SLURM) == Place()
    assert place_of({**SLURM, "SLURM_STEP_NUM_TASKS": "1"}) == Place()


@pytest.mark.parametrize(
    ("environment", "promised", "words"),
    [
        (TORCHRUN, 8, "--world-size 8, but 6 processes were started.*--nproc-per-node"),
        ({}, 8, "--world-size 8, but 1 process was started, without torchrun"),
        (SLURM, 2, "--world-size 2, but 1 process was started, without torchrun"),
        ({**SLURM, "SLURM_STEP_NUM_TASKS": "2"}, 2, "srun started 2 processes of plain python"),
        ({**SLURM, "SLURM_STEP_NUM_TASKS": "2"}, None, "srun started 2 processes"),
        ({"PMI_SIZE": "4", "PMI_RANK": "1"}, None, "mpiexec started 4 processes"),
    ],
)
def test_another_number_of_processes_is_an_error(environment, promised, words):
    with pytest.raises(ConfigError, match=words):
        place_of(environment, promised)


def test_each_process_of_a_node_has_a_gpu_of_its_own(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert device_of(Place(5, 6, 1, 2)) == torch.device("cuda", 1)
    with pytest.raises(ConfigError, match=r"3 processes on a node where 2 GPU\(s\)"):
        device_of(Place(0, 3, 0, 3))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device_of(Place(5, 6, 1, 2)) == torch.device("cpu")


@pytest.mark.parametrize("processes", [1, 2])
def test_training_refuses_another_number_of_processes(start, processes):
    run = start("run", processes, options=("--world-size", "3")).wait(1)
    assert run.log.count("error: --world-size 3, but") == 1
    assert "Traceback (most recent call last)" not in run.log.split("error: --world-size 3")[0]
    assert not (run.folder / "training").exists()


def test_an_error_of_all_processes_is_said_once(start):
    run = start("run", 2, {"batch_size": 7}).wait(1)
    assert run.log.count("error: learn.batch_size: 7 images over 2 processes") == 1
