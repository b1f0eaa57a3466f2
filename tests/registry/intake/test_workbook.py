"""Sheets as offices write them: formulas that nobody calculated, and rows that add up others."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from registry.errors import FileFaultError
from registry.intake.headings import known_headings
from registry.intake.mapping import Source
from registry.intake.readers import RawTable, read_raw
from registry.intake.workbook import uncalculated_cells
from registry.kinds import kind_named


def sheet(path: Path, rows: list[list[Any]]) -> Path:
    """A workbook by a program that does not calculate."""
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = "漏点 & 爆管"
    for row in rows:
        page.append(row)
    book.save(path)
    return path


def read(path: Path) -> RawTable:
    return read_raw(path, Source(), known_headings(kind_named("leaks")))


def test_formulas_that_were_never_calculated_are_named_by_their_cell(tmp_path: Path) -> None:
    rows = [["漏点编号", "发现日期"], ['="L"&ROW()', "2024-03-05"], ["L2", "=TODAY()"], ["L3", "2024-03-05"]]
    with pytest.raises(FileFaultError) as fault:
        read(sheet(tmp_path / "leaks.xlsx", rows))
    assert fault.value.code == "formulas_not_calculated"
    assert "A2, B3" in fault.value.message("en")


def test_formulas_with_a_stored_value_are_read(tmp_path: Path) -> None:
    path = tmp_path / "leaks.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet("漏点")
        page.write_row(0, 0, ["漏点编号", "发现日期"])
        page.write_formula(1, 0, "=2*21", None, 42)
        page.write_string(1, 1, "2024-03-05")
    assert uncalculated_cells(path, "漏点") == []
    assert read(path).rows["漏点编号"].tolist() == [42]


@pytest.mark.parametrize(
    ("cell", "places"),
    [
        ('<c r="B3" t="str"><f>""</f><v></v></c>', []),
        ('<c r="B3" s="1"><f t="shared" si="0"/></c>', ["B3"]),
        ('<c s="1" r="B3"><f>1+1</f><v/></c>', ["B3"]),
        ('<c r="B3"><f>1+1</f><v>2</v></c>', []),
        ('<c r="B3"/><c r="C3"><f>A1</f></c>', ["C3"]),
        ('<c r="B3" s="1"/>', []),
    ],
)
def test_a_formula_whose_result_is_an_empty_text_has_been_calculated(
    tmp_path: Path, cell: str, places: list[str]
) -> None:
    empty, path = sheet(tmp_path / "empty.xlsx", []), tmp_path / "leaks.xlsx"
    with zipfile.ZipFile(empty) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            text = source.read(name).decode()
            target.writestr(name, text.replace("<sheetData>", f"<sheetData><row>{cell}</row>"))
    assert uncalculated_cells(path, "漏点 & 爆管") == places


def test_what_is_no_workbook_has_no_formulas(tmp_path: Path) -> None:
    path = tmp_path / "leaks.xlsx"
    path.write_bytes(b"nothing")
    assert uncalculated_cells(path, "漏点") == []


def test_rows_that_add_up_others_are_left_out_with_a_note(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["漏点编号", "发现日期", "备注"],
        ["L1", "2024-03-05", "合计"],
        ["小 计", None, 1],
        ["总计开发区", "2024-03-05", ""],
        [None, "合计：", 2],
    ]
    raw = read(sheet(tmp_path / "leaks.xlsx", rows))
    assert raw.rows["漏点编号"].tolist() == ["L1", "总计开发区"]
    assert raw.notes == [{"code": "note_totals_skipped", "rows": "3, 5"}]
