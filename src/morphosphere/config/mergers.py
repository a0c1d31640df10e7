"""Settings of the measurement of mergers: where images come from, the network, and the page."""

from __future__ import annotations

import re

from pydantic import Field, model_validator

from morphosphere.config.base import Settings
from morphosphere.config.encounters import EncounterSettings
from morphosphere.config.merger_evaluate import MergerEvaluateSettings
from morphosphere.config.merger_learn import MergerLearnSettings
from morphosphere.config.merger_page import MergerPageSettings
from morphosphere.config.merger_predict import MergerPredictSettings
from morphosphere.config.merger_sources import DeepGalaxySettings, RealMergersSettings, RunSettings
from morphosphere.config.render import CameraSettings, RenderSettings

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def _render() -> RenderSettings:
    return RenderSettings(
        size=64,
        channels=["stellar_mass"],
        cameras=CameraSettings(isotropic=0, random=2),
        field_of_view=120.0,
        field_of_view_unit="kpc",
        smoothing_factor=1.15,
    )


class MergersSettings(Settings):
    """What an image of a collision says about the encounter (`snakemake mergers`)."""

    encounters: EncounterSettings | None = Field(
        default_factory=EncounterSettings,
        description="Encounters that are simulated; null for none.",
    )
    runs: dict[str, RunSettings] = Field(
        default_factory=dict, description="N-body runs of mergers by name."
    )
    deepgalaxy: dict[str, DeepGalaxySettings] = Field(
        default_factory=dict, description="Files in the layout of DeepGalaxy by name."
    )
    real: dict[str, RealMergersSettings] = Field(
        default_factory=dict, description="Folders of real images of mergers by name."
    )
    render: RenderSettings = Field(
        default_factory=_render,
        description="How encounters and runs become images; real images are brought to the same "
        "size and field of view, which is in kpc.",
    )
    learn: MergerLearnSettings = Field(
        default_factory=MergerLearnSettings, description=MergerLearnSettings.__doc__
    )
    leaky_split: bool = Field(
        True,
        description="Also train the network under a split by snapshot, as others do, to show what "
        "its errors would seem to be.",
    )
    predict: MergerPredictSettings = Field(
        default_factory=MergerPredictSettings, description=MergerPredictSettings.__doc__
    )
    evaluate: MergerEvaluateSettings = Field(
        default_factory=MergerEvaluateSettings, description=MergerEvaluateSettings.__doc__
    )
    page: MergerPageSettings = Field(
        default_factory=MergerPageSettings, description=MergerPageSettings.__doc__
    )

    @model_validator(mode="after")
    def _sources_are_sound(self) -> MergersSettings:
        names = [*self.runs, *self.deepgalaxy, *self.real]
        for name in names:
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} must be letters, digits, - and _ (it becomes a file)")
            if names.count(name) > 1:
                raise ValueError(f"{name!r} names two sources; rename one")
        given = [*self.runs.values(), *self.deepgalaxy.values(), *self.real.values()]
        if self.encounters is None and not any(source.train for source in given):
            raise ValueError("encounters is null and no other source has train: true")
        if self.render.field_of_view_unit != "kpc":
            raise ValueError(
                "render.field_of_view_unit must be kpc: two galaxies have no radius in common"
            )
        return self
