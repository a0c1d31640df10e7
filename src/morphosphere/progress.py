"""Progress of long work: a rich bar on a terminal, plain lines in a log."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

#: Seconds between two lines in a log.
LOG_INTERVAL = 10.0


@contextlib.contextmanager
def progress(description: str, total: int, *, show: bool = True) -> Iterator[Callable[[int], None]]:
    """Yield ``advance(n)``, to be called after each `n` of `total` pieces of work.

    Parameters
    ----------
    description : str
        What is being done, as a user would say it ("render galaxies").
    total : int
        Number of pieces.
    show : bool
        False on all ranks but the first.
    """
    if not show:
        yield lambda n=1: None
    elif sys.stderr.isatty():
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        ) as bar:
            task = bar.add_task(description, total=total)
            yield lambda n=1: bar.advance(task, n)
    else:
        yield _log_lines(description, total)


def _log_lines(description: str, total: int) -> Callable[[int], None]:
    started = last = time.monotonic()
    done = 0

    def advance(n: int = 1) -> None:
        nonlocal done, last
        done += n
        now = time.monotonic()
        if now - last < LOG_INTERVAL and done < total:
            return
        last = now
        log(f"{description}: {done}/{total}, {done / max(now - started, 1e-9):.3g}/s")

    return advance


def log(line: str) -> None:
    """Write one line to the log (standard error), at once; work goes on where there is no room."""
    with contextlib.suppress(OSError):
        print(line, file=sys.stderr, flush=True)
