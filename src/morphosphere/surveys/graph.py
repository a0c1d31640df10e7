"""What the rules of surveys ask: where images come from, and which models there are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from morphosphere.artefacts.bundle import FILES, READER_FILES
from morphosphere.config import Config
from morphosphere.config.class_learn import ClassLearnSettings
from morphosphere.config.transfer import SourceSettings, TransferSettings
from morphosphere.errors import ConfigError, InputError
from morphosphere.files import read_json
from morphosphere.graph import listing
from morphosphere.surveys.clusters import FIGURES as CLUSTER_FIGURES
from morphosphere.surveys.evaluate import FIGURES
from morphosphere.surveys.expressions import names_of
from morphosphere.surveys.label.classes import needed

__all__ = ["CLUSTER_FIGURES", "FIGURES"]

#: The two surveys, by their part.
SURVEYS = ("labelled", "target")


@dataclass(frozen=True)
class Transfer:
    """The files of a run of surveys.

    Attributes
    ----------
    config : Config
    results : str
        Folder of the run.
    """

    config: Config
    results: str

    @property
    def settings(self) -> TransferSettings:
        """The section of the configuration."""
        return self.config.transfer

    @property
    def folder(self) -> str:
        """Of the results of surveys."""
        return f"{self.results}/survey"

    @property
    def overlap(self) -> bool:
        """Whether galaxies of the target survey get labels by position."""
        return self.settings.label.overlap

    @property
    def scored(self) -> str:
        """The survey whose held-out labels measure the model."""
        return "target" if self.overlap else "labelled"

    def source(self, survey: str) -> SourceSettings:
        """Settings of the images of a survey."""
        return getattr(self.settings, survey)

    def images_of(self, survey: str) -> str:
        """ImageSet of a survey, before it has labels."""
        return f"{self.folder}/images/{survey}/images.h5"

    def labelled_images(self, survey: str) -> str:
        """ImageSet of a survey with the columns of labels."""
        return f"{self.folder}/labels/{survey}.h5"

    def rendered(self, survey: str) -> list[str]:
        """ImageSets of the mock observations of a survey."""
        return [
            f"{self.folder}/rendered/{survey}/{name}/{snapshot}/{shard}.h5"
            for name, simulation in self.config.simulations.items()
            for snapshot in simulation.snapshots
            for shard in range(self.config.extract.shards)
        ]

    def survey_files(self, survey: str) -> list[str]:
        """Folder and table of a survey that is collected.

        Raises
        ------
        ConfigError
            If one of them does not exist.
        """
        given = self.source(survey).images
        assert given is not None
        found = {"path": given.path, "table": given.table}
        for key, path in found.items():
            if path is not None and not Path(path).exists():
                raise ConfigError(f"transfer.{survey}.images.{key}: {path} does not exist")
        return [path for path in found.values() if path is not None]

    def label_table(self) -> list[str]:
        """The table of labels that stands for itself, if there is one."""
        table = self.settings.label.table
        if table is not None and not Path(table.path).exists():
            raise ConfigError(f"transfer.label.table.path: {table.path} does not exist")
        return [table.path] if table is not None else []

    def check(self) -> None:
        """Raise ConfigError if files are not there, or an expression cannot be read."""
        self._check_expressions()
        self.label_table()
        for survey in SURVEYS:
            if not self.source(survey).is_mock:
                self.survey_files(survey)
            elif not self.config.simulations:
                raise ConfigError(
                    f"transfer.{survey}: a mock survey observes the run's simulations, and there "
                    "are none; give images (a folder), or an entry under simulations"
                )
        self._check_sizes()
        for name in ("learn.encoder.start", "sphere"):
            path: object = self.settings
            for key in name.split("."):
                path = getattr(path, key)
            if path is not None and not Path(str(path), "model.json").exists():
                raise ConfigError(
                    f"transfer.{name}: {path} is no finished model; give a folder with a "
                    "model.json, such as results/<run>/model"
                )
        weights = self.settings.learn.encoder.weights
        if weights not in (None, "hub") and not Path(str(weights)).is_file():
            raise ConfigError(
                f"transfer.learn.encoder.weights: {weights} does not exist; give a file, or hub "
                "to download what timm knows by the name"
            )

    def _check_expressions(self) -> None:
        """What labels are made of can be read; whether the columns are there is seen later."""
        given = {f"label.{key}": text for key, text in needed(self.settings.label).items()}
        if any(self.source(survey).is_mock for survey in SURVEYS):
            given["mock.featured"] = self.settings.mock.featured
        for key, text in given.items():
            try:
                names_of(text)
            except InputError as error:
                raise ConfigError(f"transfer.{key}: {error}") from None

    def _check_sizes(self) -> None:
        """Where rounds learn from both surveys side by side, their images are of one size."""
        if self.overlap or not self.settings.recursion.rounds:
            return
        a, b = (self.source(survey) for survey in SURVEYS)
        sizes = [(source.render or source.images).size for source in (a, b)]
        if sizes[0] != sizes[1]:
            raise ConfigError(
                f"transfer.labelled has images of {sizes[0]} px and transfer.target of {sizes[1]} "
                "px: without overlap the rounds of recursion learn from both together. Give both "
                "the same size, or set transfer.recursion.rounds to 0"
            )

    def digest(self, survey: str) -> str:
        """`listing` of the files of a survey that is collected."""
        return listing(self.survey_files(survey))

    def learning(self, stage: str, **changes: object) -> ClassLearnSettings:
        """Settings of a training with what other sections decide: classes, split, type.

        Parameters
        ----------
        stage : str
            "learn" or "adapt".
        changes
            Further settings, as ``start`` of the encoder; None is from scratch.
        """
        given: ClassLearnSettings = getattr(self.settings, stage)
        scratch = "start" in changes and changes["start"] is None
        start = changes.pop("start", given.encoder.start)
        if stage == "adapt":
            # The network is the one that it starts from.
            same = ("encoder", "hidden", "members", "transform", "masks", "dropout", "features")
            first = self.settings.learn
            changes |= {name: getattr(first, name) for name in same}
            if given.type is None:
                changes["type"] = first.type
        changes = {
            "classes": list(self.settings.label.classes),
            "split": self.settings.split,
            **changes,
        }
        settings = given.model_copy(update=changes)
        encoder = settings.encoder.model_copy(update={"start": start})
        if stage == "adapt" or scratch:
            encoder = encoder.model_copy(update={"weights": None})
        return settings.model_copy(update={"encoder": encoder})

    def model_of(self, number: int) -> list[str]:
        """Files of the model of a round; that of round 0 may be the labelled survey's own."""
        if number == 0 and not self.overlap:
            return self.bundle(f"{self.folder}/labelled/model")
        return self.bundle(f"{self.folder}/rounds/{number}/model")

    @staticmethod
    def bundle(folder: str) -> list[str]:
        """Files of a model of classes."""
        return [f"{folder}/{name}" for name in READER_FILES]

    def choice(self, number: int) -> str:
        """What a round chose."""
        return f"{self.folder}/rounds/{number}/choice.json"

    def rounds_made(self, choice_of: object) -> list[int]:
        """Rounds that are trained: until the stop rule, or as many as are asked for.

        Parameters
        ----------
        choice_of : callable
            Path of the choice of a round, once it is made.
        """
        made = [0]
        for number in range(1, self.settings.recursion.rounds + 1):
            if read_json(choice_of(number))["stop"]:
                break
            made.append(number)
        return made

    def curve(self) -> list[tuple[str, int]]:
        """Kinds and numbers of labels of the learning curve."""
        kinds = ("transferred", "scratch") if self.overlap else ("scratch",)
        return [(kind, count) for kind in kinds for count in sorted(self.settings.curve)]

    def sphere_model(self) -> list[str]:
        """Files of the model of the map that galaxies are placed with; nothing without one."""
        given = self.settings.sphere
        return [] if given is None else [str(Path(given, name)) for name in FILES]

    def jobs(self, rounds: list[int]) -> list[str]:
        """Names of the jobs whose records are those of a run of surveys."""
        found = []
        for survey in SURVEYS:
            if self.source(survey).is_mock:
                found += [f"survey_render-{survey}-{path}" for path in self._shards()]
                found += [f"survey_join-{survey}", f"survey_mock-{survey}"]
            else:
                found.append(f"survey_collect-{survey}")
        found += ["survey_label", "survey_learn"]
        for number in rounds:
            if number or self.overlap:
                found.append(f"survey_learn-{number}")
            found += [f"survey_predict-{number}-{survey}" for survey in self.predicted(number)]
        # One more choice may have said why there are no more rounds.
        chosen = range(1, min(len(rounds), self.settings.recursion.rounds) + 1)
        found += [f"survey_choose-{number}" for number in chosen]
        if not self.overlap:
            found += [f"survey_join_round-{number}" for number in rounds if number]
        found += [f"survey_curve-{kind}-{count}" for kind, count in self.curve()]
        found += [f"survey_final-{survey}" for survey in SURVEYS]
        if self.settings.sphere is not None:
            found.append("survey_place")
        return [*found, "survey_settle", "survey_evaluate", "survey_clusters", "survey_catalogue"]

    def predicted(self, number: int) -> list[str]:
        """Surveys that the model of a round is read on: to score it, and to choose for the next."""
        chosen_from = {"target"} if number < self.settings.recursion.rounds else set()
        return sorted({self.scored, *chosen_from})

    def _shards(self) -> list[str]:
        return [
            f"{name}-{snapshot}-{shard}"
            for name, simulation in self.config.simulations.items()
            for snapshot in simulation.snapshots
            for shard in range(self.config.extract.shards)
        ]


def as_config(config: Config, survey: str = "labelled") -> Config:
    """The configuration with the settings of surveys in place of the map's, for resources."""
    given = config.transfer
    update = {"learn": given.learn, "predict": given.predict}
    if (render := getattr(given, survey).render) is not None:
        update["render"] = render
    return config.model_copy(update=update)


def start_digest(config: Config) -> str:
    """`listing` of what the first training starts from: weights, or a finished model."""
    given = config.transfer.learn.encoder
    found = [given.start, given.weights if given.weights != "hub" else None]
    return listing([path for path in found if path])
