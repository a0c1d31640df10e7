"""The page in a browser: one's own images, in files that can be read and in others."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from factories_merger_page import FIELD, SIZE
from merger_visitor import READ, by_python, compare, give, picture, result, save
from visitor import until

pytestmark = pytest.mark.chromium


def test_a_grey_png_is_read_as_python_reads_it(run, visit, tmp_path):
    page = visit(run)
    array = picture()
    give(page, save(tmp_path / "pair.png", array))
    found = result(page)
    said, seen = by_python(run, array.astype(np.float32))
    np.testing.assert_allclose(np.reshape(found["seen"], seen.shape), seen, atol=1e-5)
    compare(found, said, 0, 2e-4)
    assert "scale of the image is not known" in " ".join(found["faults"])
    assert not page.errors


def test_a_colour_picture_becomes_the_mean_of_its_channels(run, visit, tmp_path):
    page = visit(run)
    array = np.stack([picture(), picture() // 2, picture() // 3], axis=-1)
    give(page, save(tmp_path / "pair.png", array))
    found = result(page)
    said, seen = by_python(run, array.astype(np.float32).mean(axis=-1))
    np.testing.assert_allclose(np.reshape(found["seen"], seen.shape), seen, atol=1e-5)
    compare(found, said, 0, 2e-4)


def test_the_scale_decides_what_is_cut(run, visit, tmp_path):
    page = visit(run)
    array = picture(100)
    wide = np.full((150, 200), 12, np.uint8)
    wide[20:120, 40:140] = array
    give(page, save(tmp_path / "wide.png", wide))
    result(page)
    page.select_option("#method", "width")
    until(page, "document.querySelector('#box-text').textContent.includes('Give the scale')")
    page.fill("#width", str(FIELD * 200 / 100))
    page.evaluate("mergers.own.editor.change({ x: 90, y: 70 })")
    until(page, "mergers.result.reading.seen.width && mergers.own.editor.box.side === 100")
    page.wait_for_timeout(800)
    found = page.evaluate(READ)
    said, seen = by_python(run, array.astype(np.float32))
    np.testing.assert_allclose(np.reshape(found["seen"], seen.shape), seen, atol=1e-5)
    compare(found, said, 0, 2e-4)
    page.select_option("#method", "redshift")
    page.fill("#redshift", "0.03")
    page.fill("#arcsec", "1.5")
    until(page, "Math.abs(mergers.own.editor.box.side - 128.8) < 1")  # 0.6208 kpc per arcsec
    before = page.evaluate("mergers.own.editor.box")
    page.focus("#whole")
    page.keyboard.press("ArrowLeft")
    after = page.evaluate("mergers.own.editor.box")
    assert after["x"] < before["x"]
    assert after["y"] == before["y"]


def test_stars_are_hidden_by_a_button_and_by_clicks(run, visit, tmp_path):
    page = visit(run)
    array = picture(96)
    y, x = np.mgrid[:96, :96] + 0.5
    star = np.clip(array + 150 * np.exp(-0.5 * np.hypot(x - 80, y - 16) ** 2 / 4), 0, 250)
    give(page, save(tmp_path / "star.png", star.astype(np.uint8)))
    before = np.array(result(page)["seen"]).reshape(SIZE, SIZE)
    page.select_option("#method", "width")
    page.fill("#width", str(FIELD / 1.5))  # the square is wider than the image
    page.click("#hide")
    found = page.evaluate("mergers.own.editor.hidden")
    assert min(np.hypot(c["x"] - 80, c["y"] - 16) for c in found) < 2
    assert all(np.hypot(c["x"] - 80, c["y"] - 16) < 40 for c in found)
    page.select_option("#method", "box")
    page.evaluate("mergers.own.editor.change({ side: 96 })")
    until(page, "mergers.readings > 1")
    page.wait_for_timeout(600)
    after = np.array(page.evaluate(READ)["seen"]).reshape(SIZE, SIZE)
    there = (slice(4, 7), slice(25, 28))
    assert before[there].min() > 0.3
    assert after[there].max() < 0.1
    page.click("#hide")
    assert page.evaluate("mergers.own.editor.hidden.length") == 0
    box = page.locator("#whole").bounding_box()
    place = {"x": box["width"] * 80 / 96, "y": box["height"] * 16 / 96}
    page.click("#whole", position=place)
    hidden = page.evaluate("mergers.own.editor.hidden")
    assert len(hidden) == 1
    assert np.hypot(hidden[0]["x"] - 80, hidden[0]["y"] - 16) < 1
    page.click("#whole", position=place)
    assert page.evaluate("mergers.own.editor.hidden.length") == 0


def test_a_fits_image_is_read_and_its_scale_taken(run, visit, tmp_path):
    page = visit(run)
    array = (picture(64).astype(np.float32) - 900)[::-1]
    hdu = fits.PrimaryHDU(array)
    hdu.header.update({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CDELT1": -1e-4})
    hdu.header["CDELT2"] = 1e-4
    hdu.writeto(tmp_path / "pair.fits")
    give(page, tmp_path / "pair.fits")
    found = result(page)
    said, seen = by_python(run, array[::-1])
    np.testing.assert_allclose(np.reshape(found["seen"], seen.shape), seen, atol=1e-5)
    compare(found, said, 0, 2e-4)
    assert page.input_value("#method") == "redshift"
    assert float(page.input_value("#arcsec")) == pytest.approx(0.36)


def test_a_file_is_dropped_anywhere(run, visit, tmp_path):
    page = visit(run)
    out = io.BytesIO()
    Image.fromarray(picture()).save(out, "JPEG")
    page.evaluate(
        """(bytes) => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(bytes)], "pair.jpg", { type: "image/jpeg" }));
          for (const name of ["dragover", "drop"]) {
            document.body.dispatchEvent(
              new DragEvent(name, { dataTransfer: data, bubbles: true, cancelable: true }));
          }
        }""",
        list(out.getvalue()),
    )
    assert result(page)["name"] == "pair.jpg"
    assert page.is_visible("#editor")


def bad_files(folder: Path) -> dict[str, tuple[Path, str]]:
    text = folder / "notes.txt"
    text.write_text("not an image")
    (folder / "empty.png").touch()
    cut = folder / "cut.png"
    cut.write_bytes(save(folder / "whole.png", picture()).read_bytes()[:900])
    nan = folder / "nan.fits"
    fits.PrimaryHDU(np.full((40, 40), np.nan, np.float32)).writeto(nan)
    cube = folder / "cube.fits"
    fits.PrimaryHDU(np.ones((5, 40, 40), np.float32)).writeto(cube)
    centre = picture()[24:72, 24:72]
    return {
        "text": (text, "notes.txt is not an image that can be read here"),
        "empty": (folder / "empty.png", "empty.png is empty"),
        "cut": (cut, "cut.png is not an image that can be read here"),
        "constant": (
            save(folder / "constant.png", np.full((64, 64), 9, np.uint8)),
            "Every pixel of the square has the same value (9)",
        ),
        "small": (
            save(folder / "small.png", picture()[:8, :8]),
            "small.png is much too small (8 × 8 pixels)",
        ),
        "saturated": (
            save(folder / "saturated.png", np.where(centre > 14, 255, 12).astype(np.uint8)),
            "is saturated: nothing can be told from it",
        ),
        "inverted": (save(folder / "inverted.png", 255 - picture()), "dark sky"),
        "nan": (nan, "No pixel of the square has a value"),
        "cube": (cube, "cube.fits has 5 channels; the network needs one channel, or red, green"),
    }


def test_bad_files_are_said_in_one_message_and_the_page_goes_on(run, visit, tmp_path):
    page = visit(run)
    for path, said in bad_files(tmp_path).values():
        give(page, path)
        until(
            page,
            "text => document.querySelector('#messages').textContent.includes(text)",
            said,
        )
        assert page.locator(".message").count() == 1
    give(page, save(tmp_path / "good.png", picture()))
    assert result(page)["name"] == "good.png"
    assert page.locator(".message").count() == 0
    assert not page.errors
