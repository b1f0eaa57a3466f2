"""The table of saved plans on terminals of any width: no word is cut, nothing is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from planner.cli_plans_table import show_plans
from registry.console import Session
from registry.fields import value_list
from registry.settings import Settings

LONG = "五年改造计划（含老旧小区与道路大修同步实施调整方案）第二稿-2027"


def plan(name: str, **changes: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "name": name,
        "state": "draft",
        "first_year": 2027,
        "last_year": 2031,
        "objective": 15_610.3,
        "breach_count": 0,
        "gap_share": 0.0011,
        "cost_cny": 1.234e8,
        "policy": {"id": "default", "version": "2026.11"},
        "as_of": "2026-11-01",
        "is_stale": False,
        "scenario": None,
        "is_edited": False,
        "is_replanned": False,
        "parent": None,
    }
    return usual | changes


PLAIN = [plan("plan-2027"), plan("plan-2027-b", state="adopted")]
NOTED = [
    *PLAIN,
    plan("plan-2027-less-money", scenario="less money", is_stale=True),
    plan("plan-2027-c", is_edited=True, parent="plan-2027", breach_count=3),
    plan("p4", is_replanned=True, parent="plan-2027-b", state="superseded"),
]


def shown(rows: list[dict[str, Any]], language: str, columns: int, folder: Path, capsys: Any) -> str:
    show_plans(Session(Settings(folder, "r", None, "li", language), is_json=False), rows)
    text: str = capsys.readouterr().out
    table = [line for line in text.splitlines() if line.startswith(("┏", "┃", "┡", "│", "└"))]
    assert all(cell_len(line) <= columns for line in table)
    return text


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("columns", [40, 60, 80, 100, 140, 220])
@pytest.mark.parametrize("rows", [PLAIN, NOTED, [*NOTED, plan(LONG)]], ids=["plain", "noted", "long name"])
def test_no_word_of_a_plan_is_cut_or_lost(
    rows: list[dict[str, Any]],
    columns: int,
    language: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    text = shown(rows, language, columns, tmp_path, capsys)
    cost = "12,340.00" if language == "zh" else "123.40"
    words = [row["name"] for row in rows] + ["2027-2031", "15,610.30", cost]
    words += [value_list("plan_state")[row["state"]].label(language) for row in rows]
    if len(rows) > len(PLAIN):
        words += {"en": ["newer data", "LIMITS BROKEN: 3"], "zh": ["已有新数据", "突破限制 3 处"]}[language]
        words += ["less money", *(["made anew from plan-2027-b"] if language == "en" else ["由 plan-2027-b 重新编制"])]
    assert [word for word in words if word not in text] == []
    assert text.count(cost) == text.count("15,610.30") == len(rows)


@pytest.mark.parametrize("columns", [70, 80])
def test_columns_that_say_nothing_are_left_out(
    columns: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    plain, noted = (shown(rows, "en", columns, tmp_path, capsys) for rows in (PLAIN, NOTED))
    assert "By hand" not in plain
    assert "Scenario" not in plain
    below = noted.splitlines()[-3:]
    assert [line.split(":")[0] for line in below] == ["plan-2027-less-money", "plan-2027-c", "p4"]
