"""Settings of predictions of classes in a survey."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from morphosphere.config.base import Settings


class SurveyPredictSettings(Settings):
    """How the images of a survey are read by a model of classes."""

    views: Literal[1, 2, 4, 8] = Field(
        8,
        description="Turned and mirrored views that probabilities, features and domain distance "
        "are averaged over.",
    )
    chunk: int = Field(
        64, ge=1, le=65536, description="Images held in memory at a time by each process."
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto",
        description="Where the network runs: ONNX Runtime on the CPU, or PyTorch on GPUs (one for "
        "each process of a node, in turn); auto takes a GPU if there is one.",
    )
