"""How long each segment was in the ground and looked at during the record, and what its age makes of that time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.age_course import AgeCourse
from planner.ages import Service, age_interval, decimal_year
from planner.factors import Floats, day_column
from planner.record import DAYS_PER_YEAR
from registry.fields import check_frame

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Exposure:
    """The past of every segment up to a day: its ages, when it was taken out, and what was looked at.

    Parameters
    ----------
    ages
        Ages on the day that the install interval allows.
    retired_years
        How long ago the segment was taken out of the ground; 0 where it is still there.
    now
        The day as a year with its fraction.
    looked_at
        The share of each segment that was looked at, by calendar year; all of it in other years.
    """

    ages: Service
    retired_years: Floats
    now: float
    looked_at: dict[int, Floats]

    def alike(self, course: AgeCourse, since_years: Floats) -> tuple[Rows, Rows]:
        """Return the number of the kind of each row, and the first row of each kind.

        Rows of a kind have one course, one install interval, one record, one end and one share looked at.
        """
        told = [course.exponent, course.default_age_years, since_years, self.ages.least, self.ages.most]
        kind = np.zeros(len(since_years), dtype=np.int64)
        for values in (*told, self.retired_years, *self.looked_at.values()):
            codes, names = pd.factorize(values)
            if len(names) > 1 or (codes < 0).any():
                kind = pd.factorize(kind * (len(names) + 1) + codes + 1)[0].astype(np.int64)
        first = np.zeros(int(kind.max(initial=-1)) + 1, dtype=np.int64)
        first[kind[::-1]] = np.arange(len(kind))[::-1]
        return kind, first

    def take(self, row: Rows) -> Exposure:
        """Return the past of some of the rows."""
        ages = Service(self.ages.least[row], self.ages.most[row])
        shares = {year: share[row] for year, share in self.looked_at.items()}
        return Exposure(ages, self.retired_years[row], self.now, shares)

    def factor_years(self, course: AgeCourse, since_years: Floats) -> Floats:
        """Return the factor of the age, added up over the years since then in the ground and looked at."""
        years = course.years(self.ages, since_years, self.retired_years)
        for year, share in self.looked_at.items():
            begin = np.minimum(since_years, self.now - year)
            end = np.maximum(self.retired_years, self.now - year - 1.0)
            years = years + (share - 1.0) * course.years(self.ages, begin, end)
        return np.maximum(years, 0.0)


def find_exposure(
    segments: pd.DataFrame, as_of: date, surveyed: pd.DataFrame | None = None, district_of: pd.Series | None = None
) -> Exposure:
    """Return the past of every segment up to a day.

    Parameters
    ----------
    surveyed
        The frame `surveyed`: which share of a district, or of the whole network where none is named, was looked at in
        a calendar year. A row with a district goes before one without. Years that are not listed count in full.
    district_of
        The district of each segment, index as `segments`; without it rows with a district are not heard.
    """
    retired = day_column(segments, "retired_on")
    ago = (np.datetime64(as_of) - retired).astype("timedelta64[D]").astype("float64") / DAYS_PER_YEAR
    ago = np.where(np.isnat(retired), 0.0, np.maximum(ago, 0.0))
    return Exposure(age_interval(segments, as_of), ago, decimal_year(as_of), _shares(segments, surveyed, district_of))


def _shares(segments: pd.DataFrame, surveyed: pd.DataFrame | None, district_of: pd.Series | None) -> dict[int, Floats]:
    if surveyed is None:
        return {}
    check_frame(surveyed, "surveyed")
    district = pd.Series(np.nan, segments.index, dtype="str")
    if district_of is not None:
        district = district_of.reindex(segments.index)
    codes, names = pd.factorize(district)
    shares: dict[int, Floats] = {}
    for year, rows in surveyed.groupby("year"):
        everywhere = rows.loc[rows["district_id"].isna(), "share"]
        by_district = rows.dropna(subset="district_id").drop_duplicates("district_id").set_index("district_id")
        other = everywhere.iloc[0] if len(everywhere) else 1.0
        # the last place is for segments in no district
        by_code = by_district["share"].reindex(pd.Index(names)).to_numpy(dtype="float64")
        table = np.append(np.where(np.isnan(by_code), other, by_code), other)
        shares[int(str(year))] = table[codes]
    return shares
