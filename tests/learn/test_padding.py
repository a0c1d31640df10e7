"""Padding and its gradient, against the slices that compilers see."""

from __future__ import annotations

import pytest
import torch

from morphosphere.learn.padding import repeat_edge, wrap


@pytest.mark.parametrize(
    "pad",
    [
        lambda x: repeat_edge(x, 1, 1),
        lambda x: repeat_edge(x, 0, 1),
        lambda x: wrap(x, 1),
        lambda x: wrap(x, 2),
    ],
)
def test_what_is_run_is_what_compilers_see(pad, monkeypatch):
    x = torch.rand(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(pad, x)
    run = pad(x)
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    assert torch.equal(run, pad(x))


def test_the_edge_is_repeated_and_the_circle_closed():
    x = torch.arange(4.0).reshape(1, 1, 2, 2)
    assert repeat_edge(x, 0, 1)[0, 0].tolist() == [[0, 1, 1], [2, 3, 3], [2, 3, 3]]
    assert repeat_edge(x, 1, 0)[0, 0].tolist() == [[0, 0, 1], [0, 0, 1], [2, 2, 3]]
    assert wrap(x, 1)[0, 0].tolist() == [[1, 0, 1, 0], [3, 2, 3, 2]]
    shaped = x.repeat(2, 3, 1, 1).to(memory_format=torch.channels_last)
    for padded in (wrap(shaped, 1), repeat_edge(shaped, 1, 1)):
        assert padded.is_contiguous(memory_format=torch.channels_last)
