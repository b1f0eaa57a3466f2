"""`docs/meetings.md`: its commands are run, and ten pairs of its workbook are recomputed from what it shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from tests.cli.pages import run_page
from tests.conftest import REPOSITORY
from tests.planner.priced import prices_by_id

PAIRS = 10
AS_OF_YEAR = 2026
# sheet of pairs -> figure of the steps whose amounts add up to it
FIGURES = {"Cost alone (CNY)": "Cost alone", "Saving (CNY)": "Saving", "At stake (CNY)": "At stake"}


def sheet(path: Path, title: str) -> pd.DataFrame:
    rows: Any = openpyxl.load_workbook(path)[title].iter_rows(values_only=True)
    headings = next(rows)
    return pd.DataFrame(list(rows), columns=list(headings))


def rate_per_year(known: dict[str, list[float]]) -> float:
    (discount,), (rise,) = known["planning.discount_share_per_year"], known["prices.value.price_rise_share_per_year"]
    return float((1 + discount) / (1 + rise) - 1)


def expected_prices(term: dict[Any, Any], best_year: int, known: dict[str, list[float]]) -> list[float]:
    """The prices that docs/windows.md allows for a term; those of several years are left to its worked example."""
    rate = rate_per_year(known)
    if term["Figure"] == "Life lost per year":
        (years,) = known["prices.value.design_life_years"]
        return [rate / (1 - (1 + rate) ** -years)]
    if term["Figure"] == "At stake":
        is_saving = term["Step"] == "saving in the best year"
        return [(1 + rate) ** (AS_OF_YEAR - best_year)] if is_saving else [term["Price"]]
    return known[term["Price id"]]


def check_audit(folder: Path) -> None:
    """The findings of the page are those of the command, and hold what the city knows of its digs and programme."""
    found = sheet(folder / "audit.xlsx", "audit_findings")
    number = found["Event or decision"].fillna(found["Project"])
    columns = [found["Finding"], number, found["Segment"], found["Party"], found["Street"], found["Day"]]
    rows = [tuple("" if pd.isna(cell) else cell for cell in row) for row in zip(*columns, strict=True)]
    assert rows == table_of_findings()
    truth = pd.read_parquet(folder / "city" / "truth" / "digs.parquet")
    faults = pd.read_parquet(folder / "city" / "truth" / "faults.parquet")
    by_finding = pd.Series(number.array, found["Finding"])
    assert set(truth.loc[truth["is_in_ban"], "dig_id"]) <= set(by_finding["dig under a dig ban"])
    assert set(truth.loc[truth["is_foreseen"], "dig_id"]) == set(by_finding["emergency on a pipe that stood high"])
    held = faults.loc[faults["kind"] == "extent_missing", "object_id"]
    assert set(held) == {by_finding["project without extent"]}


def table_of_findings() -> list[tuple[str, ...]]:
    text = (REPOSITORY / "docs" / "meetings.md").read_text(encoding="utf-8")
    lines = re.search(r"<!-- findings -->\n\n?(.*?)<!-- end", text, re.S)
    assert lines is not None
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines[1].strip().splitlines()[2:]]


@pytest.mark.slow
def test_the_commands_run_and_ten_pairs_can_be_followed_by_hand(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_page("meetings.md", home, "meeting") > 12
    check_audit(tmp_path)
    dearest = sheet(tmp_path / "overlaps.xlsx", "pairs").head(PAIRS)
    steps = sheet(tmp_path / "overlaps.xlsx", "steps")
    known = prices_by_id()
    assert len(dearest) == PAIRS
    assert (dearest["At stake (CNY)"] > 0).all()
    for pair in dearest.to_dict("records"):
        own = steps[(steps["Segment"] == pair["Segment"]) & (steps["Project"] == pair["Project"])]
        for heading, figure in FIGURES.items():
            terms = own[own["Figure"] == figure]
            assert len(terms), (pair["Pair number"], figure)
            by_hand = (terms["Quantity"] * terms["Price"]).sum()
            assert by_hand == pytest.approx(pair[heading], abs=0.01), (pair["Pair number"], figure)
        assert pair["Cost together (CNY)"] == pytest.approx(pair["Cost alone (CNY)"] - pair["Saving (CNY)"])
        bought = own[own["Price id"].notna() & own["Price"].notna() & own["Price id"].isin(list(known))]
        assert len(bought) > 3
        for term in bought.to_dict("records"):
            allowed = expected_prices(term, int(pair["Best year"]), known)
            assert any(term["Price"] == pytest.approx(price) for price in allowed), term
