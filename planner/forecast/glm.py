"""Poisson and negative binomial models of the leak rate: material, decade, diameter, age and, if wished, history."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from planner.factors import Floats
from planner.forecast.aged import AgedRates, check_past, overall_rate
from planner.forecast.gamma import gamma_shape
from planner.forecast.models import Fitted
from planner.forecast.panel import Panel
from planner.forecast.ridge import Counts, fit_ridge, ridge_of
from planner.forecast.terms import Cells, Terms, add_up, ln_ages, prior_leaks

_AGE: Final = "ln age"
_HISTORY: Final = "ln prior leaks"
_ROUNDS: Final = 2


@dataclass(frozen=True)
class PoissonGlm:
    """Poisson regression of leaks on material, decade of installation, diameter and age, exposure kilometre-years.

    Age enters as a power, beside the decade: the panel tells them apart, since a pipe ages while its decade stays.
    With `has_history` the leaks of the segment before the year are a term as well, ln(1 + number); the number at the
    end of the past is kept for all years ahead. That term does not know over how many years they were counted.

    Misleads where age and decade can hardly be told apart (a short record), and beyond the ages on record.

    References
    ----------
    Kleiner and Rajani; power of age: non-homogeneous Poisson process as in LEYP (Le Gat).
    """

    name: str = "poisson_glm"
    has_history: bool = False
    ridge: float = 1.0

    def fit(self, past: Panel) -> AgedRates:
        """Learn from a past."""
        check_past(past, self.name)
        terms = Terms.of(past.segments)
        steady = terms.columns(past.segments)
        moving = {_AGE: ln_ages(past.age_years)}
        if self.has_history:
            moving[_HISTORY] = np.log1p(prior_leaks(past))
        cells = add_up(past, steady, moving)
        columns = np.column_stack([steady[cells.row], *cells.moving.values()])
        start = np.zeros(columns.shape[1])
        start[0] = np.log(overall_rate(past))
        found = start
        if past.leaks.sum() > 0.0:
            found = fit_ridge(Counts(columns, np.arange(len(columns)), cells.leaks, cells.km_years), self.ridge, start)
        level = steady @ found[: steady.shape[1]]
        if self.has_history:
            level = level + found[-1] * np.log1p(past.leaks.sum(axis=1))
        names = [*terms.names, *moving]
        spread = pd.DataFrame(_covariance(past, steady, moving, columns, cells, found, self.ridge), names, names)
        named = pd.DataFrame({"estimate": found, "standard_error": np.sqrt(np.diag(spread))}, index=names)
        return AgedRates(past.segments, level, float(found[steady.shape[1]]), coefficients=named, covariance=spread)


@dataclass(frozen=True)
class NegativeBinomialGlm:
    """As the Poisson regression, with counts of a segment-year that scatter more: variance mean + mean^2 / shape.

    The shape is that of the year, not of the pipe: what makes one pipe worse than its like in all years is the matter
    of `glm_eb`. Coefficients and dispersion are found in turn, each given the other.
    """

    name: str = "negative_binomial"
    ridge: float = 1.0

    def fit(self, past: Panel) -> Fitted:
        """Learn from a past."""
        start = PoissonGlm(self.name, ridge=self.ridge).fit(past)
        if not past.leaks.sum() > 0.0:
            return start
        steady = Terms.of(past.segments).columns(past.segments)
        cells = add_up(past, steady, {_AGE: ln_ages(past.age_years)})
        columns = np.column_stack([steady[cells.row], cells.moving[_AGE]])
        there = past.km_years > 0.0
        counts = Counts(columns, cells.cell, past.leaks[there], past.km_years[there])
        found = start.coefficients["estimate"].to_numpy()
        shape = np.inf
        for _ in range(_ROUNDS):
            shape = gamma_shape(counts.count, counts.means(found))
            found = fit_ridge(replace(counts, dispersion=1.0 / shape), self.ridge, found)
        named = pd.DataFrame({"estimate": found, "standard_error": np.nan}, index=start.coefficients.index)
        shapes = np.full(len(steady), shape)
        return AgedRates(past.segments, steady @ found[:-1], float(found[-1]), shapes, named)


def _covariance(
    past: Panel, steady: Floats, moving: dict[str, Floats], columns: Floats, cells: Cells, found: Floats, ridge: float
) -> Floats:
    """Return a covariance that holds although the years of one segment are alike: clustered by segment."""
    mean = np.exp(columns @ found) * cells.km_years
    bread = np.linalg.inv((columns.T * mean) @ columns + np.diag(ridge_of(len(found), ridge)))
    powers = found[steady.shape[1] :]
    ln_rate = (steady @ found[: steady.shape[1]])[:, None] + sum(
        power * values for power, values in zip(powers, moving.values(), strict=True)
    )
    rest = past.leaks - np.exp(ln_rate) * past.km_years
    slopes = [(rest * values).sum(axis=1) for values in moving.values()]
    scores = np.column_stack([steady * rest.sum(axis=1)[:, None], *slopes])
    by_segment = scores @ bread
    covariance: Floats = by_segment.T @ by_segment
    return covariance
