"""The shape of the rows of GB/T 27512, and of the points that an operator gives for all its pipes."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Final, Literal, Self

from pydantic import model_validator

from planner.policy_parts import Confidence, Figure, Named, NotNegative, Part, Positive, Text

Section = Literal["S1", "S2", "S3", "S4", "C"]
SECTIONS: Final[tuple[Section, ...]] = ("S1", "S2", "S3", "S4", "C")
SAFETY: Final[tuple[Section, ...]] = ("S1", "S2", "S3", "S4")


class Step(Part):
    """The points of one answer; `limit` is the number at which it ends or begins, where it is one of a scale."""

    code: Text
    limit: Positive | None = None
    points: NotNegative


class Row(Part):
    """One row of an annex: the highest points, the answers that a source gives, and what is lacking to have any."""

    part: Section
    code: Text
    label_en: Text
    label_zh: Text
    maximum: Positive
    lacks: Literal["registry", "source"] | None = None
    scope: Literal["segment", "operator"] = "segment"
    steps: tuple[Step, ...] = ()
    note: Text | None = None
    source: Text
    confidence: Confidence

    def points(self, code: str) -> float:
        """Return the points of an answer."""
        return next(step.points for step in self.steps if step.code == code)

    def limit(self, code: str) -> float:
        """Return the limit of an answer."""
        return next(step.limit for step in self.steps if step.code == code and step.limit is not None)


class RequiredCover(Part):
    """The cover that is asked for below a surface, in metres."""

    code: Text
    factor: Positive
    source: Text
    confidence: Confidence


class Level(Part):
    """The least R of a level."""

    code: Text
    label_en: Text
    label_zh: Text
    minimum_r: NotNegative


class Standard(Named):
    """The rows, shares and levels of the standard, and the pipes that it is for."""

    media: tuple[str, ...]
    materials: tuple[str, ...]
    layings: tuple[str, ...]
    shares: dict[Section, Positive]
    levels: tuple[Level, ...]
    source: Text
    confidence: Confidence
    population_reach_m: Figure
    assembly_reach_m: Figure
    required_cover_m: tuple[RequiredCover, ...]
    rows: tuple[Row, ...]

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        names = [(row.part, row.code) for row in self.rows]
        if len(names) != len(set(names)) or set(self.shares) != set(SAFETY):
            message = "each row stands once, and S1 to S4 have a share each"
            raise ValueError(message)
        return self

    def maximum(self, part: Section) -> float:
        """Return the points that a part can reach."""
        return sum(row.maximum for row in self.rows if row.part == part)


class OperatorPoints(Part):
    """The points of one row for all pipes of an operator, or of every operator that has none of its own."""

    part: Section
    row: Text
    points: NotNegative
    owner: Text | None = None
    source: Text
    confidence: Confidence


class OperatorRows(Part):
    """What operators say of the rows that are the same on all their pipes."""

    rows: tuple[OperatorPoints, ...]

    @model_validator(mode="after")
    def _are_rows_of_operators(self) -> Self:
        known = {(row.part, row.code): row for row in read_standard().rows}
        for given in self.rows:
            row = known.get((given.part, given.row))
            if row is None or row.scope != "operator" or given.points > row.maximum:
                message = f"{given.part} {given.row} is no row that an operator may give, or has fewer points"
                raise ValueError(message)
        return self


@cache
def read_standard() -> Standard:
    """Read the rows that are packaged."""
    text = files("planner").joinpath("standards", "gbt27512-2011.toml").read_text(encoding="utf-8")
    return Standard.model_validate(tomllib.loads(text))
