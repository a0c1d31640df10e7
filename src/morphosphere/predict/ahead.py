"""Work on chunks in several threads, with results in the order of the chunks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def in_order(
    work: Callable[[int, int], T],
    chunks: Iterable[tuple[int, int]],
    threads: int,
    *,
    begin: Callable[[], None] | None = None,
) -> Iterator[T]:
    """``work(start, stop)`` of every chunk, in order, made by so many threads.

    One chunk more than there are threads is under way or waits to be taken, however many there
    are. Each thread begins with `begin`. After an error, of the work or of who takes the results,
    no further chunk is begun.
    """
    waiting: deque[Future[T]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="chunk", initializer=begin) as pool:
        try:
            for start, stop in chunks:
                waiting.append(pool.submit(work, start, stop))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
