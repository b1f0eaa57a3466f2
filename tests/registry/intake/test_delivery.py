"""A delivery is understood part by part: what comes out must not depend on where the parts end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely

from registry import frames
from registry.intake import delivery
from registry.intake.mapping import Source
from registry.intake.readers import read_raw
from registry.store import Registry
from tests.conftest import TODAY
from tests.registry.deliveries import leaks_csv, line, segments, write


@pytest.mark.parametrize(("part_rows", "batch_rows"), [(3, 2), (3, 65_536), (65_536, 3), (1, 1)])
def test_each_row_keeps_its_shape_its_values_and_its_faults(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part_rows: int, batch_rows: int
) -> None:
    monkeypatch.setattr(delivery, "PART_ROWS", part_rows)
    monkeypatch.setattr(frames, "BATCH_ROWS", batch_rows)
    materials = ["钢", "PE", "鉄鉄鉄", "PE100", "钢", "不明", "灰铁", "PE80"]
    names = ["A", "B", "C", "A", "E", "F", "G", "H"]
    geometry = [line(0, 60.0 * number, 10.0 + number) for number in range(7)] + [None]
    delivered = segments(8, 管段编号=names, 管材=materials, geometry=geometry)
    path = tmp_path / "census.parquet"
    delivered.to_parquet(path)
    receipt = registry.import_file("segments", path, today=TODAY)
    faults = dict(zip(receipt.faults["row_number"].tolist(), receipt.faults["code"].tolist(), strict=True))
    assert faults == {3: "value_not_listed", 4: "id_repeated", 8: "geometry_empty"}
    assert (receipt.rows_read, receipt.accepted, receipt.held) == (8, 5, 3)
    stored = registry.frame("segments", as_of=TODAY)
    wanted = delivered.set_index("管段编号").iloc[[0, 1, 4, 5, 6]]
    assert stored.index.tolist() == wanted.index.tolist()
    assert shapely.equals_exact(stored.geometry.to_numpy(), wanted.geometry.to_numpy(), tolerance=1e-6).all()
    assert stored["material"].tolist() == ["steel", "pe", "steel", "unknown", "grey_iron"]
    held = registry.held(receipt.delivery_id)
    assert held["row_number"].tolist() == [3, 4, 8]
    assert [row["管段编号"] for row in held["row"]] == ["C", "A", "H"]


def test_a_file_that_writes_each_word_once_says_what_one_that_repeats_them_says(
    registry: Registry, tmp_path: Path
) -> None:
    words = np.random.default_rng(5)
    delivered = segments(
        3_000,
        管材=words.choice(["钢", "鉄鉄鉄", " PE80 ", "不明", ""], 3_000),
        管径=words.choice(["DN200", "110", "大"], 3_000),
        备注=words.choice([" 抢修 ", "-", "旧"], 3_000),
    )
    once, repeated = tmp_path / "once.parquet", tmp_path / "repeated.parquet"
    delivered.to_parquet(once, row_group_size=700)
    delivered.to_parquet(repeated, row_group_size=700, use_dictionary=False)
    kinds = [read_raw(path, Source(), set()).rows["管材"].dtype for path in (once, repeated)]
    assert [isinstance(kind, pd.CategoricalDtype) for kind in kinds] == [True, False]
    first = registry.import_file("segments", once, today=TODAY)
    second = registry.import_file("segments", repeated, today=TODAY, is_dry_run=True)
    assert 0 < first.held < 3_000
    pd.testing.assert_frame_equal(first.faults, second.faults)
    assert (second.unchanged, second.added, second.changed) == (first.accepted, 0, 0)


def test_a_table_of_points_in_parts_keeps_its_places(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "PART_ROWS", 2)
    rows = [
        {"漏点编号": f"L{number}", "发现日期": "2024-03-05", "X": 4_137_000.0 + number, "Y": 535_000.0}
        for number in range(5)
    ]
    registry.import_file("leaks", leaks_csv(tmp_path / "leaks.csv", rows), today=TODAY)
    northing = registry.frame("leaks", as_of=TODAY).geometry.y
    np.testing.assert_allclose(northing.to_numpy(), [4_137_000.0 + number for number in range(5)])


def test_a_merge_in_parts_sees_every_row(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "PART_ROWS", 2)
    registry.import_file("segments", write(segments(5), tmp_path / "first.gpkg"), today=TODAY)
    newer = segments(7, 管材=["PE"] * 3 + ["灰口铸铁"] * 2 + ["钢"] * 2)
    receipt = registry.import_file("segments", write(newer, tmp_path / "second.gpkg"), today=TODAY)
    assert (receipt.added, receipt.changed, receipt.unchanged) == (2, 3, 2)


def test_a_delivery_of_which_nothing_is_sound_is_kept_whole(registry: Registry, tmp_path: Path) -> None:
    path = write(segments(3, 管材="鉄鉄鉄"), tmp_path / "census.gpkg")
    receipt = registry.import_file("segments", path, today=TODAY)
    assert (receipt.accepted, receipt.held) == (0, 3)
    assert registry.counts()["segments"] == 0
    assert isinstance(registry.held(receipt.delivery_id), pd.DataFrame)
    assert len(registry.held(receipt.delivery_id)) == 3
