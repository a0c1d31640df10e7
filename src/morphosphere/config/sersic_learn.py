"""Settings of the task ``sersic``: structural parameters of a galaxy, with their covariance."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from morphosphere.config.base import Settings
from morphosphere.config.merger_learn import MapEncoderSettings
from morphosphere.config.training import SplitSettings, TrainingSettings, TransformSettings


class ProfileEncoderSettings(MapEncoderSettings):
    """What reads the image before the parameters are told."""

    name: str = Field(
        "rings",
        min_length=1,
        description="rings: harmonics of the light on rings about the centre, which keep nearly "
        "all that an image says of a smooth profile; convolutional: a small residual network; any "
        "other name is a backbone of timm that gives feature maps.",
    )
    rings: int = Field(28, ge=4, le=128, description="Rings between the centre and the corners.")
    harmonics: list[int] = Field(
        [0, 1, 2, 3, 4, 6],
        description="Harmonics of the angle on each ring; 0 and 2 are always needed.",
    )
    start: str | None = Field(
        None,
        description="Folder of a finished model of the task that training starts from; it must be "
        "of the same kind and size.",
    )

    @field_validator("harmonics")
    @classmethod
    def _harmonics_are_sound(cls, value: list[int]) -> list[int]:
        if not {0, 2} <= set(value) or min(value) < 0 or len(set(value)) < len(value):
            raise ValueError("must hold 0 and 2, and each other one once, none below 0")
        return sorted(value)


class FillSettings(Settings):
    """What is done to training images, which are stored without noise."""

    noise: bool = Field(
        True,
        description="Whether noise is added in training, anew in each epoch, as deep as the "
        "columns sky_noise and gain say; false for images that have theirs.",
    )
    magnitudes: Literal["uniform", "kept"] = Field(
        "uniform",
        description="uniform: images without noise get new magnitudes in each epoch, between the "
        "least and the greatest of training; kept: where magnitude goes with other parameters.",
    )
    turn: bool = Field(
        True, description="Whether images are mirrored and turned by quarters, in each epoch anew."
    )


def _transform() -> TransformSettings:
    return TransformSettings(size=128, scale="fixed", value=1.0, stretch="none")


class SersicLearnSettings(TrainingSettings):
    """The network that tells structural parameters, and how it is trained."""

    task: Literal["sersic"] = Field("sersic", description="What is learned.")
    transform: TransformSettings = Field(
        default_factory=_transform, description=TransformSettings.__doc__
    )
    components: Literal[1, 2] = Field(
        1, description="1: a Sérsic profile; 2: an exponential disc and a de Vaucouleurs bulge."
    )
    split: SplitSettings = Field(default_factory=SplitSettings, description=SplitSettings.__doc__)
    encoder: ProfileEncoderSettings = Field(
        default_factory=ProfileEncoderSettings, description=ProfileEncoderSettings.__doc__
    )
    hidden: int = Field(512, ge=16, le=8192, description="Width of the layers after the encoder.")
    blocks: int = Field(4, ge=1, le=64, description="Residual blocks of these layers.")
    fill: FillSettings = Field(default_factory=FillSettings, description=FillSettings.__doc__)
    limit: int | None = Field(
        None, ge=4, description="Images to train on, at most; null: all that there are."
    )
    first_epochs: int = Field(
        2,
        ge=0,
        description="Epochs in which the magnitude alone is learned; all parameters follow.",
    )
    epochs: int = Field(100, ge=1, description="Number of passes over the training images.")
    batch_size: int = Field(
        128,
        ge=4,
        description="Images in a batch, over all processes: more processes leave it, and the "
        "learning rate, as they are.",
    )
    learning_rate: float = Field(0.0015, gt=0, description="Largest step size (AdamW, cosine).")
    weight_decay: float = Field(0.001, ge=0, description="Decay of weights (AdamW).")
    average: float = Field(
        0.995, ge=0, lt=1, description="Decay of the moving average of weights; 0: no average."
    )
    patience: int = Field(
        30, ge=1, description="Epochs without improvement on validation images before the end."
    )
    memory_mib: int = Field(
        3072, ge=0, description="Images are kept in memory if they fit in this; else streamed."
    )

    @property
    def shares(self) -> SplitSettings:
        """Shares of validation and test."""
        return self.split

    @model_validator(mode="after")
    def _pixels_are_as_stored(self) -> SersicLearnSettings:
        given = self.transform
        if (given.scale, given.value, given.stretch, given.crop) != ("fixed", 1.0, "none", 1.0):
            raise ValueError(
                "transform must have scale fixed, value 1, stretch none and crop 1: fluxes are "
                "measured on pixels as they are"
            )
        return self
