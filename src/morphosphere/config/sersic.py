"""Settings of the measurement of structural parameters (`snakemake sersic`)."""

from __future__ import annotations

import math
import re

from pydantic import Field, model_validator

from morphosphere.config.base import Settings
from morphosphere.config.sersic_bound import BoundSettings
from morphosphere.config.sersic_catalogue import SersicAttachSettings, SersicCatalogueSettings
from morphosphere.config.sersic_evaluate import SersicEvaluateSettings
from morphosphere.config.sersic_fit import FitSettings
from morphosphere.config.sersic_learn import FillSettings, SersicLearnSettings
from morphosphere.config.sersic_predict import SersicPredictSettings
from morphosphere.config.sersic_real import RealSettings
from morphosphere.config.sersic_simulate import SimulateSettings
from morphosphere.config.training import SplitSettings

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class AdaptSettings(Settings):
    """Fine-tuning on a few real images of known structure, from the model of simulated ones."""

    share: float = Field(
        0.01,
        gt=0,
        le=1,
        description="Real images to learn from are fewer than this share of the simulated ones "
        "that the model was trained on.",
    )
    epochs: int = Field(30, ge=1, description="Number of passes over these images.")
    batch_size: int = Field(8, ge=4, description="Images in a batch.")
    learning_rate: float = Field(0.00003, gt=0, description="Largest step size (AdamW, cosine).")
    validation: float = Field(
        0.2, ge=0, lt=0.5, description="Share of the images that chooses the best weights."
    )


class MapStructureSettings(SersicAttachSettings):
    """Structural parameters as properties of the galaxies of a map."""

    predictions: str | None = Field(
        None,
        min_length=1,
        description="Structural parameters of the galaxies of the map "
        "(results/<run>/sersic/predictions.parquet): the page of the map then colours galaxies by "
        "them. Null: it does not.",
    )


class SersicSettings(Settings):
    """Magnitude, half-light radius, Sérsic index, axis ratio and angle (`snakemake sersic`)."""

    simulate: SimulateSettings = Field(
        default_factory=SimulateSettings, description=SimulateSettings.__doc__
    )
    learn: SersicLearnSettings = Field(
        default_factory=SersicLearnSettings, description=SersicLearnSettings.__doc__
    )
    predict: SersicPredictSettings = Field(
        default_factory=SersicPredictSettings, description=SersicPredictSettings.__doc__
    )
    bound: BoundSettings = Field(default_factory=BoundSettings, description=BoundSettings.__doc__)
    fit: FitSettings = Field(default_factory=FitSettings, description=FitSettings.__doc__)
    real: dict[str, RealSettings] = Field(
        default_factory=dict, description="Sets of real images by name."
    )
    adapt: AdaptSettings | None = Field(
        default_factory=AdaptSettings,
        description="How the model is fine-tuned on half of each set of real images with known "
        "parameters, to be measured on the other half; null: it is not.",
    )
    evaluate: SersicEvaluateSettings = Field(
        default_factory=SersicEvaluateSettings, description=SersicEvaluateSettings.__doc__
    )
    catalogue: SersicCatalogueSettings = Field(
        default_factory=SersicCatalogueSettings, description=SersicCatalogueSettings.__doc__
    )
    attach: MapStructureSettings = Field(
        default_factory=MapStructureSettings, description=MapStructureSettings.__doc__
    )

    @model_validator(mode="after")
    def _agree(self) -> SersicSettings:
        given = self.learn
        if given.components not in (1, self.simulate.components):
            raise ValueError("learn.components: leave it out, simulate.components holds for all")
        if given.transform.size not in (128, self.simulate.size):
            raise ValueError("learn.transform.size: leave it out, simulate.size holds for all")
        if given.split != SplitSettings():
            raise ValueError("learn.split: leave it out, galaxies are split 8:1:1")
        for name in self.real:
            if not _NAME.fullmatch(name):
                raise ValueError(f"real.{name}: must be letters, digits, - and _ (it is a folder)")
        for name, real in self.real.items():
            if "size" in real.model_fields_set and real.size != self.simulate.size:
                raise ValueError(f"real.{name}.size: leave it out, simulate.size holds for all")
        if self.simulate.components == 2:
            if self.real:
                raise ValueError(
                    "real: real images are measured with one component; set simulate.components: 1"
                )
            if "galsim" not in self.fit.tools:
                raise ValueError("fit.tools: statmorph fits one component only; add galsim")
        return self

    def real_of(self, name: str) -> RealSettings:
        """Settings of a set of real images, which are as wide as the simulated ones."""
        return self.real[name].model_copy(update={"size": self.simulate.size})

    def learning(self) -> SersicLearnSettings:
        """Settings of the training on simulated images.

        Where galaxies are drawn from a table, their magnitudes go with other parameters.
        """
        given, learn = self.simulate, self.learn
        update = {
            "components": given.components,
            "transform": learn.transform.model_copy(update={"size": given.size}),
        }
        if given.table is not None:
            update["fill"] = learn.fill.model_copy(update={"magnitudes": "kept"})
        return learn.model_copy(update=update)

    def adapting(self, start: str) -> SersicLearnSettings:
        """Settings of the training on real images, from the model in the folder `start`."""
        given = self.adapt
        assert given is not None
        learn = self.learning()
        trained = self.simulate.number * (1 - learn.split.validation - learn.split.test)
        return learn.model_copy(
            update={
                "encoder": learn.encoder.model_copy(update={"start": start, "weights": None}),
                "fill": FillSettings(noise=False, magnitudes="kept"),
                "split": SplitSettings(validation=given.validation, test=0.0),
                "limit": max(4, math.ceil(given.share * trained) - 1),
                "first_epochs": 0,
                "epochs": given.epochs,
                "batch_size": given.batch_size,
                "learning_rate": given.learning_rate,
            }
        )
