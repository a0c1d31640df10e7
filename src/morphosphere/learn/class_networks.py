"""The networks of the task ``classes``: an ensemble of encoders with heads, and their features."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from morphosphere.config.class_learn import ClassLearnSettings, ReaderSettings
from morphosphere.config.learn import EncoderSettings
from morphosphere.learn.encoders import PolarEncoder
from morphosphere.learn.maps import build_map_encoder

#: Least variance of a feature, of that of all, so that none is divided by nothing.
_SMALLEST = 1e-4
#: Least spread in units of the activations themselves: what is smaller drowns in their rounding,
#: which is not the same in PyTorch and in ONNX Runtime.
_ROUNDED = 3e-3


class PooledEncoder(nn.Module):
    """Images (N, C, S, S) to numbers (N, `output`) by any encoder that the settings name.

    Activation maps are pooled by mean and maximum. `stages` are the parts of the encoder from the
    first to the deepest, for training that begins with some of them.
    """

    def __init__(self, channels: int, size: int, settings: ReaderSettings) -> None:
        super().__init__()
        self.polar = settings.name == "polar"
        if self.polar:
            self.encoder = PolarEncoder(channels, size, EncoderSettings(width=settings.width))
            self.output = self.encoder.output
        else:
            self.encoder = build_map_encoder(channels, size, settings)
            self.output = 2 * self.encoder.channels
        if hasattr(self.encoder, "backbone"):
            self._read = _parts_read(self.encoder, torch.zeros(1, channels, size, size))

    @property
    def stages(self) -> list[nn.Module]:
        """Parts of the encoder with weights, in the order in which they read."""
        inner = self.encoder
        if self.polar:
            return [*inner.stages, inner.last]
        if hasattr(inner, "stages"):
            return list(inner.stages)
        return [part for name, part in inner.backbone.named_children() if name in self._read]

    def forward(self, images: Tensor) -> Tensor:
        found = self.encoder(images)
        return found if self.polar else torch.cat([found.mean((2, 3)), found.amax((2, 3))], dim=1)


def _parts_read(encoder: nn.Module, image: Tensor) -> set[str]:
    """Names of the parts of a backbone of timm that its maps depend on.

    Those beyond the level that is taken are not among them, and those without weights.
    """
    weights = {name: list(part.parameters()) for name, part in encoder.backbone.named_children()}
    every = [weight for part in weights.values() for weight in part]
    training = encoder.training
    with torch.enable_grad():
        total = encoder.eval()(image).sum()
        found = torch.autograd.grad(total, every, allow_unused=True)
    encoder.train(training)
    read = {id(weight) for weight, gradient in zip(every, found) if gradient is not None}
    return {name for name, part in weights.items() if any(id(w) in read for w in part)}


class Member(nn.Module):
    """One network of the ensemble: encoder, a layer, and what it says of class and type."""

    def __init__(self, channels: int, size: int, settings: ClassLearnSettings) -> None:
        super().__init__()
        self.encoder = PooledEncoder(channels, size, settings.encoder)
        self.layer = nn.Sequential(nn.Linear(self.encoder.output, settings.hidden), nn.ReLU())
        self.dropout = nn.Dropout(settings.dropout)
        self.say = nn.Linear(settings.hidden, len(settings.classes))
        self.say_type = nn.Linear(settings.hidden, settings.type.bins) if settings.type else None
        masks = torch.rand(settings.masks, settings.hidden) >= settings.dropout
        self.register_buffer("masks", masks)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Activations (N, H) of the layer, logits (N, R, K) and of the type (N, R, B).

        While training R is 1, with dropout at random; else one for each fixed mask.
        """
        x = self.layer(self.encoder(images)).float()
        if self.training or not len(self.masks):
            read = self.dropout(x)[:, None]
        else:
            read = x[:, None] * self.masks / (1 - self.dropout.p)
        told = self.say_type(read).float() if self.say_type is not None else None
        return x, self.say(read).float(), told


class FeatureSpace(nn.Module):
    """Principal components of activations, and how far an image is from those of training.

    The distance is that of Mahalanobis over the root of its degrees of freedom, with all
    directions beyond the components sharing one variance (probabilistic principal components,
    Tipping & Bishop 1999, J. R. Stat. Soc. B 61, 611).
    """

    def __init__(self, inputs: int, features: int) -> None:
        super().__init__()
        features = min(features, inputs)
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("axes", torch.eye(features, inputs))
        self.register_buffer("variance", torch.ones(features))
        self.register_buffer("rest", torch.ones(()))

    @torch.no_grad()
    def fit(self, x: Tensor) -> None:
        """Fit to activations (N, H) of training images."""
        x = x.double()
        self.mean.copy_(x.mean(0))
        _, values, axes = torch.linalg.svd(x - self.mean.double(), full_matrices=False)
        spread = values.square() / max(1, len(x) - 1)
        kept = min(len(self.variance), len(spread))
        rounded = (_ROUNDED**2 * x.square().mean()).clamp_min(1e-16)
        floor = torch.maximum(_SMALLEST * spread.sum(), rounded)
        self.axes.zero_()
        self.axes[:kept] = axes[:kept].float()
        self.variance.fill_(1.0)
        self.variance[:kept] = spread[:kept].clamp_min(floor).float()
        beyond = max(1, x.shape[1] - kept) * rounded
        self.rest.copy_(spread[kept:].sum().clamp_min(torch.maximum(floor, beyond)))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Features (N, F) and distance (N,) of activations (N, H)."""
        apart = x - self.mean
        features = apart @ self.axes.T
        beyond = (apart - features @ self.axes).square().sum(1)
        squares = (features.square() / self.variance).sum(1) + beyond / self.rest
        return features, torch.sqrt(squares / (len(self.variance) + 1))


class ClassNetworks(nn.Module):
    """All members, and the space of their features.

    Parameters
    ----------
    channels, size : int
        Of the transformed images.
    settings : ClassLearnSettings
    """

    def __init__(self, channels: int, size: int, settings: ClassLearnSettings) -> None:
        super().__init__()
        self.members = nn.ModuleList(
            Member(channels, size, settings) for _ in range(settings.members)
        )
        self.space = FeatureSpace(settings.members * settings.hidden, settings.features)

    def activations(self, images: Tensor) -> Tensor:
        """Activations (N, members x H) of all members' layers."""
        return torch.cat([member(images)[0] for member in self.members], dim=1)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """What ``encoder.onnx`` gives: features, logits, distance, and of the type its logits."""
        said = [member(images) for member in self.members]
        features, distance = self.space(torch.cat([x for x, _, _ in said], dim=1))
        logits = torch.cat([logits for _, logits, _ in said], dim=1)
        told = [of_type for _, _, of_type in said if of_type is not None]
        found = (features, logits, distance)
        return (*found, torch.cat(told, dim=1)) if told else found


def output_names(settings: ClassLearnSettings) -> list[str]:
    """Names of what `ClassNetworks` gives, in order."""
    names = ["features", "logits", "distance"]
    return [*names, "type_logits"] if settings.type else names
