"""Disks that are small or cannot be written to, seen by one command and what it starts.

They are mounted in a mount namespace of the command's own, which ends with it: nothing of the
system changes, and nothing is left when a test is killed.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

#: Words that give what follows mounts of its own; those who are not root need a user namespace.
_OWN = ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "--map-root-user", "--mount")
_SMALL = """
folder=$1; free=$2; shift 2
mv "$folder" "$folder.aside"
mkdir "$folder"
mount -t tmpfs -o size=1g tmpfs "$folder"
cp -a "$folder.aside/." "$folder"
used=$(df --block-size=1K --output=used "$folder" | tail -1)
mount -o "remount,size=$((used + free))k" "$folder"
code=0
"$@" || code=$?
rm -rf "$folder.aside"
cp -a "$folder" "$folder.aside"
umount -l "$folder"
rmdir "$folder"
mv "$folder.aside" "$folder"
exit $code
"""
_READ_ONLY = """
folder=$1; shift
mount --bind "$folder" "$folder"
mount -o remount,bind,ro "$folder"
exec "$@"
"""


def with_free(folder: Path, kib: int) -> tuple[str, ...]:
    """Words before a command that sees `folder` on a disk with `kib` KiB left; 0: none at all.

    What the folder holds is copied to that disk, and what it holds at the end is copied back.
    """
    return (*_OWN, "bash", "-euc", _SMALL, "bash", str(folder), str(kib))


def read_only(folder: Path) -> tuple[str, ...]:
    """Words before a command that cannot change anything in `folder`."""
    return (*_OWN, "bash", "-euc", _READ_ONLY, "bash", str(folder))


@lru_cache
def can_mount() -> bool:
    """Whether this system lets us."""
    with tempfile.TemporaryDirectory() as folder:
        words = [*_OWN, "mount", "-t", "tmpfs", "tmpfs", folder]
        try:
            return subprocess.run(words, capture_output=True, timeout=30).returncode == 0
        except OSError:
            return False
