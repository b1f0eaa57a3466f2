"""The linear extension of the Yule process: every leak raises the rate of the next in proportion."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar

from planner.factors import Floats
from planner.forecast.aged import AgedRates, check_past, overall_rate
from planner.forecast.panel import Panel
from planner.forecast.ridge import Counts, fit_ridge, penalised, ridge_of
from planner.forecast.terms import Terms, add_up, ln_ages, prior_leaks

_MOST_ALPHA: Final = 20.0
# a likelihood that is better by less than this is no reason for an alpha
_LEAST_GAIN: Final = 1e-6


@dataclass(frozen=True)
class Leyp:
    """Rate (1 + alpha N) x length x age^power x exp(terms), N the leaks of the segment before the year.

    Fitted as a Poisson regression of the panel with ln(1 + alpha N) beside the exposure; alpha by profile likelihood
    between 0 and 20. N stays as at the end of the past for all years ahead, so that horizons of several years come
    out a little low for pipes that go on leaking. Leaks before the record are not in N: with a short record alpha is
    estimated too high for old pipes.

    References
    ----------
    Le Gat, Recurrent Event Modeling Based on the Yule Process (2016).
    """

    name: str = "leyp"
    ridge: float = 1.0

    def fit(self, past: Panel) -> AgedRates:
        """Learn from a past."""
        check_past(past, self.name)
        terms = Terms.of(past.segments)
        steady = terms.columns(past.segments)
        cells = add_up(past, steady, {"ln age": ln_ages(past.age_years), "prior leaks": prior_leaks(past)})
        columns = np.column_stack([steady[cells.row], cells.moving["ln age"]])
        found = np.zeros(columns.shape[1])
        found[0] = np.log(overall_rate(past))
        alpha = 0.0
        if past.leaks.sum() > 0.0:
            counts = Counts(columns, np.arange(len(columns)), cells.leaks, cells.km_years)
            alpha, found = self._profile(counts, cells.moving["prior leaks"], found)
        level = steady @ found[:-1] + np.log1p(alpha * past.leaks.sum(axis=1))
        named = pd.DataFrame(
            {"estimate": [*found, alpha], "standard_error": np.nan}, index=[*terms.names, "ln age", "alpha"]
        )
        return AgedRates(past.segments, level, float(found[-1]), coefficients=named)

    def _profile(self, counts: Counts, prior: Floats, start: Floats) -> tuple[float, Floats]:
        """Return the alpha with the greatest likelihood and its coefficients."""
        pull = ridge_of(len(start), self.ridge)
        found = start

        def lost(root: float) -> float:
            nonlocal found
            factor = 1.0 + root**2 * prior
            chosen = replace(counts, exposure=counts.exposure * factor)
            # each alpha begins where the last one ended: they lie close together
            found = fit_ridge(chosen, self.ridge, found)
            return -penalised(chosen, found, pull) - float(counts.count @ np.log(factor))

        # the square root spreads the small values, where alpha mostly lies
        best = minimize_scalar(lost, bounds=(0.0, _MOST_ALPHA**0.5), method="bounded", options={"xatol": 1e-3})
        # where no pipe had leaked before, every alpha is as good: then history has nothing to say
        root = float(best.x) if best.fun < lost(0.0) - _LEAST_GAIN else 0.0
        lost(root)
        return root**2, found
