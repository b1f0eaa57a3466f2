"""The shape of what risk is told in: incidents per leak, the limits of the grades, the matrix of bands."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final, Literal, Self

from pydantic import model_validator

from planner.policy_parts import Confidence, NotNegative, Part, Positive, Text

Grade = Literal["low", "moderate", "high", "severe"]
GRADES: Final[tuple[Grade, ...]] = ("low", "moderate", "high", "severe")


class GradeLimit(Part):
    """The least incidents per kilometre and year of a grade; without a medium for all that have none of their own."""

    grade: Grade
    minimum_incidents_per_km_year: NotNegative
    medium: str | None = None
    source: Text
    confidence: Confidence


class BandLimits(Part):
    """The limits between the bands of one side of the matrix; a value at a limit is in the band above it."""

    limits: tuple[Positive, ...]
    source: Text
    confidence: Confidence

    @model_validator(mode="after")
    def _rise(self) -> Self:
        if not self.limits or any(low >= high for low, high in pairwise(self.limits)):
            message = "the limits of the bands must rise"
            raise ValueError(message)
        return self


class RiskMatrix(Part):
    """Bands of likelihood (rows of `cells`, from the least) and consequence (columns), and the grade of each cell."""

    likelihood_per_km_year: BandLimits
    consequence_index: BandLimits
    cells: tuple[tuple[Grade, ...], ...]
    source: Text
    confidence: Confidence

    @model_validator(mode="after")
    def _is_whole_and_never_falls(self) -> Self:
        rows, columns = len(self.likelihood_per_km_year.limits) + 1, len(self.consequence_index.limits) + 1
        if len(self.cells) != rows or {len(row) for row in self.cells} != {columns}:
            message = f"cells needs {rows} rows (likelihood) of {columns} grades (consequence)"
            raise ValueError(message)
        ranks = [[GRADES.index(grade) for grade in row] for row in self.cells]
        lines = [*ranks, *zip(*ranks, strict=True)]
        if any(low > high for line in lines for low, high in pairwise(line)):
            message = "no grade of the matrix may fall with likelihood or consequence"
            raise ValueError(message)
        return self


def check_grades(limits: Iterable[GradeLimit]) -> None:
    """Raise where the grades of a medium, or those of all others, do not rise from 0 or one is missing."""
    by_medium: dict[str | None, list[GradeLimit]] = {None: []}
    for limit in limits:
        by_medium.setdefault(limit.medium, []).append(limit)
    for medium, own in by_medium.items():
        least = [limit.minimum_incidents_per_km_year for limit in own]
        if tuple(limit.grade for limit in own) != GRADES or least[0] != 0 or sorted(set(least)) != least:
            message = f"the grades {', '.join(GRADES)} must rise from a limit of 0 (medium {medium or 'any'})"
            raise ValueError(message)
