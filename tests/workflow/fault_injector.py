"""Faults inside a job, at the same moment each time: copied to ``sitecustomize.py`` of a project.

``FAULT="<job> <rank> <action> <n>"`` does something when that rank of that job renames a file into
``results`` for the n-th time, which is how everything there comes to its place; with ``w<n>``, when
it opens a file there for writing for the n-th time:

kill
    SIGKILL, before the file is renamed or opened.
kill-others
    SIGKILL to all other processes that the same process has started.
memory
    From now on no memory is given out.
wait
    Make the file that ``FAULT_FLAG`` names, with the process id in it, and sleep until it is gone.

``FAULT_RECORD`` names a file that lists all renames, what Python opens for writing, and how many
threads jobs are told to use.
"""

import os
import resource
import signal
import sys
import time

_words = sys.orig_argv
_provenance = _words[_words.index("--provenance") + 1] if "--provenance" in _words[:-1] else ""
_job = os.path.basename(_provenance).removesuffix(".json")
_rank = os.environ.get("PMI_RANK") or os.environ.get("RANK") or "0"
_wanted = os.environ.get("FAULT", "none 0 none 0").split()
_record = os.environ.get("FAULT_RECORD")
_results = os.path.join(os.getcwd(), "results") + os.sep
_seen = {"os.rename": 0, "open": 0}
_busy = False


def _note(kind: str, path: str) -> None:
    handle = os.open(_record, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(handle, f"{_job}\t{_rank}\t{kind}\t{path.removeprefix(_results)}\n".encode())
    os.close(handle)


def _act(action: str) -> None:
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "kill-others":
        with open(f"/proc/{os.getppid()}/task/{os.getppid()}/children") as handle:
            others = [int(number) for number in handle.read().split()]
        for other in others:
            if other != os.getpid():
                os.kill(other, signal.SIGKILL)
        time.sleep(300)
    elif action == "memory":
        with open("/proc/self/statm") as handle:
            size = int(handle.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
    elif action == "wait":
        with open(os.environ["FAULT_FLAG"], "w") as handle:
            handle.write(str(os.getpid()))
        deadline = time.monotonic() + 300
        while os.path.exists(os.environ["FAULT_FLAG"]) and time.monotonic() < deadline:
            time.sleep(0.05)


def _hook(event: str, args: tuple) -> None:
    global _busy
    if event not in ("os.rename", "open") or _busy:
        return
    path = args[1] if event == "os.rename" else args[0]
    if not isinstance(path, (str, os.PathLike)):
        return
    path = os.path.abspath(os.fspath(path))
    if not path.startswith(_results):
        return
    if event == "open" and not args[2] & (os.O_WRONLY | os.O_RDWR):
        return
    _busy = True
    try:
        _seen[event] += 1
        if _record:
            _note("rename" if event == "os.rename" else "write", path)
        moment = f"{'w' if event == 'open' else ''}{_seen[event]}"
        if [_job, _rank, moment] == [_wanted[0], _wanted[1], _wanted[3]]:
            _act(_wanted[2])
    finally:
        _busy = False


if _job:
    if _record:
        for _name in sorted(os.environ):
            if _name.endswith("_NUM_THREADS"):
                _note("environment", f"{_name}={os.environ[_name]}")
    sys.addaudithook(_hook)
