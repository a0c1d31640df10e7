"""The settings of each task that can be trained, by its name."""

from __future__ import annotations

from morphosphere.config.class_learn import ClassLearnSettings
from morphosphere.config.learn import LearnSettings
from morphosphere.config.merger_learn import MergerLearnSettings
from morphosphere.config.sersic_learn import SersicLearnSettings
from morphosphere.config.training import TrainingSettings

SETTINGS: dict[str, type[TrainingSettings]] = {
    "sphere": LearnSettings,
    "mergers": MergerLearnSettings,
    "classes": ClassLearnSettings,
    "sersic": SersicLearnSettings,
}
