"""What a risk index means: incidents and harm by year, the grade, and the place in the matrix of bands.

    incidents per km and year = leaks per km and year x incidents per leak of the reference segment x consequence
    harm per year             = leaks per year x harm per leak of the reference segment x consequence

The harm is that of the price list (`harm_cny_per_leak`), as the worth of joining a project counts it: it holds the rare
incidents, so that these are not priced again; the repair of a leak is apart (`repair_cny_per_leak`) and not in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.costs import rows_of
from planner.factors import Floats
from planner.policy import Policy
from planner.policy_risk import GradeLimit, RiskMatrix
from planner.policy_value import RangedEntry

Names = NDArray[np.object_]


@dataclass(frozen=True)
class Index:
    """The two sides of the risk of each segment: leaks per kilometre and year, and the relative consequence."""

    likelihood_per_km_year: Floats
    consequence: Floats
    length_m: Floats


def incidents_per_leak(medium: pd.Series, policy: Policy) -> Floats:
    """Return the incidents of a leak of the reference segment of each medium."""
    return _ranged(medium, policy.weights.incidents_per_leak)[0]


def incident_columns(medium: pd.Series, index: Index, policy: Policy) -> dict[str, Floats]:
    """Return incidents and harm by year with their range, as columns of the scores.

    The range is that of the anchor or the price alone: it says how little is known of the level, and moves all segments
    of a medium together. The harm is NaN where the price list has no part `value`.
    """
    risk = index.likelihood_per_km_year * index.consequence
    kilometres = index.length_m / 1000.0
    each, low, high = _ranged(medium, policy.weights.incidents_per_leak)
    columns = {
        "incidents_per_km_year": risk * each,
        "incidents_per_year": risk * each * kilometres,
        "incidents_low_per_year": risk * low * kilometres,
        "incidents_high_per_year": risk * high * kilometres,
    }
    value = policy.prices.value
    nothing = np.full(len(medium), np.nan)
    price = (nothing,) * 3 if value is None else _ranged(medium, value.harm_cny_per_leak)
    names = ("harm_cny_per_year", "harm_low_cny_per_year", "harm_high_cny_per_year")
    return columns | {name: risk * kilometres * cny for name, cny in zip(names, price, strict=True)}


def grades_of(incidents_per_km_year: Floats, medium: pd.Series, limits: tuple[GradeLimit, ...]) -> Names:
    """Return the grade of each segment by the limits of its medium; a value at a limit has the grade above it."""
    grades = np.empty(len(medium), dtype=object)
    codes, names = pd.factorize(medium)
    told = {limit.medium for limit in limits}
    for code, name in [*enumerate(names), (-1, None)]:
        own = [limit for limit in limits if limit.medium == (name if name in told else None)]
        bottoms = np.array([limit.minimum_incidents_per_km_year for limit in own])
        rows = codes == code
        place = np.searchsorted(bottoms, incidents_per_km_year[rows], side="right") - 1
        grades[rows] = np.array([limit.grade for limit in own], dtype=object)[place]
    return grades


def matrix_columns(index: Index, matrix: RiskMatrix) -> dict[str, pd.api.extensions.ExtensionArray | Names]:
    """Return the bands of each segment, from 1, and the grade of its cell, as columns of the scores."""
    row, column = (
        np.searchsorted(np.array(side.limits), values, side="right")
        for side, values in (
            (matrix.likelihood_per_km_year, index.likelihood_per_km_year),
            (matrix.consequence_index, index.consequence),
        )
    )
    cells = np.array(matrix.cells, dtype=object)
    return {
        "likelihood_band": pd.array(row + 1, dtype="Int64"),
        "consequence_band": pd.array(column + 1, dtype="Int64"),
        "matrix_grade": cells[row, column],
    }


def _ranged(medium: pd.Series, entries: tuple[RangedEntry, ...]) -> tuple[Floats, Floats, Floats]:
    """Return figure, low and high of each medium; one that is not listed takes `unknown`."""
    row = rows_of(medium, [entry.code for entry in entries])
    figures = np.array([(entry.value, entry.low, entry.high) for entry in entries])[row]
    return figures[:, 0], figures[:, 1], figures[:, 2]
