"""What the client decides by itself: who sees the key, and how long to wait."""

from __future__ import annotations

import email.utils
import threading
import time

import pytest
import requests

from morphosphere.config.base import check
from morphosphere.config.download import TngApiSettings, TransferSettings
from morphosphere.download.client import Client, Secret, _retry_after, _Session
from morphosphere.download.faults import Failed, Temporary
from morphosphere.errors import ConfigError


@pytest.mark.parametrize(
    ("target", "sent"),
    [
        ("https://api.org/other", True),
        ("https://api.org:443/other", True),
        ("http://api.org/other", False),
        ("https://api.org:8443/other", False),
        ("https://data.api.org/file", False),
        ("https://api.org.elsewhere.net/file", False),
    ],
)
def test_a_redirect_takes_the_key_to_the_same_server_only(target, sent):
    session = _Session(Secret("api-key", "hidden", "set it"))
    response = requests.Response()
    response.request = requests.Request("GET", "https://api.org/x").prepare()
    following = requests.Request("GET", target, headers={"api-key": "hidden"}).prepare()
    session.rebuild_auth(following, response)
    assert ("api-key" in following.headers) == sent


def test_a_secret_does_not_print():
    secret = Secret("api-key", "hidden", "set it")
    assert "hidden" not in f"{secret!r} {secret} {vars(secret).keys()}"
    assert secret.out_of("all hidden here") == "all *** here"


@pytest.mark.parametrize(
    "url", ["http://www.tng-project.org/api/", "ftp://a.b", "https://a/?key=1", "https://me@a/"]
)
def test_the_key_is_not_sent_in_the_open(url):
    with pytest.raises(ConfigError, match="url: must be"):
        check(TngApiSettings, {"simulation": "x", "maximum": 1, "url": url}, source="test")


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("12", 12, 12),
        ("in 100 s", 80, 101),
        ("soon", 0, 0),
        (None, 0, 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
    ],
)
def test_retry_after_is_a_number_or_a_date(value, least, most):
    response = requests.Response()
    if value == "in 100 s":
        value = email.utils.formatdate(time.time() + 100, usegmt=True)
    if value is not None:
        response.headers["Retry-After"] = value
    assert least <= _retry_after(response) <= most


class _NoWait(threading.Event):
    """Notes waits instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0.0)
        return self.is_set()


def waits_of(client: Client, fault: Temporary, progress=lambda: 0) -> list[float]:
    client._stop = event = _NoWait()

    def attempt() -> None:
        raise fault

    with pytest.raises(Failed, match="tried"):
        client.retrying("a file", attempt, progress)
    return event.waits[1::2]  # every other wait is for the next turn


def test_waits_double_up_to_a_limit_and_are_the_same_for_the_same_seed():
    settings = TransferSettings(backoff=1, longest_wait=10, retries=6)
    waits = waits_of(Client(settings, seed=3), Temporary("busy"))
    for wait, whole in zip(waits, (1, 2, 4, 8, 10, 10), strict=True):
        assert whole / 2 <= wait <= whole
    assert waits == waits_of(Client(settings, seed=3), Temporary("busy"))
    assert waits != waits_of(Client(settings, seed=4), Temporary("busy"))


def test_a_longer_wait_that_the_server_asks_for_counts_for_all_threads():
    settings = TransferSettings(backoff=1, longest_wait=100, retries=1)
    client = Client(settings)
    assert waits_of(client, Temporary("busy", 50)) == [50]
    assert client._next > time.monotonic() + 40


def test_progress_starts_counting_anew():
    sizes = iter([0, 10, 20, 15, 20])
    settings = TransferSettings(retries=2)
    waits = waits_of(Client(settings), Temporary("cut"), lambda: next(sizes))
    # Two cuts with progress; then two retries and the last cut without.
    assert len(waits) == 3
    assert next(sizes, None) is None
