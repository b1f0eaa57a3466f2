"""The calendar over shared days: every day is looked at by its name, and every year by its filing day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.days import NO_DAY, as_day
from planner.meeting_words import in_ban_words, party_words
from planner.policy import Policy, read_policy
from planner.policy_bans import Filing
from planner.seasons import SEASON_COLUMNS, shared_seasons
from registry.fields import value_list
from tests.planner.frames import line, projects_of, segments_of
from tests.planner.test_bans import policy_with
from tests.planner.test_calendars import MONTH_DAYS, is_closed, with_closures
from tests.planner.test_relations import related

AS_OF = date(2026, 11, 1)
NATIONAL = policy_with("cn-national")
SPAN = st.none() | st.tuples(st.dates(date(2026, 1, 1), date(2031, 12, 31)), st.integers(-3, 900))
CLOSURE = st.tuples(MONTH_DAYS, MONTH_DAYS, st.none() | st.just(("heat",)))


def seasons(
    windows: list[tuple[date, date] | None], media: list[str | None], policy: Policy, as_of: date = AS_OF
) -> list[dict[str, Any]]:
    first, last = (
        np.array([NO_DAY if window is None else as_day(window[end]) for window in windows], "datetime64[D]")
        for end in (0, 1)
    )
    medium = pd.Series(media, index=[f"pair {number}" for number in range(len(media))], dtype="str")
    found = shared_seasons(first, last, medium, policy, as_of)
    assert list(found.index) == list(medium.index)
    assert list(found) == list(SEASON_COLUMNS)
    rows: list[dict[Any, Any]] = found.to_dict("records")
    return [
        {
            "open_days": None if pd.isna(row["open_days"]) else int(row["open_days"]),
            "season": None if pd.isna(row["season"]) else row["season"],
            "closures": None if pd.isna(row["closures"]) else row["closures"],
            "file_by": None if pd.isna(row["file_by"]) else row["file_by"].date(),
        }
        for row in rows
    ]


def season(first: date, last: date, medium: str = "gas", policy: Policy = NATIONAL, as_of: date = AS_OF) -> Any:
    return seasons([(first, last)], [medium], policy, as_of)[0]


def day_by_day(window: tuple[date, date] | None, medium: str | None, policy: Policy, as_of: date) -> dict[str, Any]:
    """The season of a window, told from its days one after another."""
    none: dict[str, Any] = dict.fromkeys(map(str, SEASON_COLUMNS))
    if window is None:
        return none
    days = [window[0] + timedelta(days=step) for step in range((window[1] - window[0]).days + 1)]
    if not days:
        return none | {"open_days": 0}
    known = [closure for closure in policy.bans.closures if closure.media is None or medium in closure.media]
    closing = {day: [one.code for one in known if is_closed(day, one.first_day, one.last_day)] for day in days}
    is_open = [day for day in days if not closing[day]]
    filing = policy.bans.filing
    files_by = {day: None if filing is None else in_year(filing.last_day, day.year - 1) for day in is_open}
    fileable = [day for day in is_open if (files_by[day] or as_of) >= as_of]
    closes = {code for codes in closing.values() for code in codes}
    return {
        "open_days": len(is_open),
        "season": "closed" if not is_open else "unfiled" if not fileable else "open",
        "closures": "|".join(closure.code for closure in policy.bans.closures if closure.code in closes),
        "file_by": files_by[fileable[-1]] if fileable else None,
    }


def in_year(month_day: str, year: int) -> date:
    day = date.fromisoformat(f"2000-{month_day}") - date(2000, month := int(month_day[:2]), 1)
    return min(date(year, month, 1) + day, date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1))


@given(
    windows=st.lists(st.tuples(SPAN, st.sampled_from(["gas", "heat", None])), max_size=4),
    closures=st.lists(CLOSURE, max_size=3),
    filed=st.none() | MONTH_DAYS,
    as_of=st.dates(date(2026, 1, 1), date(2029, 12, 31)),
)
def test_seasons_are_what_a_walk_over_all_days_finds(
    windows: list[tuple[tuple[date, int] | None, str | None]],
    closures: list[tuple[str, str, tuple[str, ...] | None]],
    filed: str | None,
    as_of: date,
) -> None:
    policy = with_closures(*((f"c{number}", *closure) for number, closure in enumerate(closures)))
    filing = (
        None if filed is None else Filing(last_day=filed, label_en="x", label_zh="x", source="x", confidence="memory")
    )
    bans = policy.bans.model_copy(update={"filing": filing})
    policy = policy.model_copy(update={"bans": bans})
    spans = [None if span is None else (span[0], span[0] + timedelta(days=span[1])) for span, _ in windows]
    media = [medium for _, medium in windows]
    expected = [day_by_day(span, medium, policy, as_of) for span, medium in zip(spans, media, strict=True)]
    assert seasons(spans, media, policy, as_of) == expected


@pytest.mark.parametrize(
    ("first", "last", "open_days", "name"),
    [
        # the exams are on the 7th, 8th and 9th of June, both ends closed
        (date(2027, 6, 7), date(2027, 6, 9), 0, "closed"),
        (date(2027, 6, 6), date(2027, 6, 9), 1, "open"),
        (date(2027, 6, 7), date(2027, 6, 10), 1, "open"),
        (date(2027, 6, 7), date(2027, 6, 7), 0, "closed"),
        (date(2027, 6, 9), date(2027, 6, 9), 0, "closed"),
        (date(2027, 6, 6), date(2027, 6, 7), 1, "open"),
        (date(2027, 6, 9), date(2027, 6, 10), 1, "open"),
        # the rain season runs from the first of July to the last of August
        (date(2027, 7, 1), date(2027, 8, 31), 0, "closed"),
        (date(2027, 6, 30), date(2027, 8, 31), 1, "open"),
        (date(2027, 7, 1), date(2027, 9, 1), 1, "open"),
    ],
)
def test_both_ends_of_closures_and_windows_are_counted(first: date, last: date, open_days: int, name: str) -> None:
    told = season(first, last)
    assert (told["open_days"], told["season"]) == (open_days, name)
    assert told["file_by"] == (date(2026, 12, 31) if open_days else None)
    assert told["closures"] in {"exam_days", "rain_season"}


def test_the_heating_season_closes_the_winter_for_heat_alone() -> None:
    winter = (date(2026, 11, 15), date(2027, 3, 15))
    assert season(*winter, "heat") == {
        "open_days": 0,
        "season": "closed",
        "closures": "heating_season",
        "file_by": None,
    }
    assert season(*winter, "gas")["season"] == "open"
    assert season(winter[0], date(2027, 3, 16), "heat")["open_days"] == 1


@pytest.mark.parametrize(
    ("as_of", "name", "file_by"),
    [
        (date(2026, 12, 31), "open", date(2026, 12, 31)),
        (date(2027, 1, 1), "unfiled", None),
    ],
)
def test_a_year_can_be_filed_until_the_end_of_its_filing_day(as_of: date, name: str, file_by: date | None) -> None:
    told = season(date(2027, 3, 1), date(2027, 3, 31), as_of=as_of)
    assert told == {"open_days": 31, "season": name, "closures": "", "file_by": file_by}


def test_pairs_of_a_meeting_are_told_that_their_days_are_closed() -> None:
    """Mandatory, so due within a year from 2026-11-01; one project of the exam days, one a day longer, one of 2026."""
    ground = line((0, 0), (100, 0))
    dates = [("2027-06-07", "2027-06-09"), ("2027-06-07", "2027-06-10"), ("2026-10-01", "2026-11-30"), (None, None)]
    projects = projects_of(*({"starts_on": start, "ends_on": end, "geometry": ground} for start, end in dates))
    times = related(segments_of({"medium": "gas", "geometry": ground}), projects, ["mandatory"], policy=read_policy())
    assert times["relation"].tolist() == ["together"] * 3 + ["undated"]
    assert times["open_days"].fillna(-1).tolist() == [0, 1, 30, -1]
    assert times["season"].fillna("-").tolist() == ["closed", "open", "unfiled", "-"]
    assert set(times["season"].dropna()) == set(value_list("season"))


@pytest.mark.parametrize(
    ("language", "said"), [("zh", "高考期间；主汛期"), ("en", "College entrance examination; Rain season")]
)
def test_codes_of_the_ban_set_are_told_in_words(language: str, said: str) -> None:
    table = pd.DataFrame(
        {"closures": ["exam_days|rain_season", "", None], "rule_code": ["published", "cn_overhaul", "strange"]}
    )
    words = in_ban_words(table, NATIONAL, language)
    assert words["closures"].fillna("-").tolist() == [said, "", "-"]
    assert words["rule_code"].iloc[2] == "strange"
    assert not words["rule_code"].iloc[:2].isin(["published", "cn_overhaul"]).any()
    assert table["closures"].iloc[0] == "exam_days|rain_season"


def test_parties_are_told_in_words() -> None:
    parties = pd.Series(["gas", "project", "市公路事业发展中心"])
    assert party_words(parties, "zh").tolist() == ["燃气", "相关工程", "市公路事业发展中心"]
