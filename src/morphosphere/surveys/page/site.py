"""The files of the page: its own sources, those it shares with other pages, index.html last."""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path
from string import Template
from typing import Any

from morphosphere import __version__
from morphosphere.config.survey_page import SurveyPageSettings
from morphosphere.explorer.site import PAGE as EXPLORER
from morphosphere.files import atomic_directory, write_json, write_text
from morphosphere.mergers.page.site import WEB as MERGERS

WEB = Path(__file__).parent / "web"
#: What is the same on other pages, and where it stands.
SHARED = {
    "css": {EXPLORER: ("base.css", "panels.css"), MERGERS: ("page.css",)},
    "js": {
        EXPLORER: (
            "colours.js",
            "dom.js",
            "format.js",
            "legend.js",
            "load.js",
            "messages.js",
            "search.js",
        ),
        MERGERS: ("svg.js", "pictures.js"),
    },
}


def write_site(settings: SurveyPageSettings, facts: dict[str, Any], *, site: Path) -> None:
    """Write the page into `site`, index.html last.

    Parameters
    ----------
    facts : dict
        What config.json says of the evaluation.
    """
    link = settings.map_page
    config = {
        **facts,
        "map_page": link if link and (site / link).exists() else None,
        "version": __version__,
    }
    (site / "index.html").unlink(missing_ok=True)
    with atomic_directory(site / "page") as folder:
        for part, shared in SHARED.items():
            shutil.copytree(WEB / part, folder / part)
            for source, names in shared.items():
                for name in names:
                    shutil.copyfile(source / part / name, folder / part / name)
    write_json(site / "config.json", config)
    write_text(site / "index.html", page_html(settings))


def page_html(settings: SurveyPageSettings) -> str:
    """index.html with title and introduction."""
    template = Template((WEB / "index.html").read_text(encoding="utf-8"))
    own = {path.name for path in (WEB / "js").glob("*.js")}
    modules = sorted(own | {name for names in SHARED["js"].values() for name in names})
    return template.substitute(
        title=html.escape(settings.title),
        introduction=html.escape(re.sub(r"\s+", " ", settings.introduction).strip()),
        preloads="\n".join(
            f'  <link rel="modulepreload" href="page/js/{name}">' for name in modules
        ),
    )
