from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.calendars import closed_days, filing_before, next_filing, open_day_count
from planner.policy import Policy, read_policy
from planner.policy_bans import Closure
from registry.errors import PlanningError
from registry.fields import check_frame
from tests.planner.test_bans import policy_with

DAY = st.dates(date(2023, 1, 1), date(2033, 12, 31))
MONTH_DAYS = st.dates(date(2000, 1, 1), date(2000, 12, 31)).map(lambda day: f"{day:%m-%d}")


def with_closures(*closures: tuple[str, str, str, tuple[str, ...] | None]) -> Policy:
    made = tuple(
        Closure(
            code=code,
            first_day=first,
            last_day=last,
            media=media,
            label_en="x",
            label_zh="x",
            source="x",
            confidence="memory",
        )
        for code, first, last, media in closures
    )
    return policy_with("cn-national", closures=made)


def is_closed(day: date, first: str, last: str) -> bool:
    """Tell by the names of the days alone; in a common year 29 February is the 28th."""
    runs_over = last < first
    first, last = (text if text != "02-29" or day.year % 4 == 0 else "02-28" for text in (first, last))
    name = f"{day:%m-%d}"
    return name >= first or name <= last if runs_over else first <= name <= last


@given(first=DAY, length=st.integers(0, 800), start=MONTH_DAYS, end=MONTH_DAYS)
def test_open_days_are_those_that_no_closure_names(first: date, length: int, start: str, end: str) -> None:
    last = first + timedelta(days=length)
    window = [first + timedelta(days=step) for step in range(length + 1)]
    policy = with_closures(("one", start, end, None))
    assert open_day_count(first, last, policy) == sum(not is_closed(day, start, end) for day in window)
    closed = closed_days(first, last, policy)
    check_frame(closed, "closures")
    assert closed["day_count"].sum() == sum(is_closed(day, start, end) for day in window)
    assert closed["starts_on"].is_monotonic_increasing


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (date(2027, 3, 15), date(2027, 3, 15), [("2027-03-15", "2027-03-15", 1)]),
        (date(2027, 3, 16), date(2027, 11, 14), []),
        (date(2027, 11, 15), date(2027, 11, 15), [("2027-11-15", "2027-11-15", 1)]),
        (date(2026, 11, 1), date(2027, 11, 30), [("2026-11-15", "2027-03-15", 121), ("2027-11-15", "2027-11-30", 16)]),
        (date(2027, 11, 15), date(2028, 3, 15), [("2027-11-15", "2028-03-15", 122)]),
    ],
)
def test_the_heating_season_runs_over_the_year_with_both_ends(
    first: date, last: date, expected: list[tuple[str, str, int]]
) -> None:
    closed = closed_days(first, last, read_policy(), medium="heat")
    heating = closed[closed["closure_code"] == "heating_season"]
    found = [(f"{row.starts_on:%F}", f"{row.ends_on:%F}", row.day_count) for row in heating.itertuples()]
    assert found == expected


def test_the_heating_season_is_no_matter_for_gas() -> None:
    year = (date(2027, 1, 1), date(2027, 12, 31))
    assert set(closed_days(*year, read_policy(), "gas")["closure_code"]) == {"exam_days", "rain_season"}
    assert set(closed_days(*year, read_policy())["closure_code"]) == {"exam_days", "rain_season"}
    assert not closed_days(*year, read_policy())["is_verified"].any()
    assert open_day_count(*year, read_policy(), "gas") == 365 - 3 - 62


def test_closures_that_overlap_close_a_day_once() -> None:
    policy = with_closures(("one", "06-01", "06-10", None), ("two", "06-05", "06-20", ("gas",)))
    assert open_day_count(date(2027, 6, 1), date(2027, 6, 30), policy, "gas") == 10
    assert open_day_count(date(2027, 6, 1), date(2027, 6, 30), policy, "water") == 20


def test_a_window_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(PlanningError, match="2027-05-01"):
        closed_days(date(2027, 5, 2), date(2027, 5, 1), read_policy())


@pytest.mark.parametrize(
    ("as_of", "by", "year"),
    [
        (date(2026, 11, 1), date(2026, 12, 31), 2027),
        (date(2026, 12, 31), date(2026, 12, 31), 2027),
        (date(2027, 1, 1), date(2027, 12, 31), 2028),
    ],
)
def test_the_next_filing_day_includes_today(as_of: date, by: date, year: int) -> None:
    assert next_filing(as_of, read_policy()) == (by, year)


def test_a_filing_day_that_has_passed_gives_the_next_year() -> None:
    national = read_policy().bans.filing
    assert national is not None
    policy = policy_with("cn-national", filing=national.model_copy(update={"last_day": "02-29"}))
    assert next_filing(date(2027, 2, 28), policy) == (date(2027, 2, 28), 2028)
    assert next_filing(date(2027, 3, 1), policy) == (date(2028, 2, 29), 2029)
    assert filing_before(date(2029, 12, 31), policy) == (date(2028, 2, 29), 2029)


def test_a_set_without_a_filing_date_has_none() -> None:
    policy = policy_with("us-example")
    assert next_filing(date(2027, 1, 1), policy) is None
    assert filing_before(date(2027, 1, 1), policy) is None
