"""The eight views of an image."""

from __future__ import annotations

import numpy as np
import torch

from morphosphere.views import VIEWS, view


def test_views_are_all_turns_and_mirror_images() -> None:
    image = np.arange(9).reshape(1, 1, 3, 3)
    ours = {view(image, k).tobytes() for k in range(VIEWS)}
    turned = [np.rot90(image, k, axes=(2, 3)) for k in range(4)]
    expected = {x.copy().tobytes() for one in turned for x in (one, one[..., ::-1])}
    assert ours == expected
    assert len(ours) == VIEWS


def test_arrays_and_tensors_have_the_same_views() -> None:
    image = np.random.default_rng(0).normal(size=(2, 3, 4, 4))
    for k in range(VIEWS):
        np.testing.assert_array_equal(view(torch.from_numpy(image), k).numpy(), view(image, k))
    np.testing.assert_array_equal(view(image, 0), image)
