"""What the terminal shows of pairs."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.cli_tables import show_dearest, warn_of_seasons
from planner.overlap_table import overlap_table
from registry.catalogue import money
from registry.console import Session
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
