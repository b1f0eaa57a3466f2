"""Age and service time from install years that are intervals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from planner.factors import Floats, number_column


@dataclass(frozen=True)
class Service:
    """Calendar years in service: the least and the most that the install interval allows."""

    least: Floats
    most: Floats


def service_years(segments: pd.DataFrame, as_of: date) -> Service:
    """Return the bounds of the service time, counted in calendar years as the rules count it.

    An open end of the install interval stays open: without a latest year the pipe may be new (least 0), without an
    earliest year it may be of any age (most infinite).
    """
    earliest = number_column(segments, "installed_year_min")
    latest = number_column(segments, "installed_year_max")
    least = np.maximum(np.where(np.isnan(latest), 0.0, as_of.year - latest), 0.0)
    most = np.maximum(np.where(np.isnan(earliest), np.inf, as_of.year - earliest), 0.0)
    return Service(least, np.maximum(least, most))


def install_years(segments: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return the first and the last year of the install interval; NaN where nothing is known.

    Where only one end is known, that year stands for both.
    """
    earliest = number_column(segments, "installed_year_min")
    latest = number_column(segments, "installed_year_max")
    return np.where(np.isnan(earliest), latest, earliest), np.where(np.isnan(latest), earliest, latest)


def middle_age_years(segments: pd.DataFrame, as_of: date) -> Floats:
    """Return the age in years from the middle of the install interval to the as-of date; NaN where nothing is known.

    A known year counts from its middle. Where only one end of the interval is known, that year is taken. A pipe that
    is installed after the as-of date has age 0.
    """
    first, last = install_years(segments)
    return np.maximum(decimal_year(as_of) - (first + last + 1.0) / 2.0, 0.0)


def age_interval(segments: pd.DataFrame, as_of: date) -> Service:
    """Return the least and the greatest age in years that the install interval allows, to the day; NaN where unknown.

    A known year is an interval of one year. Where only one end is known, that year is taken, as in
    `middle_age_years`. Ages before the day of installation are below 0 here.
    """
    first, last = install_years(segments)
    now = decimal_year(as_of)
    return Service(now - (last + 1.0), now - first)


def decimal_year(day: date) -> float:
    """Return a day as a year with its fraction."""
    start = date(day.year, 1, 1)
    length = (date(day.year + 1, 1, 1) - start).days
    return day.year + (day - start).days / length
