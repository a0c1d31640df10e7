"""The eight views of an image: turned by quarters, and mirrored.

They hold for arrays of numpy and of torch alike.
"""

from __future__ import annotations

from typing import Any

#: Number of views.
VIEWS = 8


def view(images: Any, number: int) -> Any:
    """View `number` of images (..., S, S): three bits, transposed, upside down, left to right.

    View 0 is the image itself.
    """
    if number & 4:
        images = images.swapaxes(-1, -2)
    if number & 2:
        images = _reversed(images, -2)
    if number & 1:
        images = _reversed(images, -1)
    return images


def _reversed(images: Any, axis: int) -> Any:
    if hasattr(images, "flip"):  # a tensor
        return images.flip(axis)
    return images[..., ::-1, :] if axis == -2 else images[..., ::-1]
