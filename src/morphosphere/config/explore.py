"""Settings of the explorer site."""

from __future__ import annotations

from pydantic import Field

from morphosphere.config.base import Settings


class ExploreSettings(Settings):
    """The web page."""

    title: str = Field("morphosphere", min_length=1, description="Title of the page.")
