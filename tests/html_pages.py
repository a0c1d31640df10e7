"""Whether pages of the report are sound, and what they say."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

VOID = {"meta", "br", "link", "img"}


class _Balanced(HTMLParser):
    """Whether every element is closed where it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def assert_sound(page: str) -> None:
    """Closed elements, and nothing that a browser would ask the network for."""
    parser = _Balanced()
    parser.feed(page)
    assert not parser.open
    assert "<script" not in page
    assert not re.search(r"(src|href)=[\"'](?!#)", page)
    assert "url(" not in page
    assert "@import" not in page


def text_of(page: str) -> str:
    """What a reader sees, in one line."""
    return re.sub(
        r"\s+", " ", unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", page, flags=re.S))
    )
