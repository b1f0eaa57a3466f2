"""The page that compares two plans and the page of a frontier, as frames give them and as a browser shows them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from maps.changes import Comparison, difference_frame, whole_figures
from maps.changes_map import draw_changes
from maps.frontier_page import FrontierFacts, frontier_page
from maps.inputs import Inputs
from planner.frontier import Frontier
from planner.plan_changes import compare_plans, plan_side
from registry.fields import columns_of
from registry.store import SavedRun
from tests.maps.conftest import Tab
from tests.maps.frames import town

AS_OF = date(2026, 11, 1)
REMOTE = re.compile(r"""(?:src|href)=["']?https?:|url\(["']?https?:|@import""")


def moved(inputs: Inputs) -> pd.DataFrame:
    """The plan with its first placed batch a year later, and the second one left out."""
    assert inputs.batches is not None
    batches = inputs.batches.copy()
    first, second = batches.index[batches["year"].notna()][:2]
    batches.loc[first, "year"] += 1
    batches.loc[second, "year"] = pd.NA
    return batches


@pytest.fixture(scope="module")
def compared() -> tuple[Inputs, Comparison]:
    from planner.policy import read_policy

    inputs = town()
    assert inputs.batches is not None
    assert inputs.batch_segments is not None
    assert inputs.scores is not None
    members = inputs.batch_segments
    reasons = pd.DataFrame(index=members.index, columns=columns_of("plan_reasons"), dtype="float64")
    reasons = reasons.assign(reason="worth", year=members["year"], best_year=members["year"])
    # the deadlines of batches are not in these frames
    first = inputs.batches.assign(due_year=pd.array([pd.NA] * len(inputs.batches), dtype="Int64"))
    after = moved(inputs).assign(due_year=first["due_year"])
    years = members["batch_id"].map(after["year"]).astype("Int64")
    sides = []
    for batches, own, why in (
        (first, members, reasons),
        (after, members.assign(year=years), reasons.assign(year=years).assign(reason="dear")),
    ):
        frames = {"batches": batches, "batch_segments": own, "plan_reasons": why, "scores": inputs.scores}
        summary = {"years": list(range(2027, 2032)), "budget_cny": [1e6] * 5}
        sides.append(plan_side(frames, summary, inputs.segments, read_policy(), AS_OF))
    before, then = sides
    changes = {language: compare_plans(before, then, language) for language in ("zh", "en")}
    differences = [("budget_cny.2027", 1e6, 2e6), ("project.P1", None, "cancelled"), ("policy.x", None, "<script>")]
    return inputs, Comparison(("p1", "p2"), (before, then), changes, inputs.segments, {}, differences)


def test_the_page_holds_what_changed_in_both_languages(compared: tuple[Inputs, Comparison]) -> None:
    inputs, comparison = compared
    drawn = draw_changes(inputs, comparison, language="en")
    assert "<script>" not in re.findall(r'id="settings".*?</table>', drawn.html, re.S)[0]
    assert drawn.counts["segments"] == len(inputs.segments)
    for word in ("p1 and p2 compared", "p1 与 p2 对比", "cancelled", "推后"):
        assert word in drawn.html
    figures = {row["label"]["en"]: (row["before"]["en"], row["after"]["en"]) for row in whole_figures(comparison)}
    assert figures["Budget, CNY million"] == ("5.00", "5.00")
    told = difference_frame(comparison, "zh")
    assert told["after"].tolist() == ["2,000,000", "取消", "<script>"]


def test_the_table_of_kilometres_says_what_the_figures_above_it_say(compared: tuple[Inputs, Comparison]) -> None:
    inputs, comparison = compared
    small = replace(comparison, segments=comparison.segments.assign(length_m=comparison.segments["length_m"] / 20))
    rows = {
        language: replace(changes, segments=changes.segments.assign(length_m=changes.segments["length_m"] / 20))
        for language, changes in comparison.changes.items()
    }
    html = draw_changes(inputs, replace(small, changes=rows)).html
    figures = dict(re.findall(r'data-number="(\w+)_km" data-value="[^"]+"><strong><span data-en="([\d.]+) km', html))
    table = re.findall(r'<table class="legend" data-view="change".*?</table>', html, re.S)[0]
    told = dict(re.findall(r'data-class="(\w+)".*?<td>([\d.]+)</td>\s*</tr>', table, re.S))
    moved_km = {move: km for move, km in figures.items() if float(km) > 0}
    assert moved_km
    assert max(float(km) for km in moved_km.values()) < 0.05
    assert {move: told[move] for move in moved_km} == moved_km


def test_a_plan_without_changes_is_drawn_too(compared: tuple[Inputs, Comparison]) -> None:
    inputs, comparison = compared
    before = comparison.sides[0]
    same = {language: compare_plans(before, before, language) for language in ("zh", "en")}
    still = replace(comparison, sides=(before, before), changes=same, differences=[])
    html = draw_changes(inputs, still).html
    assert "批次无变化" in html
    assert "data-segments=" not in html


@pytest.mark.browser
def test_a_row_of_the_table_leads_to_its_segments(
    tab: Tab, phone: Tab, compared: tuple[Inputs, Comparison], tmp_path: Path
) -> None:
    path = draw_changes(*compared, language="zh").save(tmp_path / "changes.html")
    for browsed in (tab, phone):
        browsed.open_map(path)
        assert browsed.evaluate("document.documentElement.scrollWidth <= innerWidth")
        browsed.evaluate("document.querySelector('[data-segments]').click()")
        browsed.page.wait_for_selector(".leaflet-popup-content h3")
        picked = browsed.evaluate("digonce.selected.length")
        asked = browsed.evaluate("JSON.parse(document.querySelector('[data-segments]').dataset.segments).length")
        assert picked == asked > 0
        name = browsed.evaluate("JSON.parse(document.querySelector('[data-segments]').dataset.segments)[0]")
        browsed.evaluate("(id) => digonce.select(id)", name)
        words = browsed.evaluate("document.querySelector('.leaflet-popup-content').textContent")
        assert "原方案说明" in words
        assert name in words
        assert browsed.requests == []
        assert browsed.complaints == []


def frontier_facts() -> FrontierFacts:
    points = pd.DataFrame(
        {
            "budget_share": [0.5, 1.0],
            "budget_cny": [1e6, 2e6],
            "value": [10.0, np.nan],
            "bound_by_law": [11.0, np.nan],
            "bound": [12.0, 20.0],
            "cost_cny": [9e5, np.nan],
            "km": [1.0, np.nan],
            "mandatory_late_km": [0.0, np.nan],
            "per_million": [8.0, np.nan],
            "status": ["found", "no_plan"],
        }
    )
    index = pd.Index(["road:R1:x"], dtype="str", name="ban_id")
    bans = pd.DataFrame(
        {
            "street_name": pd.Series(["<b>金城路"], index, dtype="str"),
            "starts_on": pd.Series([pd.Timestamp("2027-01-01")], index, dtype="datetime64[s]"),
            "ends_on": pd.Series([pd.NaT], index, dtype="datetime64[s]"),
            "is_planned": pd.Series([False], index, dtype="boolean"),
        }
        | dict.fromkeys(("closed_m", "opened_m", "mandatory_m", "rise", "gain_at_most"), 5.0)
        | {"gain_found": np.nan}
    )
    return FrontierFacts(Frontier(points, np.array([4.0, 20.0]), np.array([8e-6, 0.0])), {"2027": 3.25}, bans)


@pytest.mark.parametrize(("language", "words"), [("en", "no plan keeps all limits"), ("zh", "无满足全部约束的方案")])
def test_a_frontier_is_drawn_as_straight_as_it_is(language: str, words: str) -> None:
    run = SavedRun("r", "plan", "p1", datetime(2026, 11, 1, tzinfo=UTC), "a", AS_OF, None, 1, "1", {}, {}, {})
    page = frontier_page(run, "招远", frontier_facts(), language)
    assert REMOTE.findall(page) == []
    assert words in page
    assert "<b>金" not in page
    pieces = re.findall(r'<polyline points="([^"]+)"', page)
    # one drawing for phones, one for the width of a page
    assert [len(piece.split()) for piece in pieces] == [2, 2]
    assert page.count("<circle") == 6
    assert re.findall(r'viewBox="0 0 (\d{3}) \d{3}"', page) == ["380", "860"]
    ignored = {"en": "A million more, of the bound, deadlines ignored", "zh": "上界每增百万元效益（不计期限）"}
    assert ignored[language] in page
