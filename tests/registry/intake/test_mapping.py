"""Mapping files: units that become metres, rows that are asked for, and deliveries told apart by their mapping."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.errors import MappingError
from registry.intake.mapping import read_mapping, unit_factor
from registry.kinds import kind_named
from registry.store import Registry
from tests.conftest import TODAY
from tests.registry.deliveries import segments, write


@pytest.mark.parametrize(
    ("value", "given", "wanted", "same"),
    [
        (1500, "mm", "m", 1.5),
        (150, "cm", "m", 1.5),
        (1.5, "km", "m", 1500),
        (10, "ft", "m", 3.048),
        (0.2, "m", "mm", 200),
        (20, "cm", "mm", 200),
        (8, "inch", "mm", 203.2),
        (0.4, "MPa", "kPa", 400),
        (4, "bar", "kPa", 400),
        (20, "mbar", "kPa", 2),
        (12.5, "万元", "CNY", 125_000),
    ],
)
def test_units_are_the_ones_of_physics_and_money(value: float, given: str, wanted: str, same: float) -> None:
    factor = unit_factor(given, wanted)
    assert factor is not None
    assert value * factor == pytest.approx(same)


def test_a_unit_of_another_quantity_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text('[units]\ncover_depth_m = "kPa"\n', encoding="utf-8")
    assert unit_factor("kPa", "m") is None
    with pytest.raises(MappingError, match="cover_depth_m"):
        read_mapping(path, kind_named("segments"))


def test_units_and_filter_of_a_mapping_reach_the_registry(registry: Registry, tmp_path: Path) -> None:
    delivered = segments(3, 埋深=[1200.0, 800.0, 900.0], 状态码=["A", "B", "A"])
    path = write(delivered, tmp_path / "census.gpkg")
    mapping = tmp_path / "map.toml"
    mapping.write_text('[units]\ncover_depth_m = "mm"\n[filter]\n"状态码" = ["A"]\n', encoding="utf-8")
    receipt = registry.import_file("segments", path, map_path=mapping, today=TODAY)
    assert (receipt.rows_read, receipt.accepted) == (2, 2)
    assert {"code": "note_rows_filtered", "count": 1} in receipt.notes
    stored = registry.frame("segments", as_of=TODAY)
    assert stored["cover_depth_m"].to_dict() == {"GAS-0": 1.2, "GAS-2": 0.9}


def test_the_same_file_under_another_mapping_is_another_delivery(registry: Registry, tmp_path: Path) -> None:
    path = write(segments(1, 埋深=1.5), tmp_path / "census.gpkg")
    mapping = tmp_path / "map.toml"
    mapping.write_text('[units]\ncover_depth_m = "ft"\n', encoding="utf-8")
    assert not registry.import_file("segments", path, today=TODAY).is_repeat
    second = registry.import_file("segments", path, map_path=mapping, today=TODAY, is_accepted=True)
    assert not second.is_repeat
    assert registry.frame("segments", as_of=TODAY)["cover_depth_m"].tolist() == [pytest.approx(0.4572)]
