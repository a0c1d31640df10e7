"""Jobs end with their Snakemake, and one process at a time makes a result."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from morphosphere.guard import BusyError, alone

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's process descriptors")

SNAKEMAKE = """
import subprocess, sys, time
from morphosphere.guard import name_snakemake
name_snakemake()
subprocess.Popen(["sh", "-c", sys.executable + ' -c "$0" "$1"; true', sys.argv[1], sys.argv[2]])
time.sleep(300)
"""
JOB = """
import os, pathlib, sys, time
from morphosphere.guard import end_with_snakemake
end_with_snakemake()
pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
time.sleep(300)
"""


def wait_for(reached, what: str, seconds: float = 60) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def runs(pid: int) -> bool:
    """Whether a process is there and not yet a zombie."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@linux
def test_a_job_ends_with_a_snakemake_that_is_killed(tmp_path: Path) -> None:
    said = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", SNAKEMAKE, JOB, str(said)])
    wait_for(lambda: said.exists() and said.read_text(), "the job did not start")
    pid = int(said.read_text())
    time.sleep(0.2)
    assert runs(pid)
    parent.send_signal(signal.SIGKILL)
    # its parent has not been waited for, and so is a zombie: that counts as ended
    wait_for(lambda: not runs(pid), "the job runs on without its Snakemake")
    assert parent.wait() == -signal.SIGKILL


@linux
@pytest.mark.parametrize("where", ["elsewhere pid:[1]", ""])
def test_a_job_on_another_machine_minds_its_own_business(tmp_path: Path, where: str) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    environment = {**os.environ, "MORPHOSPHERE_SNAKEMAKE": f"{gone.pid} {where}"}
    code = "from morphosphere.guard import end_with_snakemake as e; e(); print('went on')"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert done.stdout == "went on\n"


@linux
def test_a_job_whose_snakemake_has_gone_does_not_start(tmp_path: Path) -> None:
    code = """
    import os, subprocess
    from morphosphere.guard import _SNAKEMAKE, end_with_snakemake, name_snakemake
    name_snakemake()
    gone = subprocess.Popen(["true"])
    gone.wait()
    os.environ[_SNAKEMAKE] = os.environ[_SNAKEMAKE].replace(str(os.getpid()), str(gone.pid), 1)
    end_with_snakemake()
    print("went on")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True
    )
    assert done.returncode == -signal.SIGTERM
    assert done.stdout == ""
    assert "Snakemake that started this job has ended" in done.stderr


def test_a_result_that_another_process_makes_is_refused_until_it_is_killed(tmp_path: Path) -> None:
    record = tmp_path / "provenance" / "render.json"
    code = """
    import pathlib, sys, time
    from morphosphere.guard import alone
    with alone(pathlib.Path(sys.argv[1])):
        print("holds", flush=True)
        time.sleep(300)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(record)]
    other = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "holds\n"
    refused = pytest.raises(BusyError, match=rf"render\.json: another process \({other.pid} on ")
    with refused, alone(record, patience=0.2):
        pytest.fail("two hold the lock")
    other.kill()
    other.communicate()
    with alone(record, patience=30):
        pass


def test_a_result_without_a_record_needs_no_lock() -> None:
    with alone(None):
        pass
