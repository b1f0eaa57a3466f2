"""What the terminal shows of pairs."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.cli_tables import show_dearest, warn_of_seasons
from planner.overlap_table import overlap_table
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
