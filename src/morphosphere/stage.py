"""What every stage's command line has in common.

A stage is ``python -m morphosphere.<stage> --settings … --input … --output …``. Its module has a
thin ``main(argv=None)`` that builds a parser with `stage_parser` and hands the work to `run_stage`.
"""

from __future__ import annotations

import argparse
import json
import os
import stat
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from platform import node
from typing import TextIO, TypeVar

import yaml

from morphosphere import __version__
from morphosphere.config.base import Settings, check
from morphosphere.errors import ConfigError, MorphosphereError
from morphosphere.guard import alone, end_with_snakemake
from morphosphere.parallel import LaunchError, World, world
from morphosphere.progress import log
from morphosphere.provenance import RunRecord
from morphosphere.system import lack

S = TypeVar("S", bound=Settings)
#: Stages in which nothing is random: their records hold no seed.
_WITHOUT_CHANCE = frozenset(
    {
        "extract",
        "collect",
        "join",
        "hips",
        "explorer",
        "explorer.data",
        "summary",
        "mergers.runs",
        "mergers.deepgalaxy",
        "mergers.real",
        "surveys.label",
        "surveys.choose",
        "surveys.predict",
        "surveys.catalogue",
        "sersic.predict",
        "sersic.bound",
        "sersic.fit",
        "sersic.catalogue",
        "sersic.attach",
    }
)
#: Seconds that a process waits before it ends because it was started in a wrong way.
_PATIENCE = 2.0


def stage_parser(stage: str, description: str, *, mpi: bool = False) -> argparse.ArgumentParser:
    """Parser with the options that all stages share, or all whose work MPI ranks share."""
    parser = argparse.ArgumentParser(
        prog=f"python -m morphosphere.{stage}",
        description=description,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--settings",
        default="{}",
        metavar="JSON|FILE.yaml[#KEY]",
        help="this stage's settings: JSON text, or a YAML file and the key of the section in it",
    )
    parser.add_argument("--seed", type=int, default=42, help="seed of everything random")
    parser.add_argument("--provenance", type=Path, metavar="FILE", help="write the run record here")
    if mpi:
        parser.add_argument(
            "--ranks", type=int, help="number of MPI ranks; end if another number was started"
        )
    return parser


def read_settings(model: type[S], text: str) -> S:
    """Settings from JSON text or from a section of a YAML file.

    Raises
    ------
    ConfigError
        Naming every unknown key and every impossible value at once.
    """
    if text.lstrip().startswith("{"):
        try:
            value = json.loads(text)
        except ValueError as error:
            raise ConfigError(f"--settings: not valid JSON ({error})") from None
        return check(model, value, source="--settings")
    name, _, key = text.partition("#")
    try:
        value = yaml.safe_load(Path(name).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{name}: cannot be read as YAML ({error})") from None
    for part in filter(None, key.split(".")):
        if not isinstance(value, dict) or part not in value:
            raise ConfigError(f"{name}: has no key {key}")
        value = value[part]
    return check(model, value or {}, source=name)


def run_stage(
    stage: str,
    args: argparse.Namespace,
    model: type[S],
    work: Callable[[argparse.Namespace, S, RunRecord, World], None],
    *,
    mpi: bool = False,
) -> int:
    """Run `work` and turn errors that a user can mend into one line; return the exit status.

    Parameters
    ----------
    stage : str
        Name for the run record.
    args : argparse.Namespace
        Of a parser made by `stage_parser`.
    model : type of Settings
        The stage's settings.
    work : callable
        ``work(args, settings, record, world)``.
    mpi : bool
        Whether the stage shares its work over MPI ranks.
    """
    ranks = World()
    end_with_snakemake()
    try:
        if mpi:
            ranks = world(getattr(args, "ranks", None))
        settings = read_settings(model, args.settings)
        values = settings.model_dump(mode="json")
        seed = None if stage in _WITHOUT_CHANCE else args.seed
        record = RunRecord(stage, values, seed, args.provenance)
        first = ranks.first and os.environ.get("RANK", "0") == "0"  # of MPI's ranks, of torchrun's
        with alone(args.provenance if first else None):
            if first and (ranks.size > 1 or _to_file(sys.stderr)):
                # This takes a block of the disk for the log: a full one has room for an error.
                log(f"morphosphere {stage} {__version__}: process {os.getpid()} on {node()}")
            ranks.barrier()
            work(args, settings, record, ranks)
            ranks.barrier()
            if mpi:
                record.gather(ranks.gather)
            if args.provenance and ranks.first:
                record.note(ranks=ranks.size)
                record.write(args.provenance)
        return 0
    except LaunchError as error:
        if error.number == 0:
            log(f"morphosphere {stage}: error: {error}")
        else:
            time.sleep(_PATIENCE)  # a launcher may end all when the first process ends
        return 1
    except Exception as error:
        ranks.take_turn()
        if line := _one_line(error, getattr(args, "output", None) or args.provenance or "output"):
            log(f"morphosphere {stage}{_named(ranks)}: error: {line}")
        else:
            log(f"morphosphere {stage}{_named(ranks)}: unexpected error, please report it")
            traceback.print_exc(file=sys.stderr)
    except BaseException as end:  # the other ranks would wait for this one
        if ranks.size > 1:
            log(f"morphosphere {stage}{_named(ranks)}: ended by {end!r}")
        ranks.abort()
        raise
    ranks.abort()
    return 1


def _named(ranks: World) -> str:
    return f" ({ranks.name})" if ranks.name else ""


def _to_file(stream: TextIO) -> bool:
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except OSError:  # it is no file of the system at all
        return False


def _one_line(error: Exception, output: str | Path) -> str | None:
    """What a user is told of an error that can be mended; None for any other."""
    if isinstance(error, MorphosphereError):
        return str(error)
    if said := lack(error, getattr(error, "filename", None) or output):
        return said
    if isinstance(error, OSError):
        where = error.filename or output
        return f"{where}: {error.strerror}" if error.strerror else str(error)
    return None


def main_of(main: Callable[[Sequence[str] | None], int]) -> None:
    """Run a stage's `main` as a program."""
    sys.exit(main(None))
