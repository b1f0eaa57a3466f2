"""Reasons in the words of the file: its headings, whole row numbers, and an offer only where there is one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from registry.intake.reasons import offer, reason
from registry.store import Registry
from tests.conftest import TODAY
from tests.registry.deliveries import leaks_csv, segments, write


def fault(code: str, column: str, value: Any, offered: Any = None, **parameters: Any) -> dict[str, Any]:
    return {"code": code, "column_name": column, "value": value, "offered": offered, "parameters": parameters}


@pytest.mark.parametrize("nothing", [None, float("nan")])
@pytest.mark.parametrize("code", ["value_not_listed", "not_a_whole_number", "project_place_unknown"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_where_nothing_is_like_it_nothing_is_offered(code: str, nothing: object, language: str) -> None:
    told = reason(fault(code, "material", "鉄", nothing), "segments", language)
    empty = ("nan", "None", "—", "did you mean", "是否应为", "nearest", "最接近")
    assert [word for word in empty if word in told] == []
    assert "did you mean 铁" in reason(fault("value_not_listed", "material", "鉄", "铁"), "segments", "en")


def test_a_column_is_called_as_in_the_file_with_our_label_where_it_differs() -> None:
    unlike = fault("value_missing", "medium", None, heading="类")
    assert reason(unlike, "segments", "en").startswith("类 (Medium)")
    assert reason(unlike, "segments", "zh").startswith("类（介质）")
    assert reason(fault("value_missing", "medium", None, heading="介质"), "segments", "zh").startswith("介质 ")
    backwards = fault("interval_backwards", "ends_on", "2025", other="starts_on", other_heading="开工")
    assert "开工 (" in reason(backwards, "projects", "en")


def test_rows_held_back_name_the_headings_of_their_file(registry: Registry, tmp_path: Path) -> None:
    path = write(segments(3, 管段编号=["A", "A", ""], 停用日期=None), tmp_path / "census.gpkg")
    held = registry.held(registry.import_file("segments", path, today=TODAY).delivery_id)
    assert "管段编号 (Segment) = “A” stands in row 1 already" in held["reason_en"].iloc[0]
    assert "no id" in held["reason_en"].iloc[1]
    assert "管段编号 (Segment)" in held["reason_en"].iloc[1]
    assert held["reason_zh"].iloc[1].startswith("该行没有编号：管段编号 为空")
    assert offer(held.iloc[0].to_dict(), "en") == "see row 1"
    assert offer(held.iloc[1].to_dict(), "zh") is None


def test_a_repeat_beside_a_missing_id_has_whole_row_numbers(registry: Registry, tmp_path: Path) -> None:
    rows = [{"漏点编号": name, "发现日期": "2024-03-05"} for name in ("L1", "", "L1")]
    receipt = registry.import_file("leaks", leaks_csv(tmp_path / "leaks.csv", rows), today=TODAY)
    assert receipt.faults.set_index("code")["offered"]["id_repeated"] == 2
    assert "row 2 already" in " ".join(registry.held(receipt.delivery_id)["reason_en"])
