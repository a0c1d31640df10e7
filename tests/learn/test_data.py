from __future__ import annotations

import numpy as np
import pytest
import torch

from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.splits import split_of
from morphosphere.config.learn import LearnSettings
from morphosphere.config.training import TransformSettings
from morphosphere.errors import InputError
from morphosphere.learn.data import (
    Batches,
    Place,
    build_transform,
    epoch_order,
    loader,
    open_splits,
)

from .conftest import write_images

TRANSFORM = TransformSettings(size=8)


def _batches(path, rows, **changes) -> Batches:
    with ImageSet(path) as images:
        transform = build_transform(TRANSFORM, images)
    return Batches(path, rows, transform, **{"batch_size": 5, "seed": 3, **changes})


def _epoch(batches: Batches, epoch: int, workers: int = 0) -> dict[str, torch.Tensor]:
    load = loader(batches, workers)
    load.sampler.start(epoch)
    found = list(load)
    assert len(found) == len(batches)
    return {name: torch.cat([batch[name] for batch in found]) for name in found[0]}


@pytest.mark.parametrize("memory", [0, 1 << 30])
@pytest.mark.parametrize("processes", [1, 2, 3, 7])
def test_every_image_is_seen_once_by_one_process(pictures, memory, processes):
    rows = np.arange(0, 96)[np.arange(96) % 7 != 3]
    parts = [
        _batches(pictures, rows, memory=memory, buffer=16, batch_size=28, place=Place(k, processes))
        for k in range(processes)
    ]
    assert {len(part) for part in parts} == {3}
    for epoch in (0, 1):
        seen = torch.cat([_epoch(part, epoch)["row"] for part in parts])
        assert sorted(seen.tolist()) == rows.tolist()
        assert seen.tolist() != rows.tolist()
    for step in range(3):
        counts = [len(part[0, step]["row"]) for part in parts]
        assert max(counts) - min(counts) <= 1
        assert min(counts) >= 1
        for part in parts:
            assert part.counts(step).tolist() == counts


def test_a_step_has_the_same_images_however_many_processes_share_it(pictures):
    rows = np.arange(90)
    alone = _batches(pictures, rows, batch_size=16)
    for processes in (2, 3):
        places = [Place(k, processes) for k in range(processes)]
        parts = [_batches(pictures, rows, batch_size=16, place=place) for place in places]
        for step in range(len(alone)):
            shared = torch.cat([part[1, step]["row"] for part in parts])
            assert sorted(shared.tolist()) == sorted(alone[1, step]["row"].tolist())


@pytest.mark.parametrize("memory", [0, 1 << 30])
@pytest.mark.parametrize("workers", [0, 2])
def test_an_epoch_goes_on_from_a_step(pictures, memory, workers):
    batches = _batches(pictures, np.arange(80), memory=memory, buffer=13)
    whole = [
        batch["row"].tolist() for batch in map(batches.__getitem__, [(2, k) for k in range(16)])
    ]
    load = loader(_batches(pictures, np.arange(80), memory=memory, buffer=13), workers)
    for first in (11, 3, 16):
        load.sampler.start(2, first)
        assert [batch["row"].tolist() for batch in load] == whole[first:]


def test_few_images_are_shared_though_some_processes_get_none(pictures):
    for memory in (0, 1 << 30):
        parts = [
            _batches(pictures, np.arange(2), memory=memory, shuffle=False, place=Place(k, 3))
            for k in range(3)
        ]
        assert [part[0, 0]["row"].tolist() for part in parts] in ([[], [0], [1]], [[0], [], [1]])
        assert {part[0, 0]["images"].shape[1:] for part in parts} == {(3, 8, 8)}


def test_streamed_and_cached_images_are_the_same(pictures):
    rows = np.arange(3, 90, 2)
    columns = ("brightness",)
    cached = _epoch(_batches(pictures, rows, columns=columns), 0)
    streamed = _epoch(_batches(pictures, rows, columns=columns, memory=0, buffer=13), 0)
    workers = _epoch(_batches(pictures, rows, columns=columns, memory=0, buffer=13), 0, workers=2)
    assert torch.equal(workers["images"], streamed["images"])
    assert not torch.equal(cached["row"], streamed["row"])
    with ImageSet(pictures) as images:
        brightness = images.column("brightness")
        transform = build_transform(TRANSFORM, images)
        for part in (cached, streamed):
            expected = transform(images.read(0, 96)[part["row"].numpy()])
            assert np.abs(part["images"].numpy() - expected).max() < 1e-3
            assert np.array_equal(part["brightness"], brightness[part["row"].numpy()])


@pytest.mark.parametrize("shuffle", [True, False])
def test_no_epoch_of_training_begins_with_waiting_for_streamed_images(pictures, shuffle):
    batches = _batches(pictures, np.arange(80), memory=0, buffer=30, shuffle=shuffle)
    read, asked = batches._read, []
    batches._read = lambda *key: asked.append(key) or read(*key)
    _epoch(batches, 0)
    batches._reader.shutdown()
    runs = [(0, run) for run in range(len(asked) - shuffle)]
    assert len(runs) > 1
    assert asked == runs + [(1, 0)] * shuffle


def test_order_depends_on_seed_and_epoch_alone():
    rows = np.arange(100)
    one = epoch_order(rows, 1, 5, block=8)
    assert np.array_equal(one, epoch_order(rows, 1, 5, block=8))
    assert sorted(one.tolist()) == rows.tolist()
    assert not np.array_equal(one, epoch_order(rows, 1, 6, block=8))
    assert not np.array_equal(one, epoch_order(rows, 2, 5, block=8))


def test_transform_follows_the_type_of_the_pixels(pictures, tmp_path):
    with ImageSet(pictures) as images:
        transform = build_transform(TransformSettings(), images)
        assert (transform.scale, transform.value, transform.stretch) == ("fixed", 255, "linear")
    fluxes = write_images(tmp_path / "f.h5", np.ones((4, 2, 9, 9), np.float32))
    with ImageSet(fluxes) as images:
        transform = build_transform(TransformSettings(), images)
        assert (transform.scale, transform.stretch) == ("image", "asinh")
        asked = build_transform(TransformSettings(scale="fixed", stretch="sqrt", value=2), images)
        assert (asked.scale, asked.stretch, asked.value) == ("fixed", "sqrt", 2)


def test_views_of_a_galaxy_stay_on_one_side(pictures):
    settings = LearnSettings(transform=TRANSFORM)
    with ImageSet(pictures) as images:
        transform = build_transform(TRANSFORM, images)
        split = split_of(images.column("galaxy_id"))
    train, held_out = open_splits(pictures, transform, settings, seed=0, place=Place())
    assert np.array_equal(train.rows, np.flatnonzero(split == 0))
    assert np.array_equal(held_out.rows, np.flatnonzero(split == 1))
    assert not {r // 2 for r in train.rows} & {r // 2 for r in held_out.rows}


def test_too_few_images_are_an_error(tmp_path):
    path = write_images(tmp_path / "f.h5", np.ones((2, 1, 9, 9), np.float32))
    with ImageSet(path) as images:
        transform = build_transform(TRANSFORM, images)
    with pytest.raises(InputError, match="too few"):
        open_splits(path, transform, LearnSettings(), seed=0, place=Place(0, 4))
