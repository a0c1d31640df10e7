"""The default configuration, its JSON schema and its documentation, written from the settings."""

from __future__ import annotations

import json
import textwrap
import types
import typing
from collections.abc import Iterator
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from morphosphere.config import Config, SimulationSettings

#: What the embedded default adds to the defaults of the settings: one simulation, the mock box.
DEMO = Config(simulations={"mock": SimulationSettings()})

_HEAD = """\
# The embedded default: a mock simulation box, made into a map.
# Copy this file, change what you need, and run
#   snakemake --profile profiles/local --configfile my.yaml
# Keys that you leave out keep the values shown here. docs/configuration.md explains each key.
"""


def default_yaml() -> str:
    """Text of ``config/config.yaml``: every key with its default and a comment."""
    return _HEAD + "\n" + "\n".join(_yaml_lines(DEMO, indent="", top=True)) + "\n"


def schema_json() -> str:
    """Text of ``config/schema.json``, for editors that complete and check YAML."""
    return json.dumps(Config.model_json_schema(), indent=2) + "\n"


def reference_markdown() -> str:
    """Text of ``docs/configuration.md``: a table of keys for each section."""
    lines = [
        "# Configuration",
        "",
        "Written from the settings in `src/morphosphere/config/` by `make docs`. A run is",
        "described by one YAML file; keys that are left out keep their defaults, unknown keys are",
        "errors, and all mistakes are reported at once.",
    ]
    for path, model in _sections(Config, ""):
        lines += ["", f"## {path or 'Top level'}", "", _paragraph(model), ""]
        lines += ["| key | type | default | meaning |", "|---|---|---|---|"]
        lines += [_row(name, field) for name, field in model.model_fields.items()]
    return "\n".join(lines) + "\n"


def _yaml_lines(value: BaseModel, *, indent: str, top: bool = False) -> Iterator[str]:
    for name, field in type(value).model_fields.items():
        item = getattr(value, name)
        if top and isinstance(item, (BaseModel, dict)):
            yield ""
        width = 98 - len(indent)
        if field.description:
            for line in textwrap.wrap(" ".join(field.description.split()), width):
                yield f"{indent}# {line}"
        if isinstance(item, BaseModel):
            yield f"{indent}{name}:"
            yield from _yaml_lines(item, indent=indent + "  ")
        elif isinstance(item, dict) and any(isinstance(v, BaseModel) for v in item.values()):
            yield f"{indent}{name}:"
            for key, entry in item.items():
                yield f"{indent}  {key}:"
                yield from _yaml_lines(entry, indent=indent + "    ")
        else:
            yield f"{indent}{name}: {_scalar(value, name)}"


def _scalar(value: BaseModel, name: str) -> str:
    plain = value.model_dump(mode="json", include={name})[name]
    text = yaml.safe_dump(plain, default_flow_style=True, width=10_000, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...").strip()


def _sections(model: type[BaseModel], path: str) -> Iterator[tuple[str, type[BaseModel]]]:
    yield path, model
    for name, field in model.model_fields.items():
        for inner, many in _models(field.annotation):
            below = f"{path}.{name}" if path else name
            yield from _sections(inner, f"{below}.<name>" if many else below)


def _models(annotation: Any) -> Iterator[tuple[type[BaseModel], bool]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, False
    elif typing.get_origin(annotation) is dict:
        for inner, _ in _models(typing.get_args(annotation)[1]):
            yield inner, True
    elif typing.get_origin(annotation) in (typing.Union, types.UnionType, typing.Annotated):
        for part in typing.get_args(annotation):
            yield from _models(part)


def _paragraph(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def _row(name: str, field: FieldInfo) -> str:
    default = "required" if field.is_required() else _default(field)
    meaning = " ".join((field.description or "").split()).replace("|", "\\|")
    limits = _limits(field)
    kind = _kind(field.annotation).replace("|", "or")
    return f"| `{name}` | {kind} | {default} | {meaning}{f' ({limits})' if limits else ''} |"


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if isinstance(value, (BaseModel, dict)):
        return "see below" if isinstance(value, BaseModel) else "none"
    return f"`{json.dumps(value)}`" if value is not None else "none"


def _kind(annotation: Any) -> str:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "section"
    text = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    if typing.get_origin(annotation) is not None or "." in text:
        text = str(annotation)
        if any(True for _ in _models(annotation)):
            return "sections by name" if typing.get_origin(annotation) is dict else "section"
    return text.replace("typing.", "").replace("NoneType", "none").replace("None", "none")


_SIGNS = {
    "ge": "at least",
    "gt": "above",
    "le": "at most",
    "lt": "below",
    "min_length": "length >=",
}


def _limits(field: FieldInfo) -> str:
    found = []
    for item in field.metadata:
        for key, words in _SIGNS.items():
            if (bound := getattr(item, key, None)) is not None:
                found.append(f"{words} {bound}")
    return ", ".join(found)
