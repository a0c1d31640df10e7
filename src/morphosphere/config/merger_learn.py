"""Settings of the task ``mergers``: what an image of an encounter says."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from morphosphere.config.base import Settings
from morphosphere.config.training import ObservedSettings, TrainingSettings, TransformSettings


class LabelSettings(Settings):
    """A label that is told from an image, and its range."""

    low: float = Field(description="Lower end of the range, in the unit of the column.")
    high: float = Field(description="Upper end of the range.")
    scale: Literal["linear", "log10"] = Field(
        "linear", description="In what the bins of the posterior are equal."
    )
    unit: str = Field("", description="Unit of the column, for pages and figures.")
    weight: float = Field(1.0, gt=0, description="Weight in the loss.")

    @model_validator(mode="after")
    def _range_is_sound(self) -> LabelSettings:
        if not self.low < self.high:
            raise ValueError("low must be below high")
        if self.scale == "log10" and self.low <= 0:
            raise ValueError("low must be above 0 with scale log10")
        return self


class MapEncoderSettings(Settings):
    """The network that makes activation maps of an image."""

    name: str = Field(
        "convolutional",
        min_length=1,
        description="convolutional: a small residual network; any other name is a backbone of timm "
        "that gives feature maps.",
    )
    width: int = Field(16, ge=4, le=512, description="Channels of the finest layer.")
    maps: int = Field(8, ge=1, le=64, description="Width of the activation maps, at least.")
    weights: str | None = Field(
        None, description="File with weights of the timm backbone; nothing is downloaded."
    )


class MapDecoderSettings(Settings):
    """The network that draws an image from activation maps."""

    width: int = Field(16, ge=2, le=512, description="Channels of the finest layer.")


class MergerLossSettings(Settings):
    """Weights of the pieces of the loss; the surprise of the labels has 1."""

    regression: float = Field(
        0.3, ge=0, description="Surprise of the labels under the regression's normal distribution."
    )
    encounter: float = Field(0.5, ge=0, description="Whether the image shows an encounter.")
    reconstruction: float = Field(
        5.0, ge=0, description="Absolute difference of the image drawn from the activation maps."
    )
    latent: float = Field(
        5.0, ge=0, description="The same of the image drawn from the latent vector."
    )
    maps: float = Field(
        1.0, ge=0, description="Squared difference of maps and those of z, over their variance."
    )
    similar: float = Field(
        1.0, ge=0, description="Absolute difference of the labels and a linear map of z."
    )
    kl: float = Field(0.001, ge=0, description="Divergence of the latent vector from the prior.")
    smoothing: float = Field(
        0.75, gt=0, description="Width of a true value on the bins, in bins (standard deviation)."
    )


def _labels() -> dict[str, LabelSettings]:
    return {
        "time_since_pericentre": LabelSettings(low=-300.0, high=1300.0, unit="Myr", weight=2.0),
        "mass_ratio": LabelSettings(low=0.1, high=1.0, scale="log10"),
        "size_ratio": LabelSettings(low=0.2, high=2.0, scale="log10", weight=0.5),
        "inclination": LabelSettings(low=0.0, high=90.0, unit="deg", weight=0.25),
        "separation": LabelSettings(low=0.0, high=150.0, unit="kpc", weight=0.5),
    }


class MergerLearnSettings(TrainingSettings):
    """The network that reads images of encounters, and how it is trained."""

    task: Literal["mergers"] = Field("mergers", description="What is learned.")
    transform: TransformSettings = Field(
        default_factory=lambda: TransformSettings(scale="image", stretch="asinh", softening=0.01),
        description=TransformSettings.__doc__,
    )
    split_by: str = Field(
        "encounter_id",
        min_length=1,
        description="Column of the images' table that decides on training, validation and test: "
        "images with the same value stay together.",
    )
    encoder: MapEncoderSettings = Field(
        default_factory=MapEncoderSettings, description=MapEncoderSettings.__doc__
    )
    decoder: MapDecoderSettings = Field(
        default_factory=MapDecoderSettings, description=MapDecoderSettings.__doc__
    )
    latent: int = Field(32, ge=2, le=4096, description="Length of the latent vector z.")
    labels: dict[str, LabelSettings] = Field(
        default_factory=_labels,
        min_length=1,
        description="Labels by column of the images' table; images on which one is not known do "
        "not teach it.",
    )
    bins: int = Field(64, ge=8, le=1024, description="Bins of the posterior of a label.")
    loss: MergerLossSettings = Field(
        default_factory=MergerLossSettings, description=MergerLossSettings.__doc__
    )
    augment: ObservedSettings = Field(
        default_factory=lambda: ObservedSettings(shift=0.05, zoom=0.05, noise=0.0),
        description=ObservedSettings.__doc__,
    )
    epochs: int = Field(12, ge=1, description="Number of passes over the training images.")
    learning_rate: float = Field(0.006, gt=0, description="Largest step size (AdamW, cosine).")
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = Field(
        "auto",
        description="Arithmetic of training; the labels are always 32 bits. auto: bf16-mixed where "
        "the device computes with it, else 32-true.",
    )
