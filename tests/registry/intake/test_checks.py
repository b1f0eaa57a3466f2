"""Checks at their boundaries: today and this year are no faults, the day and the year after are."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest

from registry.intake.checks import check_ids, check_rows
from registry.intake.findings import Findings
from registry.kinds import kind_named
from tests.conftest import TODAY

LEAKS, SEGMENTS = kind_named("leaks"), kind_named("segments")


def ids(*names: str | None) -> pd.Series:
    return pd.Series(names, index=range(2, 2 + len(names)), dtype="str")


def codes(findings: Findings) -> dict[int, str]:
    table = findings.table()
    return dict(zip(table["position"], table["code"], strict=True))


@pytest.mark.parametrize("column", ["leaked_on", "repaired_on"])
def test_what_happened_today_is_no_fault(column: str) -> None:
    days = pd.Series([TODAY, TODAY + timedelta(days=1), None], [2, 3, 4], dtype="datetime64[s]")
    rows = pd.DataFrame({"leaked_on": pd.Timestamp("2020-01-01"), column: days})
    rows["leaked_on"] = rows["leaked_on"].fillna(pd.Timestamp("2020-01-01"))
    findings = Findings(3)
    check_rows(rows, LEAKS, TODAY, findings)
    assert codes(findings) == {1: "day_in_future"}


def test_a_pipe_of_this_year_is_no_fault() -> None:
    years = pd.array([TODAY.year, TODAY.year + 1, None], dtype="Int64")
    rows = pd.DataFrame({"medium": ["gas"] * 3, "tier": ["municipal"] * 3, "installed_year_min": years})
    findings = Findings(3)
    check_rows(rows, SEGMENTS, TODAY, findings)
    assert codes(findings) == {1: "year_in_future"}


def test_an_interval_may_be_one_year_and_never_runs_backwards() -> None:
    rows = pd.DataFrame(
        {
            "medium": "gas",
            "tier": "municipal",
            "installed_year_min": pd.array([1990, 1990, 1990, 1991, None], dtype="Int64"),
            "installed_year_max": pd.array([1989, 1990, 1991, None, 1980], dtype="Int64"),
        },
        index=range(5),
    )
    findings = Findings(5)
    check_rows(rows, SEGMENTS, TODAY, findings)
    assert codes(findings) == {0: "interval_backwards"}


def test_the_first_row_of_an_id_stands_and_the_others_name_it() -> None:
    findings = Findings(6)
    check_ids(ids("A", "B", "A", None, "", "A"), SEGMENTS, findings)
    table = findings.table()
    assert codes(findings) == {2: "id_repeated", 3: "id_missing", 4: "id_missing", 5: "id_repeated"}
    assert table.loc[table["code"] == "id_repeated", "offered"].tolist() == [2, 2]
