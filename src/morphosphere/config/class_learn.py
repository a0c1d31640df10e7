"""Settings of the task ``classes``: the class of a galaxy, and its type on an ordered scale."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from morphosphere.config.base import Settings
from morphosphere.config.merger_learn import MapEncoderSettings
from morphosphere.config.training import (
    ObservedSettings,
    SplitSettings,
    TrainingSettings,
    TransformSettings,
)


class TypeSettings(Settings):
    """A type on an ordered scale, as the Hubble type T, told with its uncertainty."""

    low: float = Field(-7.0, description="Lower end of the scale.")
    high: float = Field(12.0, description="Upper end of the scale.")
    bins: int = Field(76, ge=8, le=1024, description="Bins of the posterior.")
    smoothing: float = Field(
        2.0, gt=0, description="Width of a true value on the bins, in bins (standard deviation)."
    )
    weight: float = Field(1.0, ge=0, description="Weight in the loss; the classes have 1.")

    @model_validator(mode="after")
    def _range_is_sound(self) -> TypeSettings:
        if not self.low < self.high:
            raise ValueError("low must be below high")
        return self


class ReaderSettings(MapEncoderSettings):
    """The network that reads images: what makes activation maps of them, or the map's encoder."""

    name: str = Field(
        "polar",
        min_length=1,
        description="polar: the encoder of the map, which does not see how an image is turned; "
        "convolutional: a small residual network; any other name is a backbone of timm that gives "
        "feature maps.",
    )
    weights: str | None = Field(
        None,
        description="Weights of the timm backbone: a file, or hub to download those that timm "
        "knows by the name.",
    )
    width: int = Field(16, ge=4, le=512, description="Channels of the finest layer.")
    start: str | None = Field(
        None,
        description="Folder of a finished model (of the map, of mergers, of classes) whose encoder "
        "training starts from; it must be of the same kind and width.",
    )

    @model_validator(mode="after")
    def _weights_are_of_timm(self) -> ReaderSettings:
        if self.weights is not None and self.name in ("polar", "convolutional"):
            raise ValueError(
                f"weights are those of a backbone of timm, and {self.name} is none: set name, or "
                "give a finished model as start instead"
            )
        return self


class UnfreezeSettings(Settings):
    """When the parts of a pretrained network begin to learn: the head first, the deepest next."""

    head_epochs: float = Field(0, ge=0, description="Epochs in which only the head learns.")
    stage_epochs: float = Field(
        0, ge=0, description="Epochs after which each further stage joins; 0: all at once."
    )
    encoder_rate: float = Field(
        1.0, gt=0, le=1, description="Step size of the encoder over that of the head."
    )


class ClassLearnSettings(TrainingSettings):
    """The network that tells classes and types, and how it is trained."""

    task: Literal["classes"] = Field("classes", description="What is learned.")
    transform: TransformSettings = Field(
        default_factory=TransformSettings, description=TransformSettings.__doc__
    )
    split_by: str = Field(
        "object",
        min_length=1,
        description="Column of the images' table that decides on training, validation and test: "
        "images with the same value stay together.",
    )
    split: SplitSettings = Field(default_factory=SplitSettings, description=SplitSettings.__doc__)
    classes: list[str] = Field(
        default_factory=list,
        description="Names of the classes in the order of their numbers; the workflow takes them "
        "from transfer.label.",
    )
    type: TypeSettings | None = Field(None, description=TypeSettings.__doc__)
    label_limit: int | None = Field(
        None, ge=2, description="Train on so many labelled galaxies only: for a learning curve."
    )
    encoder: ReaderSettings = Field(
        default_factory=ReaderSettings, description=ReaderSettings.__doc__
    )
    unfreeze: UnfreezeSettings = Field(
        default_factory=UnfreezeSettings, description=UnfreezeSettings.__doc__
    )
    hidden: int = Field(128, ge=2, le=4096, description="Width of the head's layer.")
    features: int = Field(
        32,
        ge=2,
        le=1024,
        description="Principal components of the heads' layers that are kept as features.",
    )
    members: int = Field(
        2, ge=1, le=32, description="Networks that are trained side by side as an ensemble."
    )
    dropout: float = Field(0.2, ge=0, lt=1, description="Dropout in the head.")
    masks: int = Field(
        4,
        ge=0,
        le=256,
        description="Fixed masks of dropout with which each member is read (Monte Carlo dropout); "
        "0: without dropout.",
    )
    class_weights: Literal["balanced", "sqrt", "none"] = Field(
        "sqrt",
        description="Weight of a class in the loss: one over its share (balanced), over the root "
        "of it, or 1.",
    )
    label_smoothing: float = Field(
        0.02, ge=0, lt=0.5, description="Share of each label that is spread over all classes."
    )
    decision: Literal["balanced", "most_probable"] = Field(
        "balanced",
        description="Predicted class: that of the largest probability over its share among the "
        "labels (balanced), or simply the most probable.",
    )
    augment: ObservedSettings = Field(
        default_factory=lambda: ObservedSettings(shift=0.04, zoom=0.1, noise=0.01, observed=0.2),
        description=ObservedSettings.__doc__,
    )
    epochs: int = Field(20, ge=1, description="Number of passes over the training images.")
    batch_size: int = Field(
        32,
        ge=4,
        description="Images in a batch, over all processes: more processes leave it, and the "
        "learning rate, as they are.",
    )
    learning_rate: float = Field(0.003, gt=0, description="Largest step size (AdamW, cosine).")
    average: float = Field(
        0.98, ge=0, lt=1, description="Decay of the moving average of weights; 0: no average."
    )
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = Field(
        "auto",
        description="Arithmetic of training. auto: bf16-mixed where the device computes with it, "
        "else 32-true.",
    )

    @field_validator("classes")
    @classmethod
    def _classes_differ(cls, value: list[str]) -> list[str]:
        if len(set(value)) < len(value):
            raise ValueError("each class can be named once")
        return value

    @property
    def shares(self) -> SplitSettings:
        """Shares of validation and test."""
        return self.split
