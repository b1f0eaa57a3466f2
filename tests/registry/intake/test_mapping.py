"""Mapping files: units that become metres, rows that are asked for, and deliveries told apart by their mapping."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from registry.errors import FileFaultError, MappingError
from registry.intake.mapping import Mapping, read_mapping, unit_factor
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


BAD = """
header_rows = 3
[source]
shet = "管线"
header_rows = "two"
axis = "up"
[columns]
materal = "管材"
qqqq = "甲"
medium = 7
[values.material]
"PE-RT" = "plastic pipe"
"CI" = "gray_iron"
[units]
cover_depth_m = "kPa"
street_name = "m"
[filter]
"类" = { a = 1 }
"""
KEYS = (
    "[header_rows]", "[source] shet", "[source] header_rows", "[source] axis", "[columns] materal", "[columns] qqqq",
    "[columns] medium", "[values.material] PE-RT", "[values.material] CI", "[units] cover_depth_m",
    "[units] street_name", "[filter] 类",
)  # fmt: skip


def test_every_fault_of_a_mapping_is_told_at_once_by_its_key(tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text(BAD, encoding="utf-8")
    with pytest.raises(MappingError) as fault:
        read_mapping(path, kind_named("segments"))
    english, chinese = fault.value.message("en"), fault.value.message("zh")
    for told in (english, chinese):
        assert [told.count(key) for key in KEYS] == [1] * len(KEYS), told
    assert "did you mean material?" in english
    assert "did you mean grey_iron?" in english
    assert "use one of m, cm, mm, km, ft" in english
    assert english.count("diameter_mm") == 0
    ours = {"header_rows", "easting", "northing", "two", "shet", "materal", "medium", "kind", "docs", "own", "city"}
    words = set(re.findall("[a-z]{3,}", re.sub(r'"[^"]*"|\[[^\]]*\] \S+', "", chinese))) - ours
    assert words & {"extra", "inputs", "permitted", "should", "valid", "string", "must", "input"} == set()


@pytest.mark.parametrize("text", ['columns = "x"', "values = 3", "[columns]\na = 1", 'filter = ["x"]', "source = 1"])
def test_a_part_of_the_wrong_shape_is_a_fault_of_that_part(tmp_path: Path, text: str) -> None:
    path = tmp_path / "map.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MappingError, match="must be"):
        read_mapping(path, kind_named("segments"))


@pytest.mark.parametrize("rows", [0, -1])
def test_rows_are_counted_from_1(tmp_path: Path, rows: int) -> None:
    path = tmp_path / "map.toml"
    path.write_text(f"[source]\nheader_rows = {rows}\n", encoding="utf-8")
    with pytest.raises(MappingError, match="1 or more"):
        read_mapping(path, kind_named("segments"))


def test_a_filter_that_matches_nothing_is_said_to_do_so(registry: Registry, tmp_path: Path) -> None:
    path = write(segments(2, 状态码="A"), tmp_path / "census.gpkg")
    mapping = tmp_path / "map.toml"
    mapping.write_text('[filter]\n"状态码" = ["Z"]\n', encoding="utf-8")
    with pytest.raises(FileFaultError, match="none of the 2 rows"):
        registry.import_file("segments", path, map_path=mapping, today=TODAY)


def test_a_layer_that_is_not_there_is_answered_with_those_that_are(registry: Registry, tmp_path: Path) -> None:
    path = write(segments(2), tmp_path / "census.gpkg")
    mapping = tmp_path / "map.toml"
    mapping.write_text('[source]\nlayer = "pipes"\n', encoding="utf-8")
    with pytest.raises(FileFaultError, match=r"no layer “pipes”; it has: census"):
        registry.import_file("segments", path, map_path=mapping, today=TODAY)


def test_text_that_excel_calls_unicode_is_read(registry: Registry, tmp_path: Path) -> None:
    path = tmp_path / "leaks.csv"
    path.write_text("漏点编号\t发现日期\nL1\t2024-03-05\n", encoding="utf-16")
    receipt = registry.import_file("leaks", path, today=TODAY)
    assert receipt.faults["code"].tolist() == ["geometry_missing"]
    assert {"code": "note_encoding", "encoding": "utf-16"} in receipt.notes


BANS = """类型,前缀,路名,后缀,START,END
大修,W,MAIN,ST,09/03/2014,09/02/2019
大修,,KING,,02/30/2015,2016-01-01
"""


def test_joined_columns_and_days_in_a_stated_form(registry: Registry, tmp_path: Path) -> None:
    path, mapping = tmp_path / "bans.csv", tmp_path / "map.toml"
    path.write_text(BANS, encoding="utf-8")
    mapping.write_text(
        '[columns]\ncause = "类型"\nstarts_on = "START"\nends_on = "END"\n'
        '[joined]\nstreet_name = ["前缀", "路名", "后缀"]\n'
        '[dates]\nstarts_on = "%m/%d/%Y"\nends_on = "%m/%d/%Y"\n',
        encoding="utf-8",
    )
    receipt = registry.import_file("moratoria", path, map_path=mapping, today=TODAY)
    stored = registry.frame("moratoria", as_of=TODAY).iloc[0]
    assert stored["street_name"] == "W MAIN ST"
    assert [stored[name].date().isoformat() for name in ("starts_on", "ends_on")] == ["2014-09-03", "2019-09-02"]
    # neither a day that does not exist nor one in another form
    assert receipt.faults[["column_name", "code"]].to_numpy().tolist() == [
        ["starts_on", "not_a_day_in_form"],
        ["ends_on", "not_a_day_in_form"],
    ]
    assert "note_columns_unused" not in [note["code"] for note in receipt.notes]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[dates]\nstarts_on = "%m/%Y"', "starts_on"),
        ('[dates]\nstarts_on = "tomorrow"', "starts_on"),
        ('[dates]\nstreet_name = "%m/%d/%Y"', "street_name"),
        ('[dates]\nbegins_on = "%m/%d/%Y"', "begins_on"),
        ("[dates]\nstarts_on = 4", "starts_on"),
        ('[joined]\nstreet = ["a", "b"]', "street"),
        ('[joined]\nstreet_name = "a"', "street_name"),
        ('[joined]\nstreet_name = ["a"]', "street_name"),
        ('[columns]\nstreet_name = "a"\n[joined]\nstreet_name = ["a", "b"]', "street_name"),
    ],
)
def test_faults_of_days_and_joined_columns_are_named(text: str, named: str, tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MappingError, match=named):
        read_mapping(path, kind_named("moratoria"))


def test_a_joined_heading_that_is_absent_is_named(registry: Registry, tmp_path: Path) -> None:
    path, mapping = tmp_path / "bans.csv", tmp_path / "map.toml"
    path.write_text(BANS, encoding="utf-8")
    mapping.write_text(
        '[columns]\nstarts_on = "START"\n[joined]\nstreet_name = ["路名", "NOT THERE"]', encoding="utf-8"
    )
    with pytest.raises(MappingError, match="NOT THERE"):
        registry.import_file("moratoria", path, map_path=mapping, today=TODAY)


def test_a_mapping_without_the_later_parts_keeps_its_digest() -> None:
    # as it was before days and joined columns: deliveries of then are still recognised
    assert Mapping().digest() == "13eb6101d4c64134148aa59835ea76be8bbd14a44555d89c718253a8aea7538a"
