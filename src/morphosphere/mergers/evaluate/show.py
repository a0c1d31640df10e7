"""Images of encounters as pictures, and words below them."""

from __future__ import annotations

import numpy as np

from morphosphere.mergers.evaluate.held import Held
from morphosphere.posterior import Label


def picture(image: np.ndarray) -> np.ndarray:
    """A transformed image (C, S, S) as a picture (S, S, 3) in [0, 1]."""
    image = np.clip(np.asarray(image, dtype=np.float64), 0, 1)
    if len(image) == 3:
        return np.moveaxis(image, 0, -1)
    return np.repeat(image.mean(0)[..., None], 3, axis=-1)


def strip_caption(held: Held, k: int, labels: tuple[Label, ...]) -> str:
    """What is said and true of the first two labels of image `k`."""
    lines = []
    for label in labels[:2]:
        said, true = held.said[label.name], held.truth[label.name][k]
        form = "{:.2f}" if label.scale == "log10" else "{:.0f}"
        low, median, high = (form.format(said[key][k]) for key in ("low68", "median", "high68"))
        unit = f" {label.unit}" if label.unit else ""
        known = f" (true {form.format(true)})" if np.isfinite(true) else ""
        lines.append(f"{median} [{low}, {high}]{unit}{known}")
    if held.outlier[k]:
        lines.append("unlike training")
    return "\n".join(lines)


def truth_caption(truth: dict[str, np.ndarray], row: int, labels: tuple[Label, ...]) -> str:
    """True values of the first two labels of a row."""
    words = []
    for label in labels[:2]:
        value = truth[label.name][row]
        if np.isfinite(value):
            form = "{:.2f}" if label.scale == "log10" else "{:.0f}"
            words.append(form.format(value) + (f" {label.unit}" if label.unit else ""))
    return ", ".join(words)
