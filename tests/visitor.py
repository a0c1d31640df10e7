"""What a visitor does on the page and sees of it."""

from __future__ import annotations

import io
from urllib.parse import parse_qs, urlsplit

from PIL import Image
from playwright.sync_api import Page

from factories_explorer import Run


def until(page: Page, expression: str, argument: object = None) -> None:
    """Wait until an expression is true; asked from outside, as the page's policy has no eval."""
    for _ in range(400):
        if page.evaluate(expression, argument):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {expression}")


def until_said(page: Page, text: str) -> None:
    until(page, "text => document.querySelector('#messages').textContent.includes(text)", text)


def until_card(page: Page, name: str) -> None:
    until(page, "id => document.querySelector('#card-title')?.textContent === id", str(name))


def choose(page: Page, selector: str) -> None:
    """Check a radio button or switch by its label; the click waits while the page still scrolls."""
    box = page.locator(selector)
    page.locator("label").filter(has=box).click()
    assert box.is_checked(), selector


def settled(page: Page) -> None:
    """Wait until points are drawn and the address is written."""
    until(page, "Boolean(morphosphere.explorer?.ready && morphosphere.points.complete)")
    page.wait_for_timeout(500)


def state(page: Page) -> dict[str, str]:
    return {k: v[0] for k, v in parse_qs(urlsplit(page.url).fragment).items()}


def pixel_of(page: Page, lon: float, lat: float) -> list[float]:
    return page.evaluate("([l, b]) => morphosphere.aladin.world2pix(l, b)", [lon, lat])


def look_at(page: Page, lon: float, lat: float, fov: float = 60) -> None:
    page.evaluate(
        "([l, b, f]) => { morphosphere.sky.goTo(l, b); morphosphere.sky.fov = f; }", [lon, lat, fov]
    )
    settled(page)


def click_on(page: Page, lon: float, lat: float) -> None:
    look_at(page, lon, lat)
    page.mouse.click(*pixel_of(page, lon, lat))
    page.wait_for_selector("#card-title")


def place(run: Run, row: int) -> tuple[float, float]:
    return float(run.catalogue["lon"][row]), float(run.catalogue["lat"][row])


def colour_at(page: Page, x: float, y: float) -> tuple[int, ...]:
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    return picture.getpixel((int(x), int(y)))


def near(colour: tuple[int, ...], expected: tuple[int, ...], margin: int = 12) -> bool:
    return max(abs(a - b) for a, b in zip(colour, expected)) <= margin


def until_colour(page: Page, expected: tuple[int, ...]) -> tuple[int, ...]:
    """The colour of a place on the sphere without marks, once it is the expected one."""
    for _ in range(60):
        found = colour_at(page, 700, 300)
        if near(found, expected):
            break
        page.wait_for_timeout(250)
    return found


def messages(page: Page) -> str:
    page.wait_for_selector(".message")
    page.wait_for_timeout(500)
    return page.inner_text("#messages")
