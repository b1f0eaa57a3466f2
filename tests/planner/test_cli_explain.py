"""The verbs `explain` and `compare-scores`, as people use them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import load_workbook
from typer.testing import Result

from tests.planner.test_cli import AS_OF
from tests.planner.test_cli import census as census
from tests.planner.test_cli import deliveries as deliveries


@pytest.fixture
def worst(census: Callable[..., Result], tmp_path: Path) -> str:
    """The segment with the greatest risk per kilometre of a run that is kept as `first`."""
    made = census("score", "--save", "first", "--json", *AS_OF, "-o", tmp_path / "scores.csv")
    assert made.exit_code == 0, made.output
    scores = pd.read_csv(tmp_path / "scores.csv").set_index("Segment")
    (risk,) = (column for column in scores.columns if column.startswith("Risk per km and year"))
    return str(scores[risk].idxmax())


def test_explain_names_causes_in_both_languages_and_files(
    census: Callable[..., Result], worst: str, tmp_path: Path
) -> None:
    english = census("explain", worst, *AS_OF)
    assert english.exit_code == 0, english.output
    assert "What raises it most" in english.stdout
    assert "主要原因" in census("explain", worst, *AS_OF, language="zh").stdout
    told = census("explain", worst, "--json", *AS_OF, "-o", tmp_path / "why.xlsx")
    result = json.loads(told.stdout)
    assert result["texts"][0]["segment_id"] == worst
    assert len(result["explanations"]) > 20
    assert len(load_workbook(tmp_path / "why.xlsx").sheetnames) == 2
    assert census("explain", worst, *AS_OF, "-o", tmp_path / "why.csv").exit_code == 0
    assert len(pd.read_csv(tmp_path / "why.csv")) == len(result["explanations"])


def test_a_saved_run_is_explained_as_it_was(census: Callable[..., Result], worst: str) -> None:
    now = json.loads(census("explain", worst, "--json", *AS_OF).stdout)
    changed = census(
        "correct", worst, "cover_depth_m=0.17", "--source", "photo", "--valid-from", "2020-01-01", "--reason", "seen"
    )
    saved = census("explain", worst, "--run", "first", "--json")
    assert saved.exit_code == 0, saved.output
    assert "run first" not in saved.output
    assert changed.exit_code == 0, changed.output
    assert json.loads(saved.stdout) == now
    assert json.loads(census("explain", worst, "--json", *AS_OF).stdout) != now


def test_faults_of_the_user_are_told(census: Callable[..., Result], worst: str) -> None:
    absent = census("explain", "NO-SUCH", *AS_OF)
    assert absent.exit_code == 1
    assert "NO-SUCH" in absent.output
    twice = census("explain", worst, "--run", "first", *AS_OF)
    assert twice.exit_code == 2
    assert census("explain", worst, "--run", "no-such-run").exit_code == 1
    assert census("compare-scores", "first", "no-such-run").exit_code == 1


def test_an_old_id_is_answered_by_its_successors(census: Callable[..., Result], worst: str) -> None:
    made = census("replace", worst, "material=pe100", "--id", "NEW-1", "--on", "2025-01-01", "--source", "as built")
    assert made.exit_code == 0, made.output
    told = census("explain", worst, *AS_OF)
    assert told.exit_code == 0, told.output
    assert "NEW-1" in told.output


def test_runs_are_compared_and_say_what_they_differ_in(
    census: Callable[..., Result], worst: str, tmp_path: Path
) -> None:
    assert census("score", "--save", "again", "--json", *AS_OF).exit_code == 0
    same = json.loads(census("compare-scores", "first", "again", "--json").stdout)
    assert all(stamp["is_same"] for stamp in same["runs"].values())
    assert {row["move"] for row in same["moves"] if row["segment_count"]} == {"same"}
    assert census("score", "--save", "later", "--json", "--as-of", "2031-11-01").exit_code == 0
    later = census("compare-scores", "first", "later", "-o", tmp_path / "moved.xlsx")
    assert later.exit_code == 0, later.output
    assert "2026-11-01 → 2031-11-01" in later.stdout
    assert "differ in nothing else" in later.stdout
    assert (tmp_path / "moved.xlsx").exists()
    changed = census(
        "correct", worst, "cover_depth_m=0.17", "--source", "photo", "--valid-from", "2020-01-01", "--reason", "seen"
    )
    assert changed.exit_code == 0, changed.output
    assert census("score", "--save", "mended", "--json", *AS_OF).exit_code == 0
    mended = json.loads(census("compare-scores", "first", "mended", "--json").stdout)
    assert [name for name, stamp in mended["runs"].items() if not stamp["is_same"]] == ["data"]
