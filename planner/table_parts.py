"""The contributions that the tables give to the leak rate, and the leaks that they let expect over the record."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from planner.age_course import age_course
from planner.exposure import Exposure
from planner.factors import Flags, Floats, added_up
from planner.gap_defaults import Cohorts, age_cohorts, attribute_cohorts, filled
from planner.ground import Ground
from planner.policy_models import Weights
from planner.table_rates import TERMS, attribute_factors, base_rates, decade_factors, is_surface_known


@dataclass(frozen=True)
class TableParts:
    """What the tables say before the record has its say.

    `factor_years` is the factor of the age, added up over the record; `recent_years` over its last years.
    """

    ln_parts: dict[str, Floats]
    gaps: dict[str, Flags]
    age_deviation: Floats
    factor_years: Floats = field(repr=False)
    recent_years: Floats = field(repr=False)

    def expected(self, length_km: Floats, factor_years: Floats) -> Floats:
        """Return the leaks that the tables let expect over a time."""
        steady = added_up((part for name, part in self.ln_parts.items() if name != "age"), len(length_km))
        leaks: Floats = np.exp(steady) * length_km * factor_years
        return leaks


def table_parts(
    segments: pd.DataFrame,
    weights: Weights,
    exposure: Exposure,
    since_years: Floats,
    ground: Ground | None = None,
) -> TableParts:
    """Return the contributions of the tables, with the means of cohorts for what is unknown, and the time they act."""
    factors = attribute_factors(segments, weights, ground)
    cohorts = attribute_cohorts(segments)
    parts = {"base": np.log(base_rates(segments, weights))}
    gaps: dict[str, Flags] = {}
    penalties = np.zeros(len(segments))
    for name, found in factors.items():
        factor, is_filled = filled(found.factor, found.is_gap, found.applies & ~found.is_gap, cohorts)
        term = TERMS[name]
        parts[term] = parts.get(term, 0.0) + np.log(factor)
        gaps[name] = found.is_gap
        penalties += is_filled
    # the missing surface is named by itself, where the consequence asks for it
    gaps["road_class"] = gaps["road_class"] & is_surface_known(segments)
    is_gap = np.isnan(exposure.ages.least)
    by_age = _age_parts(segments, weights, exposure, since_years, age_cohorts(segments))
    parts |= {"decade": np.log(by_age.decade), "age": np.log(by_age.age)}
    penalties += by_age.is_filled
    parts["gaps"] = penalties * np.log(weights.likelihood.gap_penalty.value)
    return TableParts(
        parts,
        {"material": gaps["material"], "installed_year_min": is_gap} | gaps,
        by_age.relative_deviation,
        by_age.factor_years,
        by_age.recent_years,
    )


@dataclass(frozen=True)
class _AgeParts:
    """The factors that the install interval gives, and the factor of the age added up over the record."""

    decade: Floats
    age: Floats
    relative_deviation: Floats
    factor_years: Floats
    recent_years: Floats
    is_filled: Flags


def _age_parts(
    segments: pd.DataFrame, weights: Weights, exposure: Exposure, since_years: Floats, cohorts: Cohorts
) -> _AgeParts:
    course = age_course(segments, weights.likelihood)
    # many pipes are alike in what their age depends on: each kind is computed once
    kind, first = exposure.alike(course, since_years)
    few, course, since = exposure.take(first), course.take(first), since_years[first]
    recent = np.minimum(since, weights.likelihood.history.recent_years.value)
    mean, deviation = (values[kind] for values in course.over(few.ages))
    is_gap = np.isnan(exposure.ages.least)
    is_known = ~is_gap
    age, is_filled = filled(mean, is_gap, is_known, cohorts)
    decade, factor_years, recent_years = (
        filled(values, is_gap, is_known, cohorts)[0]
        for values in (
            decade_factors(segments, weights),
            few.factor_years(course, since)[kind],
            few.factor_years(course, recent)[kind],
        )
    )
    return _AgeParts(decade, age, deviation / mean, factor_years, recent_years, is_filled)
