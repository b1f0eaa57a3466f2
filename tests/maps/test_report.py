from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from maps.inputs import Inputs
from maps.numbers import headline
from maps.report import write_report
from maps.report_cells import comparison_rows, notes
from maps.report_tables import CLASSES, make_tables
from planner.emissions import find_emissions
from planner.policy import read_policy
from registry.catalogue import say
from registry.errors import DrawingError
from registry.fields import check_frame
from tests.maps.frames import town


@pytest.fixture(scope="module")
def book(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = write_report(inputs, tmp_path_factory.mktemp("book") / "report.xlsx")[0]
    return openpyxl.load_workbook(path, data_only=True)


def columns_of(sheet: Any) -> dict[str, list[Any]]:
    rows = list(sheet.iter_rows(min_row=4, values_only=True))
    return {str(heading): [row[i] for row in rows[1:]] for i, heading in enumerate(rows[0])}


def test_metres_by_project_add_up_to_the_pairs(inputs: Inputs) -> None:
    tables = make_tables(inputs, "zh")
    assert inputs.pairs is not None
    assert tables.projects["overlap_m"].sum() == pytest.approx(inputs.pairs["overlap_m"].sum())
    split = tables.projects[[f"{code}_m" for code in (*CLASSES, "unscored")]].sum(axis=1)
    assert split.to_numpy() == pytest.approx(tables.projects["overlap_m"].to_numpy())
    assert len(tables.segments) == len(inputs.pairs)
    check_frame(tables.projects, "report_projects")
    check_frame(tables.segments, "report_segments")
    check_frame(tables.years, "report_years")
    check_frame(tables.held, "report_held")


def test_savings_by_project_add_up_to_the_batches(inputs: Inputs) -> None:
    tables = make_tables(inputs, "zh")
    assert inputs.batches is not None
    whole = inputs.batches.loc[inputs.batches["year"].notna(), "saving_cny"].sum()
    assert tables.projects["saving_cny"].sum() + tables.unassigned_saving_cny == pytest.approx(whole)
    assert tables.years["saving_cny"].sum() == pytest.approx(whole)
    assert tables.projects.loc["P-2", "saving_cny"] == 310_000.0


def test_saving_that_names_no_project_is_not_lost(inputs: Inputs) -> None:
    assert inputs.batches is not None
    batches = inputs.batches.copy()
    batches.loc["B-1", "project_id"] = None
    tables = make_tables(dataclasses.replace(inputs, batches=batches), "zh")
    assert tables.unassigned_saving_cny == 90_000.0


def test_what_is_to_be_decided_follows_from_dates_and_batches(inputs: Inputs) -> None:
    decide = make_tables(inputs, "en").projects["to_decide"]
    assert decide["P-1"].startswith("Go together: 2027 龙馨佳苑.")
    assert decide["P-2"].startswith("Go together: 2028 罗峰大街.")
    assert "not on site in the planning years" in decide["P-3"]
    assert decide["P-4"].startswith("Nothing to decide")
    alone = dataclasses.replace(inputs, batches=None, batch_segments=None)
    assert "take them into the plan" in str(make_tables(alone, "en").projects["to_decide"]["P-1"])
    assert inputs.batch_segments is not None
    late = inputs.batch_segments.assign(year=2031)
    missed = make_tables(dataclasses.replace(inputs, batch_segments=late), "en").projects
    assert "no batch is planned in the years of the project" in str(missed.loc["P-1", "to_decide"])
    assert missed.loc["P-1", "batch_count"] == 0


def test_open_dates_and_quiet_classes_ask_other_questions(inputs: Inputs) -> None:
    assert inputs.projects is not None
    assert inputs.scores is not None
    alone = dataclasses.replace(inputs, batches=None, batch_segments=None)
    undated = inputs.projects.copy()
    undated["ends_on"] = None
    for change, sentence in (
        ({"projects": undated}, "has no dates"),
        ({"scores": inputs.scores.assign(policy_class="assess")}, "wait for assessment"),
        ({"scores": inputs.scores.assign(policy_class="keep")}, "No renewal is needed"),
    ):
        said = make_tables(dataclasses.replace(alone, **change), "en").projects.loc["P-1", "to_decide"]
        assert sentence in str(said)


def test_workbook_has_its_sheets_frozen_filtered_and_set_up_for_a3(book: Any) -> None:
    pairs = ["同步实施效益排序", "同步实施按道路", "禁掘道路"]
    late = ["法定逾期", "封路前最后机会"]
    assert book.sheetnames == ["汇总", *pairs, "按工程", "明细", "年度批次", *late, "衔接对比", "未入库", "说明"]
    for name in (*pairs, "按工程", "明细", "年度批次", "未入库"):
        sheet = book[name]
        assert sheet.freeze_panes is not None
        assert sheet.auto_filter.ref is not None
        assert sheet.page_setup.orientation == "landscape"
        assert int(sheet.page_setup.paperSize) == 8
    assert book["明细"].column_dimensions["B"].width >= 14


def test_numbers_are_numbers_and_totals_stand_below(book: Any, inputs: Inputs) -> None:
    assert inputs.pairs is not None
    for name in ("按工程", "明细"):
        metres = columns_of(book[name])["重叠长度（米）"]
        assert all(isinstance(value, float | int) for value in metres)
        assert sum(metres[:-1]) == pytest.approx(metres[-1]) == pytest.approx(inputs.pairs["overlap_m"].sum())
    money = columns_of(book["年度批次"])["费用（万元）"]
    assert money[:3] == [51, 109, 30]
    assert money[-1] == 190


def test_values_are_said_in_words_and_days_are_days(book: Any) -> None:
    projects = columns_of(book["按工程"])
    assert projects["工程类别"][0] == "道路大修"
    assert projects["开工日期"][0].date().isoformat() == "2028-04-01"
    assert projects["与计划期相交"][:3] == ["是", "是", "否"]


def test_comparison_shows_both_plans_and_the_difference(book: Any) -> None:
    rows = {row[0]: row[2:5] for row in book["衔接对比"].iter_rows(min_row=5, values_only=True)}
    assert rows["同步实施节约"] == pytest.approx((40.0, 5.0, 35.0))
    assert rows["改造长度"] == pytest.approx((0.815, 0.7, 0.115))


def test_no_text_becomes_a_formula_or_a_link(inputs: Inputs, tmp_path: Path) -> None:
    assert inputs.projects is not None
    names = ["=1+1", "+cmd|' /C calc'!A0", "@SUM(A1)", "https://example.org"]
    evil = inputs.projects.copy()
    evil["name"] = names
    path = write_report(dataclasses.replace(inputs, projects=evil), tmp_path / "evil.xlsx")[0]
    sheet = openpyxl.load_workbook(path)["按工程"]
    cells = [row[1] for row in sheet.iter_rows(min_row=5, max_row=8)]
    assert {str(cell.value) for cell in cells} == set(names)
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(cell.hyperlink is None for cell in cells)


def test_page_and_workbook_say_the_same_metres(inputs: Inputs, book: Any, tmp_path: Path) -> None:
    text = write_report(inputs, tmp_path / "report.html")[0].read_text(encoding="utf-8")
    shown = {key: float(value) for key, value in re.findall(r'data-project="([^"]+)" data-overlap="([^"]+)"', text)}
    projects = columns_of(book["按工程"])
    written = dict(zip(projects["工程编号"], projects["重叠长度（米）"], strict=True))
    assert shown == pytest.approx({key: written[key] for key in shown})
    assert set(shown) == {"P-1", "P-2", "P-3"}
    assert "无范围工程" in text


def test_english_report_has_no_chinese_headings(inputs: Inputs, tmp_path: Path) -> None:
    paths = write_report(inputs, tmp_path, "en")
    assert [path.name for path in paths] == ["overlap-report.xlsx", "overlap-report.html"]
    book = openpyxl.load_workbook(paths[0])
    for sheet in book:
        assert re.search(r"[\u4e00-\u9fff]", sheet.title) is None
        assert all(re.search(r"[\u4e00-\u9fff]", str(cell.value)) is None for cell in sheet[4])


def test_report_without_overlaps_and_with_a_strange_suffix_is_refused(inputs: Inputs, tmp_path: Path) -> None:
    with pytest.raises(DrawingError, match="no overlaps are saved"):
        write_report(town(is_bare=True), tmp_path / "report.html")
    with pytest.raises(DrawingError, match=r"\.xlsx or \.html"):
        write_report(inputs, tmp_path / "report.docx")
    assert list(tmp_path.iterdir()) == []


def test_report_without_a_plan_still_stands(inputs: Inputs, tmp_path: Path) -> None:
    alone = dataclasses.replace(inputs, batches=None, batch_segments=None, plan_name=None, summary={}, held=None)
    paths = write_report(alone, tmp_path)
    assert "尚无改造计划" in paths[1].read_text(encoding="utf-8")
    assert str(openpyxl.load_workbook(paths[0])["衔接对比"].cell(4, 1).value).startswith("没有对比结果")


def test_plan_that_no_project_touches_has_a_report_that_says_so(inputs: Inputs, tmp_path: Path) -> None:
    assert inputs.pairs is not None
    assert inputs.projects is not None
    for projects in (inputs.projects, inputs.projects.iloc[:0]):
        untouched = dataclasses.replace(inputs, pairs=inputs.pairs.iloc[:0], projects=projects)
        book, page = write_report(untouched, tmp_path, "en")
        text = page.read_text(encoding="utf-8")
        assert "no project touches a pipe" in text
        assert "Run digonce overlap" not in text
        assert openpyxl.load_workbook(book)["By project"].cell(4, 1).value == "Project"


def test_english_money_has_one_unit_and_counts_have_no_decimals(inputs: Inputs, tmp_path: Path) -> None:
    page = write_report(inputs, tmp_path / "report.html", "en")[0].read_text(encoding="utf-8")
    assert "10k" not in page
    assert "CNY 1.6 million" in page
    rows = {row.item: row for row in comparison_rows(inputs, "en")}
    assert rows["Cost after savings"].aligned == pytest.approx(1.6)
    assert re.search(r">Batches</th><td[^>]*>2</td><td[^>]*>2</td><td[^>]*>0</td>", page)
    assert re.search(r">Cost after savings \(million CNY\)</th><td[^>]*>1.600</td>", page)
    assert {row.unit for row in comparison_rows(inputs, "zh")} == {"", "公里", "万元"}


def test_kilometres_inside_projects_count_a_segment_once_and_never_beyond_its_length(inputs: Inputs) -> None:
    assert inputs.pairs is not None
    twice = inputs.pairs.copy()
    twice.loc[twice["segment_id"] == "GAS-0025", "segment_id"] = "GAS-0000"
    twice.loc[twice["segment_id"] == "GAS-0000", "overlap_m"] = 60.0
    lengths = inputs.segments["length_m"]
    expected = 0.0
    for segment in set(twice["segment_id"]):
        expected += min(float(twice.loc[twice["segment_id"] == segment, "overlap_m"].sum()), float(lengths[segment]))
    assert expected < twice["overlap_m"].sum() - 20
    numbers = {number.code: number for number in headline(dataclasses.replace(inputs, pairs=twice))}
    assert numbers["overlap_km"].value == pytest.approx(expected / 1000)


def test_years_of_the_plan_are_named_also_where_one_renews_nothing(inputs: Inputs) -> None:
    assert inputs.batches is not None
    early = inputs.batches.assign(year=inputs.batches["year"].where(inputs.batches["year"] == 2027))
    for years, text in (([2027, 2028], "2027–2028"), ([2027], "2027,")):
        summary = {**inputs.summary, "years": years, "budget_cny": [1e6] * len(years)}
        numbers = {n.code: n for n in headline(dataclasses.replace(inputs, batches=early, summary=summary))}
        assert f"renewed {text}" in numbers["planned_km"].label["en"]


def test_each_pair_says_whether_its_class_is_certain(inputs: Inputs) -> None:
    assert inputs.scores is not None
    told = make_tables(inputs, "zh").segments.set_index("segment_id")["policy_is_certain"]
    known = inputs.scores["policy_is_certain"]
    assert set(told) == {True, False}
    assert all(told[name] == known[name] for name in told.index)


@pytest.mark.parametrize(("language", "words"), [("en", "Ranked by the default model"), ("zh", "按默认模型排序")])
def test_the_notes_say_which_model_ranks(inputs: Inputs, language: str, words: str) -> None:
    facts: dict[str, Any] = {
        "asked": "auto",
        "ranks": "default",
        "reason": "no_decision",
        "stale": [],
        "failed": [],
        "decision": None,
    }
    ranked = dataclasses.replace(inputs, summary=dict(inputs.summary) | {"ranking": facts})
    assert [text for text in notes(ranked, language) if words in text]
    # plans of older versions say nothing of it
    assert not [text for text in notes(inputs, language) if words in text]


def test_batches_say_what_methane_they_avoid(inputs: Inputs, tmp_path: Path) -> None:
    factors = read_policy().emissions
    assert factors is not None
    assert inputs.batch_segments is not None
    emissions = find_emissions(inputs.segments, factors)
    told = dataclasses.replace(inputs, emissions=emissions)
    tables = make_tables(told, "en")
    assert tables.batch_methane is not None
    book = openpyxl.load_workbook(write_report(told, tmp_path / "report.xlsx", "en")[0])
    sheet = columns_of(book[say("maps_sheet_batches", "en")])
    column = next(cells for name, cells in sheet.items() if name.startswith("Methane avoided per year"))
    members = emissions["methane_saved_t_per_year"].groupby(inputs.batch_segments["batch_id"]).sum()
    wanted = members.reindex(tables.batches.index).tolist()
    assert column[: len(wanted)] == pytest.approx(wanted)
    pages = {name: write_report(made, tmp_path / f"{name}.html")[0] for name, made in (("with", told), ("no", inputs))}
    has = {name: "年甲烷减排" in page.read_text(encoding="utf-8") for name, page in pages.items()}
    assert has == {"with": True, "no": False}
