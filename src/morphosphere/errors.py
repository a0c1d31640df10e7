"""The errors that a user can mend: each says what is wrong, where, and what to do."""


class MorphosphereError(Exception):
    """Base of the errors that end a stage with one clear line and exit status 1."""


class ConfigError(MorphosphereError):
    """A configuration that cannot be used; the message names every key at fault."""


class InputError(MorphosphereError):
    """An input file that is missing, truncated or inconsistent; the message names it."""
