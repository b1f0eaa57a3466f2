"""Boosted trees with Poisson loss, weighted by length and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from planner.ages import install_years
from planner.factors import Floats, number_column, text_column
from planner.forecast.aged import AgedRates, check_past, overall_rate
from planner.forecast.exposure import ages_in
from planner.forecast.extra import need
from planner.forecast.models import Fitted
from planner.forecast.panel import Panel
from planner.forecast.terms import materials, prior_leaks

# leaks of the last years are told apart from those of long ago
_LATELY_YEARS: Final = 5
# half a leak over ten kilometre-years keeps rates of short pipes within reason
_CALM_KM_YEARS: Final = 0.5


@dataclass(frozen=True)
class BoostedRates:
    """Fitted trees with what was known of each segment at the end of the past."""

    segments: pd.DataFrame
    trees: Any
    steady: Floats
    known: Floats
    shape: Floats | None = None

    def rates(self, years: range) -> Floats:
        """Return expected leaks per kilometre and year of every segment, one column for each year."""
        ages = ages_in(self.segments, years)
        found: Floats = np.empty(ages.shape)
        with _one_thread():
            for place in range(ages.shape[1]):
                features = np.column_stack([self.steady, ages[:, place], self.known])
                found[:, place] = self.trees.predict(features)
        return found


@dataclass(frozen=True)
class Boosting:
    """Gradient boosting of leaks per kilometre-year with weights in kilometre-years: interactions come by themselves.

    Sees material, middle of the install interval, diameter and age, and of the years before: own leaks, own leaks per
    kilometre-year, those of the last five years, those of the street per kilometre-year. Nothing of the year itself.
    What is not known stays missing: trees give it a side of its own.

    Misleads with few leaks (under about 300 it loses to plain tables), and beyond the ages on record, where it stays
    level. Rates of single pipes are rougher than those of smooth models.

    References
    ----------
    Library scikit-learn, HistGradientBoostingRegressor with Poisson loss.
    """

    name: str = "boosting"
    trees: int = 150
    learning_rate: float = 0.05
    leaves: int = 12
    least_in_leaf: int = 300
    seed: int = 1

    def fit(self, past: Panel) -> Fitted:
        """Learn from a past."""
        library = need("sklearn.ensemble", self.name)
        check_past(past, self.name)
        if not past.leaks.sum() > 0.0:
            return AgedRates(past.segments, np.full(len(past.segments), np.log(overall_rate(past))))
        # whatever the order of the rows, the trees are the same
        order = np.argsort(past.segments.index.to_numpy(dtype=object), kind="stable")
        there = (past.km_years > 0.0)[order]
        row = np.nonzero(there)[0]
        steady = _steady(past.segments)
        before = [told[order][there] for told in _before_each_year(past)]
        features = np.column_stack([steady[order][row], past.age_years[order][there], *before])
        km_years = past.km_years[order][there]
        chosen = library.HistGradientBoostingRegressor(
            loss="poisson",
            max_iter=self.trees,
            learning_rate=self.learning_rate,
            max_leaf_nodes=self.leaves,
            min_samples_leaf=min(self.least_in_leaf, max(len(row) // 20, 1)),
            l2_regularization=1.0,
            categorical_features=[0],
            early_stopping=False,
            random_state=self.seed,
        )
        with _one_thread():
            chosen.fit(features, past.leaks[order][there] / km_years, sample_weight=km_years)
        return BoostedRates(past.segments, chosen, steady, np.column_stack(_at_the_end(past)))


def _one_thread() -> Any:  # noqa: ANN401 - a library without types
    """Keep the trees on one core: sums are then the same on every machine, and threads never wait for each other."""
    return need("threadpoolctl", "boosting").threadpool_limits(limits=1)


def _steady(segments: pd.DataFrame) -> Floats:
    """Return what does not change: material as a code, middle of the install interval, diameter."""
    named = materials(segments)
    material = pd.Categorical(named, categories=sorted(named.unique())).codes
    first, last = install_years(segments)
    middle = (first + last) / 2.0
    # the library takes 255 codes; what lies beyond is rare
    codes = np.minimum(material.astype("float64"), 254.0)
    return np.column_stack([codes, middle, number_column(segments, "diameter_mm")])


def _before_each_year(past: Panel) -> list[Floats]:
    """Return what was known of each segment before each year."""
    return _known(past, prior_leaks(past), np.cumsum(past.km_years, axis=1) - past.km_years)


def _at_the_end(past: Panel) -> list[Floats]:
    """Return the same after the last year, in one column each."""
    leaks, km_years = past.leaks.sum(axis=1, keepdims=True), past.km_years.sum(axis=1, keepdims=True)
    lately = past.leaks[:, max(past.leaks.shape[1] - _LATELY_YEARS, 0) :].sum(axis=1, keepdims=True)
    return _rates_so_far(past, leaks, km_years, lately)


def _known(past: Panel, leaks: Floats, km_years: Floats) -> list[Floats]:
    old = np.zeros_like(leaks)
    old[:, _LATELY_YEARS:] = leaks[:, : max(leaks.shape[1] - _LATELY_YEARS, 0)]
    return _rates_so_far(past, leaks, km_years, leaks - old)


def _rates_so_far(past: Panel, leaks: Floats, km_years: Floats, lately: Floats) -> list[Floats]:
    """Return own leaks, own and street leaks per kilometre-year, and those of the last years."""
    street = pd.factorize(text_column(past.segments, "street_name"))[0]
    count = int(street.max(initial=-1)) + 2
    summed = [np.zeros((count, leaks.shape[1])) for _ in range(2)]
    for total, values in zip(summed, (leaks, km_years), strict=True):
        np.add.at(total, street, values)
    of_street = (summed[0] / (summed[1] + _CALM_KM_YEARS))[street]
    of_street[street < 0] = np.nan
    return [leaks, leaks / (km_years + _CALM_KM_YEARS), lately, of_street]
