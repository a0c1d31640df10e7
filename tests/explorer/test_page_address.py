"""The address of the page, and what it asks for that is missing or wrong."""

from __future__ import annotations

import re

import pytest

from factories_explorer import Run, add_page
from visitor import choose, messages, settled, state, until_said

pytestmark = pytest.mark.chromium

# ---- the address


def test_a_link_restores_the_whole_view(run, visit):
    name = run.catalogue["image_id"][99]
    wanted = {
        "lon": "123.400", "lat": "-20.500", "fov": "45.6", "view": "AIT", "map": "generated",
        "blend": "real", "opacity": "0.35", "marks": "off", "colour": "outlier_score",
        "scale": "log", "colours": "magma", "size": "9", "id": name,
    }  # fmt: skip
    page = visit(run, "#" + "&".join(f"{k}={v}" for k, v in wanted.items()))
    settled(page)
    page.wait_for_selector("#card-title")
    found = state(page)
    for key, value in wanted.items():
        if key == "fov":
            assert float(found[key]) == pytest.approx(float(value), rel=1e-3)
        else:
            assert found[key] == value, key
    assert page.inner_text("#card-title") == name
    assert page.input_value("#overlay") == "real"
    assert page.input_value("#colour-map") == "magma"
    assert page.evaluate("morphosphere.aladin.getProjectionName()") == "AIT"


def test_an_address_that_asks_for_what_is_not_there_says_so(run, visit):
    asked = "#map=nowhere&colour=nothing&id=nobody&lon=abc&fov=-3&region=p_1_2&size=1e9"
    page = visit(run, asked)
    settled(page)
    for said in ("layer “nowhere”", "property “nothing”", "no galaxy “nobody”"):
        until_said(page, said)
    assert not page.errors


# ---- missing and wrong files


def spoil(copied: Run, path: str, content: bytes | None) -> None:
    for file in copied.folder.glob(path):
        if content is None:
            file.unlink()
        else:
            file.write_bytes(content)


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        ("hips/real/properties", None, r"“Real layer” cannot be shown.*missing"),
        ("site/config.json", b"{oops", r"config\.json is damaged"),
        ("site/data/index.json", None, r"data/index\.json could not be loaded.*missing"),
        ("site/data/index.json", b"{}", r"index\.json was made by another version"),
        ("site/data/columns/*/00001.bin", None, r"columns/\d+/00001\.bin could not be loaded"),
        ("site/data/columns/*/00000.bin", b"123", r"00000\.bin is damaged: 3 bytes"),
    ],
)
def test_missing_and_wrong_files_are_said_on_the_page(copied, visit, path, content, said):
    add_page(copied)
    spoil(copied, path, content)
    page = visit(copied)
    assert re.search(said, messages(page))
    assert not page.errors
    if path.startswith("hips/real"):
        spoil(copied, "hips/generated/properties", b"<html>")
        choose(page, "input[name=base][value=generated]")
        until_said(page, "“Generated layer” cannot be shown: its properties file is damaged")


def test_a_missing_part_is_said_when_it_is_needed_and_the_page_goes_on(copied, visit):
    add_page(copied)
    spoil(copied, "site/data/details/00001.json", b"[not json")
    spoil(copied, "site/data/original/00002.jpg", None)
    spoil(copied, "site/data/ids/00000.txt", None)
    page = visit(copied)
    settled(page)
    page.evaluate("morphosphere.explorer.choose(20)")
    assert "details/00001.json is damaged" in messages(page)
    page.evaluate("morphosphere.explorer.choose(40)")
    until_said(page, "00002.jpg")
    page.fill("#search", "synth")
    until_said(page, "ids/00000.txt")
    page.evaluate("morphosphere.explorer.choose(0)")
    page.wait_for_selector("#card-title")
    assert not page.errors
