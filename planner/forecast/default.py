"""The default: the tables of the weights, moved by the leak record from the whole city down to the segment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.age_course import AgeCourse, age_course
from planner.factors import Floats
from planner.forecast.exposure import ages_in
from planner.forecast.panel import Panel
from planner.likelihood import recent_factor, record_strengths
from planner.policy_models import Weights
from planner.record_groups import record_groups
from planner.score import DEFAULT_MODEL
from planner.table_rates import steady_rates
from planner.updating import update_rates


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
    name: str = DEFAULT_MODEL

    def fit(self, past: Panel) -> DefaultRates:
        """Move the tables by a past."""
        history = self.weights.likelihood.history
        strengths = record_strengths(history.strengths)
        course = age_course(past.segments, self.weights.likelihood)
        ln_level = np.log(steady_rates(past.segments, self.weights))
        expected = np.exp(ln_level[:, None] + ln_course(course, past.age_years)) * past.km_years
        leaks = past.leaks.sum(axis=1)
        groups = record_groups(past.segments, None, self.weights.likelihood)
        moved = update_rates(leaks, expected.sum(axis=1), groups, strengths)
        ln_moved = np.sum(list(moved.values()), axis=0)
        # the youngest columns are the last
        last = slice(max(len(past.years) - int(history.recent_years.value), 0), None)
        awaited = expected[:, last].sum(axis=1) * np.exp(ln_moved)
        lately = past.leaks[:, last].sum(axis=1)
        recent = np.log(recent_factor(lately, awaited, groups.level, history.strengths.recent.value))
        return DefaultRates(past.segments, ln_level + ln_moved + recent, course, strengths.own + leaks)


def ln_course(course: AgeCourse, age_years: Floats) -> Floats:
    """Return the logarithm of the factor of age for each segment (rows) and year (columns)."""
    columns = [course.ln_factor(age_years[:, column]) for column in range(age_years.shape[1])]
    return np.column_stack(columns) if columns else np.zeros(age_years.shape)
