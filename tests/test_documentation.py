"""What is generated from the code agrees with it, and so do the lock and the environments."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
import tomllib
from itertools import chain
from pathlib import Path
from types import ModuleType

import pytest

from conftest import ROOT
from morphosphere.config import Config
from morphosphere.documentation import WRITTEN
from morphosphere.graph import code


@pytest.mark.parametrize("name", WRITTEN)
def test_generated_files_are_up_to_date(name: str) -> None:
    assert (ROOT / name).read_text() == WRITTEN[name](), f"{name} is stale: run `make docs`"


def test_every_setting_is_explained() -> None:
    schema = Config.model_json_schema()
    silent = [
        f"{section}.{key}"
        for section, model in [("Config", schema), *schema["$defs"].items()]
        for key, field in model.get("properties", {}).items()
        if not (field.get("description") or "$ref" in field)
    ]
    assert silent == []


def _update_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("update", ROOT / "envs" / "update.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_environments_agree_with_the_lock() -> None:
    script = _update_script()
    assert {p.stem for p in (ROOT / "envs").glob("*.yaml")} == set(script.ENVIRONMENTS)
    for name in script.ENVIRONMENTS:
        text = (ROOT / "envs" / f"{name}.yaml").read_text()
        assert text == script.environment(name), f"{name}.yaml is stale: run `make lock`"


def test_lock_holds_every_dependency_within_its_bounds() -> None:
    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = _update_script().pins()
    asked = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    for requirement in map(Requirement, asked):
        name = requirement.name.lower().replace("_", "-")
        assert name in pins, f"{name} is not in requirements.lock: run `make lock`"
        assert requirement.specifier.contains(pins[name]), f"{name} {pins[name]}"


def test_lock_files_name_no_address() -> None:
    for path in [ROOT / "requirements.lock", ROOT / "package-lock.json"]:
        assert not re.search(r"https?://|file:|--(index|find|extra)", _without_homepages(path)), (
            path
        )


def _without_homepages(path: Path) -> str:
    # npm records the addresses of funding pages, which are not where packages come from.
    return re.sub(r'"url": "[^"]*"', "", path.read_text())


# What a package is called where it is imported, if not by its name.
_IMPORTED_AS = {"PIL": "pillow", "yaml": "pyyaml", "faiss": "faiss-cpu", "sklearn": "scikit-learn"}
_STAGES = {
    "simulations": ("snapshots.mock", "extract", "render"),
    "surveys": ("collect", "collect.join"),
    "learning": ("learn", "predict", "evaluate"),
    "map": ("hips", "explorer.data", "explorer"),
}


@pytest.mark.parametrize("environment", _STAGES)
def test_environments_hold_what_their_stages_import(environment: str) -> None:
    packages = set(_update_script().ENVIRONMENTS[environment].split())
    imported = set()
    for stage in _STAGES[environment]:
        for file in code(ROOT / "src", stage):
            if file.endswith(".py"):
                for node in ast.walk(ast.parse(Path(file).read_text())):
                    if isinstance(node, ast.Import):
                        imported |= {alias.name.split(".")[0] for alias in node.names}
                    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                        imported.add(node.module.split(".")[0])
    outside = imported - set(sys.stdlib_module_names) - {"morphosphere"}
    assert {_IMPORTED_AS.get(name, name) for name in outside} <= packages


@pytest.mark.parametrize("page", sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name}: {target}"
