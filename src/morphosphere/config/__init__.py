"""The configuration: one section per stage, checked as a whole before anything runs."""

from __future__ import annotations

import re

from pydantic import Field, field_validator, model_validator

from morphosphere.config.base import Settings
from morphosphere.config.collect import SurveySettings
from morphosphere.config.compute import ComputeSettings
from morphosphere.config.evaluate import EvaluateSettings
from morphosphere.config.explore import ExploreSettings
from morphosphere.config.extract import ExtractSettings
from morphosphere.config.hips import HipsSettings
from morphosphere.config.learn import LearnSettings
from morphosphere.config.mergers import MergersSettings
from morphosphere.config.mock import MockSettings
from morphosphere.config.predict import PredictSettings
from morphosphere.config.render import RenderSettings
from morphosphere.config.sersic import SersicSettings
from morphosphere.config.simulation import SimulationSettings
from morphosphere.config.transfer import TransferSettings

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class Config(Settings):
    """The whole configuration of a run."""

    run: str = Field("demo", description="Name of the run; its results are in results/<run>.")
    seed: int = Field(42, ge=0, description="Seed of everything random.")
    simulations: dict[str, SimulationSettings] = Field(
        default_factory=dict, description="Simulations by name; their galaxies are rendered."
    )
    surveys: dict[str, SurveySettings] = Field(
        default_factory=dict, description="Surveys by name; their images are collected."
    )
    model: str | None = Field(
        None,
        description="Folder of a finished model (results/<another run>/model): nothing is trained, "
        "and the images of this run are placed with it.",
    )
    mock: MockSettings = Field(default_factory=MockSettings, description=MockSettings.__doc__)
    extract: ExtractSettings = Field(
        default_factory=ExtractSettings, description=ExtractSettings.__doc__
    )
    render: RenderSettings = Field(
        default_factory=RenderSettings, description=RenderSettings.__doc__
    )
    learn: LearnSettings = Field(default_factory=LearnSettings, description=LearnSettings.__doc__)
    compute: ComputeSettings = Field(
        default_factory=ComputeSettings, description=ComputeSettings.__doc__
    )
    predict: PredictSettings = Field(
        default_factory=PredictSettings, description=PredictSettings.__doc__
    )
    evaluate: EvaluateSettings = Field(
        default_factory=EvaluateSettings, description=EvaluateSettings.__doc__
    )
    hips: HipsSettings = Field(default_factory=HipsSettings, description=HipsSettings.__doc__)
    explore: ExploreSettings = Field(
        default_factory=ExploreSettings, description=ExploreSettings.__doc__
    )
    mergers: MergersSettings = Field(
        default_factory=MergersSettings, description=MergersSettings.__doc__
    )
    transfer: TransferSettings = Field(
        default_factory=TransferSettings, description=TransferSettings.__doc__
    )
    sersic: SersicSettings = Field(
        default_factory=SersicSettings, description=SersicSettings.__doc__
    )

    @field_validator("run")
    @classmethod
    def _run_is_a_name(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise ValueError("must be letters, digits, - and _ (it becomes a folder name)")
        return value

    @model_validator(mode="after")
    def _sources_have_names(self) -> Config:
        for name in [*self.simulations, *self.surveys]:
            if not _NAME.fullmatch(name):
                raise ValueError(
                    f"{name!r} must be letters, digits, - and _ (it becomes a folder name)"
                )
        if clash := sorted(set(self.simulations) & set(self.surveys)):
            raise ValueError(f"{clash[0]!r} names both a simulation and a survey; rename one")
        if not self.simulations and not self.surveys:
            if {"mergers", "transfer", "sersic"} & self.model_fields_set:
                return self  # no map is wanted
            raise ValueError("give at least one entry under simulations or surveys")
        for name, simulation in self.simulations.items():
            is_mock = simulation.path is None and simulation.tng_api is None
            if is_mock and simulation.snapshots != [self.mock.snapshot]:
                raise ValueError(
                    f"simulations.{name} has no path and so is the mock box, whose only snapshot "
                    f"is {self.mock.snapshot}, not {simulation.snapshots}"
                )
        sources = [*self.simulations.values(), *self.surveys.values()]
        if self.model is None and not any(source.train for source in sources):
            raise ValueError(
                "every source has train: false; let one train, or give a finished model under model"
            )
        return self
