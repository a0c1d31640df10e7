"""Settings of recursive training: labels that a model gives, learnt by the next."""

from __future__ import annotations

from pydantic import Field

from morphosphere.config.base import Settings


class RecursionSettings(Settings):
    """How a survey's own predictions become labels, round by round, and when that ends."""

    rounds: int = Field(2, ge=0, le=50, description="Greatest number of rounds; 0: none.")
    purity: float = Field(
        0.95,
        gt=0.5,
        le=1,
        description="Share of right predictions, among the labelled galaxies of validation above "
        "the threshold, that a class's threshold must reach. The threshold is the smallest that "
        "does.",
    )
    least_validation: int = Field(
        5,
        ge=1,
        description="A class with fewer labelled galaxies of validation above its threshold has "
        "none, and gets no labels: its probabilities cannot be checked.",
    )
    per_class: int = Field(
        500, ge=1, description="Galaxies of each class that get a label, at most: the surest."
    )
    imbalance: float = Field(
        3.0,
        ge=1,
        description="Greatest number of labels of a class for each one of the rarest class.",
    )
    weight: float = Field(
        0.5, gt=0, le=1, description="Weight of such a label in training; others have 1."
    )
    least_new: int = Field(
        10, ge=1, description="A round with fewer new or changed labels is not trained."
    )
    least_change: float = Field(
        0.05,
        ge=0,
        le=1,
        description="A round is not trained if a smaller share of the labels has changed since "
        "the round before: came, went, or are of another class.",
    )
    margin: float = Field(
        2.0,
        ge=0,
        le=10,
        description="A later model is kept if its loss on validation is lower than that of the "
        "model kept so far, by so many standard errors of the difference, and its balanced "
        "accuracy there is not lower.",
    )
    bootstrap: int = Field(
        500,
        ge=0,
        le=100_000,
        description="Draws of galaxies for the interval of the difference between before and "
        "after; 0: none.",
    )
