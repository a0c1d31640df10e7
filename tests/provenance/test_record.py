"""What a record holds, and what it does not read twice."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from morphosphere.files import SAMPLED_ABOVE, digest
from morphosphere.provenance import RunRecord
from morphosphere.provenance.contents import digest_of, files_below, together
from morphosphere.provenance.known import Known
from morphosphere.provenance.machine import Usage, slurm_job, summary
from morphosphere.provenance.software import source_digest
from ranks import run_ranks

STAGE = """
import argparse, sys
from morphosphere.config.base import Settings
from morphosphere.stage import run_stage, stage_parser

class Nothing(Settings):
    pass

def work(args, settings, record, world):
    held = bytearray((20 + 60 * world.rank) << 20)
    held[::4096] = b"x" * len(held[::4096])

sys.exit(run_stage("fruit", stage_parser("fruit", "Fruit.").parse_args(), Nothing, work, mpi=True))
"""


def sha256(contents: bytes) -> str:
    return f"sha256:{hashlib.sha256(contents).hexdigest()}"


def finished(record: RunRecord) -> dict:
    record.write(record.path)
    return json.loads(record.path.read_text())


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Folder of a run's results."""
    folder = tmp_path / "results" / "demo"
    (folder / "provenance").mkdir(parents=True)
    return folder


def test_inputs_and_outputs_have_the_digests_of_their_bytes(run: Path) -> None:
    (run / "a.h5").write_bytes(b"aa")
    (run / "tiles").mkdir()
    (run / "tiles" / "1.png").write_bytes(b"one")
    (run / "tiles" / ".hidden").write_bytes(b"no result")
    record = RunRecord("fruit", {"size": 3}, 7, run / "provenance" / "fruit.json")
    assert record.inputs([run / "a.h5", run / "tiles"]) == {
        str(run / "a.h5"): sha256(b"aa"),
        str(run / "tiles/1.png"): sha256(b"one"),
    }
    record.outputs([run / "a.h5", run / "tiles"])
    value = finished(record)
    assert value["outputs"][str(run / "a.h5")]["digest"] == sha256(b"aa")
    assert value["outputs"][str(run / "a.h5")]["bytes"] == 2
    tiles = value["outputs"][str(run / "tiles")]
    assert tiles["digest"].startswith("sha256-tree:")
    assert (tiles["files"], tiles["bytes"]) == (1, 3)
    assert value["folder"] == str(run)
    assert (value["settings"], value["seed"]) == ({"size": 3}, 7)


def test_what_is_not_recorded_is_not_read(tmp_path: Path) -> None:
    record = RunRecord("fruit", {}, None)
    assert record.inputs([tmp_path / "missing"]) == {}
    record.outputs([tmp_path / "missing"])
    record.inputs_together(tmp_path, [tmp_path / "missing"])


def test_a_tree_changes_with_names_contents_and_nothing_else(tmp_path: Path) -> None:
    def tree(**files: str) -> str:
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        for name, contents in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(contents)
        return together(folder, files_below(folder))[0]

    first = tree(a="1", b="2")
    assert tree(b="2", a="1") == first
    others = [tree(a="1", b="3"), tree(a="1", c="2"), tree(a="1"), tree(a="2", b="1")]
    assert len({first, *others}) == 5


def test_times_of_making_are_left_out(tmp_path: Path) -> None:
    def properties(**values: str) -> str:
        path = tmp_path / "properties"
        path.write_text("".join(f"{key:<22} = {value}\n" for key, value in values.items()))
        return digest_of(path)

    first = properties(hips_order="3", hips_creation_date="2026-01-01T00:00Z", t_min="61041")
    assert first == properties(
        hips_order="3", hips_creation_date="2027-07-07T07:07Z", t_min="61600"
    )
    assert first != properties(
        hips_order="4", hips_creation_date="2026-01-01T00:00Z", t_min="61041"
    )

    def table(text: str) -> str:
        (tmp_path / "metrics.csv").write_text(text)
        return digest_of(tmp_path / "metrics.csv")

    first = table("epoch,seconds,data_seconds,loss\n0,1.2,0.1,5\n")
    assert first == table("epoch,seconds,data_seconds,loss\n0,9.9,0.2,5\n")
    assert first != table("epoch,seconds,data_seconds,loss\n0,1.2,0.1,6\n")
    assert first.startswith("sha256-timeless:")


def test_a_large_file_of_another_stage_is_not_read_again(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = run / "images.h5"
    path.write_bytes(b"0123456789")
    maker = RunRecord("join", {}, None, run / "provenance" / "join.json")
    maker.outputs([path])
    finished(maker)
    (run / "provenance" / "broken.json").write_text("{")

    known = Known(run / "provenance" / "learn.json", large=10)
    assert known.digest(path) == sha256(b"0123456789")
    small = Known(run / "provenance" / "learn.json", large=11)
    assert small.digest(path) is None
    other = run / "another.h5"
    other.write_bytes(b"0123456789")
    assert known.digest(other) is None

    status = path.stat()
    path.write_bytes(b"9876543210")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert Known(run / "provenance" / "learn.json", large=10).digest(path) is None


def test_a_huge_input_is_read_in_part(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.hdf5"
    with open(path, "wb") as handle:
        handle.truncate(SAMPLED_ABOVE + 1)
    record = RunRecord("extract", {}, None, tmp_path / "extract.json")
    found = record.inputs([path])
    assert found[str(path)] == digest(path)
    assert found[str(path)].startswith("sha256-sampled:")


def test_the_source_has_a_digest_of_its_own() -> None:
    assert source_digest() == source_digest()
    assert source_digest().startswith("sha256:")


def test_ranks_are_put_together() -> None:
    found = summary([Usage("n1", 100.0, 1.0), Usage("n2", 300.0, 2.0), Usage("n2", 200.0, 3.0)])
    assert found == {
        "ranks": 3,
        "threads": 1,
        "hosts": {"n1": 1, "n2": 2},
        "largest_rank": 1,
        "memory_mib_of_all": 600.0,
        "cpu_seconds": 6.0,
    }
    assert summary([Usage("n1", 1.0, 1.0, 512.0)])["gpu_memory_mib"] == 512.0


def test_a_job_of_slurm_is_named() -> None:
    assert slurm_job({}) is None
    assert slurm_job({"SLURM_JOB_ID": "17"}) == {"job": "17"}
    variables = {
        "SLURM_JOB_ID": "17",
        "SLURM_STEP_ID": "0",
        "SLURM_JOB_NODELIST": "n[1-4]",
        "SLURM_STEP_NODELIST": "n[1-2]",
        "SLURM_CLUSTER_NAME": "big",
    }
    expected = {"job": "17", "step": "0", "nodes": "n[1-2]", "cluster": "big"}
    assert slurm_job(variables) == expected


def test_memory_is_that_of_the_largest_rank(tmp_path: Path) -> None:
    (tmp_path / "stage.py").write_text(STAGE)
    record = tmp_path / "run.json"
    done = run_ranks(3, [tmp_path / "stage.py", "--provenance", record])
    assert done.returncode == 0, done.stderr
    value = json.loads(record.read_text())
    processes = value["processes"]
    assert processes["ranks"] == 3
    assert processes["hosts"] == {platform.node(): 3}
    assert processes["largest_rank"] == 2
    assert value["peak_memory_mib"] > 140
    assert processes["memory_mib_of_all"] > value["peak_memory_mib"] + 100
    assert processes["cpu_seconds"] > 0
    assert processes["threads"] == 1


def test_memory_of_a_child_counts() -> None:
    code = """
import subprocess, sys
from morphosphere.provenance.machine import Usage
before = Usage.now().memory_mib
subprocess.run([sys.executable, "-c", "x = b'x' * (300 << 20)"], check=True)
assert Usage.now().memory_mib > 300 > before, (before, Usage.now())
"""
    ours = b"x" * (400 << 20)  # not counted: a child that starts has this for a moment
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(ours) == 400 << 20
