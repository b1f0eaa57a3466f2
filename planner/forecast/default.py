"""The default: the tables of the weights, moved by the leak record from the whole city down to the segment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.factors import Floats, entries_for, number_column, text_column
from planner.forecast.exposure import ages_in
from planner.forecast.panel import Panel
from planner.forecast.terms import UNDATED, decades, materials
from planner.likelihood import AgeCourse, age_course, steady_parts
from planner.policy_models import Likelihood, Weights
from planner.updating import Groups, Strengths, update_rates

Codes = NDArray[np.int64]
# round figures chosen before any test
STRENGTHS: Final = Strengths(level=20.0, cohort=5.0, vintage=3.0, diameter=5.0, street=3.0, own=0.9)


@dataclass(frozen=True)
class DefaultRates:
    """The default after it has seen a past: a level for each segment times the course of its age."""

    segments: pd.DataFrame
    ln_level: Floats
    course: AgeCourse
    shape: Floats | None

    def rates(self, years: range) -> Floats:
        """Return expected leaks per kilometre and year of every segment, one column for each year."""
        return np.exp(self.ln_level[:, None] + ln_course(self.course, ages_in(self.segments, years)))


@dataclass(frozen=True)
class DefaultModel:
    """Rates of the tables at the age of each year, moved by the record step by step; needs no training.

    The steps are those of `update_rates`, over the exposure of each segment. A last factor for each medium levels the
    rates to its last years: (leaks + strength) / (expected + strength). Without leaks and exposure the rates are
    those of the tables.

    Misleads as `update_rates` does where leaks were looked for in parts of the network only and no effort is told.
    """

    weights: Weights
    strengths: Strengths = STRENGTHS
    recent_years: int = 10
    recent_strength: float = 20.0
    name: str = "default"

    def fit(self, past: Panel) -> DefaultRates:
        """Move the tables by a past."""
        steady, _ = steady_parts(past.segments, self.weights.likelihood)
        course = age_course(past.segments, self.weights.likelihood)
        ln_level = np.sum(list(steady.values()), axis=0)
        expected = np.exp(ln_level[:, None] + ln_course(course, past.age_years)) * past.km_years
        leaks = past.leaks.sum(axis=1)
        groups = default_groups(past.segments, self.weights.likelihood)
        moved = update_rates(leaks, expected.sum(axis=1), groups, self.strengths)
        ln_moved = np.sum(list(moved.values()), axis=0)
        # the youngest columns are the last
        last = slice(max(len(past.years) - self.recent_years, 0), None)
        awaited = expected[:, last].sum(axis=1) * np.exp(ln_moved)
        recent = self._recent(groups.level, past.leaks[:, last].sum(axis=1), awaited)
        return DefaultRates(past.segments, ln_level + ln_moved + recent, course, self.strengths.own + leaks)

    def _recent(self, medium: Codes, leaks: Floats, expected: Floats) -> Floats:
        found = np.bincount(medium, weights=leaks) + self.recent_strength
        awaited = np.bincount(medium, weights=expected) + self.recent_strength
        factor: Floats = np.log(found / awaited)[medium]
        return factor


def ln_course(course: AgeCourse, age_years: Floats) -> Floats:
    """Return the logarithm of the factor of age for each segment (rows) and year (columns)."""
    columns = [course.ln_factor(age_years[:, column]) for column in range(age_years.shape[1])]
    return np.column_stack(columns) if columns else np.zeros(age_years.shape)


def default_groups(segments: pd.DataFrame, weights: Likelihood) -> Groups:
    """Return the groups that share what the record teaches; every value is told apart by medium.

    What is not known is a group as well, but for street and vintage: pipes without either have nothing in common.
    """
    material, decade = materials(segments), decades(segments)
    medium = segments["medium"].astype("str")
    street = medium + " " + text_column(segments, "street_name").astype("str")
    return Groups(
        level=_codes(medium),
        cohort=_codes(material),
        vintage=_codes((material + " " + decade).where(decade != UNDATED)),
        diameter=_codes(medium + " " + _bands(segments, weights)),
        street=_codes(street.where(text_column(segments, "street_name").notna())),
    )


def _bands(segments: pd.DataFrame, weights: Likelihood) -> pd.Series:
    """Return the band of the diameter of each segment by the tables of its medium, -1 where it is not known."""
    diameter = number_column(segments, "diameter_mm")
    medium = segments["medium"]
    band = np.full(len(segments), -1, dtype=np.int64)
    for name in medium.unique():
        tops = [
            np.inf if entry.maximum is None else entry.maximum for entry in entries_for(weights.diameter_mm.bands, name)
        ]
        rows = (medium == name).to_numpy(dtype=bool) & ~np.isnan(diameter)
        band[rows] = np.searchsorted(np.array(tops), diameter[rows], side="left")
    return pd.Series(band, segments.index).astype("str")


def _codes(values: pd.Series) -> Codes:
    return pd.factorize(values)[0].astype(np.int64)
