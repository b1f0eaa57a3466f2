"""Years of joining: what pulling a renewal forward loses, what waiting costs, and between which years joining pays.

For a pair and a year y, in yuan of the year y without general inflation:

    rate               = (1 + discount) / (1 + price rise) - 1
    annuity(n)         = (1 - (1 + rate)^-n) / rate                       n payments of 1 at year's end
    life lost a year   = cost alone / annuity(design life)
    leaks(from, to)    = leaks of the years from..to-1, each paid at its end and carried to y at the rate
    pulling forward    = max(0, life lost a year x annuity(k) - leaks(y, due))      k years before the due window
    waiting            = leaks(due, y) + cost alone x ((1 + price rise)^m - 1)      m years after the due window
    net                = saving - pulling forward - waiting

Within the due window both are 0. The life lost is the annuity of the renewal, as in the comparison of replacement
chains of engineering economy; that coordination costs years of life which are agreed to be lost is the idea of REKO
(Luleå). Years that a renewal is put off beyond its due window are no gain: its life is over by then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.factors import Flags, Floats
from planner.policy import Policy
from planner.value_terms import LeakCosts, value_prices
from registry.errors import PlanningError

_BLOCK: Final = 50_000


@dataclass(frozen=True)
class Rates:
    """How years weigh: the rate less the price rise, the price rise, the design life and the years looked at."""

    rate: float
    price_rise: float
    design_life_years: float
    year_count: int

    @classmethod
    def of(cls, policy: Policy) -> Rates:
        """Return the rates of a policy."""
        value = value_prices(policy)
        rise = value.price_rise_share_per_year.value
        rate = (1.0 + policy.planning.discount_share_per_year.value) / (1.0 + rise) - 1.0
        return cls(rate, rise, value.design_life_years.value, max(round(policy.planning.horizon_years.value), 1))

    def annuity(self, years: Floats | float) -> Floats:
        """Return the worth of 1 at the end of each of some years."""
        count = np.asarray(years, dtype="float64")
        if abs(self.rate) < 1e-12:
            return count
        factor: Floats = -np.expm1(-count * np.log1p(self.rate)) / self.rate
        return factor

    def worth(self, years: Floats | float) -> Floats:
        """Return the worth today of 1 after some years."""
        factor: Floats = (1.0 + self.rate) ** -np.asarray(years, dtype="float64")
        return factor


@dataclass(frozen=True)
class Stakes:
    """What the years of joining of each pair hang on. Years are NaN where not known, infinite where open.

    A pair is closed where nobody can join any more: a dig ban, or a project that is over or cancelled.
    """

    saving_cny: Floats
    alone_cny: Floats
    leaks: LeakCosts
    due_from: Floats
    due_until: Floats
    project_from: Floats
    project_until: Floats
    is_closed: Flags


@dataclass(frozen=True)
class YearNets:
    """Pairs by years: the parts of the net, each at least 0, and years of leaks between the due window and the year."""

    life_lost_cny: Floats
    leaks_avoided_cny: Floats
    leaks_borne_cny: Floats
    later_price_cny: Floats
    net_cny: Floats

    @property
    def pulling_forward_cny(self) -> Floats:
        """Life lost less the leaks that are avoided; never a gain, as one may also pull forward alone."""
        return np.maximum(self.life_lost_cny - self.leaks_avoided_cny, 0.0)


def years_of(pair_times: pd.DataFrame, pairs: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Return due and project years of each pair, index as `pairs`, from its days (last days included).

    Where one end is missing it is open (minus or plus infinity); where both are, the years are not known (NaN). Years
    before the as-of day count as its year, as nothing can be done in the past; a project that is over keeps its last
    year.

    Raises
    ------
    PlanningError
        If `pair_times` holds a pair twice.
    """
    keys = ["segment_id", "project_id"]
    timed = pd.MultiIndex.from_frame(pair_times[keys])
    if not timed.is_unique:
        segment, project = timed[timed.duplicated()][0]
        raise PlanningError(
            "plan_pair_times_repeated", count=int(timed.duplicated().sum()), pair=f"{segment}–{project}"
        )
    place = timed.get_indexer(pd.MultiIndex.from_frame(pairs[keys]))
    found = pair_times.take(np.maximum(place, 0)) if len(pair_times) else pair_times.reindex(range(len(pairs)))
    years = pd.DataFrame(index=pairs.index)
    for side in ("due", "project"):
        ends = [_year(found[f"{side}_{end}"]) for end in ("from", "until")]
        first, last = (np.where(place < 0, np.nan, end) for end in ends)
        is_unknown = np.isnan(first) & np.isnan(last)
        first = np.where(np.isnan(first) & ~is_unknown, -np.inf, first)
        last = np.where(np.isnan(last) & ~is_unknown, np.inf, last)
        years[f"{side}_from"] = np.maximum(first, as_of.year)
        years[f"{side}_until"] = last
    years["due_until"] = np.maximum(years["due_until"], years["due_from"])
    relation = found["relation"].to_numpy(dtype=object)
    years["is_too_late"] = (relation == "too_late") & (place >= 0)
    return years


def _year(days: pd.Series) -> Floats:
    return np.asarray(pd.to_datetime(days).dt.year, dtype="float64")


def year_nets(stakes: Stakes, rates: Rates, as_of: date, part: slice) -> YearNets:
    """Return the parts of the net of a part of the pairs in each year from the as-of year on."""
    count = rates.year_count
    step = np.arange(count, dtype="float64")
    due_from = (stakes.due_from[part] - as_of.year)[:, None]
    due_until = (stakes.due_until[part] - as_of.year)[:, None]
    early, late = np.maximum(due_from - step, 0.0), np.maximum(step - due_until, 0.0)
    alone = stakes.alone_cny[part][:, None]
    paid = _leaks_paid(stakes.leaks, rates, part)
    carried = (1.0 + rates.rate) ** step
    avoided = (_at(paid, due_from) - paid[:, :-1]) * carried * (early > 0)
    borne = (paid[:, :-1] - _at(paid, due_until)) * carried * (late > 0)
    lost = alone / rates.annuity(rates.design_life_years) * rates.annuity(early)
    later = alone * ((1.0 + rates.price_rise) ** late - 1.0)
    net = stakes.saving_cny[part][:, None] - np.maximum(lost - avoided, 0.0) - borne - later
    return YearNets(lost, avoided, borne, later, net)


def _leaks_paid(leaks: LeakCosts, rates: Rates, part: slice) -> Floats:
    """Return the worth today of all leaks before each year: pairs by years, one more than are looked at."""
    first = leaks.first_year_cny[part]
    paid = np.zeros((len(first), rates.year_count + 1))
    for year in range(rates.year_count):
        paid[:, year + 1] = paid[:, year] + first * leaks.growth(year, part) * float(rates.worth(year + 1.0))
    return paid


def _at(paid: Floats, year: Floats) -> Floats:
    """Return what is paid before a year of each pair; beyond the years looked at nothing more is counted."""
    place = np.nan_to_num(np.clip(year, 0, paid.shape[1] - 1), nan=0.0).astype(np.int64)
    return np.take_along_axis(paid, place, axis=1)


def joining_years(stakes: Stakes, rates: Rates, as_of: date) -> pd.DataFrame:
    """Return the window in which joining pays, break-even and best year, and what is at stake, by pair.

    - joining window: the unbroken run of years with a net above 0 around the best of all years
    - best year: the year of the project (unless closed) with the highest net, discounted; missing where none is above 0
    - at stake: that net, discounted to the as-of year; 0 where joining pays in no year of the project
    - break-even year: where the project ends before the due window the first, else the last year of the window; missing
      where joining pays from the as-of year on, or to the end of the years looked at

    All are missing where the due years are not known, best year and stake also where the project has no dates.
    """
    count = len(stakes.saving_cny)
    blocks = [slice(start, start + _BLOCK) for start in range(0, max(count, 1), _BLOCK)]
    return pd.concat([_joining_block(stakes, rates, as_of, part) for part in blocks], ignore_index=True)


def _joining_block(stakes: Stakes, rates: Rates, as_of: date, part: slice) -> pd.DataFrame:
    step = np.arange(rates.year_count)
    worth = year_nets(stakes, rates, as_of, part).net_cny * rates.worth(step.astype("float64"))
    first, last = (ends[part] - as_of.year for ends in (stakes.project_from, stakes.project_until))
    is_on_site = (step >= first[:, None]) & (step <= last[:, None]) & ~stakes.is_closed[part][:, None]
    known = ~np.isnan(stakes.due_from[part]) & ~np.isnan(stakes.saving_cny[part])
    dated = known & ~np.isnan(stakes.project_from[part])
    pays = (worth > 0) & (stakes.saving_cny[part] > 0)[:, None]
    from_step, until_step = _run_around_best(worth, pays)
    has_window = known & pays.any(axis=1)
    here = np.where(is_on_site & pays, worth, -np.inf)
    best = here.argmax(axis=1)
    at_stake = np.maximum(here.max(axis=1), 0.0)
    comes_before = last < stakes.due_from[part] - as_of.year
    break_even = np.where(comes_before, from_step, until_step)
    is_even = has_window & dated & np.where(comes_before, from_step > 0, until_step < rates.year_count - 1)
    frame = pd.DataFrame({"at_stake_cny": np.where(dated, at_stake, np.nan)})
    for name, found, is_known in (
        ("joining_from_year", from_step, has_window),
        ("joining_until_year", until_step, has_window),
        ("break_even_year", break_even, is_even),
        ("best_year", best, dated & (at_stake > 0)),
    ):
        frame[name] = pd.Series(found + as_of.year, dtype="Int64").where(pd.Series(is_known))
    return frame


def _run_around_best(worth: Floats, pays: Flags) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return first and last step of the unbroken run of paying years that holds the best one."""
    step = np.arange(worth.shape[1])
    best = np.where(pays, worth, -np.inf).argmax(axis=1)[:, None]
    before = np.where(~pays & (step < best), step, -1).max(axis=1) + 1
    after = np.where(~pays & (step > best), step, worth.shape[1]).min(axis=1) - 1
    return before, after
