"""Training against Spherinator 0.6: speed, and what is learned in equal time on the same cores.

Equal on both sides: images of the demo in the networks' pixels (64 by 64, three bands, [0, 1]), the
galaxies held out of training, the time of training (ours with everything from reading the file to
the written model; theirs from the first step to the last), threads, latent space (the ordinary
sphere), batches of 64. Not equal: the networks (their size is told with each ratio), and that ours
uses a tenth of the images to choose its weights while theirs learns from steps alone.

Spherinator is trained by its published recipes (`benchmarks.peers.spherinator_peer`), and for each
measure the recipe that does best stands against ours; the others are in ``more``. Its images are
drawn at the best of 36 rotations, as its earlier releases do and as ours turns what it draws;
places are taken at the best of 36 rotations and without (release 0.6), whichever moves less. Images
that all lie close together move little, so a move is also told over the typical distance between
two images, and a row in degrees says how far apart the images of both lie.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.peers import Peer, peer
from benchmarks.result import Pair, Result, alternate
from benchmarks.train import step_loop
from benchmarks.work import demo
from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.config.learn import LearnSettings
from morphosphere.evaluate.rotation import turned
from morphosphere.evaluate.sphere import angle_between
from morphosphere.learn import align
from morphosphere.learn.data import build_transform, split_rows
from morphosphere.learn.memory import keep_memory
from morphosphere.learn.training import train
from morphosphere.progress import log

#: Seconds of each training.
SECONDS = 60.0
#: Its recipes: words of the worker's `prepare`.
RECIPES: dict[str, dict[str, Any]] = {
    "cnn": {"kind": "cnn", "concentration": 1000.0},
    "cnn, turned copies": {"kind": "cnn", "concentration": 1000.0, "turned": True},
}
#: Those at full size only: its concentration is learned, or it is slow.
MORE_RECIPES: dict[str, dict[str, Any]] = {
    "cnn, learned concentration": {"kind": "cnn"},
    "resnet-18": {"kind": "resnet", "concentration": 1000.0},
}
#: Held-out images that are measured, turned copies of each, and rotations that are searched.
COUNT, COPIES, ROTATIONS = 48, 2, 36
#: Steps of a block when speed is measured.
STEPS = 4


def run(*, full: bool = False) -> Iterator[Result]:
    """Raises MissingPeer if Spherinator cannot be had or does not train."""
    images = demo() / "images.h5"
    keep_memory()
    recipes = RECIPES | (MORE_RECIPES if full else {})
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        held_out = write_images(images, place)
        with peer("spherinator", "spherinator_peer", threads=os.cpu_count() or 1) as other:
            sizes: dict[str, Any] = {"ours": our_size()}
            loop = step_loop(images, place, STEPS)
            speeds: dict[str, Pair] = {}
            for name, words in recipes.items():
                sizes[name] = other.ask("prepare", images=str(place / "train.npy"), **words)[
                    "value"
                ]
                speeds[name] = alternate(
                    loop.block, lambda: other.seconds("train", steps=STEPS), repeats=3
                )
            fastest = min(speeds, key=lambda name: speeds[name][1])
            yield speeds[fastest].result(
                "train_peer-speed",
                STEPS * 64,
                "images/s",
                1.0,
                f"steps of our trainer against Spherinator's, {fastest}; same images and threads, "
                "networks of each",
                networks=sizes,
                all_recipes={name: STEPS * 64 / pair[1] for name, pair in speeds.items()},
            )
            found = {"ours": ours(images, place, held_out, SECONDS, speeds[fastest])}
            for name, words in recipes.items():
                log(f"train_peer: Spherinator, {name}, {found['ours']['seconds']:.0f} s")
                other.ask("prepare", images=str(place / "train.npy"), **words)
                found[name] = theirs(other, place, found["ours"]["seconds"])
        yield from compared(found, sizes)


def compared(found: dict[str, dict[str, Any]], sizes: dict[str, Any]) -> Iterator[Result]:
    """Results on what was learned: ours against the best recipe for each measure."""
    mine = found["ours"]
    rest = {name: values for name, values in found.items() if name != "ours"}
    what = f"held-out images after {mine['seconds']:.0f} s of training on the same images and cores"
    measures = (
        ("l1", "l1", "", "mean absolute difference of {}"),
        ("scatter", "scatter_deg", "deg", "median move of {} when they are turned"),
        ("scatter_90", "scatter_90_deg", "deg", "90 % of the moves of {} when turned"),
        ("scatter_relative", "scatter_relative", "", "move of {} over their distance"),
    )
    for name, key, unit, said in measures:
        best = min(rest, key=lambda recipe: rest[recipe][key])
        note = f"{said.format(what)}; against Spherinator, {best}"
        if unit:
            note += f"; images lie {mine['distance_deg']:.3g} deg apart in ours, "
            note += f"{rest[best]['distance_deg']:.3g} in theirs (90: an evenly used sphere)"
        more = {"found": found, "networks": sizes}
        yield Result(
            f"train_peer-{name}", mine[key], rest[best][key], 1.0, False, unit, note, more=more
        )


def write_images(images: Path, folder: Path) -> np.ndarray:
    """Training and held-out images for the peer, and turned copies; the held-out ones as stored."""
    with ImageSet(images) as opened:
        transform = build_transform(LearnSettings().transform, opened)
        rows = split_rows(opened)
        random = np.random.default_rng(0)
        chosen = np.sort(random.choice(rows["test"], min(COUNT, len(rows["test"])), replace=False))
        stored = opened.images[chosen]
        np.save(folder / "train.npy", transform(opened.images[rows["train"]]).astype(np.float32))
    np.save(folder / "held_out.npy", transform(stored).astype(np.float32))
    copies = turned_copies(stored)
    np.save(folder / "turned.npy", transform(copies).astype(np.float32))
    return np.concatenate([stored, copies])


def turned_copies(stored: np.ndarray) -> np.ndarray:
    """Stored images (N, C, H, W), each turned by a few random angles: (COPIES * N, C, H, W)."""
    angles = np.random.default_rng(1).uniform(0, 360, (COPIES, len(stored)))
    return np.stack([turned(i, a, False) for turns in angles for i, a in zip(stored, turns)])


def our_size() -> dict[str, float]:
    """Weights and arithmetic of our networks, counted as the peer's are."""
    from torch.utils.flop_counter import FlopCounterMode

    from morphosphere.learn.networks import SphereNetworks

    settings = LearnSettings()
    networks = SphereNetworks(3, settings.transform.size, settings).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        networks.decoder(networks.encode(torch.zeros(1, 3, *2 * [settings.transform.size]))[0])
    return {
        "parameters": sum(weight.numel() for weight in networks.parameters()),
        "gflop_per_image": counter.get_total_flops() / 1e9,
    }


def ours(
    images: Path, folder: Path, held_out: np.ndarray, seconds: float, speed: Pair
) -> dict[str, Any]:
    """Train with as many epochs as fit into the time; what the model then does.

    `held_out` are images as stored, followed by their turned copies.
    """
    epoch = len(np.load(folder / "train.npy", mmap_mode="r")) * speed[0] / (STEPS * 64)
    epochs = max(1, int(seconds / (1.1 * epoch)))  # a tenth for validation, reading and writing
    log(f"train_peer: ours, {epochs} epochs")
    began = time.monotonic()
    bundle = train(
        images,
        output=folder / "model",
        training=folder / "training",
        settings=LearnSettings(epochs=epochs, patience=epochs),
    )
    spent = time.monotonic() - began
    assert isinstance(bundle, ModelBundle)
    pixels = bundle.transform(held_out)
    places = bundle.encode(pixels)[0]
    count = len(pixels) // (1 + COPIES)
    with torch.inference_mode():
        drawn = align(*map(torch.from_numpy, (pixels[:count], bundle.decode(places[:count]))))[2]
    error = np.abs(drawn.numpy() - pixels[:count]).mean()
    return {
        "seconds": spent,
        "epochs": epochs,
        "l1": float(error),
        **scatter(places[:count], places[count:]),
    }


def theirs(other: Peer, folder: Path, seconds: float) -> dict[str, Any]:
    """Train Spherinator's network of the last `prepare` for so long; what it then does."""
    said = other.ask("train", seconds=seconds)["value"]
    errors, scatters = {}, {}
    for rotations in (1, ROTATIONS):
        parts = []
        for name, count in (("held_out", COUNT), ("turned", COPIES * COUNT)):
            output = folder / f"{name}_{rotations}.npy"
            paths = {"images_path": str(folder / f"{name}.npy"), "output": str(output)}
            other.ask("embed", count=count, rotations=rotations, **paths)
            parts.append(np.load(output))
        errors[rotations] = float(parts[0][:, 3].mean())
        scatters[rotations] = scatter(parts[0][:, :3], parts[1][:, :3])
    best = min(scatters, key=lambda rotations: scatters[rotations]["scatter_relative"])
    return {
        **said,
        "l1": min(errors.values()),
        "l1_by_rotations": errors,
        "rotations": best,
        **scatters[best],
        "scatter_by_rotations": scatters,
    }


def scatter(places: np.ndarray, moved: np.ndarray) -> dict[str, float]:
    """How far places move when images are turned, and how far apart places of two images are.

    Parameters
    ----------
    places : ndarray, shape (N, 3)
        Unit vectors.
    moved : ndarray, shape (K * N, 3)
        Of K turned copies of all images, one set after another.

    Returns
    -------
    dict
        Median and 90 % of the moves and median distance, in degrees; ``scatter_relative`` is the
        median move over the median distance.
    """
    angle = angle_between(np.tile(places, (len(moved) // len(places), 1)), moved)
    first, second = np.triu_indices(len(places), 1)
    distance = float(np.median(angle_between(places[first], places[second])))
    median, most = (float(value) for value in np.percentile(angle, [50, 90]))
    return {
        "scatter_deg": median,
        "scatter_90_deg": most,
        "distance_deg": distance,
        "scatter_relative": median / max(distance, 1e-6),
    }
