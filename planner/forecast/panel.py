"""The past of every segment, year by year: what forecast models learn from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from planner.factors import Floats


@dataclass(frozen=True)
class Panel:
    """Exposure and leaks of each segment (rows) in each calendar year (columns).

    Parameters
    ----------
    segments
        What does not change with time: index `segment_id`; columns of the contract `segments` that models may use,
        and `street_name`, filled from the street assignment where the census has none. Retired segments are among
        them. Nothing in it may be younger than the panel: no condition score, no leak count.
    years
        The calendar years, one for each column of the arrays.
    km_years
        Kilometres in the ground times the share of the year, times the share of the network that was looked at;
        expected over the install interval.
    leaks
        Expected number of leaks of the segment itself; those of its predecessor are not among them.
    age_years
        Mean age in the middle of the exposure; NaN where no install year is known, 0 before the installation.
    """

    segments: pd.DataFrame
    years: range
    km_years: Floats
    leaks: Floats
    age_years: Floats

    def until(self, year: int) -> Panel:
        """Return what had happened before the first day of a year, and only the segments that were there by then.

        The arrays are copies: whoever holds the result cannot reach a later year.
        """
        count = max(min(year, self.years.stop) - self.years.start, 0)
        past = {name: getattr(self, name)[:, :count] for name in ("km_years", "leaks", "age_years")}
        there = past["km_years"].sum(axis=1) > 0
        cut = {name: values[there].copy() for name, values in past.items()}
        return replace(self, segments=self.segments[there].copy(), years=self.years[:count], **cut)
