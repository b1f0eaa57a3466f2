"""Forecasts whose rates change with age alone: a level for each segment times a power of its age."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from planner.factors import Floats
from planner.forecast.exposure import ages_in
from planner.forecast.panel import Panel
from planner.forecast.terms import ln_ages
from registry.errors import PlanningError


@dataclass(frozen=True)
class AgedRates:
    """A fitted model with a level for each segment and one power of age for all.

    Parameters
    ----------
    segments
        Those of the past, in its order.
    ln_level
        Logarithm of leaks per kilometre and year at the age of reference.
    age_power
        The rate rises with this power of the age; 0 where age has no part in the model.
    shape
        Of the gamma distribution of each segment's own rate, where known.
    coefficients
        What was estimated, by name, with the columns `estimate` and `standard_error` (NaN where not known).
    covariance
        Of the estimates, rows and columns by name, where known: for differences of levels.
    """

    segments: pd.DataFrame
    ln_level: Floats
    age_power: float = 0.0
    shape: Floats | None = None
    coefficients: pd.DataFrame = field(default_factory=pd.DataFrame)
    covariance: pd.DataFrame = field(default_factory=pd.DataFrame)

    def rates(self, years: range) -> Floats:
        """Return expected leaks per kilometre and year of every segment, one column for each year."""
        ln_age = ln_ages(ages_in(self.segments, years))
        found: Floats = np.exp(self.ln_level[:, None] + self.age_power * ln_age)
        return found

    def expected_leaks(self, past: Panel) -> Floats:
        """Return the leaks that the model lets expect of each segment in each year of its past."""
        ln_rate = self.ln_level[:, None] + self.age_power * ln_ages(past.age_years)
        found: Floats = np.exp(ln_rate) * past.km_years
        return found


def check_past(past: Panel, model: str) -> None:
    """Refuse a past without exposure: nothing can be learned from it.

    Raises
    ------
    PlanningError
        If there is none.
    """
    if not past.km_years.sum() > 0.0:
        raise PlanningError("forecast_no_past", model=model)


def overall_rate(past: Panel) -> float:
    """Return leaks per kilometre and year of a whole past; without a single leak, as if there had been half of one."""
    return max(float(past.leaks.sum()), 0.5) / float(past.km_years.sum())
