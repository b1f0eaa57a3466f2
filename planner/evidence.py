"""What speaks for a segment at a leak besides its place: what the crew stated, its age, how often such pipes leak."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.age_course import age_course
from planner.factors import Flags, Floats, day_column, number_column, text_column
from planner.policy_links import Agreement, DiameterAgreement, MaterialAgreement
from planner.policy_models import Weights
from planner.table_rates import steady_rates

Rows = NDArray[np.int64]
_DAYS_PER_YEAR = 365.25


def is_possible(leaks: pd.DataFrame, segments: pd.DataFrame, leak: Rows, segment: Rows) -> Flags:
    """Tell which pairs are of one medium, where the leak says which, and not retired before the leak."""
    leak_medium = text_column(leaks, "medium")
    is_same: Flags = leak_medium.to_numpy(dtype=object)[leak] == segments["medium"].to_numpy(dtype=object)[segment]
    says_nothing = leak_medium.isna().to_numpy(dtype=bool)[leak]
    is_retired: Flags = day_column(segments, "retired_on")[segment] < day_column(leaks, "leaked_on")[leak]
    return (says_nothing | is_same) & ~is_retired


def laid_share(segments: pd.DataFrame, segment: Rows, day: NDArray[np.datetime64]) -> Floats:
    """Return the share of the install interval that lies before the end of the day: 0 cannot have leaked, 1 can.

    Every day of the interval counts alike. An interval without a beginning or without an end is open: it lies before
    the day unless it begins after it.
    """
    begin = _year_start(number_column(segments, "installed_year_min"))[segment]
    end = _year_start(number_column(segments, "installed_year_max") + 1.0)[segment]
    passed = (day - begin).astype("float64") + 1.0
    length = (end - begin).astype("float64")
    is_open = np.isnat(begin) | np.isnat(end)
    with np.errstate(invalid="ignore"):
        share = np.clip(passed / np.where(is_open, 1.0, length), 0.0, 1.0)
    share[np.isnat(begin)] = 1.0
    return share


def _year_start(years: Floats) -> NDArray[np.datetime64]:
    """Return the first day of each year; not a time where the year is not known."""
    starts = (np.where(np.isnan(years), 1970.0, years).astype(np.int64) - 1970).astype("datetime64[Y]")
    days: NDArray[np.datetime64] = starts.astype("datetime64[D]")
    days[np.isnan(years)] = np.datetime64("NaT")
    return days


def material_fit(
    leaks: pd.DataFrame, segments: pd.DataFrame, leak: Rows, segment: Rows, agreement: MaterialAgreement
) -> Floats:
    """Return how well each segment agrees with the material stated at the leak; 1 where none is stated."""
    stated, stated_names = _codes(leaks, "material")
    known, known_names = _codes(segments, "material")
    table = _code_table(stated_names, known_names, agreement)
    family = {material: number for number, members in enumerate(agreement.families) for material in members}
    for row, theirs in enumerate(stated_names):
        for column, ours in enumerate(known_names):
            if theirs != ours and theirs in family and family[theirs] == family.get(ours):
                table[row, column] = agreement.kin.value
    return table[stated[leak], known[segment]]


def tier_fit(leaks: pd.DataFrame, segments: pd.DataFrame, leak: Rows, segment: Rows, agreement: Agreement) -> Floats:
    """Return how well each segment agrees with the tier stated at the leak; 1 where none is stated."""
    stated, stated_names = _codes(leaks, "tier")
    known, known_names = _codes(segments, "tier")
    return _code_table(stated_names, known_names, agreement)[stated[leak], known[segment]]


def diameter_fit(
    leaks: pd.DataFrame, segments: pd.DataFrame, leak: Rows, segment: Rows, agreement: DiameterAgreement
) -> Floats:
    """Return how well each segment agrees with the diameter stated at the leak; 1 where none is stated."""
    stated = number_column(leaks, "diameter_mm")[leak]
    known = number_column(segments, "diameter_mm")[segment]
    agrees = np.abs(stated - known) <= agreement.tolerance_share.value * np.maximum(stated, known)
    fit = np.where(agrees, 1.0, agreement.other.value)
    fit[np.isnan(known)] = agreement.unknown.value
    fit[np.isnan(stated)] = 1.0
    return fit


def is_stated(leaks: pd.DataFrame, column: str) -> Flags:
    """Tell which leaks state a value; `unknown` states nothing."""
    if column == "diameter_mm":
        return ~np.isnan(number_column(leaks, column))
    return _codes(leaks, column)[0] >= 0


def _codes(table: pd.DataFrame, column: str) -> tuple[Rows, list[str]]:
    """Return the number of each value among the distinct ones, -1 where nothing or `unknown` is said."""
    values = text_column(table, column)
    codes, names = pd.factorize(values.mask(values == "unknown"))
    return codes.astype(np.int64), [str(name) for name in names]


def _code_table(stated: list[str], known: list[str], agreement: Agreement) -> Floats:
    """Return the agreement of stated (rows) with known values (columns); the last of each is for nothing said."""
    table = np.full((len(stated) + 1, len(known) + 1), agreement.other.value)
    for row, theirs in enumerate(stated):
        if theirs in known:
            table[row, known.index(theirs)] = 1.0
    table[:, -1] = agreement.unknown.value
    table[-1, :] = 1.0
    return table


def leak_rates(segments: pd.DataFrame, segment: Rows, day: NDArray[np.datetime64], weights: Weights) -> Floats:
    """Return the leaks per kilometre and year of the cohort of each segment, at the age it had on the day.

    The age counts from the middle of that part of the install interval which lies before the day. The own record of a
    segment has no say: it is made of the very links that this rate weighs. Nor has what lies about the pipe; what is
    not known of it has the figure of the tables for `unknown`.
    """
    steady = np.log(steady_rates(segments, weights))
    first, last = number_column(segments, "installed_year_min"), number_column(segments, "installed_year_max")
    begin = np.where(np.isnan(first), last, first)[segment]
    end = (np.where(np.isnan(last), first, last) + 1.0)[segment]
    now = 1970.0 + day.astype("float64") / _DAYS_PER_YEAR
    age = np.maximum(now - (begin + np.clip(now, begin, end)) / 2.0, 0.0)
    rate: Floats = np.exp(steady[segment] + age_course(segments, weights.likelihood).ln_factor(age, segment))
    return rate


def unheld_rates(leaks: pd.DataFrame, weights: Weights) -> Floats:
    """Return the leaks per kilometre and year of a pipe of which only the medium is known, that of each leak."""
    pipes = pd.DataFrame({"medium": text_column(leaks, "medium").fillna("unknown")})
    steady = np.log(steady_rates(pipes, weights))
    rate: Floats = np.exp(steady + age_course(pipes, weights.likelihood).ln_factor(np.full(len(pipes), np.nan)))
    return rate
