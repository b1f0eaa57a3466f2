"""Log-linear models of counts with a ridge, by Newton's method on segment-years that are added up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from planner.factors import Floats
from planner.forecast.terms import Codes

_STEPS: Final = 60
_CLOSE_ENOUGH: Final = 1e-9
# a step of one is a factor of e: more at once only overshoots
_LONGEST_STEP: Final = 2.0


@dataclass(frozen=True)
class Counts:
    """Counts with their exposures, and for each the row of the columns that it belongs to.

    Counts are Poisson about their mean; with a dispersion they are negative binomial, of variance
    mean + dispersion x mean^2. The exposure is what the rate is multiplied by: kilometre-years, and known factors.
    """

    columns: Floats
    row: Codes
    count: Floats
    exposure: Floats
    dispersion: float = 0.0

    def means(self, coefficients: Floats) -> Floats:
        """Return the mean of each count."""
        found: Floats = np.exp(self.columns @ coefficients)[self.row] * self.exposure
        return found

    def ln_likelihood(self, coefficients: Floats) -> float:
        """Return the logarithm of the likelihood, without what no coefficient changes."""
        ln_rate = self.columns @ coefficients
        told = float(self.count @ ln_rate[self.row])
        mean = np.exp(ln_rate)[self.row] * self.exposure
        if self.dispersion > 0.0:
            return told - float((self.count + 1.0 / self.dispersion) @ np.log1p(self.dispersion * mean))
        return told - float(mean.sum())

    def slope_and_information(self, coefficients: Floats) -> tuple[Floats, Floats]:
        """Return the derivative of the logarithm of the likelihood and the expected information."""
        mean = self.means(coefficients)
        spread = 1.0 + self.dispersion * mean
        slope = self._by_row((self.count - mean) / spread) @ self.columns
        return slope, (self.columns.T * self._by_row(mean / spread)) @ self.columns

    def _by_row(self, values: Floats) -> Floats:
        # numpy counts in whole numbers where there is nothing to count
        return np.bincount(self.row, weights=values, minlength=len(self.columns)).astype("float64")


def fit_ridge(counts: Counts, ridge: float, start: Floats) -> Floats:
    """Return the coefficients that maximise the likelihood less half the ridge times their squares.

    The first column is the constant and is not drawn towards 0: so a Poisson model lets expect as many leaks in all as
    there were. The ridge keeps levels without leaks finite (separation) and weighs like a normal prior of variance
    1 / ridge. Steps are shortened where they overshoot.
    """
    pull = ridge_of(len(start), ridge)
    found = start
    value = penalised(counts, found, pull)
    for _ in range(_STEPS):
        slope, information = counts.slope_and_information(found)
        step = np.linalg.solve(information + np.diag(pull), slope - pull * found)
        longest = float(np.abs(step).max())
        step *= min(1.0, _LONGEST_STEP / max(longest, _CLOSE_ENOUGH))
        tried = penalised(counts, found + step, pull)
        # near the top all steps are alike to the last bits: only real losses count
        while tried < value - abs(value) * 1e-12 and float(np.abs(step).max()) > _CLOSE_ENOUGH:
            step = step / 2.0
            tried = penalised(counts, found + step, pull)
        found, value = found + step, tried
        if longest < _CLOSE_ENOUGH:
            break
    return found


def ridge_of(count: int, ridge: float) -> Floats:
    """Return the ridge of each coefficient: none for the constant."""
    pull = np.full(count, ridge)
    pull[0] = 0.0
    return pull


def penalised(counts: Counts, coefficients: Floats, pull: Floats) -> float:
    """Return what `fit_ridge` maximises."""
    return counts.ln_likelihood(coefficients) - float((pull * coefficients**2).sum()) / 2.0
