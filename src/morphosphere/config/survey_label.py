"""Settings of the labels of a survey, and of how they are carried to another."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from morphosphere.config.base import Settings

_CLASS = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class ClassSettings(Settings):
    """What makes a galaxy a member of a class."""

    where: str | None = Field(
        None,
        min_length=1,
        description="Expression of columns (of pandas) that is true of members, such as "
        "`1 <= T <= 7` or `p_el > 0.8 & r < 17.8`; beside `votes`, one that must hold as well.",
    )
    votes: str | None = Field(
        None,
        min_length=1,
        description="Column with the share of the votes for the class; the class with the largest "
        "is the label. All classes have one, or none has.",
    )

    @model_validator(mode="after")
    def _something(self) -> ClassSettings:
        if self.where is None and self.votes is None:
            raise ValueError("give `where` or `votes`")
        return self


class LabelTableSettings(Settings):
    """A table of labels that is no part of the images' own table."""

    path: str = Field(description="CSV, TSV, Parquet, ECSV, FITS or VOTable.")
    by: Literal["id", "position"] = Field(
        "id", description="Whether a row belongs to the image of its id, or to the nearest image."
    )
    id: str | None = Field(None, description="Column of the ids; null: the first.")
    images: str = Field(
        "image_id",
        description="Column of the images that the ids are compared with, with and without the "
        "survey's name before it.",
    )
    ra: str = Field("ra", description="Column of right ascensions, by position.")
    dec: str = Field("dec", description="Column of declinations, by position.")


class LabelSettings(Settings):
    """Which galaxies of the labelled survey are of which class, and the match with the other."""

    classes: dict[str, ClassSettings] = Field(
        default_factory=lambda: {
            "smooth": ClassSettings(votes="p_smooth"),
            "featured": ClassSettings(votes="p_featured"),
        },
        min_length=2,
        description="Classes by name, in the order of their numbers, and who is a member.",
    )
    confident: float | str | None = Field(
        0.8,
        description="Cut above which a label is called confident: a share of the votes, or an "
        "expression of columns; null: all labels are.",
    )
    type: str | None = Field(
        None,
        min_length=1,
        description="Column, or expression of columns, of an ordinal type such as the Hubble type "
        "T, which is learnt beside the classes; null: none.",
    )
    table: LabelTableSettings | None = Field(
        None, description="Table of labels; null: the columns of the images' own table."
    )
    overlap: bool = Field(
        True,
        description="Whether labels are carried to the other survey, to the galaxies at the same "
        "place on the sky.",
    )
    radius: float = Field(
        1.0, gt=0, le=3600, description="Greatest separation of a match in arcseconds."
    )
    ra: str = Field("ra", description="Column of right ascensions of the images of both surveys.")
    dec: str = Field("dec", description="Column of declinations of the images of both surveys.")
    ambiguous: Literal["drop", "nearest"] = Field(
        "drop",
        description="What is done where several galaxies are within the radius: no label is "
        "carried, or that of the nearest.",
    )
    least_members: int = Field(
        2, ge=2, description="A class with fewer labelled galaxies is an error."
    )

    @field_validator("classes")
    @classmethod
    def _names(cls, value: dict[str, ClassSettings]) -> dict[str, ClassSettings]:
        for name in value:
            if not _CLASS.fullmatch(name):
                raise ValueError(
                    f"{name!r} cannot be the name of a class: it becomes part of column names, so "
                    "use letters, digits and _, a letter first"
                )
            if name.endswith("_std") and name.removesuffix("_std") in value:
                raise ValueError(f"the columns of {name!r} would have the names of another class's")
        by_votes = [name for name, rule in value.items() if rule.votes is not None]
        if by_votes and len(by_votes) < len(value):
            without = next(name for name in value if name not in by_votes)
            raise ValueError(f"{without!r} has no `votes`, but others have; give all or none")
        return value

    @model_validator(mode="before")
    @classmethod
    def _no_votes_no_cut(cls, value: Any) -> Any:
        """The default cut is one of votes: without votes there is none."""
        if isinstance(value, dict) and "confident" not in value:
            rules = value.get("classes")
            rules = list(rules.values()) if isinstance(rules, dict) else []
            votes = (
                r.get("votes") if isinstance(r, dict) else getattr(r, "votes", None) for r in rules
            )
            if rules and not any(votes):
                return {**value, "confident": None}
        return value

    @model_validator(mode="after")
    def _cut(self) -> LabelSettings:
        if isinstance(self.confident, float):
            if not 0 <= self.confident <= 1:
                raise ValueError(
                    "confident must be a share from 0 to 1, or an expression of columns; got "
                    f"{self.confident:g}"
                )
            if not self.by_votes:
                raise ValueError(
                    "confident is a share of votes, but the classes have none; give an expression "
                    "of columns, or null"
                )
        return self

    @property
    def by_votes(self) -> bool:
        """Whether votes decide on the class."""
        return all(rule.votes is not None for rule in self.classes.values())
