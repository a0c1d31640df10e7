from __future__ import annotations

import contextlib
import socket
import threading
from queue import Queue

import pytest

from morphosphere.learn.place import Place
from morphosphere.learn.watch import KEEPALIVE, Watch


class Three:
    """Three watches of one process, and what they report."""

    def __init__(self) -> None:
        self.lost: list[list[int]] = [[], [], []]
        self.happened = threading.Event()
        published: list[Queue] = [Queue(), Queue()]

        def publish(rank: int):
            def give(value):
                for queue in published if rank == 0 else ():
                    queue.put(value)
                return value if rank == 0 else published[rank - 1].get()

            return give

        def begin(rank: int) -> None:
            def lost(number: int) -> None:
                self.lost[rank].append(number)
                if all(self.lost[k] for k in self.expected):
                    self.happened.set()

            self.watches[rank] = Watch(Place(rank, 3), publish(rank), host="localhost", lost=lost)

        self.watches: list[Watch | None] = [None] * 3
        self.expected: list[int] = []
        threads = [threading.Thread(target=begin, args=(rank,)) for rank in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

    def end_abruptly(self, rank: int) -> None:
        """What the kernel does to the connections of a process that is killed.

        Of such a process no thread is left: its watch must not take the first connection that ends
        for a peer that is gone and tell the others so.
        """
        with self.watches[rank]._lock:
            self.watches[rank]._closed = True
        for connection in list(self.watches[rank]._peers.values()):
            with contextlib.suppress(OSError):  # closed already: the others are quick to hear of it
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for watch in self.watches:
            watch.close()
        for watch in self.watches:
            watch._thread.join(30)
            assert not watch._thread.is_alive()


@pytest.fixture
def three():
    found = Three()
    yield found
    found.close()


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_all_hear_of_a_process_that_is_gone(three, gone):
    three.expected = [k for k in range(3) if k != gone]
    three.end_abruptly(gone)
    assert three.happened.wait(30)
    # A process ends when it hears of the first; here it lives on and hears of those that ended so.
    assert [three.lost[k][0] for k in three.expected] == [gone, gone]


def test_a_process_that_says_farewell_is_not_missed(three):
    three.watches[2].close()
    three.end_abruptly(2)
    three.watches[2]._thread.join(30)
    three.expected = [0]
    three.end_abruptly(1)
    assert three.happened.wait(30)
    assert three.lost == [[1], [], []]


def test_the_kernel_asks_for_peers_that_fell_silent(three):
    # Nodes that lose power cannot be had in a test: what is asked of the kernel is looked at.
    assert KEEPALIVE["TCP_KEEPIDLE"] + KEEPALIVE["TCP_KEEPINTVL"] * KEEPALIVE["TCP_KEEPCNT"] <= 30
    for watch in three.watches:
        for connection in watch._peers.values():
            assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            for name, value in KEEPALIVE.items():
                assert connection.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) == value
