import os
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from morphosphere.parallel import World, world


@given(count=st.integers(0, 10_000), size=st.integers(1, 300))
def test_ranks_share_everything_once_and_evenly(count, size):
    shares = [World(rank, size).share(count) for rank in range(size)]
    assert [i for share in shares for i in share] == list(range(count))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_one_process_is_a_world_of_its_own(monkeypatch):
    for name in list(os.environ):
        if name.startswith(("PMI", "OMPI", "MPI")):
            monkeypatch.delenv(name)
    alone = world()
    assert (alone.rank, alone.size, alone.first, alone.comm) == (0, 1, True, None)
    assert alone.gather("x") == ["x"]
    assert alone.broadcast("x") == "x"
    alone.barrier()
    alone.abort()


def test_mpi_is_not_initialised_without_a_launcher():
    code = """
import sys
from morphosphere.parallel import world
world()
print("mpi4py.MPI" in sys.modules)
"""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PMI", "OMPI", "MPI"))}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def mpiexec(ranks, code):
    launcher = shutil.which("mpiexec", path=os.path.dirname(sys.executable))
    launcher = launcher or shutil.which("mpiexec")
    if launcher is None:
        pytest.fail("mpiexec is missing: the mpich wheel is a dependency")
    return subprocess.run(
        [launcher, "-n", str(ranks), sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=100,
    )


def test_ranks_gather_and_broadcast():
    done = mpiexec(
        3,
        """
        from morphosphere.parallel import world
        ranks = world()
        parts = ranks.gather(list(ranks.share(10)))
        word = ranks.broadcast("from the first" if ranks.first else None)
        ranks.barrier()
        assert word == "from the first"
        assert (parts is None) != ranks.first
        if ranks.first:
            print(ranks.size, sum(parts, []))
        """,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"3 {list(range(10))}"


def test_one_failing_rank_leaves_nobody_waiting():
    done = mpiexec(
        2,
        """
        from morphosphere.parallel import world
        ranks = world()
        if ranks.rank == 1:
            ranks.abort()
        ranks.barrier()
        """,
    )
    assert done.returncode != 0


def test_ranks_end_when_their_launcher_is_killed(tmp_path):
    mpiexec = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    script = tmp_path / "ranks.py"
    script.write_text(
        textwrap.dedent(
            """
            import os, pathlib, signal, sys, time
            from morphosphere.parallel import world
            ranks = world()
            pathlib.Path(sys.argv[1], str(ranks.rank)).write_text(str(os.getpid()))
            ranks.barrier()
            if ranks.first:
                os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(300)
            """
        )
    )
    command = [mpiexec, "-n", "2", sys.executable, str(script), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, timeout=120)
    assert done.returncode != 0
    pids = [int((tmp_path / name).read_text()) for name in "01"]
    deadline = time.monotonic() + 60
    while alive := [pid for pid in pids if _runs(pid)]:
        assert time.monotonic() < deadline, f"ranks {alive} run on without their launcher"
        time.sleep(0.2)


def _runs(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
