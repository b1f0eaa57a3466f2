"""Checks at their boundaries: today and this year are no faults, the day and the year after are."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pyarrow as pa
import pytest

from registry.intake.checks import check_ids, check_rows
from registry.intake.findings import Findings
from registry.kinds import kind_named
from tests.conftest import TODAY

LEAKS, SEGMENTS = kind_named("leaks"), kind_named("segments")


def ids(*names: str | None) -> pd.Series:
    return pd.Series(names, index=range(2, 2 + len(names)), dtype="str")


def pipes(**years: list[int | None]) -> dict[str, pa.Array]:
    """Municipal gas pipes of which only the years differ."""
    count = len(next(iter(years.values())))
    same = {"medium": pa.array(["gas"] * count), "tier": pa.array(["municipal"] * count)}
    return same | {name: pa.array(values, pa.int32()) for name, values in years.items()}


def codes(findings: Findings) -> dict[int, str]:
    table = findings.table()
    return dict(zip(table["position"], table["code"], strict=True))


@pytest.mark.parametrize("column", ["leaked_on", "repaired_on"])
def test_what_happened_today_is_no_fault(column: str) -> None:
    long_ago = date(2020, 1, 1)
    rows = {"leaked_on": pa.array([long_ago] * 3), column: pa.array([TODAY, TODAY + timedelta(days=1), long_ago])}
    findings = Findings(3)
    check_rows(rows, LEAKS, TODAY, findings)
    assert codes(findings) == {1: "day_in_future"}


def test_a_pipe_of_this_year_is_no_fault() -> None:
    rows = pipes(installed_year_min=[TODAY.year, TODAY.year + 1, None])
    findings = Findings(3)
    check_rows(rows, SEGMENTS, TODAY, findings)
    assert codes(findings) == {1: "year_in_future"}


def test_an_interval_may_be_one_year_and_never_runs_backwards() -> None:
    rows = pipes(installed_year_min=[1990, 1990, 1990, 1991, None], installed_year_max=[1989, 1990, 1991, None, 1980])
    findings = Findings(5)
    check_rows(rows, SEGMENTS, TODAY, findings)
    assert codes(findings) == {0: "interval_backwards"}


def test_the_first_row_of_an_id_stands_and_the_others_name_it() -> None:
    findings = Findings(6)
    check_ids(ids("A", "B", "A", None, "", "A"), SEGMENTS, findings)
    table = findings.table()
    assert codes(findings) == {2: "id_repeated", 3: "id_missing", 4: "id_missing", 5: "id_repeated"}
    assert table.loc[table["code"] == "id_repeated", "offered"].tolist() == [2, 2]
