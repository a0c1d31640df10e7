"""The task ``sersic``: magnitude, half-light radius, Sérsic index and ellipticity of a galaxy."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from morphosphere.artefacts.bundle import ModelBundle
from morphosphere.artefacts.imageset import ImageSet
from morphosphere.artefacts.transform import Transform
from morphosphere.config.sersic_learn import SersicLearnSettings
from morphosphere.errors import InputError
from morphosphere.learn.data import Batches
from morphosphere.learn.profile_images import facts_of, fill, latents_of, observe, over_noise
from morphosphere.learn.sersic_bundle import Calibration, start_from, write_sersic_bundle
from morphosphere.learn.sersic_networks import SersicNetworks
from morphosphere.learn.task import Task
from morphosphere.progress import log
from morphosphere.structure.facts import COLUMNS_NEEDED, FACTS
from morphosphere.structure.flags import is_masked
from morphosphere.structure.parameters import Space

#: Column that says which images are for adaptation, and the value that says so.
USE, ADAPT = "use", "adapt"
#: Surprise of an image beyond which it teaches no more.
_LARGEST = 100.0
#: Images to adapt to, at least.
_FEWEST = 4
#: Images that inputs and targets are standardised on.
_STANDARDS = 1024
#: Share of held-out images that are told to be like those of training.
_INLIERS = 0.995
#: Held-out images below which the calibration of the model that training started from is kept.
_FEW = 200
_SIGMA = 0.6827
#: Held-out images for each factor by brightness, at least, and such factors, at most.
_EACH = 150
_KNOTS = 6


class SersicTask(Task):
    """Tell latent structural parameters with their covariance.

    Parameters
    ----------
    settings : SersicLearnSettings
    transform : Transform
    seed : int
    """

    def __init__(
        self, settings: SersicLearnSettings, transform: Transform, *, seed: int = 0
    ) -> None:
        super().__init__(settings, transform, seed=seed)
        self.space = Space(settings.components)
        self.networks = SersicNetworks(transform.size, settings)
        self.calibration = Calibration.none(len(self.space.latents))
        self.magnitudes = (0.0, 1.0)
        self.examples: dict[str, Tensor] = {}
        if settings.encoder.start:
            self.calibration = start_from(self.networks, settings)
            log(f"learn: all weights start from {settings.encoder.start}")

    @staticmethod
    def all_weights_learn(settings: SersicLearnSettings) -> bool:
        """What only says the magnitude does not use all of them."""
        return settings.encoder.name == "rings" and not settings.first_epochs

    @staticmethod
    def columns_of(settings: SersicLearnSettings) -> tuple[str, ...]:
        """The parameters, and what is told of an image."""
        return (*Space(settings.components).columns, "zero_point", "pixel_size", *COLUMNS_NEEDED)

    @staticmethod
    def kept(images: ImageSet, settings: SersicLearnSettings) -> np.ndarray | None:
        """Images with all parameters known; of those with a column `use`, the ones to adapt to.

        Raises
        ------
        InputError
            If a column is missing, noise, gain or pixel size of an image are not positive, images
            have another size than the network's, or too few are there to adapt to.
        """
        if images.images.shape[-2:] != (settings.transform.size,) * 2:
            raise InputError(
                f"{images.path}: images of {images.images.shape[-1]} by {images.images.shape[-2]} "
                f"pixels, but the network reads {settings.transform.size} (transform.size), and "
                "images of galaxies of known size cannot be stretched"
            )
        wanted = SersicTask.columns_of(settings)
        lacking = [name for name in wanted if name not in images.columns]
        if lacking:
            raise InputError(
                f"{images.path}: has no column {', '.join(lacking)}; images of known structure "
                "come from morphosphere.sersic.simulate or morphosphere.sersic.real"
            )
        kept = np.all([np.isfinite(images.column(name)) for name in wanted], axis=0)
        if USE in images.columns:
            kept &= images.column(USE) == ADAPT
            kept[kept] = [not is_masked(images.images[row, 0]) for row in np.flatnonzero(kept)]
            if kept.sum() < _FEWEST:
                raise InputError(
                    f"{images.path}: {kept.sum()} of its {len(images)} images are for adaptation "
                    "and have known parameters, too few to adapt a model to; give more images, or "
                    "set sersic.real.<name>.labels: none to measure them without adaptation"
                )
        for name in ("sky_noise", "gain", "pixel_size", "radius"):
            bad = kept & ~(images.column(name) > 0)
            if bad.any():
                raise InputError(
                    f"{images.path}: column {name} is not above 0 in {bad.sum()} rows, the first "
                    f"is {np.flatnonzero(bad)[0]}"
                )
        return kept

    @classmethod
    def chosen(
        cls, rows: np.ndarray, images: ImageSet, settings: SersicLearnSettings
    ) -> np.ndarray:
        """The first `limit` of the rows, by a hash of the galaxies' names."""
        if settings.limit is None or len(rows) <= settings.limit:
            return rows
        names = images.column("galaxy_id")[rows]
        marks = [hashlib.sha256(f"limit {name}".encode()).digest() for name in names]
        order = sorted(range(len(rows)), key=marks.__getitem__)
        return np.sort(rows[order[: settings.limit]])

    def prepare(self, batches: Batches, held_out: Batches) -> None:
        """Range of magnitudes, and means and spreads of what goes in and comes out."""
        settings = self.settings
        magnitude = batches.column("magnitude") - batches.column("zero_point")
        self.magnitudes = (float(magnitude.min()), float(magnitude.max()))
        self.examples = _first_columns(self.columns_of(settings), (held_out, 6), (batches, 2))
        if settings.encoder.start:
            return
        columns = _first_columns(self.columns_of(settings), (batches, _STANDARDS))
        images = batches.examples(_STANDARDS)
        latents = latents_of(columns, settings.components)
        given = settings.fill.model_copy(update={"turn": False})
        images, latents = fill(images, latents, columns, given, self.magnitudes)
        self.networks.standardise(images, facts_of(columns, self.transform.size), latents)

    def losses(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Surprise of the parameters, and of the signals that are expected of them."""
        settings = self.settings
        latents = latents_of(batch, settings.components)
        images, latents = fill(batch["images"], latents, batch, settings.fill, self.magnitudes)
        pieces = self._surprise(images, latents, batch)
        if self.current_epoch < settings.first_epochs:
            loss = pieces["magnitude"] + pieces["signals"]
        else:
            loss = pieces["parameters"] + pieces["signals"]
        return {"loss": loss, **pieces}

    def measures(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """The same of images with noise that is the same each time, and absolute errors."""
        images, latents = self._observed(batch)
        pieces = self._surprise(images, latents, batch)
        mean, _, _ = self.networks(images, facts_of(batch, self.transform.size))
        errors = (mean - latents).abs().mean(0)
        pieces |= dict(zip((f"{name}_error" for name in self.space.latents), errors))
        return {"loss": pieces["parameters"], **pieces}

    def _observed(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Images over the noise of the sky, observed as their first row's number says."""
        images = batch["images"]
        if self.settings.fill.noise:
            generator = torch.Generator(device=images.device)
            generator.manual_seed(self.seed + int(batch["row"][0]) if len(images) else self.seed)
            images = observe(images, batch, generator)
        return over_noise(images, latents_of(batch, self.settings.components), batch["sky_noise"])

    def _surprise(
        self, images: Tensor, latents: Tensor, batch: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """Minus the logarithm of the densities of all parameters, of the magnitude, of signals."""
        networks, facts = self.networks, facts_of(batch, self.transform.size)
        mean, factor, angle, light, signals = networks.describe(images, facts)
        targets = networks.to_frame(latents, angle, light)
        apart = (targets - networks.target_mean) / networks.target_std - mean
        each = (factor @ apart[:, :, None])[:, :, 0]
        diagonal = torch.diagonal(factor, dim1=1, dim2=2)
        surprise = 0.5 * each.square() - diagonal.log()
        expected, deviation = networks.expect(latents, facts)
        unlike = 0.5 * ((signals - expected) / deviation).square() + deviation.log()
        return {
            "parameters": surprise.sum(1).clamp_max(_LARGEST).mean(),
            "magnitude": surprise[:, 0].clamp_max(_LARGEST).mean(),
            "signals": unlike.clamp_max(_LARGEST).mean(),
        }

    @torch.no_grad()
    def calibrate(self, held_out: Batches, batches: Batches) -> None:
        """Fit factors of the deviations, and the limit beyond which images are unlike others.

        A factor makes 68 % of the held-out images lie within one deviation; where there are enough,
        it follows their brightness. Where there are few, the model that training started from has
        the last word.
        """
        self.eval()
        scaled, distances, magnitudes = [], [], []
        for step in range(held_out.steps):
            batch = held_out[0, step]
            images, latents = self._observed(batch)
            mean, root, distance = self.networks(images, facts_of(batch, self.transform.size))
            std = root.square().sum(2).sqrt()
            scaled.append(((mean - latents) / std).abs().numpy())
            distances.append(distance.numpy())
            magnitudes.append(mean[:, 0].numpy())
        count = sum(map(len, distances))
        if self.settings.encoder.start and count < _FEW:
            log(f"learn: {count} held-out images are too few to calibrate on; the model that "
                "training started from says how sure it is")  # fmt: skip
            return
        apart, bright = np.concatenate(scaled), np.concatenate(magnitudes)
        at, scales = factors_of(apart, bright)
        self.calibration = Calibration(
            at=at,
            scales=scales,
            scale=np.quantile(apart, _SIGMA, axis=0).tolist(),
            limit=float(np.quantile(np.concatenate(distances), _INLIERS)),
            prior=self._prior(batches),
        )

    def _prior(self, batches: Batches) -> dict[str, tuple[float, float]]:
        """Least and greatest latent parameter and fact, the magnitude over the sky's noise."""
        columns = {name: batches.column(name) for name in self.columns_of(self.settings)}
        latents = latents_of(columns, self.settings.components).double()
        low, high = latents.amin(0), latents.amax(0)
        noise = 2.5 * torch.log10(columns["sky_noise"].double())
        if not (self.settings.fill.noise and self.settings.fill.magnitudes == "uniform"):
            relative = latents[:, 0] + noise
            low[0], high[0] = relative.min(), relative.max()
        else:
            low[0], high[0] = low[0] + noise.min(), high[0] + noise.max()
        facts = facts_of(columns, self.transform.size).double()
        low, high = torch.cat([low, facts.amin(0)]), torch.cat([high, facts.amax(0)])
        names = (*self.space.latents, *FACTS)
        return {name: (float(a), float(b)) for name, a, b in zip(names, low, high)}

    def export(
        self, path: Path, *, examples: Tensor, training: dict[str, Any], metrics: dict[str, Any]
    ) -> ModelBundle:
        """Write the networks and their calibration as a ModelBundle."""
        columns = {name: values[: len(examples)] for name, values in self.examples.items()}
        noise = columns["sky_noise"].float()[:, None, None, None]
        return write_sersic_bundle(
            path,
            networks=self.networks,
            settings=self.settings,
            transform=self.transform,
            calibration=self.calibration,
            examples=(examples / noise, facts_of(columns, self.transform.size)),
            training=training,
            metrics=metrics,
        )


def factors_of(apart: np.ndarray, bright: np.ndarray) -> tuple[list[float], list[list[float]]]:
    """Factors of the deviations by brightness.

    Parameters
    ----------
    apart : ndarray, shape (n, P)
        Absolute errors over the told deviations.
    bright : ndarray, shape (n,)
        Told magnitudes.

    Returns
    -------
    at : list of float, length K
        Medians of as many equal parts of the images; empty where there are too few for two parts.
    scales : list of K lists of P
    """
    count = min(_KNOTS, len(bright) // _EACH)
    if count < 2:
        return [], []
    parts = np.array_split(np.argsort(bright, kind="stable"), count)
    return (
        [float(np.median(bright[part])) for part in parts],
        [np.quantile(apart[part], _SIGMA, axis=0).tolist() for part in parts],
    )


def _first_columns(names: tuple[str, ...], *parts: tuple[Batches, int]) -> dict[str, Tensor]:
    """Columns of the first rows of some splits, one split after the other."""
    return {
        name: torch.cat([batches.column(name)[:count] for batches, count in parts])
        for name in names
    }
