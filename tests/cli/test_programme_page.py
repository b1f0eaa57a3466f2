"""`docs/plans-and-progress.md`: its commands are run on the files that it shows, and do what it says of them."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from tests.cli.pages import blocks, run_page

PAGE = "plans-and-progress.md"


@pytest.mark.slow
def test_the_commands_run_and_tell_what_the_page_says(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = ("tasks.csv", "progress.csv")
    for name, content in zip(names, blocks(PAGE, "csv"), strict=True):
        (tmp_path / name).write_text(content, encoding="utf-8")
    assert run_page(PAGE, home, "programme") > 20
    pages = {page.title: list(page.iter_rows(values_only=True)) for page in openpyxl.load_workbook("progress.xlsx")}
    assert list(pages) == ["by tier and month", "by district", "promises", "tasks"]
    headings, *rows = pages["promises"]
    verdict = {row[headings.index("Batch")]: row[headings.index("Promise")] for row in rows}
    assert verdict.pop("B-4ef3432f13") == "kept"
    assert set(verdict.values()) == {"in its term"}
    headings, *rows = pages["by tier and month"]
    june = {row[headings.index("Tier")]: row for row in rows if row[headings.index("Month")] == "2027-06-01"}
    done = june["municipal main"][headings.index("Done so far (km)")]
    # 181.2 m of the batch, and 200 m in a street that no plan has
    assert done == pytest.approx(0.3812, abs=1e-3)
    assert june["riser"][headings.index("Task by bureau (km)")] == 2.0
