"""Sheets of late work and last chances: what their last row may add up, and what it may not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

from maps.inputs import Inputs
from maps.numbers import alignment_words
from maps.report import write_report
from planner.last_chance import summarise_last_chances
from registry.catalogue import CNY_PER_UNIT, say
from registry.fields import check_frame
from tests.maps.frames import contract_frame


def last_chances() -> pd.DataFrame:
    """Six rows of four pipes, dearest first: two of them lie under two works."""
    leaks, cost, saving = np.array([[0.9, 0.8, 0.7, 0.4, 0.3, 0.1], [90, 80, 70, 40, 30, 10], [9, 7, 5, 4, 2, 0]])
    rows: dict[str, Any] = {
        "rank": pd.array(range(1, 7), dtype="Int64"),
        "segment_id": [f"GAS-{number:04d}" for number in (0, 10, 0, 11, 12, 11)],
        "project_id": ["P-1", "P-2", "P-2", "P-2", "P-2", "P-3"],
        "overlap_m": [50.0] * 6,
        "relation": ["together"] * 6,
        "plan_year": pd.array([None] * 6, dtype="Int64"),
        "banned_from": ["2028-11-01"] * 6,
        "banned_until": ["2033-10-31"] * 6,
        "leaks_in_ban": leaks,
        "leak_probability": leaks / 2,
        "leak_cost_cny": cost * 1e4,
        "lost_saving_cny": saving * 1e4,
        "price_cny": (cost + saving) * 1e4,
    }
    table = contract_frame("last_chances", rows)
    check_frame(table, "last_chances")
    return table


def late_frames() -> tuple[pd.DataFrame, pd.DataFrame]:
    """One case of two segments, which 300,000 yuan would bring in."""
    ids = ["GAS-0030", "GAS-0031"]
    work: dict[str, Any] = {
        "policy_class": ["mandatory"] * 2,
        "length_m": [90.0, 60.0],
        "due_year": pd.array([2028] * 2, dtype="Int64"),
        "year": pd.array([None] * 2, dtype="Int64"),
        "late_years": pd.array([4] * 2, dtype="Int64"),
        "extra_cny": [300_000.0] * 2,
        "extra_year": pd.array([2029] * 2, dtype="Int64"),
        "open_year": pd.array([None] * 2, dtype="Int64"),
        "open_rules": [None] * 2,
        "open_bans": [None] * 2,
    }
    years: dict[str, Any] = {
        "segment_id": ids,
        "year": pd.array([2028] * 2, dtype="Int64"),
        "rules": ["money"] * 2,
        "missing_cny": [300_000.0] * 2,
        "closed_until": [None] * 2,
        "bans": [None] * 2,
    }
    return contract_frame("late_work", work, ids), contract_frame("late_years", years)


@pytest.fixture(scope="module")
def told(inputs: Inputs) -> Inputs:
    work, years = late_frames()
    return replace(inputs, last_chances=last_chances(), late_work=work, late_years=years)


@pytest.fixture(scope="module", params=["en", "zh"])
def book(request: pytest.FixtureRequest, told: Inputs, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, str]:
    path: Path = tmp_path_factory.mktemp("late") / "report.xlsx"
    write_report(told, path, request.param)
    return openpyxl.load_workbook(path, data_only=True), request.param


def last_row(book: tuple[Any, str], sheet: str) -> tuple[dict[str, Any], str]:
    rows = list(book[0][say(sheet, book[1])].iter_rows(min_row=4, values_only=True))
    return dict(zip((str(name).split(" (")[0].split("（")[0] for name in rows[0]), rows[-1], strict=True)), rows[-1][0]


def test_last_row_of_last_chances_says_what_page_and_terminal_say(book: tuple[Any, str], told: Inputs) -> None:
    assert told.segments is not None
    assert told.last_chances is not None
    facts = summarise_last_chances(told.last_chances, told.segments["length_m"])
    total, label = last_row(book, "maps_sheet_last")
    names = {"en": ("Price of missing it", "Leaks in the ban"), "zh": ("错过代价", "禁掘期内预期漏点数")}[book[1]]
    price, leaks = (total[name] for name in names)
    assert price == pytest.approx(facts["price_cny"] / CNY_PER_UNIT[book[1]])
    assert leaks == pytest.approx(facts["leaks_in_ban"])
    assert label == say("maps_total_once", book[1])
    assert any(f"{leaks:.1f}" in sentence[book[1]] for sentence in alignment_words(told))


def test_parts_of_the_price_add_up_to_it_in_the_last_row(book: tuple[Any, str]) -> None:
    total, _ = last_row(book, "maps_sheet_last")
    parts = {"en": ("Cost of these leaks", "Saving lost"), "zh": ("禁掘期内漏点费用", "损失的同步节约")}[book[1]]
    whole = {"en": "Price of missing it", "zh": "错过代价"}[book[1]]
    assert sum(total[name] for name in parts) == pytest.approx(total[whole])


def test_money_that_is_said_of_a_case_on_each_of_its_segments_has_no_sum(book: tuple[Any, str]) -> None:
    total, label = last_row(book, "maps_sheet_late")
    extra, length = {"en": ("Extra money", "Length"), "zh": ("需增资金", "长度")}[book[1]]
    assert label == say("maps_total", book[1])
    assert not total[extra]
    assert total[length] == pytest.approx(150.0)
