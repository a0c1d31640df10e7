from __future__ import annotations

import platform
import subprocess
import sys

import pytest

# In a process of its own, where no hole of the heap is left by others.
SCRIPT = """
from pathlib import Path

from morphosphere.memory import give_back


def held():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))


large, kept = [], []
for _ in range(1000):
    large.append(bytearray(64_000))
    kept.append(bytearray(1_000))
large.clear()
before = held()
give_back()
print(before - held(), sum(map(len, kept)))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a matter of the C library glibc")
def test_what_is_freed_between_pieces_in_use_goes_back():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    given, kept = map(int, done.stdout.split())
    assert given > 30e6
    assert kept == 1_000_000
