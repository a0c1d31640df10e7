"""Settings of the task ``sphere``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from morphosphere.config.base import Settings
from morphosphere.config.training import AugmentSettings, TrainingSettings


class EncoderSettings(Settings):
    """The network that reads an image; rotations and mirror images do not change what it says."""

    name: str = Field(
        "polar",
        min_length=1,
        description="polar: a small convolutional network, circular in angle; any other name is a "
        "backbone of timm, applied to the polar image.",
    )
    width: int = Field(16, ge=4, le=512, description="Channels of the polar network's first layer.")
    angles: int = Field(
        0, ge=0, le=1024, multiple_of=8, description="Angles of the polar image; 0: by image size."
    )
    radii: int = Field(
        0, ge=0, le=512, description="Radii of the polar image; 0: half of the image size."
    )
    rotations: int = Field(
        4, ge=1, le=64, description="Rotations over which a backbone of timm is averaged."
    )
    weights: str | None = Field(
        None, description="File with weights of the timm backbone; nothing is downloaded."
    )


class DecoderSettings(Settings):
    """The network that draws the upright image of a place on the sphere."""

    width: int = Field(32, ge=4, le=512, description="Channels of the finest layer.")


class LossSettings(Settings):
    """Weights of the pieces of the loss; the reconstruction's mean absolute difference has 1."""

    kl: float = Field(
        0.0001, ge=0, description="Divergence of the posterior from the uniform sphere."
    )
    uniformity: float = Field(
        0.2, ge=0, description="Pushes the means apart so that the sphere is evenly used."
    )
    colour: float = Field(0.5, ge=0, description="Absolute difference of differences of channels.")
    profile: float = Field(
        0.1, ge=0, description="Features must tell the polar power spectrum of the image."
    )
    contrast: float = Field(
        0.02, ge=0, description="Two disturbed copies of an image must have similar features."
    )
    neighbours: float = Field(
        0.1, ge=0, description="Images alike in the feature space must be close on the sphere."
    )
    residual: Literal["all", "circle"] = Field(
        "all", description="Compare all pixels, or those in the inscribed circle."
    )


class LearnSettings(TrainingSettings):
    """The network, its transform and how it is trained."""

    task: Literal["sphere"] = Field("sphere", description="What is learned.")
    encoder: EncoderSettings = Field(
        default_factory=EncoderSettings, description=EncoderSettings.__doc__
    )
    decoder: DecoderSettings = Field(
        default_factory=DecoderSettings, description=DecoderSettings.__doc__
    )
    features: int = Field(
        64, ge=4, le=4096, description="Length of the feature vector beside the sphere."
    )
    concentration: tuple[float, float] = Field(
        (4.0, 4000.0), description="Bounds of the posterior's concentration."
    )
    loss: LossSettings = Field(default_factory=LossSettings, description=LossSettings.__doc__)
    augment: AugmentSettings = Field(
        default_factory=AugmentSettings, description=AugmentSettings.__doc__
    )

    @field_validator("concentration")
    @classmethod
    def _bounds_are_ordered(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not 0 < value[0] < value[1] <= 1e6:
            raise ValueError("bounds must be 0 < lower < upper <= 1e6")
        return value
