"""Write what is generated from the code: default configuration, schema, reference pages."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from morphosphere.artefacts import bundle, catalogue, columns, galaxyset, imageset
from morphosphere.config.writing import default_yaml, reference_markdown, schema_json
from morphosphere.files import write_text


def artefacts_markdown() -> str:
    """Text of ``docs/artefacts.md``: the format of each artefact and of the columns they share."""
    lines = [
        "# The four artefacts",
        "",
        "Written from the modules in `src/morphosphere/artefacts/` by `make docs`.",
    ]
    for module in (galaxyset, imageset, bundle, catalogue):
        lines += ["", *_module_section(module)]
    lines += [
        "",
        "## Particle fields of a GalaxySet",
        "",
        "| field | unit |",
        "|---|---|",
        *(f"| `{name}` | {unit or 'none'} |" for name, unit in galaxyset.FIELDS.items()),
        "",
        "## Columns",
        "",
        "One name means one thing in every table.",
        "",
        "| column | unit | meaning | UCD |",
        "|---|---|---|---|",
        *(
            f"| `{name}` | {about.unit} | {about.description} | {about.ucd} |"
            for name, about in columns.COLUMNS.items()
        ),
    ]
    return "\n".join(lines) + "\n"


def _module_section(module: ModuleType) -> list[str]:
    title, _, body = (module.__doc__ or "").strip().partition("\n\n")
    name, _, what = title.partition(":")
    code = False
    what = " ".join(what.split())
    lines = [f"## {name}", "", what[:1].upper() + what[1:]]
    for line in body.splitlines():
        if line.rstrip() in ("Layout::", "::"):
            continue
        indented = line.startswith("    ")
        if line.strip() and indented != code:
            lines.append("```")
            code = indented
        lines.append(line.removeprefix("    ").replace("``", "`") if not code else line[4:])
    return [*lines, "```"] if code else lines


WRITTEN = {
    "config/config.yaml": default_yaml,
    "config/schema.json": schema_json,
    "docs/configuration.md": reference_markdown,
    "docs/artefacts.md": artefacts_markdown,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Write the files below the project's folder."""
    parser = argparse.ArgumentParser(prog="python -m morphosphere.documentation")
    parser.add_argument("--root", type=Path, default=Path(), help="folder of the project")
    args = parser.parse_args(argv)
    for name, text in WRITTEN.items():
        write_text(args.root / name, text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
