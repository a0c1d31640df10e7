"""A Slurm cluster of two nodes on this machine, for tests.

One controller and two node daemons, each with its own name and port, as `slurmd -N` allows. Nodes
claim more cores than the machine has, so that jobs of several tasks find room on two cores. Memory
is watched every second and a job over its memory is killed, as a cluster would do.

Needs root, Debian's ``slurm-wlm`` and ``munge``, and a machine that is not part of a cluster: Slurm
drops its variables on the way to a job, so the configuration has to stand at its usual place.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

MARK = "# written by morphosphere's tests"
CONFIGURATION = Path("/etc/slurm")
NODES = ("n1", "n2")
CORES, MEMORY_MIB, GPUS = 4, 32000, 2
#: Seconds that a job in the queue again waits for, as long as Slurm's leave to start a job is valid
#: (120 by default). A node has to start a job within them, however busy the machine is.
REQUEUED_AFTER = 30


class SlurmError(RuntimeError):
    """A cluster that does not start, with its own words."""


@dataclass
class Cluster:
    """Starts, stops and damages the cluster.

    Parameters
    ----------
    folder : Path
        For logs, spool and state.
    """

    folder: Path
    _daemons: dict[str, subprocess.Popen] = field(default_factory=dict)

    def start(self) -> None:
        """Start all daemons and wait until both nodes are idle.

        Raises
        ------
        SlurmError
            If Slurm is already configured here, or does not come up.
        """
        existing = CONFIGURATION / "slurm.conf"
        if existing.exists() and not existing.read_text().startswith(MARK):
            raise SlurmError(f"{existing} exists; tests do not touch a real cluster")
        for name in ("state", "log", "munge", *NODES):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self._name_nodes()
        self._write_configuration()
        key = self.folder / "munge" / "key"
        key.write_bytes(secrets.token_bytes(1024))
        key.chmod(0o400)
        munge = [f"--{name}-file={self.folder}/munge/{name}" for name in ("key", "pid", "log")]
        munge += [f"--seed-file={self.folder}/munge/seed", f"--socket={self.folder}/munge/socket"]
        self._daemon("munged", "munged", "--foreground", "--force", *munge)
        self._until(lambda: (self.folder / "munge" / "socket").exists(), "munged")
        self._daemon("slurmctld", "slurmctld", "-D", "-i")
        self._until(lambda: self.run("scontrol", "ping").returncode == 0, "slurmctld")
        for node in NODES:
            self.start_node(node)
        self.wait_until_idle()

    def stop(self) -> None:
        """End all jobs and daemons, and take the configuration away."""
        if "slurmctld" in self._daemons:
            self.run("scancel", "--user=root", "--signal=KILL")
            self.run("scancel", "--user=root")
        for process in reversed(self._daemons.values()):
            process.terminate()
        for name, process in self._daemons.items():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
            self._kill_steps(name)
        self._daemons.clear()
        for name in ("slurm.conf", "gres.conf"):
            with contextlib.suppress(FileNotFoundError):
                (CONFIGURATION / name).unlink()

    def start_node(self, node: str) -> None:
        """Start a node's daemon."""
        self._daemon(node, "slurmd", "-D", "-c", "-N", node)

    def kill_node(self, node: str) -> None:
        """A node dies with all that runs on it, as when its power fails."""
        self._daemons[node].kill()
        self._daemons.pop(node).wait()
        self._kill_steps(node)

    def kill_daemon(self, node: str) -> None:
        """A node's daemon dies, and what it started goes on."""
        self._daemons[node].kill()
        self._daemons.pop(node).wait()

    def revive_node(self, node: str) -> None:
        """The node comes back after a restart, and takes jobs again."""
        self.start_node(node)
        self.run("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
        self.run("scontrol", "update", f"nodename={node}", "state=resume")

    def wait_until_idle(self) -> None:
        """Wait until no job runs and both nodes are ready for the next."""

        def idle() -> bool:
            found = self.run("sinfo", "--noheader", "-N", "-o", "%N %T", "-p", "main").stdout
            return sorted(found.split("\n")[:-1]) == [f"{node} idle" for node in NODES]

        self._until(idle, "nodes")

    def jobs(self) -> dict[str, tuple[str, str]]:
        """State and comment of all jobs that Slurm knows, by job id."""
        listed = self.run("squeue", "--noheader", "--states=all", "-o", "%i|%T|%k").stdout
        rows = [line.split("|", 2) for line in listed.splitlines()]
        return {job: (state, comment) for job, state, comment in rows}

    @staticmethod
    def run(*command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of Slurm and return what it printed."""
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    def _daemon(self, name: str, *command: str) -> None:
        with (self.folder / "log" / f"{name}.out").open("ab") as log:
            self._daemons[name] = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )

    def _until(self, ready, what: str, seconds: float = 90) -> None:
        end = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > end:
                logs = sorted((self.folder / "log").iterdir())
                said = "\n".join(f"== {p.name}\n{p.read_text()[-1500:]}" for p in logs)
                state = self.run("sinfo", "-N", "-l").stdout + self.run("squeue").stdout
                raise SlurmError(f"{what}: not ready after {seconds:.0f} s\n{state}\n{said}")
            time.sleep(0.2)

    def _kill_steps(self, node: str) -> None:
        """Kill a node's step daemons and all that they started."""
        with contextlib.suppress(ImportError):
            import psutil

            for process in psutil.process_iter(["name", "cmdline", "environ"]):
                with contextlib.suppress(psutil.Error):
                    environment = process.info["environ"] or {}
                    step = process.info["name"] == "slurmstepd" and self._spool_of(process, node)
                    if step or environment.get("SLURMD_NODENAME") == node:
                        process.send_signal(signal.SIGKILL)

    def _spool_of(self, process, node: str) -> bool:
        # A step daemon says its node in none of its arguments; it holds its node's spool open.
        places = [f.path for f in process.open_files()] + [process.cwd()]
        return any(str(self.folder / node) in place for place in places)

    def _name_nodes(self) -> None:
        hosts = Path("/etc/hosts")
        known = {name for line in hosts.read_text().splitlines() for name in line.split()[1:]}
        missing = [node for node in NODES if node not in known]
        if missing:
            with hosts.open("a") as file:
                file.writelines(f"127.0.0.1 {node}\n" for node in missing)

    def _write_configuration(self) -> None:
        CONFIGURATION.mkdir(exist_ok=True)
        for node in NODES:
            for number in range(GPUS):
                (self.folder / node / f"gpu{number}").touch()
        gres = [
            f"NodeName={node} Name=gpu File={self.folder}/{node}/gpu[0-{GPUS - 1}]"
            for node in NODES
        ]
        (CONFIGURATION / "gres.conf").write_text("\n".join([MARK, *gres, ""]))
        ports = [_free_port() for _ in range(1 + len(NODES))]
        nodes = "\n".join(
            f"NodeName={node} NodeHostname={socket.gethostname()} NodeAddr=127.0.0.1 Port={port} "
            f"CPUs={CORES} RealMemory={MEMORY_MIB} Gres=gpu:{GPUS} State=UNKNOWN"
            for node, port in zip(NODES, ports[1:])
        )
        text = f"""{MARK}
ClusterName=test
SlurmctldHost={socket.gethostname()}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={self.folder}/munge/socket,cred_expire={REQUEUED_AFTER}
StateSaveLocation={self.folder}/state
SlurmdSpoolDir={self.folder}/%n
SlurmctldPidFile={self.folder}/slurmctld.pid
SlurmdPidFile={self.folder}/%n.pid
SlurmctldLogFile={self.folder}/log/slurmctld.log
SlurmdLogFile={self.folder}/log/%n.log
SlurmdParameters=config_overrides
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
SchedulerParameters=sched_interval=2,batch_sched_delay=0,bf_interval=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldTimeout=10
SlurmdTimeout=10
InactiveLimit=0
KillWait=20
MinJobAge=100000
ReturnToService=2
GresTypes=gpu
{nodes}
PartitionName=main Nodes=ALL Default=YES MaxTime=1440 State=UP PriorityTier=1
PartitionName=urgent Nodes=ALL MaxTime=1440 State=UP PriorityTier=10 PreemptMode=OFF
"""
        (CONFIGURATION / "slurm.conf").write_text(text)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    # A cluster to play with: python tests/cluster/slurm.py FOLDER, ended with Ctrl-C.
    import sys

    cluster = Cluster(Path(sys.argv[1]).resolve())
    cluster.start()
    print(json.dumps({"nodes": NODES, "pid": os.getpid()}), flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        signal.pause()
    finally:
        cluster.stop()
