from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.days import NO_DAY, Days, anniversary, first_day_of_term, last_day_of_term, uncovered_days

DAYS = st.dates(date(1950, 1, 1), date(2150, 12, 31))


def days(*texts: str | date) -> Days:
    return np.array(texts, dtype="datetime64[D]")


def slow_anniversary(day: date, years: int) -> date:
    """The day of the same date, or the last day of the month that has none."""
    for candidate in range(day.day, 0, -1):
        try:
            return date(day.year + years, day.month, candidate)
        except ValueError:
            continue
    raise AssertionError


@given(day=DAYS, years=st.integers(-40, 40))
def test_the_anniversary_is_the_same_date_or_the_end_of_its_month(day: date, years: int) -> None:
    assert anniversary(days(day), years)[0].item() == slow_anniversary(day, years)


@pytest.mark.parametrize(
    ("day", "years", "same"),
    [
        ("2024-02-29", 1, "2025-02-28"),
        ("2024-02-29", 4, "2028-02-29"),
        ("2024-02-29", 5, "2029-02-28"),
        ("2023-02-28", 1, "2024-02-28"),
        ("2023-03-01", 5, "2028-03-01"),
        ("2099-12-31", 1, "2100-12-31"),
        ("2096-02-29", 4, "2100-02-28"),
    ],
)
def test_the_29th_of_february_ends_with_the_month(day: str, years: int, same: str) -> None:
    assert anniversary(days(day), years).tolist() == days(same).tolist()


@given(clock=DAYS, years=st.integers(1, 10))
def test_a_counted_first_day_moves_both_ends_by_a_day_at_most(clock: date, years: int) -> None:
    """With the day of the clock in the term both ends lie a day earlier; only 29 February has no day to give up."""
    starts = [first_day_of_term(days(clock), counts_first_day=counts)[0].item() for counts in (True, False)]
    ends = [last_day_of_term(days(clock), years, counts_first_day=counts)[0].item() for counts in (True, False)]
    assert starts == [clock, clock + timedelta(days=1)]
    assert ends[1] == slow_anniversary(clock, years)
    is_clipped = clock.day != ends[1].day
    assert (ends[1] - ends[0]).days == (0 if is_clipped else 1)


@pytest.mark.parametrize(
    ("clock", "counts", "end"),
    [
        ("2024-02-29", True, "2029-02-28"),
        ("2024-02-29", False, "2029-02-28"),
        ("2023-03-01", True, "2028-02-29"),
        ("2023-03-01", False, "2028-03-01"),
    ],
)
def test_terms_about_the_29th_of_february(clock: str, counts: bool, end: str) -> None:
    assert last_day_of_term(days(clock), 5, counts_first_day=counts).tolist() == days(end).tolist()


def test_a_missing_day_stays_missing() -> None:
    assert np.isnat(anniversary(np.array([NO_DAY]), 5)).all()
    assert np.isnat(last_day_of_term(np.array([NO_DAY]), 5, counts_first_day=True)).all()


SPAN = st.tuples(st.integers(0, 30), st.integers(-3, 12), st.booleans())
WINDOW = st.tuples(st.integers(0, 30), st.integers(0, 12))


@given(windows=st.lists(WINDOW, min_size=1, max_size=4), spans=st.lists(st.tuples(st.integers(0, 3), SPAN), max_size=8))
def test_uncovered_days_are_those_that_a_calendar_shows(
    windows: list[tuple[int, int]], spans: list[tuple[int, tuple[int, int, bool]]]
) -> None:
    origin = date(2027, 1, 1)
    first = [origin + timedelta(days=start) for start, _ in windows]
    last = [origin + timedelta(days=start + length) for start, length in windows]
    kept = [(group, *span) for group, span in spans if group < len(windows)]
    start = [origin + timedelta(days=begin) for _, begin, _, _ in kept]
    end = [None if is_open else origin + timedelta(days=begin + length) for _, begin, length, is_open in kept]
    group = np.array([row for row, *_ in kept], dtype=np.int64)
    slow = [
        sum(
            not any(
                row == window and start[place] <= day and (end[place] is None or day <= end[place])  # type: ignore[operator]
                for place, (row, *_) in enumerate(kept)
            )
            for day in (first[window] + timedelta(days=step) for step in range((last[window] - first[window]).days + 1))
        )
        for window in range(len(windows))
    ]
    found = uncovered_days(
        group, np.array(start, dtype="datetime64[D]"), np.array(end, dtype="datetime64[D]"), days(*first), days(*last)
    )
    assert found.tolist() == slow
