"""Losses that compare images see all images of a step, on whichever processes they are."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn

from morphosphere.learn.gather import gather
from morphosphere.learn.regularisers import contrast, neighbours


def _loss(network: nn.Module, images: torch.Tensor, counts: list[int]) -> torch.Tensor:
    mean, first, second = gather(
        [network(images)[:, :3], network(images), network(-images)], counts
    )
    return contrast(first, second) + neighbours(mean, first)


def _network() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(7, 6), nn.Tanh())


def _images() -> torch.Tensor:
    return torch.randn(12, 7, generator=torch.Generator().manual_seed(2))


def _part(rank: int, counts: list[int], folder: str) -> None:
    dist.init_process_group(
        "gloo", rank=rank, world_size=len(counts), init_method=f"file://{folder}/meet"
    )
    network = _network()
    loss = _loss(network, _images().split(counts)[rank], counts)
    weight = counts[rank] * len(counts) / sum(counts)
    (loss * weight).backward()
    torch.save((loss.detach(), [p.grad for p in network.parameters()]), f"{folder}/{rank}")
    dist.destroy_process_group()


@pytest.mark.parametrize("counts", [[6, 6], [5, 4, 3]])
def test_processes_together_find_the_loss_and_gradient_of_one(tmp_path: Path, counts) -> None:
    mp.spawn(_part, (counts, str(tmp_path)), nprocs=len(counts))
    network = _network()
    loss = _loss(network, _images(), [12])
    loss.backward()
    parts = [torch.load(tmp_path / str(rank)) for rank in range(len(counts))]
    for found, _ in parts:
        torch.testing.assert_close(found, loss.detach())
    for i, parameter in enumerate(network.parameters()):
        # The mean that DDP takes.
        mean = torch.stack([gradients[i] for _, gradients in parts]).mean(0)
        torch.testing.assert_close(mean, parameter.grad)
