"""How long each pipe was in the ground in each year, and how old it was then, as its install interval lets expect."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.ages import install_years
from planner.factors import Floats, day_column


@dataclass(frozen=True)
class Presence:
    """Expected share of each year (columns) in the ground and on record of each segment (rows), and the mean age."""

    year_share: Floats
    age_years: Floats


def presence(segments: pd.DataFrame, years: range, begin: Floats, end: Floats) -> Presence:
    """Return share of the year and mean age of each segment, between the beginning and the end of its record.

    Every instant of the install interval is as likely; where only one end of it is known, that year is taken, as in
    `planner.ages`. A pipe without any year lies in the ground as long as there is a record of it and has no age: no
    date is made up for it. That counts too much for it if it is younger than the record; models keep such pipes in
    groups of their own, where only their common level suffers.

    Parameters
    ----------
    begin, end
        Decimal year in which the record of each segment begins and in which its exposure ends.
    """
    first, last_year = install_years(segments)
    last = last_year + 1.0
    # where there is no record at all it begins after the last year
    start = np.maximum(_columns(years), np.minimum(begin, float(years.stop))[:, None])
    stop = np.minimum(_columns(years) + 1.0, end[:, None])
    is_open = stop > start
    stop = np.maximum(start, stop)
    middle = _columns(years) + 0.5 + np.zeros((len(segments), 1))
    length = stop - start
    # certain is faster and, above all, exact: equal pipes get ages equal to the last bit
    is_certain = ~(last[:, None] > start)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = _antiderivative(stop, first, last, 1) - _antiderivative(start, first, last, 1)
        summed = _antiderivative(stop, first, last, 2) - _antiderivative(start, first, last, 2)
        age = np.where(is_certain, (start + stop) / 2.0 - ((first + last) / 2.0)[:, None], summed / share)
    share = np.where(is_certain, length, np.clip(share, 0.0, length))
    outside = _antiderivative(middle, first, last, 1)
    has_age = ~np.isnan(first)[:, None]
    age = np.where(has_age & ~(is_open & (share > 0.0)), outside, age)
    return Presence(np.where(is_open, share, 0.0), np.where(has_age, np.maximum(age, 0.0), np.nan))


def ages_in(segments: pd.DataFrame, years: range) -> Floats:
    """Return the mean age of each segment over whole years, as if it stayed in the ground; NaN without any year."""
    always = np.full(len(segments), np.inf)
    return presence(segments, years, -always, always).age_years


def ends_of_exposure(segments: pd.DataFrame, until: float) -> Floats:
    """Return the decimal year in which each segment stops to count: the day after it was retired, or `until`."""
    retired = decimal_years(day_column(segments, "retired_on") + np.timedelta64(1, "D"))
    return np.fmin(retired, until)


def decimal_years(days: NDArray[np.datetime64]) -> Floats:
    """Return days as years with their fraction; NaN for not a time."""
    year = days.astype("datetime64[Y]")
    begin = year.astype("datetime64[D]")
    length = ((year + 1).astype("datetime64[D]") - begin).astype("float64")
    fraction = (days - begin).astype("float64") / length
    decimal: Floats = np.where(np.isnat(days), np.nan, year.astype("float64") + 1970.0 + fraction)
    return decimal


def _columns(years: range) -> Floats:
    return np.arange(years.start, years.stop, dtype="float64")[None, :]


def _antiderivative(at: Floats, first: Floats, last: Floats, order: int) -> Floats:
    """Integrate the probability to be installed by a time, once (the mean age) or twice (its sum over time)."""
    power = order + 1
    rise = np.maximum(at - first[:, None], 0.0) ** power - np.maximum(at - last[:, None], 0.0) ** power
    integral: Floats = rise / ((last - first) * (2.0 if order == 1 else 6.0))[:, None]
    return integral
