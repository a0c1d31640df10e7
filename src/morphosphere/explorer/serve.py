"""Look at a run's pages: ``python -m morphosphere.explorer.serve --folder results/demo``."""

from __future__ import annotations

import argparse
import functools
import http.server
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

HOST = "127.0.0.1"
#: Where a run has its pages: the map, what images of mergers say, and the survey.
PAGES = ("site", "mergers/site", "survey/site")
TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".css": "text/css",
    ".html": "text/html; charset=utf-8",
    ".bin": "application/octet-stream",
    ".tsv": "text/tab-separated-values",
    ".fits": "application/fits",
    ".xml": "text/xml",
    ".wasm": "application/wasm",
    ".svg": "image/svg+xml",
    "": "text/plain; charset=utf-8",
}


class Handler(http.server.SimpleHTTPRequestHandler):
    """Static files with the right types, always asked for again when they have changed."""

    protocol_version = "HTTP/1.1"
    extensions_map: ClassVar = {**http.server.SimpleHTTPRequestHandler.extensions_map, **TYPES}

    def end_headers(self) -> None:
        """Add that a copy must be checked before it is used."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def server(folder: Path, port: int = 0) -> http.server.ThreadingHTTPServer:
    """A server of `folder` on 127.0.0.1, not yet started; port 0 takes a free one."""
    handler = functools.partial(Handler, directory=str(folder))
    return http.server.ThreadingHTTPServer((HOST, port), handler)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m morphosphere.explorer.serve",
        description="Serve a run's results on this computer, for a browser.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--folder", type=Path, required=True, help="results of a run")
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one")
    args = parser.parse_args(argv)
    pages = [page for page in PAGES if (args.folder / page / "index.html").exists()]
    if not pages:
        print(
            f"{args.folder}/site/index.html: no such page; run the workflow first", file=sys.stderr
        )
        return 1
    try:
        running = server(args.folder, args.port)
    except OSError as error:
        print(f"port {args.port}: {error.strerror}; try another --port", file=sys.stderr)
        return 1
    with running:
        for page in pages:
            address = f"http://{HOST}:{running.server_address[1]}/{page}/"
            print(f"{address}  (Ctrl-C stops)", flush=True)
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
