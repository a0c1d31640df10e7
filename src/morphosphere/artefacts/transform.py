"""The one transform between stored images and what a network sees.

It is versioned, stored with the model, and used by training, prediction, HiPS, evaluation and the
web page alike.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morphosphere.errors import InputError
from morphosphere.files import read_json, write_json

VERSION = 1
#: "none" keeps pixels as they are, negative ones too: measurements need their noise whole.
STRETCHES = ("linear", "sqrt", "asinh", "log", "none")
#: Pixels beyond this are cut, so that sums and products of them stay finite in float32.
_LARGEST = 1e30
#: An image whose brightness is not above this is dark: dividing by less would overflow.
_SMALLEST = 1e-30


@dataclass(frozen=True)
class Transform:
    """Crop, resample, scale and stretch: (N, C, H, W) of any unit to (N, C, size, size) in [0, 1].

    The steps, in order: non-finite pixels become 0; the central `crop` of the width is kept; the
    image is resampled to `size` by area; each image is divided by its brightness (`scale` is
    "image": the `percentile` of its channel mean, or the maximum where that is zero) or by a fixed
    number (`scale` is "fixed": `value`); the channel mean is stretched and the channels follow it
    in proportion, so that colours are kept (Lupton et al. 2004, PASP 116, 133); the result is
    clipped to [0, 1], unless the stretch is "none".

    Attributes
    ----------
    channels : tuple of str
        Channels of the images, in order.
    size : int
        Width and height of the output in pixels.
    crop : float
        Fraction of the width that is kept, in (0, 1].
    scale : str
        "image" or "fixed".
    percentile : float
        For "image": this percentile of the channel mean over the image becomes 1.
    value : float
        For "fixed": this pixel value becomes 1. For uint8 pictures it is 255.
    stretch : str
        One of `STRETCHES`.
    softening : float
        For "asinh" and "log": the value, relative to the scale, at which the stretch turns from
        linear to logarithmic.
    version : int
        Of this definition.
    """

    channels: tuple[str, ...]
    size: int
    crop: float = 1.0
    scale: str = "fixed"
    percentile: float = 99.5
    value: float = 255.0
    stretch: str = "linear"
    softening: float = 0.05
    version: int = VERSION

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Transform images.

        Parameters
        ----------
        images : ndarray, shape (N, C, H, W)

        Returns
        -------
        ndarray of float32, shape (N, C, size, size), in [0, 1] unless the stretch is "none"

        Raises
        ------
        InputError
            If the images do not have the channels of this transform.
        """
        if images.ndim != 4 or images.shape[1] != len(self.channels):
            raise InputError(
                f"images of shape {images.shape} do not fit a model for {len(self.channels)} "
                f"channels ({', '.join(self.channels)}): expected (N, {len(self.channels)}, H, W)"
            )
        with np.errstate(over="ignore"):
            x = images.astype(np.float32, copy=False)
        x = resample(central_crop(_finite(x), self.crop), self.size)
        mean = x.mean(axis=1, keepdims=True)
        x = x / self._brightness(mean)
        return self._stretched(x)

    def _brightness(self, mean: np.ndarray) -> np.ndarray:
        if self.scale == "fixed":
            return np.float32(self.value)
        top = percentile(mean[:, 0], self.percentile)[:, None, None, None]
        peak = mean.max(axis=(1, 2, 3), keepdims=True)
        top = np.where(top > _SMALLEST, top, peak)  # the source is smaller than the rest
        return np.where(top > _SMALLEST, top, 1).astype(np.float32)

    def _stretched(self, x: np.ndarray) -> np.ndarray:
        """Of an array that is written over: at most one of the size of the images is made."""
        if self.stretch == "none":
            return x.astype(np.float32, copy=False)
        if self.stretch == "linear":
            return np.clip(x, 0, 1, out=x)
        np.maximum(x, 0, out=x)
        mean = x.mean(axis=1, keepdims=True)
        if self.stretch == "sqrt":
            bent = np.sqrt(mean)
        elif self.stretch == "asinh":
            bent = np.arcsinh(mean / self.softening) / math.asinh(1 / self.softening)
        else:
            bent = np.log1p(mean / self.softening) / math.log1p(1 / self.softening)
        ratio = np.divide(bent, np.maximum(mean, np.finfo(np.float32).tiny), out=mean)
        x *= ratio
        return np.clip(x, 0, 1, out=x).astype(np.float32, copy=False)

    def write(self, path: str | Path) -> None:
        """Write as JSON."""
        write_json(path, dataclasses.asdict(self))

    @classmethod
    def read(cls, path: str | Path) -> Transform:
        """Read from JSON.

        Raises
        ------
        InputError
            If the file is missing, or of a version that this code does not know.
        """
        value = read_json(path)
        if not isinstance(value, dict) or value.get("version") != VERSION:
            found = value.get("version") if isinstance(value, dict) else "none"
            raise InputError(
                f"{path}: transform of version {found}, this is version {VERSION}; "
                "train the model again or use the release that made it"
            )
        try:
            transform = cls(**{**value, "channels": tuple(value["channels"])})
            transform.check()
        except (TypeError, KeyError, ValueError) as error:
            raise InputError(f"{path}: {error}; train the model again") from None
        return transform

    def check(self) -> None:
        """Refuse impossible values.

        Raises
        ------
        ValueError
            Naming the value and what is allowed.
        """
        for name, allowed, good in (
            ("channels", "one name or more", len(self.channels) > 0),
            ("size", "1 or more", self.size >= 1),
            ("crop", "above 0, at most 1", 0 < self.crop <= 1),
            ("scale", "image or fixed", self.scale in ("image", "fixed")),
            ("percentile", "0 to 100", 0 <= self.percentile <= 100),
            ("value", "above 0", self.value > 0),
            ("stretch", ", ".join(STRETCHES), self.stretch in STRETCHES),
            ("softening", "above 0", self.softening > 0),
        ):
            if not good:
                raise ValueError(f"{name} is {getattr(self, name)!r}, allowed is {allowed}")


def _finite(x: np.ndarray) -> np.ndarray:
    """Pixels that are not finite as 0, and none beyond `_LARGEST`; `x` itself where all is well."""
    if not x.size or (x.min() >= -_LARGEST and x.max() <= _LARGEST):  # False for NaN
        return x
    x = np.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0)
    return np.clip(x, -_LARGEST, _LARGEST, out=x)


def percentile(images: np.ndarray, q: float) -> np.ndarray:
    """A percentile of each of some square images (N, S, S), between ranks by a line; shape (N,).

    For high percentiles only the pixels that can be among the highest are put in order: k rows
    whose maximum is at least some value hold k pixels that are.
    """
    size = images.shape[-1]
    place = (size**2 - 1) * q / 100
    rank = int(place)
    highest = size**2 - rank
    if 2 * highest > size:
        return np.percentile(images, q, axis=(1, 2))
    bound = np.partition(images.max(axis=2), size - highest, axis=1)[:, size - highest]
    out = np.empty(len(images), images.dtype)
    for n, image in enumerate(images):
        top = np.sort(image[image >= bound[n]])[-highest:]
        out[n] = top[0] + (place - rank) * (top[min(1, highest - 1)] - top[0])
    return out


def central_crop(images: np.ndarray, fraction: float) -> np.ndarray:
    """The central square that spans `fraction` of the smaller side; shape (N, C, S, S)."""
    height, width = images.shape[-2:]
    side = max(1, round(min(height, width) * fraction))
    top, left = (height - side) // 2, (width - side) // 2
    return images[..., top : top + side, left : left + side]


def resample(images: np.ndarray, size: int) -> np.ndarray:
    """Resample square images (..., S, S) to (..., size, size), keeping the mean brightness.

    Shrinking averages over area, enlarging interpolates linearly.
    """
    if images.shape[-1] == size:
        return images
    weights = resampling_matrix(images.shape[-1], size)
    return np.matmul(np.matmul(weights, images), weights.T)


def resampling_matrix(old: int, new: int) -> np.ndarray:
    """Weights (new, old), float32, rows summing to one: a triangle as wide as a pixel of either."""
    ratio = old / new
    width = max(ratio, 1.0)
    centres = (np.arange(new) + 0.5) * ratio - 0.5
    weights = np.maximum(0.0, 1 - np.abs(np.arange(old)[None, :] - centres[:, None]) / width)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
