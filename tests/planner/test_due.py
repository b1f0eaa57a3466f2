from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from planner.classes import classify_segments
from planner.due import due_windows
from planner.policy import read_policy
from tests.planner.frames import leaks_of, named_links, segments_of

AS_OF = date(2026, 11, 1)


def windows(policy_class: str | None, as_of: date = AS_OF, **segment: Any) -> list[str]:
    """Return due from, due until, reach from, reach until of one segment, `NaT` where it has none."""
    segments = segments_of(segment)
    found = due_windows(segments, pd.Series([policy_class], segments.index, dtype="str"), read_policy(), as_of)
    return [str(days[0]) for days in (found.due_from, found.due_until, found.reach_from, found.reach_until)]


@pytest.mark.parametrize(
    ("policy_class", "segment", "expected"),
    [
        ("mandatory", {}, ["2026-11-01", "2027-11-01", "2026-11-01", "2027-11-01"]),
        ("due", {}, ["2026-11-01", "2029-11-01", "2026-11-01", "2029-11-01"]),
        ("assess", {}, ["2027-11-01", "2030-11-01", "2026-11-01", "2032-11-01"]),
        # a term runs from the assessment, and an overdue one is due as if mandatory
        ("due", {"assessment": "renew_by", "assessed_on": "2025-05-01"}, ["2026-11-01", "2028-05-01"] * 2),
        ("due", {"assessment": "renew_by", "assessed_on": "2023-11-01"}, ["2026-11-01", "2026-11-01"] * 2),
        ("due", {"assessment": "renew_by", "assessed_on": "2023-10-31"}, ["2026-11-01", "2027-11-01"] * 2),
        ("due", {"assessment": "safe", "assessed_on": "2025-05-01"}, ["2026-11-01", "2029-11-01"] * 2),
        ("due", {"assessment": "renew_by", "assessed_on": "2026-12-01"}, ["2026-11-01", "2029-11-01"] * 2),
        # gas falls due for its assessment at 20 years, by the earliest year that it may be of
        (
            "keep",
            {"installed_year_min": 2009, "installed_year_max": 2013},
            ["2029-01-01", "2033-01-01", "2026-11-01", "2035-01-01"],
        ),
        ("keep", {"installed_year_min": 2015}, ["2035-01-01", "2039-01-01", "2030-01-01", "2041-01-01"]),
        ("keep", {"installed_year_min": None}, ["NaT"] * 4),
        ("keep", {"installed_year_min": 2015, "status": "abandoned"}, ["NaT"] * 4),
        (
            "keep",
            {"installed_year_min": 2015, "medium": "other"},
            ["2045-01-01", "2049-01-01", "2040-01-01", "2051-01-01"],
        ),
        # a favourable assessment of an old pipe holds three years
        (
            "keep",
            {"installed_year_min": 1990, "assessment": "safe", "assessed_on": "2025-05-01"},
            ["2028-05-02", "2032-05-02", "2026-11-01", "2034-05-02"],
        ),
        (
            "keep",
            {"installed_year_min": None, "assessment": "controlled", "assessed_on": "2025-05-01"},
            ["2028-05-02", "2032-05-02", "2026-11-01", "2034-05-02"],
        ),
        # whatever keeps a pipe that is past its age: it is not due before today
        ("keep", {"installed_year_min": 1990}, ["2026-11-01", "2030-11-01", "2026-11-01", "2032-11-01"]),
        (None, {}, ["NaT"] * 4),
    ],
)
def test_the_window_follows_class_clock_and_age(
    policy_class: str | None, segment: dict[str, Any], expected: list[str]
) -> None:
    assert windows(policy_class, **segment) == expected


def test_windows_of_the_29th_of_february_end_with_the_month() -> None:
    assert windows("mandatory", date(2028, 2, 29))[:2] == ["2028-02-29", "2029-02-28"]


@pytest.mark.parametrize(
    "facts",
    [
        {"installed_year_min": 1990, "installed_year_max": 1990, "assessment": "safe", "assessed_on": "2025-05-01"},
        {"installed_year_min": 2009, "installed_year_max": 2013},
    ],
    ids=["assessment", "age"],
)
def test_a_segment_to_keep_falls_due_on_the_day_on_which_its_class_changes(facts: dict[str, Any]) -> None:
    segments, leaks = segments_of(facts), leaks_of()
    due = date.fromisoformat(windows("keep", **facts)[0])
    for day, expected in ((due, "assess"), (due - timedelta(days=1), "keep")):
        classes = classify_segments(segments, named_links(leaks, "S0000"), leaks, read_policy(), day)
        assert classes["policy_class"].tolist() == [expected]


def test_nothing_gives_nothing() -> None:
    empty = segments_of({}).iloc[:0]
    found = due_windows(empty, pd.Series([], empty.index, dtype="str"), read_policy(), AS_OF)
    assert all(len(days) == 0 for days in (found.due_from, found.reach_until))
    assert not np.isnat(found.due_from).any()
