"""Settings of training."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from morphosphere.config.base import Settings


class TransformSettings(Settings):
    """How stored pixels become the network's numbers in [0, 1]; stored with the model."""

    size: int = Field(
        64, ge=8, le=1024, description="Width and height of the network's images in pixels."
    )
    crop: float = Field(1.0, gt=0, le=1, description="Central fraction of the width that is kept.")
    scale: Literal["auto", "image", "fixed"] = Field(
        "auto",
        description="What becomes 1: a percentile of each image, or a fixed value. auto: fixed for "
        "pictures of 8 bits, by image for fluxes.",
    )
    percentile: float = Field(
        99.5, gt=0, le=100, description="With scale image: this percentile of the mean channel."
    )
    value: float = Field(255.0, gt=0, description="With scale fixed: this pixel value.")
    stretch: Literal["auto", "linear", "sqrt", "asinh", "log"] = Field(
        "auto",
        description="Curve from flux to brightness. auto: linear for pictures of 8 bits, asinh for "
        "fluxes.",
    )
    softening: float = Field(
        0.05, gt=0, description="Where asinh and log turn from linear to logarithmic, in [0, 1]."
    )


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


class AugmentSettings(Settings):
    """Disturbances of training images; rotation and mirror image are always drawn."""

    shift: float = Field(0.02, ge=0, le=0.5, description="Largest shift, in widths of the image.")
    zoom: float = Field(0.05, ge=0, le=0.5, description="Largest relative change of scale.")
    noise: float = Field(
        0.01, ge=0, le=1, description="Standard deviation of noise that only the encoder sees."
    )
    brightness: float = Field(
        0.0, ge=0, le=0.9, description="Largest relative change of brightness."
    )


class LearnSettings(Settings):
    """The network, its transform and how it is trained."""

    task: Literal["sphere"] = Field("sphere", description="What is learned.")
    transform: TransformSettings = Field(
        default_factory=TransformSettings, description=TransformSettings.__doc__
    )
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
    epochs: int = Field(12, ge=1, description="Number of passes over the training images.")
    batch_size: int = Field(
        64,
        ge=4,
        description="Images in a batch, over all processes: more processes leave it, and the "
        "learning rate, as they are.",
    )
    learning_rate: float = Field(0.003, gt=0, description="Largest step size (AdamW, cosine).")
    learning_rate_scaling: Literal["none", "linear", "sqrt"] = Field(
        "none",
        description="How the learning rate grows with batch_size times accumulate over "
        "reference_batch.",
    )
    reference_batch: int = Field(
        64, ge=1, description="The effective batch that learning_rate was chosen for."
    )
    weight_decay: float = Field(0.01, ge=0, description="Decay of weights (AdamW).")
    warmup: float = Field(
        0.1, ge=0, lt=1, description="Fraction of training in which the step size grows."
    )
    average: float = Field(
        0.99, ge=0, lt=1, description="Decay of the moving average of weights; 0: no average."
    )
    patience: int = Field(
        20, ge=1, description="Epochs without improvement on validation images before the end."
    )
    clip: float = Field(1.0, gt=0, description="Largest norm of the gradient.")
    accumulate: int = Field(
        1, ge=1, description="Batches whose gradients are added up before the weights move."
    )
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = Field(
        "32-true", description="Arithmetic of training; the latent space is always 32 bits."
    )
    checkpoint_minutes: float = Field(
        15,
        gt=0,
        description="Minutes between checkpoints within an epoch; there is one at its end, and one "
        "when Slurm or a user asks training to stop.",
    )
    compile: bool = Field(False, description="Compile the networks with torch.compile.")
    memory_mib: int = Field(
        1024,
        ge=0,
        description="Transformed images are kept in memory if they fit in this; else streamed.",
    )
    buffer: int = Field(
        4096, ge=1, description="Images read at a time and shuffled together when streamed."
    )
    workers: int = Field(0, ge=0, le=64, description="Processes that read images.")
    threads: int = Field(0, ge=0, le=256, description="Threads of arithmetic; 0: all cores.")
    tensorboard: bool = Field(False, description="Also log for TensorBoard.")

    @field_validator("concentration")
    @classmethod
    def _bounds_are_ordered(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not 0 < value[0] < value[1] <= 1e6:
            raise ValueError("bounds must be 0 < lower < upper <= 1e6")
        return value
