"""What a visitor does on the page of mergers and sees of it, and the same by Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from factories_merger_page import LABELS, MergerRun, draw_pair, read_by_python
from morphosphere.artefacts.bundle import ModelBundle
from visitor import choose, until

QUANTILES = ("median", "low68", "high68", "low95", "high95")
READ = """() => {
  const { reading, nearest, subject, reasons } = mergers.result;
  return {
    name: subject.name, faults: subject.faults, reasons,
    quantiles: reading.posteriors.map((p) => [p.label.name, p.quantiles]),
    encounter: reading.encounter, error: reading.error, z: [...reading.z[0]],
    seen: [...reading.seen.data],
    nearest: nearest.map(({ encounter, snapshot, camera, distance }) =>
      ({ encounter, snapshot, camera, distance })),
  };
}"""


def result(page: Page, readings: int = 1) -> dict:
    """What the page says after so many readings."""
    until(page, "n => mergers.readings >= n", readings)
    return page.evaluate(READ)


def pick(page: Page, name: str) -> dict:
    before = page.evaluate("mergers.readings")
    page.fill("#find", name)
    until(page, "name => mergers.gallery.shown.map((i) => i.image_id).join() === name", name)
    page.click("#picks button")
    return result(page, before + 1)


def give(page: Page, path: Path) -> None:
    choose(page, "input[name=from][value=own]")
    page.set_input_files("#file", str(path))


def compare(found: dict, said: dict[str, np.ndarray], row: int, tolerance: float) -> None:
    """Quantiles within a part of the label's range of those by Python."""
    for label, (name, quantiles) in zip(LABELS, found["quantiles"], strict=True):
        assert name == label.name
        for q in QUANTILES:
            ours = label.scaled(np.array(quantiles[q]))
            theirs = label.scaled(np.array(said[f"{name}_{q}"][row]))
            assert ours == pytest.approx(theirs, abs=tolerance), (name, q)
    assert found["encounter"] == pytest.approx(said["encounter_probability"][row], abs=tolerance)
    assert found["error"] == pytest.approx(said["reconstruction_error"][row], abs=tolerance)


def save(path: Path, array: np.ndarray) -> Path:
    Image.fromarray(array).save(path)
    return path


def picture(size: int = 96) -> np.ndarray:
    """A pair as a grey picture of `size` pixels, uint8, with a sky of 12."""
    light = draw_pair(30.0, 0.7, 0.4, size)
    noise = np.random.default_rng(5).integers(0, 3, light.shape)
    return np.clip(12 + 200 * light + noise, 0, 250).astype(np.uint8)


def by_python(run: MergerRun, array: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """What the model says of an array (S, S): the sky taken off by the median of the border."""
    border = np.ones(array.shape, bool)
    thick = max(1, round(0.05 * len(array)))
    border[thick:-thick, thick:-thick] = False
    model = ModelBundle.load(run.model)
    seen = model.transform((array - np.median(array[border]))[None, None].astype(np.float32))
    return read_by_python(model, seen), seen
