"""What the terminal shows of pairs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from planner.cli_said import show_frame
from planner.cli_tables import show_dearest, warn_of_seasons
from planner.overlap_table import overlap_table
from registry.catalogue import money
from registry.console import Session
from registry.fields import columns_of, fields
from registry.settings import Settings
from tests.planner.test_overlap_table import meeting_of, pair


@pytest.mark.parametrize(
    ("season", "said"), [("closed", "closed by the calendar"), ("unfiled", "filing day has passed"), ("open", None)]
)
def test_pairs_on_closed_days_are_told_so(
    season: str,
    said: str | None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [
        pair(0, 0, relation="together", season=season, at_stake_cny=5.0),
        pair(1, 0, relation="together", season="open", at_stake_cny=4.0),
        pair(2, 0, relation="race", season=season, at_stake_cny=3.0),
    ]
    table = overlap_table(meeting_of(rows))
    monkeypatch.setenv("COLUMNS", "250")
    session = Session(Settings(tmp_path, "r", None, "li", "en"), is_json=False)
    show_dearest(session, table)
    counts = warn_of_seasons(session, table)
    shown = " ".join(capsys.readouterr().out.split())
    assert counts == {name: int(name == season) for name in ("closed", "unfiled")}
    assert (said is not None) == ("together (" in shown)
    if said is not None:
        assert shown.count(said) == 1


@pytest.mark.parametrize(
    ("cny", "en", "zh"),
    [
        (9_639.0, "CNY 9,639", "9,639 元"),
        (99_999.9, "CNY 100,000", "100,000 元"),
        (100_000.0, "CNY 0.1 million", "10 万元"),
        (1_234_567.0, "CNY 1.2 million", "123 万元"),
        (-0.2, "CNY 0", "0 元"),
        (float("nan"), "—", "—"),
    ],
)
def test_small_amounts_are_said_in_yuan(cny: float, en: str, zh: str) -> None:
    assert (money(cny, "en"), money(cny, "zh")) == (en, zh)


def test_differences_keep_their_sign() -> None:
    told = [money(cny, "en", 3, is_signed=True) for cny in (-9_639.0, 2.27e-13, 1_234_567.0)]
    assert told == ["CNY -9,639", "CNY +0", "CNY +1.235 million"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_wide_tables_are_turned_on_a_narrow_terminal(
    language: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(Settings(tmp_path, "r", None, "li", language), is_json=False)
    years = pd.DataFrame({name: [1_234.5] * 7 for name in columns_of("plan_edit_years")})
    years["year"] = pd.array(range(2027, 2034), dtype="Int64")
    shown = {}
    for columns in (80, 250):
        monkeypatch.setenv("COLUMNS", str(columns))
        show_frame(session, years, "plan_edit_years", "t", "year")
        shown[columns] = capsys.readouterr().out
        assert max(len(line) for line in shown[columns].splitlines()) <= columns
    # narrow: years side by side, no number cut; wide: a row for each year
    heads = [line.split() for line in shown[80].splitlines() if line.startswith("┃")]
    told = [[word for word in head if word.isdigit()] for head in heads]
    assert told == [["2027", "2028", "2029", "2030", "2031"], ["2032", "2033"]]
    assert shown[80].count("1,234.500") == shown[250].count("1,234.500") == 2 * len(years)
    assert sum(line.startswith("│") for line in shown[250].splitlines()) == len(years)
    label = fields()["plan_edit_years"]["saving_before_cny"].label(language)
    assert label.split()[0] in shown[80]


def test_ids_are_never_cut_on_a_narrow_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    session = Session(Settings(tmp_path, "r", None, "li", "en"), is_json=False)
    row = dict.fromkeys(columns_of("plan_edits"), "a long word or two") | {"batch_id": "B-0a1b2c3d4e"}
    show_frame(session, pd.DataFrame([row]), "plan_edits", "t")
    assert "B-0a1b2c3d4e" in capsys.readouterr().out
