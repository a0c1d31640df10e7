"""What the workflow's rules ask: which files a source has, and which code a stage depends on."""

from __future__ import annotations

import ast
import hashlib
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from morphosphere.artefacts import bundle
from morphosphere.config import Config
from morphosphere.config.base import check
from morphosphere.config.collect import SurveySettings
from morphosphere.download import places
from morphosphere.errors import ConfigError, InputError
from morphosphere.evaluate import FIGURES
from morphosphere.files import expand_ranges, ranges
from morphosphere.guard import name_snakemake

__all__ = ["FIGURES"]


#: Folders of HTML, CSS and JavaScript that stages write.
_PAGES = {
    "explorer": ("explorer/page",),
    "mergers.page": ("mergers/page/web", "explorer/page/css", "explorer/page/js"),
    "surveys.page": (
        "surveys/page/web",
        "mergers/page/web",
        "explorer/page/css",
        "explorer/page/js",
    ),
}

# Modules that no result depends on: what they decide reaches a stage through its settings, or
# touches how a stage speaks and not what it makes.
_WITHOUT_EFFECT = (
    "config",
    "errors",
    "graph",
    "launch",
    "progress",
    "provenance",
    "stage",
    "system",
)

#: Parts of a source file that statements stand in.
_BLOCKS = (ast.stmt, ast.ExceptHandler, ast.match_case)


def prepare_environment() -> None:
    """Let jobs find the programs beside this Python, and let their idle threads sleep.

    The activation of a conda environment comes later, and so goes before this Python. Threads that
    spin while they wait (the default of OpenMP) cost several times the work itself as soon as two
    jobs share the cores. Jobs are told which Snakemake to end with.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    name_snakemake()


def load(value: dict[str, Any]) -> Config:
    """The whole configuration.

    Raises
    ------
    ConfigError
        Naming every mistake at once.
    """
    return check(Config, value, source="configuration")


def mock_files(config: Config, results: str) -> list[str]:
    """Files of the mock box: snapshot and group catalogue."""
    folder, number = f"{results}/snapshots/mock", config.mock.snapshot
    return [
        f"{folder}/{name.format(number)}.{i}.hdf5"
        for name in ("snapdir_{0:03d}/snap_{0:03d}", "groups_{0:03d}/fof_subhalo_tab_{0:03d}")
        for i in range(config.mock.files)
    ]


def snapshot_path(config: Config, results: str, simulation: str, snapshot: int) -> str:
    """Folder of a simulation; that of the mock box where the configuration names none."""
    if config.simulations[simulation].tng_api is not None:
        return places.cutouts(results, simulation, snapshot)
    return config.simulations[simulation].path or f"{results}/snapshots/mock"


def snapshot_family(config: Config, simulation: str) -> str:
    """Family of a simulation's files."""
    settings = config.simulations[simulation]
    return settings.family if settings.tng_api is None else "cutouts"


def snapshot_files(config: Config, results: str, simulation: str, snapshot: int) -> list[str]:
    """What holds one snapshot of a simulation: files that are made, or folders that are there.

    A snapshot can have a thousand files: of those that are there `source_digest` sees changes.

    Raises
    ------
    ConfigError
        If the folder does not exist.
    """
    path = config.simulations[simulation].path
    if config.simulations[simulation].tng_api is not None:
        return [places.manifest(places.cutouts(results, simulation, snapshot))]
    if path is None:
        return mock_files(config, results)
    folder = Path(path)
    if not folder.exists():
        raise ConfigError(f"simulations.{simulation}.path: {path} does not exist")
    parts = [folder / f"snapdir_{snapshot:03d}", folder / f"groups_{snapshot:03d}"]
    return [str(part) for part in parts if part.is_dir()] or [str(folder)]


def survey_settings(config: Config, results: str, survey: str) -> SurveySettings:
    """What the collect stage is told of a survey: of a downloaded one, where its images went."""
    return places.as_survey(config.surveys[survey], places.images(results, survey))


def survey_files(config: Config, results: str, survey: str) -> list[str]:
    """Folder and table of a survey; of a downloaded one, its manifest instead of the folder.

    Raises
    ------
    ConfigError
        If one of them does not exist.
    """
    settings = config.surveys[survey]
    given = {"path": settings.path, "table": settings.table}
    for key, path in given.items():
        if path is not None and not Path(path).exists():
            raise ConfigError(f"surveys.{survey}.{key}: {path} does not exist")
    found = [path for path in given.values() if path is not None]
    if settings.hips2fits is not None:
        return [places.manifest(places.images(results, survey)), *found]
    return found


def listing(paths: list[str]) -> str:
    """Digest of the names, sizes and times of all files at and below `paths`.

    As a parameter of a rule it re-runs the rule when any of them changes, without making thousands
    of files its inputs.
    """
    total = hashlib.sha256()
    for path in paths:
        base = len(os.path.dirname(os.path.abspath(path))) + 1
        for file, status in _files_below(os.path.abspath(path)):
            total.update(f"{file[base:]} {status.st_size} {status.st_mtime_ns}\n".encode())
    return total.hexdigest()[:16]


def _files_below(path: str) -> Iterator[tuple[str, os.stat_result]]:
    """Files at and below a path in the order of their names, each asked for its state once."""
    if not os.path.isdir(path):
        if os.path.isfile(path):
            yield path, os.stat(path)
        return
    with os.scandir(path) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if entry.is_dir():
            yield from _files_below(entry.path)
        elif entry.is_file():
            yield entry.path, entry.stat()


def source_digest(config: Config, results: str, simulation: str, snapshot: int) -> str | None:
    """`listing` of the files of one snapshot; None where they are made, and so declared."""
    if config.simulations[simulation].path is None:
        return None
    return listing(snapshot_files(config, results, simulation, snapshot))


def survey_digest(config: Config, survey: str) -> str:
    """`listing` of the files of a survey, without those that are downloaded."""
    settings = config.surveys[survey]
    return listing([path for path in (settings.path, settings.table) if path is not None])


def image_files(config: Config, results: str, *, training: bool = False) -> list[str]:
    """ImageSets of all sources, or of those that the model is trained on, in a fixed order."""
    patterns = image_patterns(config, results, training=training)
    return [path for pattern in patterns for path in expand_ranges(pattern)]


def image_patterns(config: Config, results: str, *, training: bool = False) -> list[str]:
    """`image_files` with ranges (see `files.expand_ranges`): short, however many they are."""
    patterns = []
    for name, simulation in config.simulations.items():
        if used := [n for n in simulation.snapshots if simulation.trains(n) or not training]:
            shards = ranges(range(config.extract.shards))
            patterns.append(f"{results}/images/{name}/{ranges(used)}/{shards}.h5")
    for name, survey in config.surveys.items():
        if survey.train or not training:
            patterns.append(f"{results}/images/{name}/images.h5")
    return patterns


def jobs(config: Config) -> list[str]:
    """Names of the jobs whose records are those of a run, with ranges, by `files.expand_ranges`.

    Only these count: there can be records, too, of snapshots that are no longer asked for.
    """
    found = []
    if any(given.path is None and given.tng_api is None for given in config.simulations.values()):
        found.append("mock")
    shards = ranges(range(config.extract.shards))
    for name, simulation in config.simulations.items():
        snapshots = ranges(simulation.snapshots)
        if simulation.tng_api is not None:
            found.append(f"download_cutouts-{name}-{snapshots}")
        found += [f"extract-{name}-{snapshots}", f"render-{name}-{snapshots}-{shards}"]
    for name, survey in config.surveys.items():
        if survey.hips2fits is not None:
            found.append(f"download_images-{name}")
        found.append(f"collect-{name}")
    if config.model is None:
        found += ["join_training", "learn"]
    layers = [f"hips-{layer}" for layer in config.hips.layers]
    return [*found, "join", "predict", "evaluate", *layers, "page_data", "page"]


def model_files(config: Config, results: str) -> list[str]:
    """Files of the model that images are placed with: the run's own, or a finished one.

    Raises
    ------
    ConfigError
        If the finished model is not whole, or is for other channels than are rendered.
    """
    if config.model is None:
        return [f"{results}/model/{name}" for name in bundle.FILES]
    if Path(config.model).resolve() == Path(results, "model").resolve():
        raise ConfigError(
            f"model: {config.model} is what this run itself would train; give the new run a name "
            "of its own under run"
        )
    try:
        channels = bundle.ModelBundle.load(config.model).transform.channels
    except InputError as error:
        raise ConfigError(f"model: {error}") from None
    rendered = tuple(config.render.channels)
    if config.simulations and channels != rendered:
        raise ConfigError(
            f"model: {config.model} is for images with channels {', '.join(channels)}, but "
            f"render.channels is {', '.join(rendered)}; render these channels or train a model"
        )
    return [str(Path(config.model, name)) for name in bundle.FILES]


def training_folder(config: Config, results: str) -> str:
    """Folder of the training's log; of a finished model the one that lies beside it."""
    return str(Path(config.model).parent / "training") if config.model else f"{results}/training"


def page_data_settings(config: Config) -> str:
    """The explore section without what only the page shows: a new title leaves the data alone."""
    return config.explore.data.model_dump_json()


def aladin_path(source: Path) -> str:
    """Where ``npm ci`` puts Aladin Lite."""
    return str(source.parent / "node_modules" / "aladin-lite" / "dist" / "aladin.js")


def code(source: Path, stage: str) -> list[str]:
    """Source files that the results of a stage depend on, found by following imports.

    Parameters
    ----------
    source : Path
        Folder that holds the package ``morphosphere``.
    stage : str
        A package or module below ``morphosphere``, for example ``render`` or ``collect.join``.
    """
    root = source / "morphosphere"
    start = root.joinpath(*stage.split("."))
    todo = _module_files(start)
    for folder in _PAGES.get(stage, ()):
        todo += [p for p in (root / folder).rglob("*") if p.is_file()]
    found: set[Path] = set()
    while todo:
        file = todo.pop()
        if file in found:
            continue
        found.add(file)
        if file.suffix == ".py":
            todo += _imported(root, file)
    return sorted(str(file) for file in found)


def code_digest(source: Path, stage: str) -> str:
    """Digest of the names and contents of `code`.

    As a parameter of a rule it costs nothing for each job, while twenty files as inputs of ten
    thousand jobs would be asked for their times; and a checkout that only touches files re-runs
    nothing.
    """
    total = hashlib.sha256()
    for file in map(Path, code(source, stage)):
        contents = file.read_bytes()
        total.update(f"{file.relative_to(source).as_posix()} {len(contents)}\n".encode())
        total.update(contents)
    return total.hexdigest()[:16]


def _module_files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(path.glob("*.py"))
    return [path.with_suffix(".py")]


def _file_of(root: Path, name: str) -> Iterator[Path]:
    parts = name.split(".")[1:]
    if not parts or parts[0] in _WITHOUT_EFFECT:
        return
    path = root.joinpath(*parts)
    if path.with_suffix(".py").is_file():
        yield path.with_suffix(".py")
    elif (path / "__init__.py").is_file():
        yield path / "__init__.py"


@cache
def _imported(root: Path, file: Path) -> tuple[Path, ...]:
    """Files of the package that a file imports, at its top or within its functions."""
    names = []
    todo: list[ast.AST] = [ast.parse(file.read_bytes())]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.append(node.module)
            names += [f"{node.module}.{alias.name}" for alias in node.names]
        # Imports are statements: expressions, which most of a file is, are not gone through.
        todo += [child for child in ast.iter_child_nodes(node) if isinstance(child, _BLOCKS)]
    ours = (name for name in names if name.split(".")[0] == "morphosphere")
    return tuple(found for name in ours for found in _file_of(root, name))
