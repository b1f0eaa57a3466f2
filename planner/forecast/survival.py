"""Time to the next leak on the clock of age, with delayed entry: what happened before the record is not seen."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from planner.factors import Flags, Floats
from planner.forecast.aged import AgedRates, check_past, overall_rate
from planner.forecast.exposure import ages_in
from planner.forecast.extra import need
from planner.forecast.models import Fitted
from planner.forecast.panel import Panel
from planner.forecast.terms import ln_diameters, materials, prior_leaks
from registry.errors import ModelFitError

# a material with fewer leaks is not told apart: its coefficient would run away
_LEAST_LEAKS: Final = 5
# a year in which at least half a leak is expected is one with a leak
_HALF: Final = 0.5
_LEAST_LENGTH_M: Final = 0.1


@dataclass(frozen=True)
class WeibullRates:
    """A fitted survival model: scale of each segment and one shape of the hazard for all."""

    segments: pd.DataFrame
    ln_scale: Floats
    power: float
    level: float
    default_age_years: float
    shape: Floats | None = None

    def rates(self, years: range) -> Floats:
        """Return expected leaks per kilometre and year: what the hazard adds up to over the year, by length."""
        age = ages_in(self.segments, years)
        hazard = yearly_hazard(np.where(np.isnan(age), self.default_age_years, age), self.ln_scale[:, None], self.power)
        found: Floats = self.level * hazard / _length_km(self.segments)[:, None]
        return found


@dataclass(frozen=True)
class Survival:
    """Weibull hazard of the next leak over age; material, diameter, length and leaks so far move its scale.

    Every leak ends a spell and begins the next. Age is the clock and no covariate, nor is the decade, which the clock
    holds already. Pipes without any year have no clock: they are left out of the fit and forecast at the mean age.
    The sum over the last ten years is levelled to their leaks, since hazards from a short record run off:
    (leaks + 20) / (expected + 20), as in the default.

    Misleads over long horizons: where the record is short, vintage passes for age.

    References
    ----------
    Weibull models with left truncation, as in studies of water mains; library lifelines.
    """

    name: str = "survival"
    penalty: float = 1e-3
    recent_years: int = 10
    recent_strength: float = 20.0

    def fit(self, past: Panel) -> Fitted:
        """Learn from a past.

        Raises
        ------
        ModelFitError
            If no scale and shape can be found, as from a handful of leaks.
        """
        lifelines = need("lifelines", self.name)
        check_past(past, self.name)
        counted = past.leaks >= _HALF
        dated = np.asarray(~np.isnan(past.age_years).any(axis=1), dtype=np.bool_)
        if not counted[dated].any():
            return AgedRates(past.segments, np.full(len(past.segments), np.log(overall_rate(past))))
        covariates = _covariates(past, counted)
        spells = _spells(past, counted, dated, covariates)
        fitted = lifelines.WeibullAFTFitter(penalizer=self.penalty)
        with warnings.catch_warnings():
            # what it warns of, it also raises or shows by rates that are none; these are checked by who asks for them
            warnings.simplefilter("ignore")
            try:
                fitted.fit(spells, "exit", "event", entry_col="entry")
            except lifelines.exceptions.ConvergenceError as fault:
                raise ModelFitError("forecast_not_fitted", model=self.name) from fault
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            found = self._level(past, covariates, fitted.params_)
            if not np.isfinite(found.rates(range(past.years.stop - 1, past.years.stop + 1))).all():
                raise ModelFitError("forecast_not_fitted", model=self.name)
        return found

    def _level(self, past: Panel, covariates: pd.DataFrame, found: Any) -> WeibullRates:  # noqa: ANN401
        scale, power = found["lambda_"], float(np.exp(found["rho_"]["Intercept"]))
        steady = covariates.to_numpy() @ scale[list(covariates.columns)].to_numpy() + scale["Intercept"]
        known = ~np.isnan(past.age_years) & (past.km_years > 0.0)
        mean_age = float((past.age_years[known] * past.km_years[known]).sum() / past.km_years[known].sum())
        age = np.where(np.isnan(past.age_years), mean_age, past.age_years)
        then = steady[:, None] + scale["history"] * np.log1p(prior_leaks(past))
        expected = yearly_hazard(age, then, power) / _length_km(past.segments)[:, None] * past.km_years
        level = past.leaks.sum() / expected.sum()
        last = slice(max(len(past.years) - self.recent_years, 0), None)
        awaited = level * expected[:, last].sum() + self.recent_strength
        level = float(level * (past.leaks[:, last].sum() + self.recent_strength) / awaited)
        now = steady + scale["history"] * np.log1p(past.leaks.sum(axis=1))
        return WeibullRates(past.segments, now, power, level, mean_age)


def yearly_hazard(age_years: Floats, ln_scale: Floats, power: float) -> Floats:
    """Return what a Weibull hazard adds up to over the year about an age."""
    scale = np.exp(-ln_scale)
    before, after = np.maximum(age_years - 0.5, 0.0), np.maximum(age_years + 0.5, 0.5)
    found: Floats = (after * scale) ** power - (before * scale) ** power
    return found


def _length_km(segments: pd.DataFrame) -> Floats:
    length_km: Floats = np.maximum(segments["length_m"].to_numpy(dtype="float64"), _LEAST_LENGTH_M) / 1000.0
    return length_km


def _covariates(past: Panel, counted: Flags) -> pd.DataFrame:
    """Return what does not change with time: materials that leaked often enough, diameter, length."""
    material = materials(past.segments)
    often = pd.Series(counted.sum(axis=1), past.segments.index).groupby(material).sum()
    often = often[often >= _LEAST_LEAKS]
    # the most frequent is the reference
    told = sorted(often.index.difference([often.idxmax()])) if len(often) else []
    columns = {f"material {name}": (material == name).to_numpy(dtype="float64") for name in told}
    ln_diameter = ln_diameters(past.segments)
    if ln_diameter.std() > 0.0:
        columns["diameter"] = ln_diameter
    ln_length = np.log(_length_km(past.segments))
    if ln_length.std() > 0.0:
        columns["length"] = ln_length
    return pd.DataFrame(columns, index=past.segments.index)


def _spells(
    past: Panel,
    counted: Flags,
    dated: Flags,
    covariates: pd.DataFrame,
) -> pd.DataFrame:
    """Return one row for each spell between leaks: age at its beginning and end, whether a leak ended it."""
    there = past.km_years > 0.0
    rows = np.arange(len(there))
    first, last = there.argmax(axis=1), there.shape[1] - 1 - there[:, ::-1].argmax(axis=1)
    segment, year = np.nonzero(counted & there)
    ends = pd.DataFrame({"segment": segment, "exit": past.age_years[segment, year], "event": 1})
    open_ends = pd.DataFrame({"segment": rows, "exit": past.age_years[rows, last] + 0.5, "event": 0})
    spells = pd.concat([ends, open_ends[there.any(axis=1)]]).sort_values(["segment", "exit"], kind="stable")
    begin = np.maximum(past.age_years[spells["segment"], first[spells["segment"]]] - 0.5, 0.0)
    so_far = spells.groupby("segment")["event"].cumsum() - spells["event"]
    spells["entry"] = spells.groupby("segment")["exit"].shift().fillna(pd.Series(begin, spells.index))
    spells["history"] = np.log1p(so_far)
    spells = spells[(spells["exit"] > spells["entry"]) & dated[spells["segment"]]]
    told = covariates.iloc[spells["segment"].to_numpy()].reset_index(drop=True)
    return pd.concat([spells.drop(columns="segment").reset_index(drop=True), told], axis=1)
