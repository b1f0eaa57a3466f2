from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
from openpyxl import load_workbook

from registry.city import City, write_city

NAMES = {
    "segments.gpkg", "leaks.csv", "events.csv", "roads.gpkg", "buildings.gpkg", "compounds.gpkg", "compounds.xlsx",
    "road_programme.xlsx", "customers.csv", "valves.gpkg", "districts.gpkg", "risers.csv", "context.gpkg",
    "pavements.gpkg", "moratoria.csv", "digs.csv", "utility_programme.xlsx", "surveys.csv",
}  # fmt: skip


def test_the_files_are_those_of_a_delivery(folder: Path) -> None:
    assert {path.name for path in folder.iterdir() if path.is_file()} == NAMES
    assert {path.name for path in (folder / "truth").iterdir()} == {
        "segments.parquet", "leaks.parquet", "events.parquet", "digs.parquet", "faults.parquet", "parameters.json",
    }  # fmt: skip


@pytest.mark.parametrize(
    "layer", ["segments", "roads", "buildings", "compounds", "valves", "districts", "context", "pavements"]
)
def test_layers_come_back_whole(town: City, folder: Path, layer: str) -> None:
    given: gpd.GeoDataFrame = getattr(town, layer)
    read = pyogrio.read_dataframe(folder / f"{layer}.gpkg")
    assert read.crs.to_epsg() == 4549
    assert len(read) == len(given)
    assert list(read.columns) == list(given.columns)
    names = [column for column in given.columns if column != "geometry" and given[column].dtype == "str"]
    for name in names:
        assert read[name].fillna("").tolist() == given[name].fillna("").tolist()


@pytest.mark.parametrize(
    ("table", "encoding"),
    [
        ("leaks", "gb18030"),
        ("events", "gb18030"),
        ("digs", "gb18030"),
        ("customers", "gb18030"),
        ("risers", "utf-8-sig"),
        ("moratoria", "gb18030"),
        ("surveys", "gb18030"),
    ],
)
def test_chinese_text_survives_its_encoding(town: City, folder: Path, table: str, encoding: str) -> None:
    given: pd.DataFrame = getattr(town, table)
    read = pd.read_csv(folder / f"{table}.csv", encoding=encoding, dtype="str")
    assert list(read.columns) == list(given.columns)
    for name in (column for column in given.columns if given[column].dtype == "str"):
        assert read[name].fillna("").tolist() == given[name].fillna("").tolist()
    raw = (folder / f"{table}.csv").read_bytes()
    if encoding == "gb18030":
        with pytest.raises(UnicodeDecodeError):
            raw.decode("utf-8")
    else:
        assert raw.startswith(b"\xef\xbb\xbf")


def test_survey_tables_have_the_northing_as_x(folder: Path) -> None:
    for name in ("leaks", "events", "customers"):
        read = pd.read_csv(folder / f"{name}.csv", encoding="gb18030").dropna(subset=["X"])
        assert read["X"].between(4_120_000, 4_160_000).all()
        assert read["Y"].between(520_000, 550_000).all()


@pytest.mark.parametrize(
    ("file", "name", "title"),
    [("road_programme.xlsx", "road_programme", "A1:Q1"), ("compounds.xlsx", "compound_programme", "A1:L1")],
)
def test_programmes_have_a_title_over_one_header(town: City, folder: Path, file: str, name: str, title: str) -> None:
    rows: pd.DataFrame = getattr(town, name)
    book = load_workbook(folder / file)
    sheet = book.active
    assert sheet is not None
    assert [str(area) for area in sheet.merged_cells.ranges] == [title]
    header = [cell.value for cell in sheet[2]]
    assert header == list(rows.columns)
    assert sheet.max_row == len(rows) + 2
    assert "招远市" in str(sheet["A1"].value)


def test_names_of_programmes_resolve_but_for_the_listed(town: City) -> None:
    faults = town.truth["faults"]
    for file, rows, column, known in (
        ("road_programme.xlsx", town.road_programme, "道路名称", town.roads["道路名称"]),
        ("compounds.xlsx", town.compound_programme, "小区名称", town.compounds["小区名称"]),
    ):
        strangers = rows.loc[~rows[column].isin(set(known)), "项目编号"]
        assert len(strangers) > 0
        assert set(strangers) == set(faults.loc[faults["file"] == file, "object_id"])


def test_writing_again_replaces_and_reports_progress(town: City, tmp_path: Path) -> None:
    told: list[str] = []
    paths = write_city(town, tmp_path / "new" / "city", told.append)
    assert [path.name for path in paths] == [name.removeprefix("truth/") for name in told]
    first = (tmp_path / "new" / "city" / "leaks.csv").read_bytes()
    assert all(path.exists() for path in write_city(town, tmp_path / "new" / "city"))
    assert (tmp_path / "new" / "city" / "leaks.csv").read_bytes() == first


def test_parameters_tell_how_it_was_made(folder: Path) -> None:
    told = json.loads((folder / "truth" / "parameters.json").read_text(encoding="utf-8"))
    assert told["segment_count"] == 3000
    assert told["seed"] == 11
    assert told["city"]["as_of"] == "2026-11-01"
