"""Where a joint dig saves most: the workbook has every pair, the page the dearest, and both say the same money."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from maps.inputs import Inputs
from maps.report import write_report
from maps.report_pairs import advice_sentences, closed_rows, pair_rows, place_rows, stake_of
from planner.advice import pair_advice
from registry.catalogue import catalogue
from registry.fields import check_frame
from tests.maps.conftest import Tab
from tests.maps.test_report import columns_of

SHOWN = 20


def many(inputs: Inputs, count: int) -> pd.DataFrame:
    """The pairs of the town several times over, the dearest first, as a meeting of a larger one has them."""
    assert inputs.meeting is not None
    copies = [
        inputs.meeting.assign(
            segment_id=inputs.meeting["segment_id"] + f"-{number}",
            at_stake_cny=inputs.meeting["at_stake_cny"] / (1 + number),
        )
        for number in range(count)
    ]
    table = pd.concat(copies).assign(pair_id=lambda made: made["segment_id"] + "@" + made["project_id"])
    return table.sort_values("at_stake_cny", ascending=False, na_position="last").reset_index(drop=True)


@pytest.fixture(scope="module")
def written(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> tuple[Inputs, Any, str]:
    larger = dataclasses.replace(inputs, meeting=many(inputs, 3))
    book, page = write_report(larger, tmp_path_factory.mktemp("pairs"))
    return larger, openpyxl.load_workbook(book, data_only=True), page.read_text(encoding="utf-8")


def test_workbook_has_every_pair_and_the_page_the_dearest(written: tuple[Inputs, Any, str]) -> None:
    inputs, book, page = written
    assert inputs.meeting is not None
    sheet = columns_of(book["同步实施效益排序"])
    assert sheet["配对编号"][:-1] == list(inputs.meeting["pair_id"])
    assert sheet["序号"][-1] == "合计"
    money = sheet["利害金额（万元）"]
    assert money[-1] == pytest.approx(inputs.meeting["at_stake_cny"].sum() / 1e4)
    dear = [value for value in money[:-1] if value is not None]
    assert dear == sorted(dear, reverse=True)
    shown = re.findall(r'data-pair="([^"]+)"', page)
    assert shown == list(inputs.meeting["pair_id"].head(SHOWN))
    amounts = re.findall(r'<td class="money" data-label="利害金额（万元）"><b>([\d.]+)</b>', page)
    assert [float(text) for text in amounts] == pytest.approx(dear[:SHOWN], abs=0.005)


def test_page_tells_both_sums_and_how_many_pairs(written: tuple[Inputs, Any, str]) -> None:
    inputs, _, page = written
    assert inputs.meeting is not None
    table = inputs.meeting
    dearest: dict[str, float] = {}
    for row in table[table["at_stake_cny"] > 0].to_dict("records"):
        dearest[row["segment_id"]] = max(dearest.get(row["segment_id"], 0.0), row["at_stake_cny"])
    stake = stake_of(table)
    assert stake.once_cny == pytest.approx(sum(dearest.values()))
    assert stake.at_stake_cny == pytest.approx(table["at_stake_cny"].sum())
    assert f"利害金额合计 {stake.at_stake_cny / 1e4:,.2f} 万元，共 {stake.pair_count} 对" in page
    assert f"最大的 20 对，合计 {table['at_stake_cny'].head(SHOWN).sum() / 1e4:,.2f} 万元；全部 {len(table)} 对" in page


def test_segment_in_two_projects_joins_only_the_dearer(inputs: Inputs) -> None:
    assert inputs.meeting is not None
    twice = inputs.meeting.copy()
    twice["segment_id"] = "one and the same"
    assert stake_of(twice).once_cny == pytest.approx(twice["at_stake_cny"].max())


def test_places_add_up_to_the_pairs_and_name_the_compound_where_no_street_is_known(inputs: Inputs) -> None:
    assert inputs.meeting is not None
    table = inputs.meeting.copy()
    table.loc[:1, "street_name"] = None
    table.loc[0, "compound_name"] = "龙馨佳苑"
    table.loc[1, "compound_name"] = None
    places = place_rows(table, "en")
    check_frame(places, "report_places")
    assert places["at_stake_cny"].sum() == pytest.approx(table["at_stake_cny"].sum())
    assert places["pair_count"].sum() == len(table)
    by_name = places.set_index("place")["at_stake_cny"]
    assert by_name["龙馨佳苑"] == pytest.approx(table.loc[0, "at_stake_cny"])
    assert by_name[catalogue()["maps_place_neither"]["en"]] == pytest.approx(table.loc[1, "at_stake_cny"])


def test_every_advice_has_its_sentence_in_both_languages() -> None:
    relations = ("together", "near_miss", "race", "conflict", "too_late", "undated", "not_due", "apart", "early")
    sides = ("ours_earlier", "ours_later", "theirs_earlier", "theirs_later", "either_earlier", "either_later", "none")
    assert [code for code in relations if f"maps_advice_{code}" not in catalogue()] == []
    assert [code for code in sides if f"maps_move_{code}" not in catalogue()] == []


def test_sentences_name_days_owner_and_what_the_plan_does(inputs: Inputs) -> None:
    assert inputs.meeting is not None
    told = dict(zip(inputs.meeting["pair_id"], advice_sentences(inputs.meeting, "en", has_plan=True), strict=True))
    assert told["GAS-0002@P-1"] == "Dig together in 2027."
    assert told["GAS-0019@P-2"] == "Dig together in 2028. The plan does not renew it."
    race = told["GAS-0017@P-2"]
    assert "2028-11-01 until 2031-10-31" in race
    assert "Bring the renewal forward by 62 days." in race
    assert "(市政处)" in told["GAS-0016@P-2"]
    later = inputs.meeting.assign(plan_year=pd.array([2031] * len(inputs.meeting), dtype="Int64"))
    moved = advice_sentences(later, "zh", has_plan=True)
    assert moved[0] == "2027 年同步实施。计划安排在 2031 年：请调整到工程施工年度。"
    assert next(iter(advice_sentences(later, "zh", has_plan=False))) == "2027 年同步实施。"
    assert pair_advice(later).index.equals(later.index)


def test_pairs_have_rule_exceptions_and_decision_in_words(inputs: Inputs, tmp_path: Path) -> None:
    rows = pair_rows(inputs, "zh")
    assert rows is not None
    check_frame(rows, "report_pairs")
    by_pair = rows.set_index("pair_id")
    assert by_pair.loc["GAS-0017@P-2", "rule"] == "大修道路竣工后3年内"
    assert by_pair.loc["GAS-0017@P-2", "exceptions"] == "特殊情况经政府批准"
    assert by_pair.loc["GAS-0001@P-1", "verdict"] == "together"
    page = write_report(inputs, tmp_path / "report.html", "en")[0].read_text(encoding="utf-8")
    assert "Decided 2026-10-20: " in page
    assert page.count("Decided 2026-10-20: ") == 1


def test_closed_streets_stand_with_their_last_day_and_their_quotes(written: tuple[Inputs, Any, str]) -> None:
    inputs, book, page = written
    sheet = columns_of(book["禁掘道路"])
    ends = [None if day is None else day.date().isoformat() for day in sheet["禁掘截止日期"]]
    assert ends == ["2026-11-01", "2029-02-28", None, "2027-01-03", "2031-10-31"]
    assert sheet["状态"] == ["禁掘中", "禁掘中", "禁掘中", "将来禁掘", "将来禁掘"]
    assert "因特殊情况需要挖掘的" in sheet["例外情形"][0]
    named = closed_rows(inputs, "zh", is_quoted=False)
    assert named is not None
    check_frame(named, "report_closed")
    assert set(named["exceptions"]) == {"特殊情况经政府批准; 管线故障紧急抢修"}
    assert "2026-11-01 禁掘中 3 处，将来禁掘 2 处。" in page
    assert page.count("因特殊情况需要挖掘的") == 1


def test_run_of_an_earlier_version_says_what_it_does_not_hold(inputs: Inputs, tmp_path: Path) -> None:
    old = dataclasses.replace(inputs, meeting=None, closed=None)
    book, page = write_report(old, tmp_path)
    text = page.read_text(encoding="utf-8")
    sheets = openpyxl.load_workbook(book)
    for code, sheet in (("maps_pairs_none", "同步实施效益排序"), ("maps_bans_unknown", "禁掘道路")):
        sentence = catalogue()[code]["zh"]
        assert sentence in text
        assert sheets[sheet].cell(4, 1).value == sentence


def test_report_with_nothing_at_stake_and_nothing_closed_says_so(inputs: Inputs, tmp_path: Path) -> None:
    assert inputs.meeting is not None
    assert inputs.closed is not None
    nothing = dataclasses.replace(
        inputs.closed,
        streets={language: table.iloc[:0] for language, table in inputs.closed.streets.items()},
        states=inputs.closed.states.iloc[:0],
        codes=inputs.closed.codes.iloc[:0],
    )
    for meeting in (inputs.meeting.assign(at_stake_cny=0.0), inputs.meeting.iloc[:0]):
        book, page = write_report(dataclasses.replace(inputs, meeting=meeting, closed=nothing), tmp_path, "en")
        text = page.read_text(encoding="utf-8")
        assert catalogue()["maps_pairs_no_stake"]["en"] in text
        assert "No street is closed to digging on 2026-11-01" in text
        assert openpyxl.load_workbook(book)["Where a joint dig saves most"].cell(4, 1).value == "No."


@pytest.mark.browser
def test_pairs_on_a_phone_are_cards_that_need_no_sideways_scroll(phone: Tab, inputs: Inputs, tmp_path: Path) -> None:
    phone.open(write_report(inputs, tmp_path / "report.html", "en")[0])
    table = phone.page.locator("table.pairs")
    assert table.locator("tbody tr").count() == stake_of(inputs.meeting).pair_count  # type: ignore[arg-type]
    assert phone.evaluate("document.querySelector('table.pairs').scrollWidth") <= 400
    card = table.locator("tbody tr").first
    edges = card.evaluate("(one) => [...one.cells].map((cell) => cell.getBoundingClientRect().left)")
    assert len(set(edges)) == 1
