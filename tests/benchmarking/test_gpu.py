"""The benchmark of GPUs, small and on the CPU, and what it counts."""

import json
import subprocess
import sys

import pytest
import torch
from benchmarks.gpu import main
from benchmarks.gpu_measure import flops_of, traffic_of
from benchmarks.gpu_work import ALL


def test_every_work_is_measured(tmp_path, capsys):
    output = tmp_path / "gpu.json"
    words = ["--device", "cpu", "--small", "--no-compile", "--output", str(output)]
    assert main(words) == 0
    found = json.loads(output.read_text())
    assert {row["name"] for row in found["rows"]} == set(ALL)
    assert [row for row in found["rows"] if "missing" in row] == []
    assert all(row["images_per_s"] > 0 for row in found["rows"])
    assert all(row["tflops"] > 0 for row in found["rows"])
    printed = capsys.readouterr().out
    assert all(name in printed for name in ALL)


def test_a_work_that_fails_is_shown_with_its_reason(tmp_path, capsys, monkeypatch):
    def fails(*_, **__):
        raise ImportError("no such package")

    monkeypatch.setitem(ALL, "predict", (fails, 1, 1))
    words = ["--device", "cpu", "--small", "--no-compile", "--output", str(tmp_path / "gpu.json")]
    assert main([*words, "predict"]) == 0
    assert "not measured: ImportError: no such package" in capsys.readouterr().out


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_without_a_gpu_it_says_so(tmp_path, capsys):
    assert main(["--output", str(tmp_path / "gpu.json")]) == 0
    assert capsys.readouterr().out.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_operations_and_bytes_are_those_of_the_arithmetic():
    a, b = torch.rand(4, 8), torch.rand(8, 16)
    assert flops_of(lambda: a @ b) == 2 * 4 * 8 * 16
    assert traffic_of(lambda: a @ b) == 4 * (4 * 8 + 8 * 16 + 4 * 16)
    assert traffic_of(lambda: a.T.reshape(8, 4)[1:]) == 0


def test_the_map_needs_no_package_but_torch_numpy_and_pydantic():
    code = (
        "import sys, torch, numpy\n"
        "before = set(sys.modules)\n"
        "from benchmarks.gpu_work import sphere_training\n"
        "import benchmarks.gpu\n"
        "sphere_training('cpu', batch=2, size=16, compiled=False).step()\n"
        "new = set(sys.modules) - before\n"
        "heavy = {'h5py', 'scipy', 'rich', 'numba', 'yaml', 'pandas'} & new\n"
        "sys.exit(f'imports {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
