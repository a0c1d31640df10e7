"""Settings of the evaluate stage."""

from __future__ import annotations

from pydantic import Field

from morphosphere.config.base import Settings


class EvaluateSettings(Settings):
    """What is measured on the finished map."""

    neighbours: int = Field(
        20, ge=1, description="Neighbours in the k-NN regression of properties."
    )
