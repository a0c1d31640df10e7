"""The demo's artefacts, which several benchmarks start from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from morphosphere.progress import log

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "results" / "bench" / "work"


def demo_command(folder: Path) -> list[str]:
    """The command that makes the demo in a folder of its own."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    return [*command, "--profile", str(ROOT / "profiles" / "local"), "--directory", str(folder)]


def demo() -> Path:
    """Results of the demo in the benchmarks' own folder; made if they are not there or stale."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(demo_command(FOLDER), capture_output=True, text=True)
    if done.returncode:
        log(done.stdout + done.stderr)
        raise SystemExit("the demo failed, and the benchmarks start from its results")
    return FOLDER / "results" / "demo"
