"""Answers as `conda` does to what Snakemake asks of it, for tests where no conda is installed.

Environments are real: rattler solves the YAML's packages against the channels under the root, links
them into the prefix and writes the activation; the prefix's own pip installs the pip section.

    python conda.py ROOT env create --file environment.yaml --prefix folder

A word that conda knows but this does not is an error: Snakemake then asks for something new.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import rattler
import yaml
from rattler.channel import Channel, ChannelConfig
from rattler.shell import ActivationVariables, Shell, activate

VERSION = "24.11.0"


def create(root: Path, file: Path, prefix: Path) -> None:
    """Create an environment as `conda env create` does.

    Raises
    ------
    SystemExit
        The packages cannot be solved, or pip fails; what it said is in the message.
    """
    described = yaml.safe_load(file.read_text())
    specs = [entry for entry in described["dependencies"] if isinstance(entry, str)]
    sections = [entry["pip"] for entry in described["dependencies"] if isinstance(entry, dict)]
    config = ChannelConfig(channel_alias=(root / "channels").as_uri() + "/")
    # "nodefaults" is no channel: it keeps conda from asking its own defaults as well.
    channels = [Channel(name, config) for name in described["channels"] if name != "nodefaults"]
    asyncio.run(_solve_and_link(root, channels, specs, prefix))
    for section in sections:
        _pip_install(section, prefix)


async def _solve_and_link(
    root: Path, channels: list[Channel], specs: list[str], prefix: Path
) -> None:
    try:
        records = await rattler.solve(sources=channels, specs=specs)
    except rattler.exceptions.SolverError as error:
        raise SystemExit(f"LibMambaUnsatisfiableError: {error}") from None
    await rattler.install(
        records, target_prefix=prefix, cache_dir=root / "pkgs", show_progress=False
    )


def _pip_install(section: list[str], prefix: Path) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".requirements.txt") as requirements:
        requirements.write("\n".join(section))
        requirements.flush()
        command = [prefix / "bin" / "python", "-m", "pip", "install", "-U", "-r", requirements.name]
        # As conda does, but for the byte code, which would take most of the time.
        done = subprocess.run(
            [*command, "--exists-action=b", "--no-compile"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        )
    if done.returncode:
        lines = [line for line in done.stdout.splitlines() if not line.startswith("WARNING")]
        raise SystemExit("Pip failed\n" + "\n".join(lines))


def activation(prefix: Path) -> str:
    """Shell commands that activate an environment."""
    variables = ActivationVariables(None, os.environ["PATH"].split(os.pathsep))
    return activate(prefix, variables, Shell.bash).script


def main() -> None:
    root, words = Path(sys.argv[1]), sys.argv[2:]
    if words == ["--version"]:
        print(f"conda {VERSION}")
    elif words == ["info", "--json"]:
        print(json.dumps({"conda_prefix": str(root), "platform": str(rattler.Subdir.current())}))
    elif words == ["config", "--get", "channel_priority", "--json"]:
        print(json.dumps({"get": {"channel_priority": "strict"}}))
    elif words == ["clean", "-y", "--tarballs"]:
        for archive in (root / "pkgs").glob("*.tar.bz2"):
            archive.unlink()
    elif words[:2] == ["shell.posix", "activate"]:
        print(activation(Path(words[2])))
    elif words[:2] == ["env", "create"]:
        parser = argparse.ArgumentParser("conda env create", allow_abbrev=False)
        parser.add_argument("--file", type=Path, required=True)
        parser.add_argument("--prefix", type=Path, required=True)
        parser.add_argument("--quiet", action="store_true")
        parser.add_argument("--no-default-packages", action="store_true")
        given = parser.parse_args(words[2:])
        create(root, given.file, given.prefix)
    else:
        raise SystemExit(f"the stand-in for conda does not know: conda {shlex.join(words)}")


if __name__ == "__main__":
    main()
