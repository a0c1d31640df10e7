"""Requests to one server: gently, with a secret that goes nowhere else, and faults told apart.

``urllib3.Retry`` ends where a response's headers are there. What goes wrong later (a cut or silent
connection, a page of HTML instead of a file, a wrong checksum) needs retries as well, and an
interrupted file goes on where it was. So there is one loop for all faults, `Client.retrying`;
from urllib3 comes how Retry-After is read.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import requests
from urllib3.exceptions import HTTPError, InvalidHeader, ReadTimeoutError
from urllib3.util.retry import Retry

from morphosphere import __version__
from morphosphere.config.download import TransferSettings
from morphosphere.download.faults import DownloadError, Failed, Missing, OutOfRange, Temporary
from morphosphere.progress import log

T = TypeVar("T")

_AGAIN = (408, 425, 429)
_GONE = (404, 410)
_HEADERS = {
    "User-Agent": f"morphosphere/{__version__}",
    # Lengths, ranges and checksums are those of the file itself.
    "Accept-Encoding": "identity",
}


class Secret:
    """A header that only the server itself may see; printing it shows nothing.

    Parameters
    ----------
    header : str
        Name of the header.
    value : str
    told : str
        What to do if the server does not accept it.
    """

    def __init__(self, header: str, value: str, told: str) -> None:
        self.header = header
        self.told = told
        self._value = value

    def __repr__(self) -> str:
        return f"Secret({self.header})"

    def put(self, headers: dict[str, str]) -> None:
        """Add the header."""
        headers[self.header] = self._value

    def out_of(self, text: str) -> str:
        """`text` without the value."""
        return text.replace(self._value, "***")


class _Session(requests.Session):
    """Follows redirects as requests does, but takes the secret along to the same server only."""

    def __init__(self, secret: Secret | None) -> None:
        super().__init__()
        self._secret = secret
        self.headers.update(_HEADERS)

    def rebuild_auth(
        self, prepared_request: requests.PreparedRequest, response: requests.Response
    ) -> None:
        super().rebuild_auth(prepared_request, response)
        old, new = response.request.url or "", prepared_request.url or ""
        if self._secret and self.should_strip_auth(old, new):
            prepared_request.headers.pop(self._secret.header, None)


class Client:
    """Requests to one server, from several threads.

    Parameters
    ----------
    settings : TransferSettings
    secret : callable, optional
        Gives the secret when the first request is made. It is sent with requests to the server,
        but not where that redirects to.
    seed : int
        Of the random part of waits.
    """

    def __init__(
        self,
        settings: TransferSettings,
        *,
        secret: Callable[[], Secret] | None = None,
        seed: int = 0,
    ) -> None:
        self.settings = settings
        self._ask_secret = secret
        self._secret: Secret | None = None
        self._seed = seed
        self._local = threading.local()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._next = 0.0

    def stop(self) -> None:
        """End all waits and transfers of all threads; they end with `Failed`."""
        self._stop.set()

    def go_on(self) -> None:
        """Raise `Failed` if the client was stopped."""
        if self._stop.is_set():
            raise Failed("stopped")

    def retrying(self, what: str, attempt: Callable[[], T], progress: Callable[[], int]) -> T:
        """Result of `attempt`, tried again after temporary faults.

        Parameters
        ----------
        what : str
            Named in the log.
        attempt : callable
            Raises `Temporary` where it makes sense to try again.
        progress : callable
            Bytes that are there by now: what has come further than ever before starts counting
            retries anew, so that large files get through on bad lines.

        Raises
        ------
        Failed
            After the last retry.
        DownloadError
            If the server asks for a longer wait than the settings allow.
        """
        chance = random.Random(f"{self._seed} {what}")
        tries, best = 0, progress()
        while True:
            self.go_on()
            self._take_turn()
            self.go_on()
            try:
                return attempt()
            except Temporary as fault:
                reason, after = self._clean(str(fault)), fault.after
            if (reached := progress()) > best:
                tries, best = 0, reached
            if tries >= self.settings.retries:
                raise Failed(f"{reason}; tried {tries + 1} times")
            if after > self.settings.longest_wait:
                raise DownloadError(
                    f"{what}: {reason}; the server asks to come back in {after:.0f} s, later than "
                    "longest_wait allows; run again then, with a lower rate"
                )
            wait = min(self.settings.backoff * 2**tries, self.settings.longest_wait)
            wait = max(after, wait * (1 - chance.random() / 2))
            tries += 1
            log(f"{what}: {reason}; retry {tries} of {self.settings.retries} in {wait:.3g} s")
            if after:
                self._pause(wait)
            self._stop.wait(wait)

    @contextmanager
    def get(
        self,
        url: str,
        params: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[requests.Response]:
        """A successful response (200 or 206) whose body is still to be read.

        Raises
        ------
        Temporary
            For faults that may pass, also while the body is read.
        Missing
            If there is no such thing.
        DownloadError
            If the server refuses, in its own words.
        """
        own = dict(headers or {})
        if self._ask_secret and self._secret is None:
            self._secret = self._ask_secret()
        if self._secret:
            self._secret.put(own)
        try:
            with self._session().get(
                url, params=params, headers=own, stream=True, timeout=self.settings.timeout
            ) as response:
                self._check(response)
                yield response
        # Errors of requests hold addresses, and those of data servers hold tokens: said anew.
        except requests.Timeout:
            raise Temporary(f"no answer for {self.settings.timeout:g} s") from None
        except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema):
            raise DownloadError(f"{url}: not an address that can be asked") from None
        except requests.TooManyRedirects:
            raise DownloadError(f"{url}: too many redirects") from None
        except (requests.RequestException, HTTPError) as error:
            raise Temporary(self._words(error)) from None

    def json(self, url: str, params: Mapping[str, str]) -> Any:
        """A JSON answer.

        Raises
        ------
        Temporary
            Also if the answer is not JSON (a page of HTML with status 200).
        """
        with self.get(url, params) as response:
            body = response.content
        try:
            return json.loads(body)
        except ValueError:
            raise Temporary(f"the answer is not JSON but {_kind(response)}") from None

    def _session(self) -> _Session:
        if not hasattr(self._local, "session"):
            self._local.session = _Session(self._secret)
        return self._local.session

    def _take_turn(self) -> None:
        """Wait until the next request is due."""
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + 1 / self.settings.rate
        self._stop.wait(turn - now)

    def _pause(self, seconds: float) -> None:
        """No request of any thread for so long: the server is busy for all of them."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)

    def _check(self, response: requests.Response) -> None:
        status = response.status_code
        if status in (200, 206):
            return
        text = f"HTTP {status}"
        if status in _AGAIN or status >= 500:
            raise Temporary(text, _retry_after(response))
        if status == 416:
            raise OutOfRange("the file at the server has changed meanwhile")
        if _elsewhere(response):
            # The server says that it is there; the next redirect gives a new permission for it.
            raise Temporary(f"{text} from the data server")
        if status in _GONE:
            raise Missing(text)
        if status in (401, 403) and self._secret:
            raise DownloadError(
                f"{_host(response)}: {text}: the server does not accept the key; "
                f"{self._secret.told}"
            )
        raise DownloadError(f"{_host(response)}: {text}{self._said(response)}")

    def _said(self, response: requests.Response) -> str:
        """The server's own words about an error, shortened."""
        try:
            body = response.raw.read(4096, decode_content=True).decode("utf-8", "replace")
        except (HTTPError, OSError):
            return ""
        if "html" in response.headers.get("Content-Type", "") or "<html" in body[:500].lower():
            return ""
        try:
            answer = json.loads(body)
            body = ": ".join(map(str, answer.values() if isinstance(answer, dict) else [answer]))
        except ValueError:
            pass
        body = self._clean(" ".join(body.split()))
        return f": {body[:300]}" if body else ""

    def _words(self, error: Exception) -> str:
        if error.args and isinstance(error.args[0], ReadTimeoutError):
            return f"nothing came for {self.settings.timeout:g} s"
        name = type(error).__name__
        known = {
            "SSLError": "the connection is not secure (certificate)",
            "ProxyError": "the proxy does not answer",
            "ConnectionError": "cannot connect, or the connection was cut",
            "ChunkedEncodingError": "the connection was cut",
        }
        return known.get(name, f"the transfer failed ({name})")

    def _clean(self, text: str) -> str:
        return self._secret.out_of(text) if self._secret else text


def _elsewhere(response: requests.Response) -> bool:
    """Whether the response came from another server than the one that was asked."""
    asked = (response.history or [response])[0].request.url or ""
    return requests.Session().should_strip_auth(asked, response.url)


def _host(response: requests.Response) -> str:
    asked = (response.history or [response])[0].request.url or ""
    return asked.partition("?")[0]


def _kind(response: requests.Response) -> str:
    return response.headers.get("Content-Type", "of no kind").partition(";")[0][:60]


def _retry_after(response: requests.Response) -> float:
    """Seconds that the server asks to wait: a number or a date (RFC 9110, 10.2.3); 0 if none."""
    reader = Retry()
    reader.retry_after_max = 10**9  # what is too long is for the settings to say
    try:
        return reader.parse_retry_after(response.headers.get("Retry-After", "0"))
    except InvalidHeader:
        return 0.0
