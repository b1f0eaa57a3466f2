"""The leak record of segments: links and leaks brought together, without future knowledge."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.factors import Floats, day_column, text_column
from registry.errors import PlanningError

DAYS_PER_YEAR = 365.25
# a leak of a service line or a riser is no leak of the segment beside it
_PARTS_OF_A_SEGMENT = ("main", "unknown")


@dataclass(frozen=True)
class Record:
    """Links of leaks that count, as arrays: row of the segment, probability, day of the leak."""

    row: NDArray[np.int64]
    probability: Floats
    day: NDArray[np.datetime64]
    row_count: int

    def expected_leaks(self, since: date | None = None) -> Floats:
        """Return the expected number of leaks per segment, on or after `since`."""
        counted = self.probability if since is None else self.probability * (self.day >= np.datetime64(since))
        return np.bincount(self.row, weights=counted, minlength=self.row_count).astype("float64")


def make_record(
    segments: pd.DataFrame,
    leak_links: pd.DataFrame,
    leaks: pd.DataFrame,
    as_of: date,
    excluded_causes: Collection[str],
    only_causes: Collection[str] | None = None,
) -> Record:
    """Join links to leaks and leave out what must not count.

    That is leaks after `as_of`, leaks of excluded causes or of others than `only_causes`, and leaks of another part
    than the main, where it is stated.

    Links to segments that the frame does not hold are left out: the caller may look at a part of the network.

    Raises
    ------
    PlanningError
        If a link names a leak that is not in `leaks`.
    """
    leak_row = leaks.index.get_indexer(pd.Index(leak_links["leak_id"]))
    if (leak_row < 0).any():
        unknown = leak_links["leak_id"].to_numpy()[leak_row < 0]
        raise PlanningError("plan_links_without_leaks", count=len(unknown), example=str(unknown[0]))
    row = segments.index.get_indexer(pd.Index(leak_links["segment_id"]))
    day = day_column(leaks, "leaked_on")[leak_row]
    causes = text_column(leaks, "cause")
    is_out = causes.isin(list(excluded_causes))
    if only_causes is not None:
        is_out |= ~causes.isin(list(only_causes))
    cause = is_out.to_numpy(dtype=bool)[leak_row]
    part = text_column(leaks, "part")
    elsewhere = (part.notna() & ~part.isin(_PARTS_OF_A_SEGMENT)).to_numpy(dtype=bool)[leak_row]
    counts = (row >= 0) & (day <= np.datetime64(as_of)) & ~cause & ~elsewhere
    probability = leak_links["probability"].to_numpy(dtype="float64")
    return Record(row[counts].astype(np.int64), probability[counts], day[counts], len(segments))


def record_years(record: Record, group: NDArray[np.int64], group_count: int, as_of: date) -> Floats:
    """Return for each group of segments the years from its first leak on record to `as_of`, at least 1.

    0 where a group has no leak at all: then nothing is known about the record and nothing may be concluded from it.
    The record of a group starts with its first leak, which shortens it a little: with many leaks by very little.
    """
    first = np.full(group_count, np.datetime64(as_of + timedelta(days=1)), dtype="datetime64[D]")
    np.minimum.at(first, group[record.row], record.day)
    years = (np.datetime64(as_of) - first).astype("float64") / DAYS_PER_YEAR
    return np.where(years < 0, 0.0, np.maximum(years, 1.0))
