"""Tables for people: Chinese that Excel reads, headings with units, and text that stays text."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from registry.console import Session
from registry.errors import FileFaultError
from registry.exports import SHEET_ROWS, in_words, write_table, write_workbook
from registry.settings import Settings

PROJECTS = pd.DataFrame(
    {
        "name": ["=1+1", "罗峰大街大修"],
        "kind": ["road_overhaul", "other"],
        "starts_on": pd.Series(["2027-03-01", None], ["P1", "P2"], dtype="datetime64[s]"),
        "half_width_m": [7.5, None],
    },
    index=pd.Index(["P1", "P2"], name="project_id"),
)


def test_a_csv_opens_in_excel_with_its_chinese(tmp_path: Path) -> None:
    path = tmp_path / "projects.csv"
    write_table(PROJECTS, path, "projects", "zh")
    content = path.read_bytes()
    assert content.startswith("\ufeff工程编号,工程名称,工程类别,开工日期,半宽 (m)\r\n".encode())
    assert "P1,=1+1,道路大修,2027-03-01,7.5\r\n" in content.decode()


def test_no_cell_of_a_workbook_becomes_a_formula(tmp_path: Path) -> None:
    path = tmp_path / "projects.xlsx"
    write_table(PROJECTS, path, "projects", "en")
    page = openpyxl.load_workbook(path)["projects"]
    rows = list(page.iter_rows(values_only=True))
    assert rows[0] == ("Project", "Name", "Kind", "Starts on", "Half width (m)")
    assert rows[1] == ("P1", "=1+1", "road overhaul", "2027-03-01", 7.5)
    assert page.cell(2, 2).data_type == "s"
    assert rows[2][4] is None


def test_a_suffix_or_folder_that_is_none_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    for path in (tmp_path / "projects.docx", tmp_path / "nowhere" / "projects.csv"):
        with pytest.raises(FileFaultError):
            write_table(PROJECTS, path, "projects")
    with pytest.raises(FileFaultError, match=r"\.gpkg"):
        write_table(PROJECTS, tmp_path / "projects.gpkg", "projects")
    assert list(tmp_path.iterdir()) == []


def test_headings_of_contributions_say_that_they_are_logarithms(tmp_path: Path) -> None:
    scores = pd.DataFrame(
        {"grade": ["low"], "ln_likelihood_material": [0.69]}, index=pd.Index(["S"], name="segment_id")
    )
    write_table(scores, tmp_path / "risk.csv", "scores", "en")
    heading = (tmp_path / "risk.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert heading.endswith(",Likelihood: Material (ln)")


def rows_of_sheets(path: Path) -> dict[str, int]:
    """Count the rows of each sheet of a workbook, headings included, without reading their cells."""
    with zipfile.ZipFile(path) as book:
        titles = re.findall(r'<sheet name="([^"]+)"', book.read("xl/workbook.xml").decode())
        pages = [book.read(f"xl/worksheets/sheet{number}.xml") for number in range(1, len(titles) + 1)]
    return {title: page.count(b"<row ") for title, page in zip(titles, pages, strict=True)}


def test_a_table_longer_than_a_sheet_goes_on_to_the_next(tmp_path: Path) -> None:
    """With real rows: the sheet of Excel ends after 1,048,576 of them."""
    many = pd.DataFrame({"project_count": np.arange(SHEET_ROWS + 2)})
    tables = {"按路段": ("overlap_streets", many), "long " * 9: ("overlap_streets", many[:3])}
    write_workbook(tables, tmp_path / "a.xlsx")
    assert rows_of_sheets(tmp_path / "a.xlsx") == {
        "按路段": 1_048_576,
        "按路段 (2)": 3,
        "long long long long long long l": 4,
    }
    last = pd.read_excel(tmp_path / "a.xlsx", sheet_name="按路段 (2)", engine="calamine")
    assert last.to_numpy().tolist() == [[SHEET_ROWS], [SHEET_ROWS + 1]]


def test_the_person_is_told_where_a_table_goes_on(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    session = Session(Settings(tmp_path, "none", None, "tester", "en"), is_json=False)
    session.tell_written(Path("a.xlsx"), SHEET_ROWS)
    session.tell_written(Path("a.csv"), SHEET_ROWS + 1)
    assert "further sheets" not in capsys.readouterr().out
    session.tell_written(Path("a.xlsx"), SHEET_ROWS + 1)
    assert "1,048,576 and goes on to further sheets" in capsys.readouterr().out


def test_cells_keep_their_types_and_what_is_not_known_stays_empty(tmp_path: Path) -> None:
    mixed = pd.DataFrame(
        {
            "street_name": pd.Series(["007", "", None], dtype="str"),
            "pair_count": pd.array([1, None, 3], dtype="Int64"),
            "overlap_m": [1.5, float("nan"), 2.5],
            "odd": pd.Series([True, 2, "x"], dtype="object"),
        }
    )
    write_workbook({"a": ("overlap_streets", mixed)}, tmp_path / "a.xlsx")
    rows = list(openpyxl.load_workbook(tmp_path / "a.xlsx")["a"].iter_rows(min_row=2, values_only=True))
    assert rows == [("007", 1, 1.5, True), (None, None, None, 2), (None, 3, 2.5, "x")]


def test_yes_and_no_are_words_and_what_is_not_known_stays_empty() -> None:
    near = pd.DataFrame(
        {
            "segment_id": ["A", "B", "C"],
            "is_same_street": pd.array([True, False, None], dtype="boolean"),
            "is_same_block": [True, False, True],
        }
    )
    said = in_words(near, "neighbours", "zh")
    assert said["是否同一道路"].fillna("-").tolist() == ["是", "否", "-"]
    assert said["是否同一街坊"].tolist() == ["是", "否", "是"]
    assert in_words(near, "neighbours", "en").iloc[1, 1] == "no"
