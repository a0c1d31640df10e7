"""Files that appear whole or not at all, and digests of files.

Everything is written beside its place and renamed into it, so that a stage killed at any moment
leaves nothing that looks finished.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from morphosphere.errors import InputError
from morphosphere.system import writing

#: Files above this size are digested by their length, their first and their last part.
SAMPLED_ABOVE = 1 << 30
_BLOCK = 1 << 22


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; rename it into place if the block succeeds.

    The temporary name keeps the suffix of `path`, so that libraries that look at it still work.
    After an exception the temporary file is removed and `path` is as it was; after a kill it is
    removed by the next process that writes `path`. A full disk is a `SystemLackError`.
    """
    path = Path(path)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        with writing(path):
            yield temporary
            with open(temporary, "rb") as handle:
                os.fsync(handle.fileno())
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@lru_cache
def _leftovers(folder: Path) -> tuple[Path, ...]:
    """What killed processes left in a folder, or others are writing there now; listed once."""
    return tuple(p for p in folder.glob(".*") if ".partial" in p.name or p.suffix == ".former")


def _remove_leftovers(path: Path) -> None:
    """Remove what killed processes left of a file or folder that nobody writes now."""
    if not (found := _leftovers(path.parent.absolute())):
        return
    ours = re.compile(
        rf"\.{re.escape(path.stem)}\.[^.]+\.partial{re.escape(path.suffix)}"
        rf"|\.{re.escape(path.name)}\.[^.]+\.(partial|former)"
    )
    for item in found:
        if ours.fullmatch(item.name):
            shutil.rmtree(item, ignore_errors=True) if item.is_dir() else item.unlink(True)


@contextlib.contextmanager
def atomic_directory(path: str | Path) -> Iterator[Path]:
    """Yield an empty folder beside `path`; it takes the place of `path` if the block succeeds."""
    path = Path(path)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    with writing(path):
        temporary = Path(
            tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
        )
    try:
        with writing(path):
            yield temporary
        temporary.chmod(0o755)
        former = temporary.with_suffix(".former")
        if path.is_symlink() or path.is_file():
            path.unlink()
        elif path.exists():
            os.replace(path, former)  # aside, not away: removing takes long, and can be killed
        os.replace(temporary, path)
        shutil.rmtree(former, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` (UTF-8) to `path` in one step."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as indented JSON to `path` in one step; NaN is refused (not valid JSON)."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    InputError
        If the file is missing or is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; run the stage that writes it") from None
    except ValueError as error:
        raise InputError(f"{path}: not valid JSON ({error}); remove it and run again") from None


def ranges(numbers: Iterable[int]) -> str:
    """Numbers in their order as text: ``{0-9,12}``, or ``7`` where there is only one."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    text = ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
    return text if text.isdigit() else f"{{{text}}}"


def expand_ranges(pattern: str) -> list[str]:
    """Paths of a pattern such as ``images/{0-9,12}/{0-3}.h5``; the last range changes fastest.

    A command line holds the pattern of thousands of files, but not their names.
    """
    before, brace, rest = pattern.partition("{")
    if not brace:
        return [pattern]
    text, _, after = rest.partition("}")
    ends = [part.partition("-") for part in text.split(",")]
    numbers = [n for a, _, b in ends for n in range(int(a), int(b or a) + 1)]
    tails = expand_ranges(after)
    return [f"{before}{number}{tail}" for number in numbers for tail in tails]


def digest(path: str | Path) -> str:
    """Digest of a file's contents: ``sha256:<hex>``.

    Files above `SAMPLED_ABOVE` bytes are digested by length, first and last 64 MiB, and say so:
    ``sha256-sampled:<hex>``.
    """
    path = Path(path)
    size = path.stat().st_size
    sampled = size > SAMPLED_ABOVE
    total = hashlib.sha256(str(size).encode() if sampled else b"")
    with open(path, "rb") as handle:
        for start in (0, size - 16 * _BLOCK) if sampled else (0,):
            handle.seek(start)
            for _ in range(16) if sampled else iter(int, 1):
                block = handle.read(_BLOCK)
                if not block:
                    break
                total.update(block)
    return f"sha256{'-sampled' if sampled else ''}:{total.hexdigest()}"
