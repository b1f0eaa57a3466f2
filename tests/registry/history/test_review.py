"""A delivery that would change what is known waits, says exactly what it would change, and counts once accepted."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from registry.errors import ReviewError
from registry.intake.files import restore_file
from registry.intake.importer import Receipt, file_digest
from registry.intake.review import accept_delivery, change_report, decline_delivery
from registry.store import Registry
from tests.conftest import TODAY
from tests.registry.deliveries import EAST, NORTH, line, segments, write


def deliver(registry: Registry, frame: gpd.GeoDataFrame, path: Path, **options: Any) -> Receipt:
    return registry.import_file("segments", write(frame, path), today=TODAY, **options)


@pytest.fixture
def census(registry: Registry, tmp_path: Path) -> Registry:
    """Ten segments, taken in."""
    assert deliver(registry, segments(10), tmp_path / "first.gpkg").state == "accepted"
    return registry


def second_census() -> gpd.GeoDataFrame:
    """The ten with one gone, one new, one of another material and year, one moved by 4 m and one by 0.4 m."""
    newer = segments(11, geometry=[line(0, 60.0 * number) for number in range(10)] + [line(100, 0)])
    newer.loc[2, ["管材", "建设年代"]] = ["PE100", "2024"]
    shapes = newer.geometry.to_numpy().copy()
    shapes[3] = shapely.affinity.translate(shapes[3], 0, 4)
    shapes[4] = shapely.affinity.translate(shapes[4], 0, 0.4)
    newer = newer.set_geometry(shapes, crs=newer.crs)
    return newer.drop(index=5)


def test_the_report_names_every_change_and_nothing_else(census: Registry, tmp_path: Path) -> None:
    before = census.state_hash()
    receipt = deliver(census, second_census(), tmp_path / "second.gpkg")
    assert receipt.state == "pending"
    assert (receipt.added, receipt.changed, receipt.moved, receipt.gone, receipt.unchanged) == (1, 2, 1, 1, 6)
    report = change_report(census.connection, receipt.delivery_id)
    told = {
        (row["object_id"], row["class"], row["column_name"], row["old_value"], row["new_value"])
        for row in report.astype(object).where(report.notna(), None).to_dict("records")
    }
    assert told == {
        ("GAS-10", "added", "", None, None),
        ("GAS-5", "gone", "", None, None),
        ("GAS-2", "changed", "material", "grey_iron", "pe100"),
        ("GAS-2", "changed", "installed_year_min", "1985", "2024"),
        ("GAS-2", "changed", "installed_year_max", "1985", "2024"),
        ("GAS-3", "moved", "geometry", None, None),
        ("GAS-4", "changed", "geometry", None, None),
    }
    assert report.set_index("object_id")["moved_m"].dropna().astype(float).to_dict() == {
        "GAS-3": pytest.approx(4.0),
        "GAS-4": pytest.approx(0.4),
    }
    assert census.state_hash() == before


def test_a_dry_run_shows_the_same_report_and_keeps_nothing(census: Registry, tmp_path: Path) -> None:
    path = tmp_path / "second.gpkg"
    before = (census.state_hash(), census.row_counts())
    shown = deliver(census, second_census(), path, is_dry_run=True)
    assert (census.state_hash(), census.row_counts()) == before
    waiting = deliver(census, second_census(), path)
    order = ["object_id", "column_name"]
    report = change_report(census.connection, waiting.delivery_id).sort_values(order, ignore_index=True)
    shown_report = shown.changes.sort_values(order, ignore_index=True)[report.columns]
    pd.testing.assert_frame_equal(report, shown_report, check_dtype=False)


def test_accepting_lets_it_count_and_what_is_gone_stays_unless_asked(census: Registry, tmp_path: Path) -> None:
    receipt = deliver(census, second_census(), tmp_path / "second.gpkg")
    accept_delivery(census.connection, receipt.delivery_id, census.srid, ["added", "changed", "moved", "reopened"])
    now = census.frame("segments", as_of=TODAY)
    assert len(now) == 11
    assert now.loc["GAS-2", "material"] == "pe100"
    assert now.geometry["GAS-3"].coords[0] == (EAST, NORTH + 184)


def test_an_accepted_import_does_not_retire_what_is_gone(census: Registry, tmp_path: Path) -> None:
    receipt = deliver(census, second_census(), tmp_path / "second.gpkg", is_accepted=True)
    assert (receipt.state, receipt.gone) == ("accepted", 1)
    assert "GAS-5" in at(census, TODAY).index


def test_what_is_gone_is_true_until_the_day_of_the_delivery(census: Registry, tmp_path: Path) -> None:
    receipt = deliver(census, second_census(), tmp_path / "second.gpkg")
    accept_delivery(census.connection, receipt.delivery_id, census.srid)
    assert "GAS-5" not in census.frame("segments", as_of=TODAY).index
    assert "GAS-5" in census.frame("segments", as_of=date(2026, 10, 31)).index


def test_one_class_can_be_accepted_alone(census: Registry, tmp_path: Path) -> None:
    receipt = deliver(census, second_census(), tmp_path / "second.gpkg")
    accept_delivery(census.connection, receipt.delivery_id, census.srid, ["moved"])
    now = census.frame("segments", as_of=TODAY)
    assert len(now) == 10
    assert now.loc["GAS-2", "material"] == "grey_iron"
    assert now.geometry["GAS-3"].coords[0] == (EAST, NORTH + 184)
    with pytest.raises(ReviewError) as fault:
        accept_delivery(census.connection, receipt.delivery_id, census.srid)
    assert fault.value.code == "delivery_is_accepted"


def test_a_part_of_a_census_says_nothing_of_the_rest(census: Registry, tmp_path: Path) -> None:
    part = segments(10, 管材="PE").iloc[[0, 4, 9]]
    receipt = deliver(census, part, tmp_path / "part.gpkg")
    assert (receipt.changed, receipt.gone) == (3, 0)


def test_an_equal_census_in_another_file_changes_nothing(census: Registry, tmp_path: Path) -> None:
    before = census.state_hash()
    receipt = deliver(census, segments(10), tmp_path / "again.geojson")
    assert (receipt.state, receipt.unchanged, receipt.is_repeat) == ("accepted", 10, False)
    assert census.state_hash() == before


def test_two_who_accept_do_not_overwrite_each_other(census: Registry, tmp_path: Path) -> None:
    first = deliver(census, segments(10, 管材="PE"), tmp_path / "one.gpkg")
    second = deliver(census, segments(10, 管材="钢"), tmp_path / "two.gpkg")
    assert not accept_delivery(census.connection, first.delivery_id, census.srid).is_stale
    told = accept_delivery(census.connection, second.delivery_id, census.srid)
    assert told.is_stale
    assert set(census.frame("segments", as_of=TODAY)["material"]) == {"pe"}
    assert set(change_report(census.connection, second.delivery_id)["old_value"]) == {"pe"}
    assert not accept_delivery(census.connection, second.delivery_id, census.srid).is_stale
    assert set(census.frame("segments", as_of=TODAY)["material"]) == {"steel"}


def test_a_declined_delivery_never_counts_and_may_come_again(census: Registry, tmp_path: Path) -> None:
    before = census.state_hash()
    path = tmp_path / "second.gpkg"
    first = deliver(census, second_census(), path)
    decline_delivery(census.connection, first.delivery_id)
    assert census.state_hash() == before
    with pytest.raises(ReviewError) as fault:
        accept_delivery(census.connection, first.delivery_id, census.srid)
    assert fault.value.code == "delivery_is_declined"
    again = census.import_file("segments", path, today=TODAY)
    assert not again.is_repeat
    assert again.delivery_id != first.delivery_id


def test_a_pipe_that_is_delivered_again_after_its_end_is_back_from_that_day(registry: Registry, tmp_path: Path) -> None:
    deliver(registry, segments(1, 停用日期="2020-06-01"), tmp_path / "first.gpkg")
    receipt = deliver(registry, segments(1), tmp_path / "second.gpkg")
    assert (receipt.state, receipt.reopened) == ("pending", 1)
    accept_delivery(registry.connection, receipt.delivery_id, registry.srid)
    there = [day for day in (date(2020, 5, 31), date(2020, 6, 1), date(2026, 10, 31), TODAY) if len(at(registry, day))]
    assert there == [date(2020, 5, 31), TODAY]
    assert at(registry, TODAY)["retired_on"].isna().all()


def at(registry: Registry, day: date) -> gpd.GeoDataFrame:
    frame = registry.frame("segments", as_of=day)
    assert isinstance(frame, gpd.GeoDataFrame)
    return frame


def test_changes_from_a_day_on_leave_the_days_before_as_they_were(census: Registry, tmp_path: Path) -> None:
    day = date(2025, 3, 1)
    deliver(census, segments(10, 管材="PE"), tmp_path / "pe.gpkg", valid_from=day, is_accepted=True)
    assert set(at(census, date(2025, 2, 28))["material"]) == {"grey_iron"}
    assert set(at(census, day)["material"]) == {"pe"}


def test_the_same_file_for_another_day_is_another_delivery(census: Registry, tmp_path: Path) -> None:
    path = write(segments(10, 管材="PE"), tmp_path / "pe.gpkg")
    took = {day: date(2025, 3, day) for day in (1, 2)}
    first = census.import_file("segments", path, today=TODAY, valid_from=took[2], is_accepted=True)
    other = census.import_file("segments", path, today=TODAY, valid_from=took[1], is_accepted=True)
    again = census.import_file("segments", path, today=TODAY, valid_from=took[1], is_accepted=True)
    assert [first.is_repeat, other.is_repeat, again.is_repeat] == [False, False, True]
    assert again.delivery_id == other.delivery_id


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".geojson"])
def test_the_delivered_file_is_kept_byte_by_byte(registry: Registry, tmp_path: Path, suffix: str) -> None:
    folder = tmp_path / "delivered"
    folder.mkdir()
    path = folder / f"census{suffix}"
    segments(30).to_file(path, engine="pyogrio", encoding="gb18030" if suffix == ".shp" else "utf-8")
    registry.import_file("segments", path, today=TODAY)
    target = tmp_path / "restored"
    target.mkdir()
    restored = restore_file(registry.connection, file_digest(path), path.name, target)
    assert restored.name == path.name
    assert {p.name: p.read_bytes() for p in target.iterdir()} == {p.name: p.read_bytes() for p in folder.iterdir()}
