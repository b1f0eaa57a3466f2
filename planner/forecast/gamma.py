"""Pipes of one kind are not alike: how far their own rates scatter, and what their own record says of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Protocol

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import gammaln

from planner.factors import Floats
from planner.forecast.aged import AgedRates
from planner.forecast.panel import Panel

# shapes outside are as good as one rate for all, or as leaks on a handful of pipes
_SHAPES: Final = (1e-3, 1e4)


def gamma_shape(leaks: Floats, expected: Floats) -> float:
    """Return the shape of a gamma distribution of mean 1 that makes the leaks likeliest, given what is expected.

    The leaks of one unit are Poisson about its expectation times its own factor; integrated over the factor, the
    count is negative binomial. Searched on a logarithmic scale between 0.001 and 10,000.
    """
    leaky = leaks > 0.0
    found, where = leaks[leaky], expected > 0.0
    total = found.sum()

    def lost(ln_shape: float) -> float:
        shape = float(np.exp(ln_shape))
        gained = (gammaln(shape + found) - gammaln(shape)).sum() - total * ln_shape
        spent = ((shape + leaks[where]) * np.log1p(expected[where] / shape)).sum()
        return float(spent - gained)

    ends = (float(np.log(_SHAPES[0])), float(np.log(_SHAPES[1])))
    return float(np.exp(minimize_scalar(lost, bounds=ends, method="bounded", options={"xatol": 1e-6}).x))


class AgedModel(Protocol):
    """A model whose rates change with age alone."""

    def fit(self, past: Panel) -> AgedRates:
        """Learn from a past."""
        ...


@dataclass(frozen=True)
class OwnHistory:
    """Any model whose rates change with age alone, times the gamma-Poisson factor of each segment's own record.

    Factor (k + N) / (k + E): N leaks on record, E those that the model lets expect of the segment over its exposure.
    The shape k is found by marginal likelihood on the pipes whose install year is known. Unlike a term for the number
    of leaks, this knows over how long they were counted. A segment without leaks and without exposure keeps the rate
    of the model.

    References
    ----------
    Empirical Bayes of road safety (Hauer); science of break forecasts: GLM x EB.
    """

    name: str
    model: AgedModel

    def fit(self, past: Panel) -> AgedRates:
        """Learn from a past."""
        fitted = self.model.fit(past)
        leaks = past.leaks.sum(axis=1)
        expected = fitted.expected_leaks(past).sum(axis=1)
        # without a date pipes scatter for want of it as well
        dated = ~past.segments["is_undated"].to_numpy(dtype=bool)
        chosen = dated if leaks[dated].sum() > 0.0 else np.ones(len(leaks), dtype=bool)
        shape = gamma_shape(leaks[chosen], expected[chosen])
        factor = np.log((shape + leaks) / (shape + expected))
        own = pd.DataFrame({"estimate": [shape], "standard_error": [np.nan]}, index=["shape"])
        told = pd.concat([fitted.coefficients, own])
        return replace(fitted, ln_level=fitted.ln_level + factor, shape=shape + leaks, coefficients=told)
