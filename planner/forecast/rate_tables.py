"""Leaks per kilometre and year by material and decade, drawn towards the wider group where there is little to count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.factors import Floats
from planner.forecast.aged import AgedRates, check_past, overall_rate
from planner.forecast.panel import Panel
from planner.forecast.terms import decades, materials, prior_leaks

Codes = NDArray[np.int64]
# three leaks and more are one class: beyond, there is too little to count
_MOST_PRIOR: Final = 3


@dataclass(frozen=True)
class RateTable:
    """The rate of the cell of each segment: medium, material, material and decade, from the whole down.

    Each step is (s + leaks) / (s + expected of the step before) with the strength s in leaks. With `has_history` the
    last step parts the cells by the leaks of the segment before the year: none, one, two, more.

    Misleads where pipes of one cell differ in age by much, and by steps at the ends of decades. Ties within a cell
    are ties: their order means nothing.
    """

    name: str = "rate_table"
    has_history: bool = False
    strength: float = 3.0

    def fit(self, past: Panel) -> AgedRates:
        """Learn from a past."""
        check_past(past, self.name)
        there = past.km_years > 0.0
        row = np.nonzero(there)[0]
        leaks, km_years = past.leaks[there], past.km_years[there]
        steps = _steps(past.segments)
        ln_rate = np.full(len(past.segments), np.log(overall_rate(past)))
        for group in steps:
            expected = np.exp(ln_rate[row]) * km_years
            # a group without a pipe in this past (its pipes lie in a hidden district) keeps the rate of the wider one
            factors = self._factors(group[row], leaks, expected, int(group.max()) + 1)
            ln_rate = ln_rate + np.log(factors)[group]
        if self.has_history:
            group = steps[-1] * (_MOST_PRIOR + 1)
            now = group + _prior_class(past.leaks.sum(axis=1))
            then = (group[:, None] + _prior_class(prior_leaks(past)))[there]
            factors = self._factors(then, leaks, np.exp(ln_rate[row]) * km_years, int(group.max()) + _MOST_PRIOR + 1)
            ln_rate = ln_rate + np.log(factors)[now]
        return AgedRates(past.segments, ln_rate)

    def _factors(self, group: Codes, leaks: Floats, expected: Floats, count: int) -> Floats:
        found = np.bincount(group, weights=leaks, minlength=count)
        awaited = np.bincount(group, weights=expected, minlength=count)
        factors: Floats = (found + self.strength) / (awaited + self.strength)
        return factors


def _steps(segments: pd.DataFrame) -> list[Codes]:
    """Return the groups from wide to narrow, as codes."""
    material = materials(segments)
    groups = [segments["medium"].astype("str"), material, material + " " + decades(segments)]
    return [pd.factorize(group)[0].astype(np.int64) for group in groups]


def _prior_class(leaks: Floats) -> Codes:
    # expected counts: half a leak and more is one
    return np.minimum(np.floor(leaks + 0.5), _MOST_PRIOR).astype(np.int64)
