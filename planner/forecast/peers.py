"""Plain rankings that every model has to beat: by age, by chance, by the leaks so far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.factors import Floats
from planner.forecast.aged import AgedRates, check_past, overall_rate
from planner.forecast.exposure import ages_in
from planner.forecast.panel import Panel


@dataclass(frozen=True)
class _AgeRates:
    """Rates in proportion to age."""

    segments: pd.DataFrame
    rate_per_year_of_age: float
    default_age_years: float
    shape: Floats | None = None

    def rates(self, years: range) -> Floats:
        """Return expected leaks per kilometre and year."""
        age = ages_in(self.segments, years)
        found: Floats = self.rate_per_year_of_age * np.where(np.isnan(age), self.default_age_years, age)
        return found


@dataclass(frozen=True)
class Age:
    """The older, the worse: rates in proportion to age, levelled to the leaks on record.

    A pipe without any year counts as old as the mean of the others.
    """

    name: str = "age"

    def fit(self, past: Panel) -> _AgeRates:
        """Learn from a past."""
        check_past(past, self.name)
        known = ~np.isnan(past.age_years)
        km_years = past.km_years[known].sum()
        aged = float((past.age_years[known] * past.km_years[known]).sum())
        mean = aged / float(km_years) if aged > 0.0 else 1.0
        return _AgeRates(past.segments, overall_rate(past) / mean, mean)


@dataclass(frozen=True)
class Chance:
    """An order without meaning, the same for every run and for any order of the rows; the level of the record."""

    name: str = "random"
    seed: int = 1

    def fit(self, past: Panel) -> AgedRates:
        """Learn the level from a past."""
        check_past(past, self.name)
        key = f"{self.seed:016d}"[-16:]
        drawn = pd.util.hash_array(past.segments.index.to_numpy(dtype=object), hash_key=key).astype("float64")
        weights = 0.5 + drawn / float(2**64)
        km_years = past.km_years.sum(axis=1)
        mean = float((weights * km_years).sum() / km_years.sum())
        return AgedRates(past.segments, np.log(weights * overall_rate(past) / mean))


@dataclass(frozen=True)
class PriorCount:
    """What leaked will leak: half the own leaks per kilometre-year, half the rate of all.

    The order is that of the own rate; the other half keeps the rates of pipes without leaks above 0.
    """

    name: str = "prior_count"

    def fit(self, past: Panel) -> AgedRates:
        """Learn from a past."""
        check_past(past, self.name)
        km_years = past.km_years.sum(axis=1)
        own = past.leaks.sum(axis=1) / np.where(km_years > 0.0, km_years, 1.0)
        return AgedRates(past.segments, np.log((own + overall_rate(past)) / 2.0))
