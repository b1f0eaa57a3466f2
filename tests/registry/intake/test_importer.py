"""Taking deliveries in: every row is accepted or held back, file faults write nothing, the same twice is a no-op."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from registry.errors import FileFaultError
from registry.intake import promote
from registry.intake.importer import Receipt
from registry.store import Registry
from registry.upkeep.schema import differences, snapshot
from tests.conftest import TODAY
from tests.registry.deliveries import EAST, NORTH, leaks_csv, line, segments, write


def take(registry: Registry, kind: str, path: Path, **options: Any) -> Receipt:
    return registry.import_file(kind, path, today=TODAY, is_accepted=True, **options)


def codes(receipt: Receipt) -> dict[int, str]:
    """Row number -> code of the fault."""
    return dict(zip(receipt.faults["row_number"].tolist(), receipt.faults["code"].tolist(), strict=True))


@pytest.mark.parametrize("suffix", ["gpkg", "geojson", "shp", "parquet", "fgb"])
def test_every_vector_format_gives_the_same_frame(registry: Registry, tmp_path: Path, suffix: str) -> None:
    delivered = segments(4)
    if suffix == "shp":
        # ten bytes hold three Chinese characters: shapefiles come with short headings
        delivered = delivered.rename(
            columns={"管段编号": "编号", "管段类别": "tier", "建设年代": "jsnd", "所在道路": "szdl"}
        )
    path = tmp_path / f"census.{suffix}"
    if suffix == "parquet":
        delivered.to_parquet(path)
    else:
        frame = delivered.to_crs("EPSG:4326") if suffix == "geojson" else delivered
        write(frame, path)
    receipt = take(registry, "segments", path)
    assert (receipt.rows_read, receipt.accepted, receipt.held) == (4, 4, 0)
    stored = registry.frame("segments", as_of=TODAY)
    assert stored.index.tolist() == [f"GAS-{number}" for number in range(4)]
    assert stored["material"].tolist() == ["grey_iron"] * 4
    assert stored["diameter_mm"].tolist() == [200.0] * 4
    assert stored["installed_year_min"].tolist() == [1985] * 4
    assert stored.crs.to_epsg() == 4549
    np.testing.assert_allclose(stored["length_m"], 50.0, atol=1e-4)
    assert shapely.equals_exact(stored.geometry.to_numpy(), delivered.geometry.to_numpy(), tolerance=1e-4).all()


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown material": ({"管材": ["灰口铸鉄", "PE"]}, "value_not_listed"),
    "no id": ({"管段编号": ["", "B"]}, "id_missing"),
    "cover in millimetres": ({"埋深": [1200.0, 1.2]}, "out_of_range"),
    "cover in words": ({"埋深": ["一米", "1.2"]}, "not_a_number"),
    "year ahead": ({"建设年代": ["2031", "1985"]}, "year_in_future"),
    "year in words": ({"建设年代": ["早年", "1985"]}, "not_a_year"),
    "interval backwards": (
        {"installed_year_min": ["1990", "1"], "installed_year_max": ["1980", "1990"]},
        "interval_backwards",
    ),
    "diameter in words": ({"管径": ["大", "DN100"]}, "not_a_diameter"),
    "neither yes nor no": ({"占压": ["也许", "否"]}, "not_yes_or_no"),
    "retired ahead": ({"停用日期": ["2040-01-01", None]}, "day_in_future"),
    "day that is none": ({"评估日期": ["2025-02-30", "2025-03-01"]}, "not_a_day"),
    "no medium": ({"介质": ["", "燃气"]}, "value_missing"),
    "no geometry": ({"geometry": [None, line(0, 0)]}, "geometry_empty"),
    "empty geometry": ({"geometry": [shapely.LineString(), line(0, 0)]}, "geometry_empty"),
    "zero length": ({"geometry": [line(0, 0, 0.0), line(0, 0)]}, "geometry_too_short"),
    "point": ({"geometry": [shapely.Point(EAST, NORTH), line(0, 0)]}, "geometry_of_wrong_type"),
    "two parts": (
        {"geometry": [shapely.MultiLineString([line(0, 0), line(0, 500)]), line(0, 0)]},
        "geometry_of_many_parts",
    ),
    "far away": ({"geometry": [shapely.LineString([(0, 0), (50, 0)]), line(0, 0)]}, "geometry_outside_crs"),
    "one vertex far away": (
        {"geometry": [shapely.LineString([(EAST, NORTH), (1e15, NORTH), (EAST + 9, NORTH)]), line(0, 0)]},
        "geometry_outside_crs",
    ),
    "coordinate without number": (
        {"geometry": [shapely.LineString([(EAST, NORTH), (float("inf"), NORTH)]), line(0, 0)]},
        "geometry_not_finite",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_row_is_held_back_and_the_other_goes_in(registry: Registry, tmp_path: Path, name: str) -> None:
    columns, code = FAULTS[name]
    delivered = segments(2, **columns)
    if "installed_year_min" in columns:
        delivered = delivered.drop(columns="建设年代")
        delivered.loc[1, "installed_year_min"] = "1980"
    path = tmp_path / "census.parquet"
    delivered.to_parquet(path)
    receipt = take(registry, "segments", path)
    assert (receipt.rows_read, receipt.accepted, receipt.held) == (2, 1, 1)
    assert set(codes(receipt)) == {1}
    assert codes(receipt)[1] == code
    held = registry.held(receipt.delivery_id)
    assert held["row_number"].tolist() == [1]
    assert held["row"].iloc[0]["所在道路"] == "金城路"
    assert held["reason_zh"].iloc[0] != held["reason_en"].iloc[0] != code
    assert len(registry.frame("segments", as_of=TODAY)) == 1


def test_an_unknown_word_is_answered_with_the_nearest_one(registry: Registry, tmp_path: Path) -> None:
    path = write(segments(1, 管材="灰口铸鉄"), tmp_path / "census.gpkg")
    held = registry.held(take(registry, "segments", path).delivery_id)
    assert held["offered"].tolist() == ["灰口铸铁 (grey_iron)"]
    assert "灰口铸鉄" in held["reason_en"].iloc[0]


def test_the_first_row_of_a_repeated_id_stands(registry: Registry, tmp_path: Path) -> None:
    path = write(segments(3, 管段编号=["A", "A", "B"], 管材=["钢", "PE", "PE"]), tmp_path / "census.gpkg")
    receipt = take(registry, "segments", path)
    assert codes(receipt) == {2: "id_repeated"}
    assert receipt.faults["offered"].tolist() == [1]
    assert registry.frame("segments", as_of=TODAY)["material"].to_dict() == {"A": "steel", "B": "pe"}


@pytest.mark.parametrize("word", ["不明", "其它", "", None])
def test_unknown_is_a_value_and_no_fault(registry: Registry, tmp_path: Path, word: str | None) -> None:
    path = write(segments(1, 管材=word), tmp_path / "census.gpkg")
    assert take(registry, "segments", path).held == 0
    material = registry.frame("segments", as_of=TODAY)["material"].iloc[0]
    assert (material == "unknown") if word else pd.isna(material)


YEARS = {
    "1994": (1994, 1994),
    "1990年代": (1990, 1999),
    "90年代": (1990, 1999),
    "1985-1990": (1985, 1990),
    "1985至1990年": (1985, 1990),
    "2003-06-30": (2003, 2003),
    "1998年": (1998, 1998),
    "不明": (None, None),
}


def test_years_are_read_as_intervals(registry: Registry, tmp_path: Path) -> None:
    path = write(segments(len(YEARS), 建设年代=list(YEARS)), tmp_path / "census.gpkg")
    assert take(registry, "segments", path).held == 0
    stored = registry.frame("segments", as_of=TODAY).sort_index(key=lambda ids: ids.str[4:].astype(int))
    read = [
        tuple(None if pd.isna(value) else int(value) for value in pair)
        for pair in stored[["installed_year_min", "installed_year_max"]].itertuples(index=False)
    ]
    assert read == list(YEARS.values())


def test_the_same_file_twice_changes_nothing(registry: Registry, tmp_path: Path) -> None:
    path = write(segments(3, 管材=["钢", "PE", "鉄"]), tmp_path / "census.gpkg")
    first = take(registry, "segments", path)
    before = (registry.state_hash(), registry.version, registry.row_counts())
    second = take(registry, "segments", path)
    assert second.is_repeat
    assert (second.delivery_id, second.rows_read, second.accepted, second.held) == (first.delivery_id, 3, 2, 1)
    assert (registry.state_hash(), registry.version, registry.row_counts()) == before


def test_a_newer_census_supersedes_what_differs_only(registry: Registry, tmp_path: Path) -> None:
    take(registry, "segments", write(segments(3), tmp_path / "first.gpkg"))
    newer = segments(4, 管材=["灰口铸铁", "PE100", "灰口铸铁", "钢"])
    receipt = take(registry, "segments", write(newer, tmp_path / "second.gpkg"))
    assert (receipt.added, receipt.changed, receipt.unchanged) == (1, 1, 2)
    assert registry.frame("segments", as_of=TODAY)["material"].tolist() == ["grey_iron", "pe100", "grey_iron", "steel"]
    past = registry.connection.execute(
        "SELECT segment_id, material FROM registry.segment_version WHERE NOT upper_inf(recorded)"
    ).fetchall()
    assert past == [("GAS-1", "grey_iron")]


def test_what_was_known_between_two_deliveries_stays_known(registry: Registry, tmp_path: Path) -> None:
    take(registry, "segments", write(segments(1), tmp_path / "first.gpkg"))
    row = registry.connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    take(registry, "segments", write(segments(1, 管材="PE100"), tmp_path / "second.gpkg"))
    assert registry.frame("segments", as_of=TODAY)["material"].tolist() == ["pe100"]
    assert registry.frame("segments", as_of=TODAY, known_at=row[0])["material"].tolist() == ["grey_iron"]


def test_a_column_that_a_census_leaves_out_is_kept(registry: Registry, tmp_path: Path) -> None:
    take(registry, "segments", write(segments(1, 埋深=1.2), tmp_path / "first.gpkg"))
    take(registry, "segments", write(segments(1, 管材="PE100"), tmp_path / "second.gpkg"))
    stored = registry.frame("segments", as_of=TODAY).iloc[0]
    assert (stored["material"], stored["cover_depth_m"]) == ("pe100", 1.2)


def test_a_retired_pipe_is_true_until_its_day(registry: Registry, tmp_path: Path) -> None:
    path = write(segments(1, 停用日期="2020-06-01"), tmp_path / "census.gpkg")
    take(registry, "segments", path)
    assert len(registry.frame("segments", as_of=date(2020, 5, 31))) == 1
    assert len(registry.frame("segments", as_of=date(2020, 6, 1))) == 0
    again = write(segments(1, 停用日期="2020-06-01", 备注="复核"), tmp_path / "again.gpkg")
    assert take(registry, "segments", again).changed == 1
    assert len(registry.frame("segments", as_of=date(2020, 5, 31))) == 1


def test_bulk_load_ends_with_the_schema_it_began_with(registry: Registry, tmp_path: Path) -> None:
    from bench.census import write_census

    before = snapshot(registry.connection)
    receipt = take(registry, "segments", write_census(25_000, tmp_path / "census.parquet"))
    assert (receipt.accepted, receipt.held) == (25_000, 0)
    assert list(differences(snapshot(registry.connection), before)) == []


def test_every_row_of_a_bulk_load_says_when_and_from_where_it_is_known(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promote, "_BULK_ROWS", 3)
    receipt = take(registry, "segments", write(segments(4), tmp_path / "census.gpkg"))
    told = registry.connection.execute(
        "SELECT v.delivery_id, i.first_delivery_id, recorded = tstzrange(received_at, NULL), valid::text, count(*)"
        " FROM registry.segment_version AS v JOIN registry.segment AS i USING (segment_id), registry.delivery AS d"
        " GROUP BY 1, 2, 3, 4"
    ).fetchall()
    assert told == [(receipt.delivery_id, receipt.delivery_id, True, "(,)", 4)]


def test_a_parquet_file_that_names_a_column_twice_is_refused(registry: Registry, tmp_path: Path) -> None:
    path = tmp_path / "census.parquet"
    pq.write_table(pa.Table.from_arrays([pa.array(["A"]), pa.array(["B"])], names=["管段编号", "管段编号"]), path)
    with pytest.raises(FileFaultError, match="管段编号") as caught:
        take(registry, "segments", path)
    assert caught.value.code == "headings_repeated"


def test_elevations_are_kept_beside_a_flat_geometry(registry: Registry, tmp_path: Path) -> None:
    deep = shapely.LineString([(EAST, NORTH, 12.5), (EAST + 30, NORTH + 40, 11.0)])
    path = tmp_path / "census.parquet"
    segments(2, geometry=[deep, line(0, 0)]).to_parquet(path)
    take(registry, "segments", path)
    stored = registry.frame("segments", as_of=TODAY)
    assert list(stored["elevations_m"].iloc[0]) == [12.5, 11.0]
    assert stored["elevations_m"].iloc[1] is None
    assert not stored.geometry.has_z.any()
    assert stored["length_m"].iloc[0] == pytest.approx(50.0)


def test_a_survey_table_with_northing_first_is_turned_round(registry: Registry, tmp_path: Path) -> None:
    row = {"漏点编号": "L1", "发现日期": "2024/3/5", "泄漏原因": "锈蚀漏气", "X": NORTH + 10, "Y": EAST + 20}
    receipt = take(registry, "leaks", leaks_csv(tmp_path / "leaks.csv", [row]))
    assert (receipt.accepted, receipt.held) == (1, 0)
    noted = {str(note["code"]) for note in receipt.notes}
    assert {"note_axes_swapped", "note_encoding", "note_crs_assumed"} <= noted
    leak = registry.frame("leaks", as_of=TODAY).iloc[0]
    assert (leak.geometry.x, leak.geometry.y) == (EAST + 20, NORTH + 10)
    assert (leak["cause"], leak["leaked_on"].date()) == ("corrosion", date(2024, 3, 5))


def test_a_leak_of_tomorrow_is_not_known_today(registry: Registry, tmp_path: Path) -> None:
    rows = [{"漏点编号": f"L{day}", "发现日期": f"2024-03-0{day}", "X": NORTH, "Y": EAST} for day in (4, 5, 6)]
    take(registry, "leaks", leaks_csv(tmp_path / "leaks.csv", rows))
    assert registry.frame("leaks", as_of=date(2024, 3, 5)).index.tolist() == ["L4", "L5"]


def test_points_outside_the_area_are_held_back_with_the_coordinate_as_it_was_said(
    registry: Registry, tmp_path: Path
) -> None:
    places = [(EAST, NORTH), (EAST + 1, NORTH), (EAST + 2, NORTH), (0.0, 0.0), (1e15, 1e15)]
    rows = [{"漏点编号": f"L{x}", "发现日期": "2024-03-05", "x": x, "y": y} for x, y in places]
    receipt = take(registry, "leaks", leaks_csv(tmp_path / "leaks.csv", rows))
    assert codes(receipt) == {5: "geometry_outside_crs", 6: "geometry_outside_crs"}
    assert receipt.faults["value"].tolist() == ["0, 0", "1e+15, 1e+15"]
    assert "1e+15" in registry.held(receipt.delivery_id)["reason_zh"].iloc[1]


def test_degrees_that_do_not_exist_are_outside_too(registry: Registry, tmp_path: Path) -> None:
    rows = [{"漏点编号": f"L{y}", "发现日期": "2024-03-05", "x": x, "y": y} for x, y in [(120.4, 37.3), (200, 95)]]
    receipt = take(registry, "leaks", leaks_csv(tmp_path / "leaks.csv", rows), crs="EPSG:4326")
    assert codes(receipt) == {3: "geometry_outside_crs"}
    assert receipt.faults["value"].tolist() == ["200, 95"]


def file_faults(folder: Path) -> dict[str, tuple[str, Path, dict[str, Any], str]]:
    """Name -> kind, file, options, code."""
    sound = segments(2)
    no_crs = gpd.GeoDataFrame(sound.drop(columns="geometry"), geometry=sound.geometry.to_numpy(), crs=None)
    swapped = sound.set_geometry(
        [shapely.LineString([(y, x) for x, y in shape.coords]) for shape in sound.geometry], crs="EPSG:4549"
    )
    degrees = sound.to_crs("EPSG:4326").set_crs("EPSG:4549", allow_override=True)
    paths = {name: folder / f"{name}.parquet" for name in ("no_crs", "swapped", "degrees", "wrong_zone")}
    no_crs.to_parquet(paths["no_crs"])
    swapped.to_parquet(paths["swapped"])
    degrees.to_parquet(paths["degrees"])
    sound.set_crs("EPSG:4528", allow_override=True).to_parquet(paths["wrong_zone"])
    empty = folder / "empty.csv"
    empty.write_bytes(b"")
    head = folder / "head.csv"
    head.write_text("漏点编号,发现日期\n", encoding="utf-8")
    mixed = folder / "mixed.csv"
    mixed.write_bytes("漏点编号,发现日期\n".encode() + "甲\xff\xff".encode("latin-1", "replace") + b"\xff\xfe,\n")
    broken = folder / "broken.gpkg"
    broken.write_bytes(b"SQLite format 3\0 not really")
    text = folder / "census.docx"
    text.write_text("x", encoding="utf-8")
    headless = folder / "headless.csv"
    headless.write_text("甲,乙\n1,2\n", encoding="utf-8")
    twice = folder / "twice.csv"
    twice.write_text("编号,发现日期,发现日期\n1,2024-01-01,2024-01-01\n", encoding="utf-8")
    long_row = folder / "long.csv"
    long_row.write_text("漏点编号,发现日期\nL1,2024-01-01,x\n", encoding="utf-8")
    return {
        "missing CRS": ("segments", paths["no_crs"], {}, "crs_missing"),
        "swapped axes": ("segments", paths["swapped"], {}, "axes_swapped"),
        "degrees": ("segments", paths["degrees"], {}, "coordinates_in_degrees"),
        "wrong zone": ("segments", paths["wrong_zone"], {}, "coordinates_outside_crs"),
        "empty": ("leaks", empty, {}, "file_empty"),
        "only a header": ("leaks", head, {}, "file_without_rows"),
        "mixed encoding": ("leaks", mixed, {}, "encoding_mixed"),
        "not a GeoPackage": ("segments", broken, {}, "file_unreadable"),
        "unknown format": ("segments", text, {}, "file_format_unknown"),
        "required columns absent": ("leaks", headless, {}, "columns_absent"),
        "heading twice": ("leaks", twice, {}, "headings_repeated"),
        "row too long": ("leaks", long_row, {}, "row_longer_than_header"),
        "absent": ("leaks", folder / "nowhere.csv", {}, "file_absent"),
    }


FILE_FAULTS = (
    "missing CRS",
    "swapped axes",
    "degrees",
    "wrong zone",
    "empty",
    "only a header",
    "mixed encoding",
    "not a GeoPackage",
    "unknown format",
    "required columns absent",
    "heading twice",
    "row too long",
    "absent",
)


@pytest.mark.parametrize("name", FILE_FAULTS)
def test_a_file_fault_writes_nothing(registry: Registry, tmp_path: Path, name: str) -> None:
    kind, path, options, code = file_faults(tmp_path)[name]
    before = (registry.state_hash(), registry.version, registry.row_counts())
    with pytest.raises(FileFaultError) as fault:
        take(registry, kind, path, **options)
    assert fault.value.code == code
    assert path.name in fault.value.message("en")
    assert path.name in fault.value.message("zh")
    assert (registry.state_hash(), registry.version, registry.row_counts()) == before


def test_a_dry_run_writes_nothing(registry: Registry, tmp_path: Path) -> None:
    path = write(segments(3, 管材=["钢", "PE", "鉄"]), tmp_path / "census.gpkg")
    before = (registry.state_hash(), registry.version, registry.row_counts())
    receipt = take(registry, "segments", path, is_dry_run=True)
    assert (receipt.rows_read, receipt.accepted, receipt.held, receipt.is_dry_run) == (3, 2, 1, True)
    assert (registry.state_hash(), registry.version, registry.row_counts()) == before
