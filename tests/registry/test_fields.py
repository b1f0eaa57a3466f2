"""The check of a frame against its contract: limits belong to the range, and all faults are named at once."""

from __future__ import annotations

import csv
from importlib.resources import files

import pandas as pd
import pytest

from registry.errors import FrameError
from registry.fields import check_frame, columns_of, fields, value_list, value_list_names


def pairs(**columns: object) -> pd.DataFrame:
    rows: dict[str, object] = {
        "segment_id": ["A", "A"],
        "project_id": ["P", "Q"],
        "project_kind": ["road_overhaul", "other"],
        "overlap_m": [0.0, 12.5],
        "overlap_share": [0.0, 1.0],
        "starts_on": pd.Series([pd.NaT, pd.NaT], dtype="datetime64[s]"),
        "ends_on": pd.Series([pd.NaT, pd.NaT], dtype="datetime64[s]"),
        "meets_years": pd.array([True, False], dtype="boolean"),
        "first_year": pd.array([2027, None], dtype="Int64"),
        "last_year": pd.array([2027, None], dtype="Int64"),
        "distance_m": [0.0, 0.0],
        "project_share": [0.0, 1.0],
        "course": ["crossing", None],
        "side": ["both", None],
    }
    return pd.DataFrame(rows | columns)


def test_a_frame_at_its_limits_keeps_the_contract() -> None:
    share = fields()["pairs"]["overlap_share"]
    assert (share.minimum, share.maximum) == (0.0, 1.0)
    assert set(pairs().columns) == set(columns_of("pairs"))
    check_frame(pairs(), "pairs")


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"overlap_share": [0.5, 1.0001]}, "overlap_share"),
        ({"overlap_m": [-0.001, 1.0]}, "overlap_m"),
        ({"project_kind": ["road_overhaul", "picnic"]}, "picnic"),
        ({"segment_id": ["A", None]}, "segment_id"),
        ({"overlap_m": ["long", "short"]}, "overlap_m"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_column_that_breaks_the_contract_is_named(columns: dict[str, object], said: str) -> None:
    with pytest.raises(FrameError, match=said):
        check_frame(pairs(**columns), "pairs")


def test_all_faults_are_named_at_once() -> None:
    broken = pairs(overlap_share=[2.0, 1.0], project_kind="picnic").drop(columns="project_id")
    with pytest.raises(FrameError) as fault:
        check_frame(broken, "pairs")
    for word in ("overlap_share", "picnic", "project_id"):
        assert word in str(fault.value)


def test_an_id_that_stands_twice_or_under_another_name_is_a_fault() -> None:
    batches = pd.DataFrame({"batch_id": ["B", "B"]}).set_index("batch_id")
    with pytest.raises(FrameError, match="batch_id"):
        check_frame(batches, "batches", [])
    with pytest.raises(FrameError, match="other"):
        check_frame(batches.iloc[:1].rename_axis("other"), "batches", [])
    check_frame(batches.iloc[:1], "batches", [])


def test_every_unit_has_words() -> None:
    units = {field.unit for frame in fields().values() for field in frame.values()} - {""}
    assert units <= set(value_list("unit"))


def test_figures_of_pairs_are_called_as_their_columns() -> None:
    named = value_list("value_figure")
    columns = fields()["pair_values"]
    assert set(named) - set(columns) == {"inputs"}
    for code in set(named) & set(columns):
        assert (named[code].label("en"), named[code].label("zh")) == (
            columns[code].label("en"),
            columns[code].label("zh"),
        )


@pytest.mark.parametrize("name", value_list_names())
def test_every_entry_of_a_value_list_is_whole_and_named_once(name: str) -> None:
    with files("registry").joinpath(f"lists/{name}.csv").open(encoding="utf-8") as file:
        header, *rows = list(csv.reader(file))
    assert [len(row) for row in rows] == [len(header)] * len(rows)
    entries = [dict(zip(header, row, strict=True)) for row in rows]
    assert {entry["is_active"] for entry in entries} <= {"yes", "no"}
    codes = [entry["code"] for entry in entries]
    assert len(set(codes)) == len(codes)
    assert all(entry["label_en"].strip() and entry["label_zh"].strip() for entry in entries)
