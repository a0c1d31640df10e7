import platform
import resource
import subprocess
import sys

import pytest

from morphosphere.learn.memory import keep_memory

PROGRAM = """
import resource, sys
import numpy as np
from morphosphere.learn.memory import keep_memory
if sys.argv[1] == "keep":
    assert keep_memory()
for _ in range(2):  # the second time the memory is there
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        np.ones(1 << 24, np.uint8), np.ones(1 << 26, np.uint8)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's malloc is what is set")
def test_freed_memory_is_used_again():
    def faults(how: str) -> int:
        command = [sys.executable, "-c", PROGRAM, how]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    pages = (1 << 26) // resource.getpagesize()
    assert faults("keep") < pages / 100
    assert faults("default") > faults("keep")


def test_another_c_library_is_left_as_it_is(monkeypatch):
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    assert not keep_memory()
