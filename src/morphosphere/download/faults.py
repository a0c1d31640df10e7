"""What can go wrong with one file, told apart by what to do about it."""

from __future__ import annotations

from morphosphere.errors import MorphosphereError


class DownloadError(MorphosphereError):
    """A server that cannot be used as asked; ends the stage. The message says what to do."""


class Temporary(Exception):
    """A fault that may be gone when one tries again.

    Parameters
    ----------
    reason : str
    after : float, optional
        Seconds that the server asks to wait.
    """

    def __init__(self, reason: str, after: float = 0.0) -> None:
        super().__init__(reason)
        self.after = after


class OutOfRange(Temporary):
    """The server's file is shorter than the part that is there."""


class Missing(Exception):
    """The server does not have it, and will not have it later."""


class Blank(Exception):
    """The server sent an image, but without data."""


class Failed(Exception):
    """A file that could not be fetched after all retries."""
