"""Settings that the training of every task has."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

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
    stretch: Literal["auto", "linear", "sqrt", "asinh", "log", "none"] = Field(
        "auto",
        description="Curve from flux to brightness. auto: linear for pictures of 8 bits, asinh for "
        "fluxes. none: pixels over the scale as they are, for measurements of fluxes.",
    )
    softening: float = Field(
        0.05, gt=0, description="Where asinh and log turn from linear to logarithmic, in [0, 1]."
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


class ObservedSettings(AugmentSettings):
    """Disturbances of training images: those of pose, and a mock observation of random quality.

    Pixels are brought back to flux for it. Widths are in pixels of the network's images, noise in
    the flux that becomes 1.
    """

    observed: float = Field(
        0.3, ge=0, le=1, description="Share of the images that are observed; the rest are as drawn."
    )
    psf: tuple[float, float] = Field(
        (0.3, 0.8), description="Least and largest standard deviation of the point spread function."
    )
    sky: tuple[float, float] = Field(
        (0.0005, 0.02), description="Least and largest noise of the sky (drawn in its logarithm)."
    )
    foreground: float = Field(
        0.4, ge=0, le=1.5, description="Foreground stars for each image, on average; three at most."
    )
    masked: float = Field(
        0.5, ge=0, le=1, description="Share of foreground stars that are masked instead of shown."
    )

    @model_validator(mode="after")
    def _ranges_are_ordered(self) -> ObservedSettings:
        for name in ("psf", "sky"):
            low, high = getattr(self, name)
            if not 0 < low <= high:
                raise ValueError(f"{name}: must be 0 < least <= largest")
        return self


class SplitSettings(Settings):
    """Shares of the galaxies that training never sees; a hash of their names decides."""

    validation: float = Field(
        0.1, ge=0, lt=0.5, description="To choose the best weights and to calibrate."
    )
    test: float = Field(0.1, ge=0, lt=0.9, description="To measure, and for nothing else.")


class TrainingSettings(Settings):
    """How a network is trained: data, optimiser, schedule."""

    task: str = Field(description="What is learned.")
    transform: TransformSettings = Field(
        default_factory=TransformSettings, description=TransformSettings.__doc__
    )
    split_by: str = Field(
        "galaxy_id",
        min_length=1,
        description="Column of the images' table that decides on training, validation and test: "
        "images with the same value stay together.",
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
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = Field(
        "32-true",
        description="Arithmetic of training; the latent space is always 32 bits. auto: bf16-mixed "
        "where the device computes with it, else 32-true.",
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

    @property
    def shares(self) -> SplitSettings:
        """Shares of validation and test."""
        return SplitSettings()

    @model_validator(mode="after")
    def _pixels_suit_the_task(self) -> TrainingSettings:
        if self.transform.stretch == "none" and self.task != "sersic":
            raise ValueError(
                "transform.stretch: none is for the task sersic; other networks read pixels in "
                "[0, 1]"
            )
        return self
