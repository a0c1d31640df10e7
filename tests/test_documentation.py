"""What is generated from the code agrees with it; lock files and links are as they should be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conftest import ROOT
from morphosphere.config import Config
from morphosphere.documentation import WRITTEN


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


def test_lock_files_name_no_address() -> None:
    for path in [ROOT / "requirements.lock", ROOT / "package-lock.json"]:
        assert not re.search(r"https?://|file:|--(index|find|extra)", _without_homepages(path)), (
            path
        )


def _without_homepages(path: Path) -> str:
    # npm records the addresses of funding pages, which are not where packages come from.
    return re.sub(r'"url": "[^"]*"', "", path.read_text())


@pytest.mark.parametrize("page", sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name}: {target}"
