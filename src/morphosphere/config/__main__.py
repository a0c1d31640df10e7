"""Write config/config.yaml, config/schema.json and docs/configuration.md from the settings."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from morphosphere.config.writing import default_yaml, reference_markdown, schema_json
from morphosphere.files import write_text

WRITTEN = {
    "config/config.yaml": default_yaml,
    "config/schema.json": schema_json,
    "docs/configuration.md": reference_markdown,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Write the files below the project's folder."""
    parser = argparse.ArgumentParser(prog="python -m morphosphere.config", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(), help="folder of the project")
    args = parser.parse_args(argv)
    for name, text in WRITTEN.items():
        write_text(args.root / name, text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
