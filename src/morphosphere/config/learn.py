"""Settings of training."""

from __future__ import annotations

from pydantic import Field

from morphosphere.config.base import Settings


class LearnSettings(Settings):
    """The network, its transform and how it is trained."""

    epochs: int = Field(10, ge=1, description="Number of passes over the training images.")
