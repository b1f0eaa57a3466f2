"""Tables for people: Chinese that Excel reads, headings with units, and text that stays text."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from registry.errors import FileFaultError
from registry.exports import in_words, write_table

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
