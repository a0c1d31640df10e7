"""Settings of the information limit of structural parameters."""

from __future__ import annotations

from pydantic import Field

from morphosphere.config.base import Settings


class BoundSettings(Settings):
    """The smallest errors that images allow: the Cramér-Rao bound of each galaxy."""

    limit: int | None = Field(
        500, ge=1, description="Test images of which it is computed, the first ones; null for all."
    )
    step: float = Field(
        1e-3,
        gt=0,
        le=0.05,
        description="Half-width of the central differences for derivatives, in the units of the "
        "latent parameters (magnitudes, dex, ellipticity).",
    )
