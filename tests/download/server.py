"""Servers that behave like the TNG web API with its data server, and like hips2fits, with faults.

The API checks the key, lists subhalos by pages and answers a cutout with a redirect to the data
server (another port), with a permission in the address. The data server serves ranges. What is to
go wrong is given by a part of the address: one fault for each request to it.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import h5py
import numpy as np

from factories_arepo import Object, write_cutout

KEY = "k3y-that-nobody-may-see-0123456789"
TOKEN = "t0ken-of-the-data-server"


def cutout_bytes(subhalo: int, *, snapshot: int = 99, stars: int = 200, padding: int = 0) -> bytes:
    """A cutout as the API delivers it, `padding` bytes of noise larger than needed."""
    room = io.BytesIO()
    numbers = {"SnapshotNumber": snapshot, "CutoutID": subhalo}
    header = {name: np.array([number], dtype=np.int32) for name, number in numbers.items()}
    write_cutout(room, Object(stars=stars, gas=50), seed=subhalo, **header)
    with h5py.File(room, "r+") as out:
        noise = np.random.default_rng(subhalo).integers(0, 256, padding, dtype=np.uint8)
        out["Noise"] = noise
    return room.getvalue()


@dataclass
class Asked:
    """One request as a server saw it."""

    server: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass
class Server:
    """What all servers of a test have in common.

    Attributes
    ----------
    faults : dict
        Part of an address to a list of faults, used up one by one: a status (429), a status with
        Retry-After (``"429 after 1"``), cut, long, short, html, json, stall, reset.
    ranges : bool
        Whether Range is understood.
    headers : callable
        Further headers of a body.
    """

    faults: dict[str, list[Any]] = field(default_factory=dict)
    ranges: bool = True
    headers: Callable[[bytes], dict[str, str]] = lambda body: {}
    asked: list[Asked] = field(default_factory=list)
    cutouts: dict[int, bytes] = field(default_factory=dict)
    listed: list[int] | None = None
    page: int = 1000
    images: Callable[[dict[str, str]], bytes] | None = None

    def __enter__(self) -> Server:
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._servers = []
        for name in ("api", "data", "hips"):
            handler = type(f"Handler_{name}", (_Handler,), {"owner": self, "name": name})
            server = _Quiet(("127.0.0.1", 0), handler)
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            self._servers.append(server)
            setattr(self, f"{name}_url", f"http://127.0.0.1:{server.server_port}")
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()

    @property
    def url(self) -> str:
        """Address of the API."""
        return f"{self.api_url}/api/"

    def fault(self, address: str) -> Any:
        """The next fault for an address; None if all goes well."""
        with self._lock:
            for part, left in self.faults.items():
                if part in address and left:
                    return left.pop(0)
        return None

    def count(self, part: str, server: str | None = None) -> int:
        """How many requests had a part in their path."""
        return sum(part in a.path and server in (None, a.server) for a in self.asked)


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a client that went away is no error
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    owner: Server
    name: str
    protocol_version = "HTTP/1.1"

    def log_message(self, *words: object) -> None:
        pass

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {k: v[0] for k, v in parse_qs(parts.query).items()}
        self.owner.asked.append(Asked(self.name, parts.path, query, dict(self.headers.items())))
        fault = self.owner.fault(f"{self.name}{self.path}")
        try:
            if isinstance(fault, (int, str)) and (match := re.match(r"\d+", str(fault))):
                after = re.search(r"after (.+)", str(fault))
                headers = {"Retry-After": after[1]} if after else {}
                # Some servers repeat what they were sent.
                body = f"{KEY} refused: {self.headers.get('api-key')}".encode()
                self.answer(int(match[0]), body, headers)
            elif fault == "html":
                self.answer(200, b"<html><body>We are busy</body></html>", kind="text/html")
            elif fault == "json":
                self.answer(200, b'{"detail": "try later"}', kind="application/json")
            else:
                getattr(self, f"serve_{self.name}")(parts.path, query, fault)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def serve_api(self, path: str, query: dict[str, str], fault: Any) -> None:
        if self.headers.get("api-key") != KEY:
            self.answer(403, b'{"detail": "Authentication credentials were not provided."}')
            return
        match = re.fullmatch(r"/api/TNG-test/snapshots/(\d+)/subhalos/(?:(\d+)/cutout.hdf5)?", path)
        if not match or int(match[1]) != 99:
            self.answer(404, b'{"detail": "Not found."}')
        elif match[2] is None:
            self.list(path, query)
        elif int(match[2]) not in self.owner.cutouts:
            self.answer(404, b'{"detail": "Not found."}')
        else:
            words = urlencode({**query, "token": TOKEN})
            target = f"{self.owner.data_url}/cutouts/{match[2]}.hdf5?{words}"
            self.answer(302, b"", {"Location": target})

    def list(self, path: str, query: dict[str, str]) -> None:
        ids = self.owner.listed if self.owner.listed is not None else sorted(self.owner.cutouts)
        if "id__lt" in query:
            ids = [i for i in ids if i < int(query["id__lt"])]
        start, limit = int(query.get("offset", 0)), int(query.get("limit", 100))
        limit = min(limit, self.owner.page)
        rows = [
            # The real one writes addresses of another scheme than it was asked by.
            {"id": i, "sfr": i / 7, "mass_log_msun": 10.5, "url": f"http://elsewhere/{i}/"}
            for i in ids[start : start + limit]
        ]
        more = {**query, "limit": limit, "offset": start + limit}
        following = f"http://elsewhere:1{path}?{urlencode(more)}"
        answer = {
            "count": len(ids),
            "previous": None,
            "next": following if start + limit < len(ids) else None,
            "results": rows,
        }
        self.answer(200, json.dumps(answer).encode(), kind="application/json")

    def serve_data(self, path: str, query: dict[str, str], fault: Any) -> None:
        if query.get("token") != TOKEN:
            self.answer(403, b"no permission")
            return
        subhalo = int(path.split("/")[-1].partition(".")[0])
        self.body(self.owner.cutouts[subhalo], fault, kind="application/octet-stream")

    def serve_hips(self, path: str, query: dict[str, str], fault: Any) -> None:
        query = dict(parse_qsl(urlsplit(self.path).query))
        if not query["hips"].startswith("CDS/"):
            error = {"title": "Bad request", "description": f"{query['hips']} unknown"}
            self.answer(400, json.dumps(error).encode(), kind="application/json")
            return
        assert self.owner.images is not None
        self.body(self.owner.images(query), fault, kind=f"image/{query['format']}")

    def body(self, body: bytes, fault: Any, kind: str) -> None:
        """A file, whole or in part, with one of the faults that spoil a transfer."""
        headers = {"ETag": f'"{hashlib.md5(body).hexdigest()}"', **self.owner.headers(body)}
        status, start = 200, 0
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        same = self.headers.get("If-Range") in (None, headers["ETag"])
        if match and self.owner.ranges and same:
            start = int(match[1])
            if start >= len(body):
                self.answer(416, b"", {"Content-Range": f"bytes */{len(body)}"})
                return
            status = 206
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        rest = body[start:]
        length = len(rest) + {"long": 1000, "short": -1000}.get(str(fault), 0)
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(length), "Content-Type": kind}.items():
            self.send_header(name, value)
        self.end_headers()
        if fault in ("cut", "stall"):
            rest = rest[: len(rest) // 2]
        for i in range(0, min(len(rest), length), 16384):
            self.wfile.write(rest[i : min(i + 16384, length)])
        if fault == "stall":
            self.wfile.flush()
            self.owner._stop.wait(60)
        if fault in ("cut", "long", "stall"):
            self.close_connection = True

    def answer(
        self,
        status: int,
        body: bytes,
        headers: dict[str, str] | None = None,
        kind: str = "text/plain",
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
