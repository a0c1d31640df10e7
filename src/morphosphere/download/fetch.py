"""One file from a server into a folder: continued where it was, and whole before it is kept."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import requests

from morphosphere.download.client import Client
from morphosphere.download.faults import Blank, OutOfRange, Temporary
from morphosphere.download.store import Entry, Store, request_digest
from morphosphere.files import write_text

#: What is lost at most when a connection is cut.
_BLOCK = 1 << 16
#: Bytes that are fetched again when a file goes on, to see that it is still the same file.
OVERLAP = 4096


@dataclass(frozen=True)
class Wanted:
    """One file that is to be there.

    Attributes
    ----------
    id : str
        Of the object, for people.
    file : str
        Name in the folder.
    url : str
    params : mapping
        The query of the address.
    check : callable
        Looks at the finished file; raises `Temporary` if it is not what was asked for and
        `Blank` if it holds nothing.
    judged : str
        By what the check judges; a change of it asks for the file again.
    """

    id: str
    file: str
    url: str
    params: Mapping[str, str]
    check: Callable[[Path], None]
    judged: str = ""

    @property
    def request(self) -> str:
        """Digest of what is asked for."""
        return request_digest(self.url, self.params, self.file, self.judged)


def fetch(client: Client, store: Store, wanted: Wanted) -> Entry:
    """The file, from the folder or else from the server.

    Raises
    ------
    Missing
        If the server has no such file.
    Failed
        If it could not be fetched after all retries.
    DownloadError
        If the server refuses to serve at all.
    """
    if (entry := store.find(wanted.request, wanted.file)) is not None:
        return entry
    part = store.part(wanted.request, wanted.file)

    def attempt() -> Entry:
        _grow(client, wanted, part)
        try:
            wanted.check(part)
        except Temporary:
            _forget(part)
            raise
        except Blank as blank:
            return store.keep_blank(wanted.request, wanted.file, str(blank))
        return store.keep(wanted.request, wanted.file)

    entry = client.retrying(wanted.file, attempt, lambda: _size(part))
    _validator(part).unlink(missing_ok=True)
    return entry


def _grow(client: Client, wanted: Wanted, part: Path) -> None:
    """Fetch what is missing of the part; the part is the whole file afterwards."""
    start = max(0, _size(part) - OVERLAP)
    try:
        _receive(client, wanted, part, start)
    except OutOfRange:
        _forget(part)
        raise


def _receive(client: Client, wanted: Wanted, part: Path, start: int) -> None:
    with client.get(wanted.url, wanted.params, _range(part, start)) as response:
        if response.status_code == 200:
            start = 0
            write_text(_validator(part), _validator_of(response))
        whole = _whole(response, part, start)
        with open(part, "r+b" if start else "wb") as handle:
            blocks = response.iter_content(_BLOCK)
            if start:
                _compare(handle, start, blocks, part)
            for block in blocks:
                handle.write(block)
                client.go_on()
        _check_promises(response, part, whole)


def _range(part: Path, start: int) -> dict[str, str]:
    """Headers that ask for the rest of the same file, or for all of it if it has changed."""
    if not start:
        return {}
    headers = {"Range": f"bytes={start}-"}
    validator = _validator(part)
    if validator.exists() and (text := validator.read_text(encoding="utf-8")):
        headers["If-Range"] = text
    return headers


def _whole(response: requests.Response, part: Path, start: int) -> int | None:
    """Length of the whole file as the server says; None if it does not."""
    if response.status_code == 206:
        said = response.headers.get("Content-Range", "")
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", said)
        if not match or int(match[1]) != start:
            _forget(part)
            raise Temporary("the server sent another range than the one asked for")
        return None if match[2] == "*" else int(match[2])
    length = response.headers.get("Content-Length", "")
    encoded = response.headers.get("Content-Encoding", "identity") != "identity"
    return int(length) if length.isdecimal() and not encoded else None


def _compare(handle, start: int, blocks, part: Path) -> None:
    """Read the overlap again and stand behind it; start over if it is not the same."""
    handle.seek(start)
    seen = handle.read()
    handle.seek(start)
    got = b""
    for block in blocks:
        got += block
        if len(got) >= len(seen):
            break
    if got[: len(seen)] != seen:
        handle.close()
        _forget(part)
        raise Temporary("the file at the server has changed meanwhile")
    handle.write(got)


def _check_promises(response: requests.Response, part: Path, whole: int | None) -> None:
    """Compare the part with the length and the checksums that the server gave."""
    size = _size(part)
    if whole is not None and size < whole:
        raise Temporary(f"the connection was cut after {size} of {whole} bytes")
    if whole is not None and size > whole:
        _forget(part)
        raise Temporary(f"{size} bytes came instead of {whole}")
    for name, expected in _checksums(response):
        with open(part, "rb") as handle:
            if hashlib.file_digest(handle, name).digest() != expected:
                _forget(part)
                raise Temporary(f"its {name} checksum is not the one that the server gave")


def _checksums(response: requests.Response) -> list[tuple[str, bytes]]:
    """Checksums of the whole file among the headers: algorithm and value.

    Repr-Digest (RFC 9530) and its forerunner Digest (RFC 3230) are those of the whole file also
    when a part of it is sent; Content-MD5 (RFC 1864) and Content-Digest are those of what is sent.
    """
    names = {"sha-256": "sha256", "sha256": "sha256", "sha-512": "sha512", "md5": "md5"}
    headers = ["Repr-Digest", "Digest"]
    headers += ["Content-Digest"] if response.status_code == 200 else []
    texts = [item for h in headers for item in response.headers.get(h, "").split(",")]
    if response.status_code == 200 and "Content-MD5" in response.headers:
        texts.append(f"md5={response.headers['Content-MD5']}")
    found = []
    for text in texts:
        name, _, value = text.strip().partition("=")
        if name.lower() in names:
            try:
                digest = base64.b64decode(value.strip().strip(":"), validate=True)
            except ValueError:
                continue
            found.append((names[name.lower()], digest))
    return found


def _validator_of(response: requests.Response) -> str:
    """What tells this version of the file from others: a strong ETag, or its date."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified", "")


def _validator(part: Path) -> Path:
    return part.with_name(f"{part.name}.version")


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _validator(part).unlink(missing_ok=True)


def _size(part: Path) -> int:
    try:
        return part.stat().st_size
    except FileNotFoundError:
        return 0
