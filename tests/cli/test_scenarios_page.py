"""`docs/scenarios.md`: its commands are run on the files that it shows, and do what it says of them."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from tests.cli.pages import blocks, run_page

PAGE = "scenarios.md"


@pytest.mark.slow
def test_the_commands_run_and_tell_what_the_page_says(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (scenario,) = blocks(PAGE, "toml")
    (tmp_path / "early.toml").write_text(scenario, encoding="utf-8")
    assert run_page(PAGE, home, "whatif") > 11
    sheets = {page.title: list(page.iter_rows(values_only=True)) for page in openpyxl.load_workbook("changes.xlsx")}
    assert list(sheets) == ["summary", "by tier", "segments", "batches", "settings"]
    settings = {row[0]: row[1:] for row in sheets["settings"][1:]}
    assert settings["budget, yuan, 2027"] == ("1,500,000", "750,000")
    assert settings["scenario"] == ("—", "half the money at first, works earlier")
    assert settings["project DL2030-0004"] == ("—", "2028-03-01 – 2028-10-31")
    headings, *rows = sheets["segments"]
    moves = {row[headings.index("Segment")]: row[headings.index("Change")] for row in rows}
    assert {"dropped", "unchanged"} <= set(moves.values())
    assert all(row[headings.index("Why before")] and row[headings.index("Why after")] for row in rows)
    page = Path("changes.html").read_text(encoding="utf-8")
    assert "plan-2027 and early compared" in page
    assert "What dig bans cost the plan" in Path("frontier.html").read_text(encoding="utf-8")
