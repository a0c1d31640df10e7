"""What the rules of structural parameters ask: which files there are, and where they go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from morphosphere.artefacts.bundle import READER_FILES
from morphosphere.config import Config
from morphosphere.config.sersic import SersicSettings
from morphosphere.errors import ConfigError
from morphosphere.files import ranges
from morphosphere.graph import listing
from morphosphere.sersic.evaluate import FIGURES

__all__ = ["FIGURES"]

#: Images with noise, and without, for training.
KINDS = ("images", "noiseless")


@dataclass(frozen=True)
class Structure:
    """The files of a run of structural parameters.

    Attributes
    ----------
    settings : SersicSettings
    folder : str
        Of the results.
    """

    settings: SersicSettings
    folder: str

    @classmethod
    def of(cls, config: Config, results: str) -> Structure:
        """Of a configuration."""
        return cls(config.sersic, f"{results}/sersic")

    @property
    def model(self) -> list[str]:
        """Files of the model."""
        return self.bundle(f"{self.folder}/model")

    @staticmethod
    def bundle(folder: str) -> list[str]:
        """Files of a model in a folder."""
        return [f"{folder}/{name}" for name in READER_FILES]

    def shards(self, kind: str) -> list[str]:
        """ImageSets that are joined, one for each shard."""
        count = self.settings.simulate.shards
        return [f"{self.folder}/simulated/{kind}/{shard}.h5" for shard in range(count)]

    def shard_pattern(self, kind: str) -> str:
        """The same with a range (see `files.expand_ranges`)."""
        return f"{self.folder}/simulated/{kind}/{ranges(range(self.settings.simulate.shards))}.h5"

    def sources(self) -> list[str]:
        """Files that simulations read: a table, a PSF, a catalogue of real galaxies."""
        given = self.settings.simulate
        return [path for path in (given.table, given.psf.file, given.real.catalog) if path]

    def adapted(self) -> list[str]:
        """Sets of real images that the model is fine-tuned on."""
        if self.settings.adapt is None:
            return []
        return [name for name, given in self.settings.real.items() if given.has_labels]

    def start_digest(self) -> str:
        """`listing` of what training starts from: weights, or a finished model."""
        given = self.settings.learn.encoder
        found = [given.start, given.weights if given.weights != "hub" else None]
        return listing([path for path in found if path])

    def check(self) -> None:
        """Raise ConfigError if a file that is named is not there."""
        given = self.settings.simulate
        named = {
            "simulate.table": given.table,
            "simulate.psf.file": given.psf.file,
            "simulate.real.catalog": given.real.catalog,
            "learn.encoder.start": self.settings.learn.encoder.start,
            "attach.predictions": self.settings.attach.predictions,
        }
        for name, real in self.settings.real.items():
            named |= {f"real.{name}.{key}": path for key, path in real.files().items()}
        for key, path in named.items():
            if path is not None and not Path(path).exists():
                raise ConfigError(f"sersic.{key}: {path} does not exist")

    def real_digest(self, name: str) -> str:
        """`listing` of the files of a set of real images."""
        given = self.settings.real[name].files().values()
        return listing([path for path in given if path is not None])

    def real_arguments(self) -> list[str]:
        """``NAME=IMAGES=BEFORE=AFTER=FITS`` of each set of real images, for the evaluation."""
        found = []
        for name in self.settings.real:
            folder = f"{self.folder}/real/{name}"
            after = f"{folder}/after.parquet" if name in self.adapted() else ""
            found.append(
                f"{name}={folder}/images.h5={folder}/before.parquet={after}={folder}/fits.parquet"
            )
        return found

    def jobs(self) -> list[str]:
        """Names of the jobs whose records are those of structural parameters, with ranges."""
        shards = ranges(range(self.settings.simulate.shards))
        found = ["sersic_psfs", f"sersic_simulate-{shards}"]
        found += [f"sersic_join-{kind}" for kind in KINDS]
        found += ["sersic_learn", "sersic_predict", "sersic_bound", "sersic_fit"]
        for name in self.settings.real:
            found += [f"sersic_{stage}-{name}" for stage in ("real", "before", "fit_real")]
        for name in self.adapted():
            found += [f"sersic_{stage}-{name}" for stage in ("adapt", "after")]
        return [*found, "sersic_evaluate", "sersic_catalogue"]


def as_config(config: Config) -> Config:
    """The configuration with these settings in place of the map's, for resources."""
    given = config.sersic
    return config.model_copy(update={"learn": given.learning(), "predict": given.predict})
