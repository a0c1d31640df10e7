"""Notice within half a minute that another process of the training is gone.

A process that waits for a lost one in a collective operation learns of it late or never: a killed
process closes its connections, but NCCL does not always look, and a node that loses power closes
nothing. So every process holds one more connection to the first and leaves it silent. The kernels
ask each other whether they are still there (TCP keepalive), however busy the processes are; a
process that only takes long is never taken for lost.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import selectors
import socket
import struct
import threading
from collections.abc import Callable

from morphosphere.errors import MorphosphereError
from morphosphere.learn.place import Place
from morphosphere.progress import log

#: Seconds of silence, between questions, and questions without an answer: 30 s in all.
KEEPALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 4}
#: Seconds that the processes wait for each other when they begin to watch.
JOIN = 120.0
_FAREWELL = -1
_NUMBER = struct.Struct("!i")


class Watch:
    """Watch over the other processes until `close`.

    Parameters
    ----------
    place : Place
    publish : callable
        Gives the first process's argument to all: ``publish(value or None) -> value``.
    host : str
        Address of the first process's node.
    lost : callable
        Called from a thread with the number of a process that ended without `close`; it is to end
        this one. By default a line in the log and exit status 1.

    Raises
    ------
    MorphosphereError
        If the processes cannot reach each other.
    """

    def __init__(
        self,
        place: Place,
        publish: Callable[[tuple[int, bytes] | None], tuple[int, bytes]],
        *,
        host: str,
        lost: Callable[[int], None] | None = None,
    ) -> None:
        self._place, self._lost = place, lost or self._exit
        self._closed = False
        self._lock = threading.Lock()
        if place.rank == 0:
            self._peers = self._gather(publish)
        else:
            port, token = publish(None)
            self._peers = {0: self._join(host, port, token)}
        self._thread = threading.Thread(target=self._listen, name="watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the watch; the others take it as an orderly end."""
        with self._lock:
            self._closed = True
            for connection in self._peers.values():
                _tell(connection, _FAREWELL)

    def _gather(self, publish: Callable) -> dict[int, socket.socket]:
        token, peers = secrets.token_bytes(16), {}
        dual = socket.has_dualstack_ipv6()
        family = socket.AF_INET6 if dual else socket.AF_INET
        backlog = self._place.size
        with socket.create_server(
            ("", 0), family=family, dualstack_ipv6=dual, backlog=backlog
        ) as server:
            publish((server.getsockname()[1], token))
            server.settimeout(JOIN)
            while len(peers) < self._place.size - 1:
                try:
                    connection, _ = server.accept()
                    connection.settimeout(JOIN)
                    greeting = _receive(connection, len(token) + _NUMBER.size)
                except OSError as error:
                    raise _unreachable(error) from None
                if greeting[: len(token)] == token:  # and not a stranger
                    peers[_NUMBER.unpack(greeting[len(token) :])[0]] = _kept_alive(connection)
                else:
                    connection.close()
        return peers

    def _join(self, host: str, port: int, token: bytes) -> socket.socket:
        try:
            connection = socket.create_connection((host, port), timeout=JOIN)
            connection.sendall(token + _NUMBER.pack(self._place.rank))
        except OSError as error:
            raise _unreachable(error) from None
        return _kept_alive(connection)

    def _listen(self) -> None:
        with selectors.DefaultSelector() as selector:
            for rank, connection in self._peers.items():
                selector.register(connection, selectors.EVENT_READ, rank)
            while selector.get_map():
                for key, _ in selector.select():
                    try:
                        said = _receive(key.fileobj, _NUMBER.size)
                    except OSError:
                        said = b""
                    number = _NUMBER.unpack(said)[0] if said else key.data
                    if number != _FAREWELL:
                        self._report(number)
                    selector.unregister(key.fileobj)
                    key.fileobj.close()

    def _report(self, number: int) -> None:
        with self._lock:
            if self._closed:
                return
            for connection in self._peers.values() if self._place.rank == 0 else ():
                _tell(connection, number)
        self._lost(number)

    def _exit(self, number: int) -> None:
        # One voice is enough: that of the first process, or of the next if it is the one.
        if self._place.rank == (1 if number == 0 else 0):
            log(
                f"morphosphere learn: error: process {number} of {self._place.size} ended early "
                "(its own message says why, or it was killed, or its node is down); all end. Start "
                "again to go on from the last checkpoint"
            )
        os._exit(1)


def _kept_alive(connection: socket.socket) -> socket.socket:
    connection.settimeout(None)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE.items():
        if hasattr(socket, name):  # not on every system
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return connection


def _receive(connection: socket.socket, count: int) -> bytes:
    """`count` bytes; fewer only if the other side is gone."""
    found = b""
    while len(found) < count and (more := connection.recv(count - len(found))):
        found += more
    return found if len(found) == count else b""


def _tell(connection: socket.socket, number: int) -> None:
    with contextlib.suppress(OSError):  # gone already
        connection.sendall(_NUMBER.pack(number))


def _unreachable(error: OSError) -> MorphosphereError:
    return MorphosphereError(
        f"the processes of the training cannot reach each other ({error}); open the ports above "
        "1024 between the nodes"
    )
