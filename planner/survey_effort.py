"""From leak surveys to exposure: which share of the leaks of an area could be found in a year.

A leak is noticed without a survey, or else found by one where the pipe is walked:

    share found = r + (1 - r) x share of the length that was walked

r follows from who reported the leaks on record: q = r / (r + (1 - r) x s), with q the share of leaks that came up
without a survey and s the mean share walked, so r = q s / (1 - q + q s).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.days import calendar_years
from planner.factors import Flags, Floats, day_column, text_column
from planner.survey_walks import Network, Rows, areas_of, walked_shares, years_of
from registry.fields import check_frame, columns_of

BY_SURVEY: Final = "survey"
_UNKNOWN: Final = "unknown"


@dataclass(frozen=True)
class Effort:
    """What surveys tell of the years of a record.

    Parameters
    ----------
    surveyed
        The frame `surveyed`: the share found by area and year, every year of the record and every area of the media
        with surveys.
    area_of
        The area of each segment, by its id: the medium, and the district where it lies in one.
    walked
        Index area, columns years: the share of the length that was walked; NaN in years without any word of surveys.
    unasked
        By medium: the share of leaks that is noticed without a survey.
    """

    surveyed: pd.DataFrame
    area_of: pd.Series
    walked: pd.DataFrame
    unasked: dict[str, float]


def find_effort(
    segments: gpd.GeoDataFrame,
    surveys: gpd.GeoDataFrame,
    districts: gpd.GeoDataFrame,
    leaks: pd.DataFrame,
    as_of: date,
    learn_until: date | None = None,
) -> Effort | None:
    """Return which share of leaks could be found in each area and year; None where no survey is on record.

    A survey covers the segment that it names, else its area, its street or compound, its district, else the whole
    network. Kilometres that are fewer than those of the place spread evenly over it; those of several surveys of a
    year are taken to be of different stretches, until all is walked. Between the first and the last year of surveys of
    a medium, what no survey covers was not walked; in other years nothing is known and the mean of these years holds.

    Misleads where the same stretch was walked twice in a year, where pipes were fewer then than today, and where only
    suspected pipes were walked: within an area all leaks are taken to be as likely to be found.

    Parameters
    ----------
    segments
        All that was ever in the ground, the retired ones with the others.
    learn_until
        What happened on or after that day says nothing of r and of the years without any word: for tests on the past.

    Raises
    ------
    FrameError
        If a frame does not keep its contract.
    """
    check_frame(segments, "segments", ["medium", "geometry"])
    check_frame(surveys, "surveys", ["surveyed_on"])
    check_frame(leaks, "leaks", ["leaked_on"])
    day = day_column(surveys, "surveyed_on")
    told = surveys[(day <= np.datetime64(as_of)) & ~np.isnat(day)]
    if told.empty or segments.empty:
        return None
    began = [years_of(told, "surveyed_on"), years_of(leaks, "leaked_on")]
    years = range(int(np.concatenate(began).min()), as_of.year + 1)
    area = areas_of(segments, districts)
    network = Network.of(segments, area)
    walked = walked_shares(network, told, districts, years)
    shares: Floats = np.ones(walked.shape)
    unasked: dict[str, float] = {}
    for medium in network.media:
        rows = network.medium_of_area == medium
        known = _known_years(told, medium, years)
        if known.any():
            taught = known & (np.array(years) < (learn_until or date.max).year)
            taught = taught if taught.any() else known
            weight = network.area_m[rows, None] * taught
            mean = float((walked[rows] * weight).sum() / weight.sum()) if weight.any() else 0.0
            chance = _unasked(leaks, medium, np.array(years)[taught], mean, learn_until or as_of)
            unasked[medium] = chance
            usual = walked[rows][:, taught].mean(axis=1, keepdims=True)
            shares[rows] = chance + (1.0 - chance) * np.where(known, walked[rows], usual)
        walked[np.ix_(rows, ~known)] = np.nan
    table = pd.DataFrame(walked, pd.Index(network.areas, dtype="str", name="area"), list(years))
    return Effort(_long(shares, network, unasked, years), area, table, unasked)


def panel_effort(surveyed: pd.DataFrame, area_of: pd.Series, years: range) -> pd.DataFrame:
    """Return the effort as `make_history` takes it: `year`, `district`, `surveyed_share` for every area and year.

    Areas of media without surveys, and years before the first word of leaks or surveys, count in full.

    Parameters
    ----------
    surveyed, area_of
        As in `Effort`.
    """
    names = pd.Index(area_of.unique(), dtype="str")
    table = surveyed.pivot_table("share", "district_id", "year").reindex(index=names, columns=list(years))
    # one column after the other: area after area within a year
    return pd.DataFrame(
        {
            "year": np.repeat(np.array(years), len(names)),
            "district": np.tile(names.to_numpy(dtype=object), len(years)),
            "surveyed_share": table.fillna(1.0).to_numpy(dtype="float64").T.ravel(),
        }
    )


def _known_years(surveys: pd.DataFrame, medium: str, years: range) -> Flags:
    """Tell which years lie between the first and the last survey of a medium."""
    of_medium = text_column(surveys, "medium")
    own = surveys[(of_medium.isna() | (of_medium == medium)).to_numpy(dtype=bool)]
    told = years_of(own, "surveyed_on")
    if not len(told):
        return np.zeros(len(years), dtype=bool)
    known: Flags = (np.array(years) >= told.min()) & (np.array(years) <= told.max())
    return known


def _unasked(leaks: pd.DataFrame, medium: str, years: Rows, walked: float, until: date) -> float:
    """Return the share of leaks that is noticed without a survey, by who reported those on record in these years.

    One leak more of each kind is counted (the rule of succession), so that a record that is silent says a half.
    """
    source, of_medium = text_column(leaks, "source"), text_column(leaks, "medium")
    day = day_column(leaks, "leaked_on")
    counts = (
        ((source.notna() & (source != _UNKNOWN)) & (of_medium.isna() | (of_medium == medium))).to_numpy(dtype=bool)
        & np.isin(calendar_years(day), years)
        & (day <= np.datetime64(until))
    )
    by_survey = int((source[counts] == BY_SURVEY).sum())
    other = (counts.sum() - by_survey + 1.0) / (counts.sum() + 2.0)
    return float(other * walked / (1.0 - other + other * walked))


def _long(shares: Floats, network: Network, unasked: dict[str, float], years: range) -> pd.DataFrame:
    """Return the frame `surveyed` of the areas of media with surveys."""
    rows = np.isin(network.medium_of_area, list(unasked))
    names = np.array(network.areas, dtype=object)[rows]
    frame = pd.DataFrame(
        {
            "district_id": np.repeat(names, len(years)),
            "year": np.tile(np.array(years), len(names)),
            "share": shares[rows].ravel(),
        }
    )
    frame = frame.astype({"district_id": "str", "year": "Int64"})
    return frame[columns_of("surveyed")]
