"""The base of all settings and the check that reports every mistake at once."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from morphosphere.errors import ConfigError


class Settings(BaseModel):
    """A section of the configuration: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


S = TypeVar("S", bound=Settings)


def check(model: type[S], value: Any, *, source: str) -> S:
    """`value` as validated settings.

    Raises
    ------
    ConfigError
        One line for each mistake: the key's path, what is allowed, what was given.
    """
    if not isinstance(value, dict):
        raise ConfigError(f"{source}: expected a mapping of keys, got {type(value).__name__}")
    try:
        return model.model_validate(value)
    except ValidationError as error:
        lines = [_explain(item) for item in error.errors(include_url=False)]
        count = f"{len(lines)} mistake" + "s" * (len(lines) > 1)
        raise ConfigError(
            "\n  ".join([f"{source}: {count} in the configuration:", *lines])
        ) from None


def _explain(item: Any) -> str:
    path = ".".join(str(part) for part in item["loc"]) or "(top level)"
    if item["type"] == "extra_forbidden":
        return f"{path}: unknown key; remove it or correct its spelling"
    if item["type"] == "missing":
        return f"{path}: required, but not given"
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] in ("dict_type", "model_type"):
        message = "expected keys below it"
    elif item["type"] == "too_short" and isinstance(item["input"], dict):
        message = "give at least {min_length} keys, not {actual_length}".format(**item["ctx"])
    # Of what is missing there is nothing to show.
    silent = isinstance(item["input"], (dict, BaseModel)) or message.endswith("but not given")
    given = "" if silent else f"; got {item['input']!r}"
    return f"{path}: {message[0].lower()}{message[1:]}{given}"
