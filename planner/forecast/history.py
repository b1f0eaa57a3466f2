"""From the census and the leak record to the panel: who lay in the ground when, and what leaked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.days import calendar_years
from planner.factors import Floats, day_column, text_column
from planner.forecast.effort import surveyed_share
from planner.forecast.exposure import Presence, decimal_years, ends_of_exposure, presence
from planner.forecast.panel import Panel
from planner.forecast.undated import CHANGING
from planner.policy import Policy
from planner.record import Record, make_record
from registry.fields import check_frame, fields

# what may be found out later than the past that it would explain, and heights, which no model reads
_NOT_SHOWN: Final = CHANGING | {"elevations_m"}
_REASONS: Final = ["later", "before_record", "after_retirement", "before_install", "not_looked_at"]


@dataclass(frozen=True)
class History:
    """The panel, and the expected number of leaks that it does not count, by reason: with its own they are all.

    The `segments` of the panel have the columns of the contract without what was found out later
    (status, assessments, retirement, remarks), `street_name`, and `is_undated` where no install year is known at all.

    Reasons: `other_segment` (a pipe that the frame does not hold), `later` (than the as-of day or the years),
    `excluded` (cause or part), `before_record`, `after_retirement`, `before_install`, `not_looked_at`.
    """

    panel: Panel
    left_out: pd.Series


def make_history(  # noqa: PLR0913 - all that a past is made from
    segments: pd.DataFrame,
    leak_links: pd.DataFrame,
    leaks: pd.DataFrame,
    policy: Policy,
    years: range,
    as_of: date,
    *,
    record_from: int | Mapping[str, int] | None = None,
    street_links: pd.DataFrame | None = None,
    effort: pd.DataFrame | None = None,
    districts: pd.Series | None = None,
) -> History:
    """Return exposure, leaks and age of every segment in every year up to the as-of day, and the leaks left out.

    Leaks count with the probability of their links. Left out, and counted by reason, are leaks of excluded
    causes and of other parts than the main, leaks of predecessors (they are linked to the pipe that is gone, which
    keeps them), and leaks where the segment has no exposure. Exposure begins with the record and ends with the
    retirement.

    Assumes that a pipe that was split or merged is among the segments under its ids of today alone, as the registry
    hands out segments and retired ones: its parts have the install years and, by place, the leaks of the whole.
    Misleads where retired segments are missing: the worst pipes are then those that are not seen.

    Parameters
    ----------
    segments
        The frame `segments` with those that were retired; geometry is not needed.
    years
        The calendar years of the panel.
    record_from
        The first year of the leak record, for all media or by medium. Without it the record of a medium begins on
        the day of its first leak, and a medium without leaks has no record and no exposure.
    street_links
        The frame `street_links`: names the street where the census does not.
    effort
        Where leaks were looked for: columns `year`, `surveyed_share` and, where they differ, `district`.
    districts
        The district of each segment by its id; becomes the column `district`.

    Raises
    ------
    FrameError
        If a frame does not keep its contract.
    PlanningError
        If links name leaks that `leaks` does not hold, or if `effort` lacks a year or has a share that is none.
    """
    check_frame(segments, "segments", ["medium", "length_m"])
    check_frame(leak_links, "leak_links", ["leak_id", "segment_id", "probability"])
    record = make_record(segments, leak_links, leaks, as_of, policy.weights.likelihood.history.excluded_causes)
    begin = _record_begins(segments, record, record_from)
    there = presence(segments, years, begin, ends_of_exposure(segments, _after(as_of)))
    named = _described(segments, street_links, districts)
    looked_at = np.ones((1, len(years))) if effort is None else surveyed_share(effort, named, years)
    km_years = there.year_share * looked_at * (segments["length_m"].to_numpy(dtype="float64") / 1000.0)[:, None]
    counted, left_out = _count(record, years, _reasons(record, years, begin, segments, there, km_years))
    left_out |= _outside_the_record(segments, leak_links, leaks, record, as_of, left_out["later"])
    return History(Panel(named, years, km_years, counted, there.age_years), pd.Series(left_out))


def years_on_record(leak_links: pd.DataFrame, leaks: pd.DataFrame, until: date) -> range:
    """Return the calendar years from the first linked leak to a day; none where no leak is linked by then."""
    linked = leaks["leaked_on"].reindex(pd.Index(leak_links["leak_id"].unique())).dropna()
    linked = linked[linked <= pd.Timestamp(until)]
    return range(0) if linked.empty else range(int(linked.min().year), until.year + 1)


def _after(day: date) -> float:
    """Return the end of a day as a decimal year."""
    return float(decimal_years(np.array([np.datetime64(day + timedelta(days=1))]))[0])


def _record_begins(segments: pd.DataFrame, record: Record, record_from: int | Mapping[str, int] | None) -> Floats:
    """Return the decimal year in which the record of the medium of each segment begins; infinite without a record."""
    if isinstance(record_from, int):
        return np.full(len(segments), float(record_from))
    medium, names = pd.factorize(segments["medium"])
    begin = np.full(len(names), np.inf)
    np.minimum.at(begin, medium[record.row], decimal_years(record.day))
    stated = record_from or {}
    begin = np.array([stated.get(str(name), first) for name, first in zip(names, begin, strict=True)], dtype="float64")
    return begin[medium]


def _reasons(
    record: Record, years: range, begin: Floats, segments: pd.DataFrame, there: Presence, km_years: Floats
) -> NDArray[np.object_]:
    """Tell for each link why it does not count; an empty text where it does."""
    column = _year_columns(record, years)
    is_before = decimal_years(record.day) < begin[record.row]
    is_gone = day_column(segments, "retired_on")[record.row] < record.day
    tests = [column >= len(years), is_before | (column < 0), is_gone]
    if len(years) > 0:
        cell = record.row, np.clip(column, 0, len(years) - 1)
        tests += [there.year_share[cell] <= 0.0, km_years[cell] <= 0.0]
    return np.select(tests, _REASONS[: len(tests)], "").astype(object)


def _count(record: Record, years: range, reason: NDArray[np.object_]) -> tuple[Floats, dict[str, float]]:
    """Return expected leaks by segment and year, and how many are left out by reason."""
    counts = reason == ""
    cell = record.row[counts] * len(years) + _year_columns(record, years)[counts]
    size = record.row_count * len(years)
    counted = np.bincount(cell, weights=record.probability[counts], minlength=size).astype("float64")
    left_out = {name: float(record.probability[reason == name].sum()) for name in _REASONS}
    return counted.reshape(record.row_count, len(years)), left_out


def _year_columns(record: Record, years: range) -> NDArray[np.int64]:
    return calendar_years(record.day) - years.start


def _outside_the_record(
    segments: pd.DataFrame,
    leak_links: pd.DataFrame,
    leaks: pd.DataFrame,
    record: Record,
    as_of: date,
    later: float,
) -> dict[str, float]:
    """Count what the record did not take in; `later` is what it took in of years after those of the panel."""
    day = day_column(leaks, "leaked_on")[leaks.index.get_indexer(pd.Index(leak_links["leak_id"]))]
    probability = leak_links["probability"].to_numpy(dtype="float64")
    is_here = leak_links["segment_id"].isin(segments.index).to_numpy(dtype=bool)
    is_later = day > np.datetime64(as_of)
    excluded = probability[is_here & ~is_later].sum() - record.probability.sum()
    return {
        "other_segment": float(probability[~is_here].sum()),
        "later": later + float(probability[is_here & is_later].sum()),
        "excluded": max(float(excluded), 0.0),
    }


def _described(segments: pd.DataFrame, street_links: pd.DataFrame | None, districts: pd.Series | None) -> pd.DataFrame:
    """Return what models may know of the segments."""
    declared = [name for name, field in fields()["segments"].items() if field.role != "geometry"]
    columns = [name for name in declared if name in segments.columns and name not in _NOT_SHOWN]
    named = pd.DataFrame(segments[columns])
    street = text_column(segments, "street_name")
    if street_links is not None:
        check_frame(street_links, "street_links", ["segment_id", "street_name"])
        # one row for each segment; of several the surest
        by_id = street_links.drop_duplicates("segment_id").set_index("segment_id")["street_name"]
        street = street.fillna(by_id.reindex(segments.index))
    year_columns = [text_column(segments, f"installed_year_{end}").isna() for end in ("min", "max")]
    named = named.assign(street_name=street, is_undated=(year_columns[0] & year_columns[1]).to_numpy(dtype=bool))
    return named if districts is None else named.assign(district=districts.reindex(segments.index))
