"""Spherinator 0.6: its networks, its data module and its trainer (Lightning), by its own recipes.

Files of images are ``.npy``, float32 (N, 3, S, S) in [0, 1], S a multiple of 4 from 32 on (for
`resnet` a power of two). Two of its published experiments are here, with the ordinary sphere as
latent space: `cnn`, which has it already, and `resnet`. Not as published: the loss is the mean
absolute difference (its perceptual one asks a hub for weights, as does its ResNet-18, which starts
at random here, like ours), and bars, logs and checkpoints are off.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import datasets
import lightning.pytorch as pl
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from serve import serve
from spherinator import models
from spherinator.callbacks import ParamManager
from spherinator.callbacks.param_manager import ParamConfig
from spherinator.data import DataModule
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.transforms import v2
from transformers import ResNetConfig, ResNetModel

datasets.config.HF_HUB_OFFLINE = True
datasets.disable_progress_bars()
for name in ("lightning", "lightning.pytorch", "lightning.fabric", "datasets"):
    logging.getLogger(name).setLevel(logging.ERROR)
warnings.filterwarnings("ignore")
#: Images that its networks see at a time outside of training.
CHUNK = 64
_state: dict[str, Any] = {}


def network(kind: str, size: int, *, beta: float, seed: int = 0) -> models.VariationalAutoencoder:
    """A network of its experiments ``vae_cnn3`` (`cnn`) or ``illustris_vae`` (`resnet`)."""
    torch.manual_seed(seed)
    encoder, decoder = {"cnn": _cnn, "resnet": _resnet}[kind](size)
    module = models.VariationalAutoencoder(
        encoder, decoder, 64, z_dim=3, beta=beta, reconstruction_loss=nn.L1Loss()
    )
    with torch.no_grad():  # its lazy layers learn their shapes
        module.eval().reconstruct(torch.zeros(2, 3, size, size))
    return module


def _cnn(size: int) -> tuple[nn.Module, nn.Module]:
    down, up = models.ConsecutiveConv2DLayer, models.ConsecutiveConvTranspose2DLayer
    encoder = models.ConvolutionalEncoder2D(
        [3, size, size],
        64,
        [down(3, out_channels=[16, 20, 24]), down(4, 2, out_channels=[32, 64])],
    )
    layers = [
        up(5, 2, out_channels=[32]),
        up(6, 2, out_channels=[24]),
        up(3, 1, out_channels=[20, 16, 3], activation=None),
    ]
    start = size // 4 - 4
    return encoder, models.ConvolutionalDecoder2D(3, [3, size, size], [64, start, start], layers)


def _resnet(size: int) -> tuple[nn.Module, nn.Module]:
    plain = ResNetConfig(
        embedding_size=64,
        hidden_sizes=[64, 128, 256, 512],
        depths=[2, 2, 2, 2],
        layer_type="basic",
    )
    fetch, ResNetModel.from_pretrained = ResNetModel.from_pretrained, lambda _: ResNetModel(plain)
    try:
        encoder = models.HuggingFaceResNetEncoder(output_dim=64)
    finally:
        ResNetModel.from_pretrained = fetch
    return encoder, models.UpsamplingDecoder2D(3, [3, size, size], base_channels=512, seed_size=4)


def prepare(
    images: str,
    kind: str,
    *,
    turned: bool = False,
    concentration: float | None = None,
    beta: float = 1e-3,
    workers: int = 0,
) -> dict[str, float]:
    """A new network and its data module; how large the network is.

    `concentration`: that of the posterior, kept fixed as in many of its experiments (1000), where a
    learned one begins nearly uniform and the decoder learns to overlook it. `turned`: its way to
    teach that a turn means nothing (experiments ``mnist_vae``): the network reads a turned and
    mirrored copy of an image and is to draw the image as it was. Parquet files are written beside
    `images`.
    """
    pixels = np.load(images, mmap_mode="r")
    file = Path(images).with_suffix(".parquet")
    datasets.config.HF_DATASETS_CACHE = file.parent / "cache"  # a copy of what it reads
    if not file.exists():
        flat = pa.array(list(pixels.reshape(len(pixels), -1)))
        named = {"data_shape": str(pixels.shape[1:])}
        pq.write_table(pa.table({"data": flat}).replace_schema_metadata(named), file)
    disturbed = v2.Compose([v2.RandomHorizontalFlip(), v2.RandomRotation(180)])
    columns = [{"name": "data", "transform": disturbed}, "data"] if turned else ["data"]
    _state["data"] = DataModule(
        str(file),
        columns,
        return_dict=False,
        validation_size=0.0,
        test_size=0.0,
        batch_size=64,
        num_workers=workers,
    )
    size = pixels.shape[-1]
    _state["callbacks"] = [ParamManager(list(_fixed(concentration)))] if concentration else []
    _state["module"] = module = network(kind, size, beta=beta)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module.reconstruct(torch.zeros(1, 3, size, size))
    return {
        "parameters": sum(weight.numel() for weight in module.parameters()),
        "gflop_per_image": counter.get_total_flops() / 1e9,
    }


def _fixed(concentration: float) -> Iterator[ParamConfig]:
    for part, value in (("bias", concentration), ("weight", 0.0)):
        yield ParamConfig(rf"sphere_head\.fc_scale\.{part}", value=value, freeze=True)


class Clock(pl.Callback):
    """Seconds and images of a training, without what comes before and after it."""

    images, seconds = 0, 0.0

    def on_train_start(self, trainer: Any, module: Any) -> None:
        self.began = time.perf_counter()

    def on_train_batch_end(self, trainer: Any, module: Any, out: Any, batch: Any, n: int) -> None:
        self.images += len(batch[0] if isinstance(batch, (tuple, list)) else batch)
        self.seconds = time.perf_counter() - self.began


def train(*, seconds: float = 3600.0, steps: int = -1) -> dict[str, float]:
    """Train the network of `prepare` further, for so long or so many steps, with Adam."""
    clock = Clock()
    trainer = pl.Trainer(
        accelerator="cpu",
        max_time=timedelta(seconds=seconds),
        max_epochs=-1,
        max_steps=steps,
        gradient_clip_val=1.0,
        limit_val_batches=0,
        callbacks=[clock, *_state["callbacks"]],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(_state["module"], datamodule=_state["data"])
    loss = float(trainer.callback_metrics["train_loss_recon"])
    return {"seconds": clock.seconds, "images": clock.images, "epochs": trainer.current_epoch} | {
        "loss": loss
    }


@torch.inference_mode()
def embed(images_path: str, count: int, rotations: int, output: str | None = None) -> dict:
    """Places on the sphere of the first `count` images, at the best of so many rotations.

    As its earlier releases do (0.3 and 0.4, with 36 rotations): each image is turned, encoded and
    drawn again, and the rotation at which it is drawn best decides. With 1 it is what release 0.6
    does. Weights are those of the last training, or random ones (of `resnet`), which take as long.
    `output` is a ``.npy`` file for an array (count, 4): unit vector and mean absolute difference.
    """
    found, spent = [], 0.0
    images = np.load(images_path, mmap_mode="r")[:count]
    module = _state.setdefault("module", None) or network("resnet", images.shape[-1], beta=1e-3)
    _state["module"] = module.eval()
    for start in range(0, len(images), CHUNK):
        chunk = torch.from_numpy(np.array(images[start : start + CHUNK]))
        began = time.perf_counter()
        found.append(_best(module, chunk, rotations))
        spent += time.perf_counter() - began
    places = torch.cat(found).numpy()
    if output:
        np.save(output, places)
    return {"seconds": spent, "count": len(places)}


def _best(module: models.VariationalAutoencoder, images: Tensor, rotations: int) -> Tensor:
    best = torch.full((len(images), 4), torch.inf)
    for step in range(rotations):
        turned = v2.functional.rotate(images, 360.0 / rotations * step) if step else images
        place, _ = module.encode(turned)
        error = (module.decode(place) - turned).abs().mean((1, 2, 3))
        better = error < best[:, 3]
        best[better] = torch.cat([place, error[:, None]], 1)[better]
    return best


if __name__ == "__main__":
    serve({"prepare": prepare, "train": train, "embed": embed})
