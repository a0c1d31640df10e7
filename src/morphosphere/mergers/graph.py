"""What the rules of mergers ask: which sources there are, and where their files go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from morphosphere.config import Config
from morphosphere.config.mergers import MergersSettings
from morphosphere.errors import ConfigError
from morphosphere.files import expand_ranges, ranges
from morphosphere.graph import listing
from morphosphere.mergers.evaluate import FIGURES

__all__ = ["FIGURES"]


@dataclass(frozen=True)
class Sets:
    """The ImageSets of a run of mergers.

    Attributes
    ----------
    settings : MergersSettings
    folder : str
        Of the results of mergers.
    """

    settings: MergersSettings
    folder: str

    @classmethod
    def of(cls, config: Config, results: str) -> Sets:
        """Of a configuration."""
        return cls(config.mergers, f"{results}/mergers")

    def training_patterns(self) -> list[str]:
        """ImageSets that the model is trained on, with ranges (see `files.expand_ranges`)."""
        given, found = self.settings, []
        if given.encounters is not None:
            shards = ranges(range(given.encounters.shards))
            found.append(f"{self.folder}/images/encounters/{shards}.h5")
        for kind in ("runs", "deepgalaxy", "real"):
            for name, source in getattr(given, kind).items():
                if source.train:
                    found.append(f"{self.folder}/images/{kind}/{name}.h5")
        return found

    def training_files(self) -> list[str]:
        """The same, each by itself."""
        return [path for pattern in self.training_patterns() for path in expand_ranges(pattern)]

    def tests(self) -> dict[str, str]:
        """Sets that the model is tested on, and not trained: name to ``<kind>/<name>``."""
        return {
            name: f"{kind}/{name}"
            for kind in ("runs", "deepgalaxy", "real")
            for name, source in getattr(self.settings, kind).items()
            if not source.train
        }

    def source(self, kind: str, name: str) -> Any:
        """Settings of a source."""
        return getattr(self.settings, kind)[name]

    def source_path(self, kind: str, name: str) -> str:
        """Folder or file of a source.

        Raises
        ------
        ConfigError
            If it does not exist.
        """
        path = self.source(kind, name).path
        if not Path(path).exists():
            raise ConfigError(f"mergers.{kind}.{name}.path: {path} does not exist")
        return path

    def check(self) -> None:
        """Raise ConfigError if the files of a source are not there."""
        for kind in ("runs", "deepgalaxy", "real"):
            for name in getattr(self.settings, kind):
                self.source_path(kind, name)

    def source_digest(self, kind: str, name: str) -> str:
        """`graph.listing` of the files of a source: what changes in them re-runs its rule."""
        table = getattr(self.source(kind, name), "table", None)
        beside = [table] if table and Path(table).is_file() else []
        return listing([self.source_path(kind, name), *beside])

    def leaky(self) -> str:
        """Settings of the network under the split by snapshot, as JSON."""
        return self.settings.learn.model_copy(update={"split_by": "galaxy_id"}).model_dump_json()

    def test_arguments(self) -> list[str]:
        """``NAME=IMAGESET=PREDICTIONS`` of each test set, for the evaluation."""
        return [
            f"{name}={self.folder}/images/{path}.h5={self.folder}/predictions/{path}.parquet"
            for name, path in self.tests().items()
        ]

    def jobs(self) -> list[str]:
        """Names of the jobs whose records are those of mergers, with ranges."""
        given, found = self.settings, []
        if given.encounters is not None:
            shards = ranges(range(given.encounters.shards))
            found += [f"mergers_encounters-{shards}", f"mergers_render-{shards}"]
        for name in given.runs:
            found += [f"mergers_run-{name}", f"mergers_render_run-{name}"]
        found += [f"mergers_deepgalaxy-{name}" for name in given.deepgalaxy]
        found += [f"mergers_real-{name}" for name in given.real]
        found += ["mergers_join", "mergers_learn"]
        if given.leaky_split:
            found.append("mergers_learn_leaky")
        found += [
            f"mergers_predict_test-{path.replace('/', '-')}" for path in self.tests().values()
        ]
        return [*found, "mergers_predict", "mergers_evaluate", "mergers_page"]


def as_config(config: Config) -> Config:
    """The configuration with the settings of mergers in place of the map's, for resources."""
    given = config.mergers
    return config.model_copy(
        update={"render": given.render, "learn": given.learn, "predict": given.predict}
    )


def weights_digest(config: Config) -> str:
    """`graph.listing` of the file of weights that the encoder starts from; empty without one."""
    weights = config.mergers.learn.encoder.weights
    return listing([weights]) if weights else ""


def learning_threads(config: Config) -> int:
    """Cores of a training: on processors, the two of both splits run side by side."""
    compute = config.compute
    side_by_side = config.mergers.leaky_split and compute.world_size == 1 and not compute.gpus
    return max(1, compute.cores // 2) if side_by_side else compute.cores
