"""Results in order, however long each takes, and no work after an error."""

import threading
import time

import pytest

from morphosphere.predict.ahead import in_order

CHUNKS = [(n, n + 1) for n in range(20)]


def test_results_come_in_order():
    def work(start: int, stop: int) -> int:
        time.sleep(0.01 * (start % 3 == 0))
        return start

    assert list(in_order(work, CHUNKS, 4)) == list(range(20))
    assert list(in_order(work, [], 4)) == []


def test_at_most_one_chunk_more_than_threads_is_ahead():
    begun = []
    results = in_order(lambda start, stop: begun.append(start), CHUNKS, 2)
    next(results)
    assert len(begun) <= 3
    results.close()
    assert len(begun) <= 3


def test_an_error_ends_it():
    begun, go = [], threading.Event()

    def work(start: int, stop: int) -> None:
        begun.append(start)
        if start == 1:
            raise ValueError("chunk 1")
        go.wait(0.05)

    with pytest.raises(ValueError, match="chunk 1"):
        list(in_order(work, CHUNKS, 2))
    assert len(begun) <= 5
