"""Settings of the survey measurement: labels carried from one survey to the next."""

from __future__ import annotations

from pydantic import Field, model_validator

from morphosphere.config.base import Settings
from morphosphere.config.class_learn import ClassLearnSettings, UnfreezeSettings
from morphosphere.config.collect import SurveySettings
from morphosphere.config.render import CameraSettings, ObservationSettings, RenderSettings
from morphosphere.config.survey_catalogue import CatalogueSettings
from morphosphere.config.survey_clusters import SurveyClustersSettings
from morphosphere.config.survey_evaluate import SurveyEvaluateSettings
from morphosphere.config.survey_label import LabelSettings
from morphosphere.config.survey_mock import MockSurveySettings
from morphosphere.config.survey_page import SurveyPageSettings
from morphosphere.config.survey_predict import SurveyPredictSettings
from morphosphere.config.survey_recursion import RecursionSettings
from morphosphere.config.training import SplitSettings


class SourceSettings(Settings):
    """Images of a survey: those of a folder, or mock observations of the run's simulations."""

    images: SurveySettings | None = Field(
        None, description="A folder of images and a table; without it, the survey is a mock."
    )
    render: RenderSettings | None = Field(
        None,
        description="How the galaxies of the run's simulations are observed, for a mock survey.",
    )

    @model_validator(mode="after")
    def _one_kind(self) -> SourceSettings:
        if (self.images is None) == (self.render is None):
            raise ValueError("give either images (a folder) or render (a mock survey)")
        if self.images is not None and self.images.hips2fits is not None:
            raise ValueError(
                "images.hips2fits: images of this survey are not downloaded; name it under surveys "
                "first, and give the folder that holds them here"
            )
        return self

    @property
    def is_mock(self) -> bool:
        """Whether the survey is made from simulations."""
        return self.render is not None


def _labelled() -> SourceSettings:
    return SourceSettings(
        render=RenderSettings(
            size=64,
            channels=["i", "r", "g"],
            cameras=CameraSettings(isotropic=0, random=6),
            observation=ObservationSettings(survey="SDSS", redshift=0.06),
        ),
    )


def _target() -> SourceSettings:
    return SourceSettings(
        render=RenderSettings(
            size=80,
            channels=["i", "r", "g"],
            cameras=CameraSettings(isotropic=0, random=6),
            observation=ObservationSettings(survey="DES", redshift=0.3),
        ),
    )


def _adapt() -> ClassLearnSettings:
    return ClassLearnSettings(
        epochs=12,
        learning_rate=0.002,
        unfreeze=UnfreezeSettings(head_epochs=2, stage_epochs=1, encoder_rate=0.5),
    )


class TransferSettings(Settings):
    """Labels carried from a labelled survey to a target survey (`snakemake survey`)."""

    labelled: SourceSettings = Field(
        default_factory=_labelled, description="Survey A, whose galaxies have labels."
    )
    target: SourceSettings = Field(
        default_factory=_target, description="Survey B, whose galaxies are to get labels."
    )
    mock: MockSurveySettings = Field(
        default_factory=MockSurveySettings, description=MockSurveySettings.__doc__
    )
    label: LabelSettings = Field(default_factory=LabelSettings, description=LabelSettings.__doc__)
    split: SplitSettings = Field(
        default_factory=lambda: SplitSettings(validation=0.1, test=0.33),
        description=SplitSettings.__doc__,
    )
    learn: ClassLearnSettings = Field(
        default_factory=ClassLearnSettings,
        description="Training on the labelled survey.",
    )
    adapt: ClassLearnSettings = Field(
        default_factory=_adapt,
        description="Training that goes on from that model: on the labels that the target survey "
        "shares with the labelled one, and on those of each round of the recursion.",
    )
    curve: list[int] = Field(
        [20, 80, 320],
        description="Numbers of labelled galaxies of the target survey (of the labelled one where "
        "they share none) for the learning curve; each is trained from the model of the labelled "
        "survey and from scratch. Empty: no curve.",
    )
    recursion: RecursionSettings = Field(
        default_factory=RecursionSettings, description=RecursionSettings.__doc__
    )
    predict: SurveyPredictSettings = Field(
        default_factory=SurveyPredictSettings, description=SurveyPredictSettings.__doc__
    )
    sphere: str | None = Field(
        None,
        description="Folder of a finished model of the map (results/<run>/model), for the same "
        "channels: the catalogue is then also placed on its sphere.",
    )
    catalogue: CatalogueSettings = Field(
        default_factory=CatalogueSettings, description=CatalogueSettings.__doc__
    )
    evaluate: SurveyEvaluateSettings = Field(
        default_factory=SurveyEvaluateSettings, description=SurveyEvaluateSettings.__doc__
    )
    clusters: SurveyClustersSettings = Field(
        default_factory=SurveyClustersSettings, description=SurveyClustersSettings.__doc__
    )
    page: SurveyPageSettings = Field(
        default_factory=SurveyPageSettings, description=SurveyPageSettings.__doc__
    )

    @model_validator(mode="after")
    def _agree(self) -> TransferSettings:
        for name in ("learn", "adapt"):
            given = getattr(self, name)
            if given.classes:
                raise ValueError(f"{name}.classes: leave it out, label.classes names them")
            if given.split not in (SplitSettings(), self.split):
                raise ValueError(f"{name}.split: leave it out, transfer.split holds for all models")
            if (given.type is not None) and self.label.type is None:
                raise ValueError(
                    f"{name}.type is given, but label.type is not: name the column of the type "
                    f"there, or leave {name}.type out"
                )
        if self.label.overlap:
            for axis in ("ra", "dec"):
                if getattr(self.label, axis) != getattr(self.catalogue, axis):
                    raise ValueError(f"catalogue.{axis} and label.{axis} must name the same column")
        if self.adapt.encoder.start is not None:
            raise ValueError("adapt.encoder.start: leave it out, it starts from the first model")
        least = len(self.label.classes)
        if len(set(self.curve)) < len(self.curve) or any(n < least for n in self.curve):
            raise ValueError(
                f"curve: give different numbers, each at least {least} (a class each); got "
                f"{self.curve}"
            )
        return self
