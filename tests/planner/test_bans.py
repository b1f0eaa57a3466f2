from __future__ import annotations

import tomllib
from datetime import date, timedelta
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from planner.bans import bans_on, find_bans
from planner.policy import Policy, read_policy
from planner.policy_bans import BanSet
from registry.errors import FrameError, PlanningError
from registry.fields import check_frame, value_list
from tests.conftest import REPOSITORY
from tests.planner.frames import EAST, NORTH, line, moratoria_of, projects_of, roads_of

AS_OF = date(2026, 11, 1)
FILES = sorted((REPOSITORY / "planner" / "bans").glob("*.toml"))


def ban_set(name: str) -> BanSet:
    path = REPOSITORY / "planner" / "bans" / f"{name}.toml"
    return BanSet.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))


def policy_with(name: str, **changes: Any) -> Policy:
    bans = ban_set(name)
    return read_policy().model_copy(update={"bans": bans.model_copy(update=changes)})


def found(
    roads: gpd.GeoDataFrame | None = None,
    projects: gpd.GeoDataFrame | None = None,
    moratoria: gpd.GeoDataFrame | None = None,
    policy: Policy | None = None,
    as_of: date = AS_OF,
) -> gpd.GeoDataFrame:
    bans = find_bans(
        roads_of() if roads is None else roads,
        projects_of() if projects is None else projects,
        moratoria_of() if moratoria is None else moratoria,
        policy or read_policy(),
        as_of,
    )
    check_frame(bans, "bans")
    return bans


def term(bans: gpd.GeoDataFrame) -> tuple[str, str]:
    assert len(bans) == 1
    return tuple(str(bans[name].iloc[0].date()) for name in ("starts_on", "ends_on"))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("road", "rule", "starts", "ends"),
    [
        ({"opened_on": "2024-05-06"}, "cn_new_road", "2024-05-07", "2029-05-06"),
        ({"overhauled_on": "2024-05-06"}, "cn_overhaul", "2024-05-07", "2027-05-06"),
        ({"opened_on": "2024-02-29"}, "cn_new_road", "2024-03-01", "2029-02-28"),
    ],
)
def test_roads_are_closed_from_their_clock(road: dict[str, Any], rule: str, starts: str, ends: str) -> None:
    bans = found(roads_of(road))
    assert term(bans) == (starts, ends)
    assert bans.index.tolist() == [f"road:R0000:{rule}"]
    assert bans["street_name"].tolist() == ["金城路"]
    assert bans["exceptions"].tolist() == ["special_approval|emergency_repair"]
    assert not bans["is_planned"].any()


def test_the_national_rule_knows_no_ban_after_an_overlay_and_the_local_one_does() -> None:
    overlaid = roads_of({"overlaid_on": "2025-10-01"})
    assert found(overlaid).empty
    local = found(overlaid, policy=policy_with("cn-overlay"))
    assert term(local) == ("2025-10-02", "2028-10-01")
    assert local["is_verified"].tolist() == [False]


def test_a_set_that_counts_the_first_day_ends_a_day_earlier() -> None:
    example = policy_with("us-example")
    counting = example.bans.counting.model_copy(update={"counts_first_day": True})
    overlaid = roads_of({"overlaid_on": "2014-09-03"})
    counted = policy_with("us-example", counting=counting)
    assert term(found(overlaid, policy=counted)) == ("2014-09-03", "2019-09-02")
    assert term(found(overlaid, policy=example)) == ("2014-09-04", "2019-09-03")


@pytest.mark.parametrize(
    ("project", "starts", "is_planned"),
    [
        ({"completed_on": "2026-06-30"}, "2026-07-01", False),
        ({"completed_on": "2026-06-30", "state": "done"}, "2026-07-01", False),
        ({"state": "done", "ends_on": "2026-10-31"}, "2026-11-01", False),
        ({"state": "done", "ends_on": "2026-11-01"}, "2026-11-02", False),
        ({"state": "done", "ends_on": "2026-11-02"}, "2026-11-03", True),
        ({"state": "planned"}, "2028-11-01", True),
        ({"state": "under_way", "starts_on": "2026-01-01", "ends_on": "2026-10-01"}, "2026-10-02", True),
        ({"completed_on": "2027-06-30"}, "2027-07-01", True),
        ({"state": None}, "2028-11-01", True),
    ],
)
def test_projects_are_closed_from_completion_or_from_their_end(
    project: dict[str, Any], starts: str, is_planned: bool
) -> None:
    bans = found(projects=projects_of(project | {"geometry": line((0, 0), (100, 0))}))
    assert str(bans["starts_on"].iloc[0].date()) == starts
    assert bans["is_planned"].tolist() == [is_planned]


@pytest.mark.parametrize(
    "project",
    [
        {"state": "cancelled"},
        {"state": "done", "ends_on": None},
        {"ends_on": None},
        {"kind": "old_residential"},
        {"kind": "road_overlay"},
        {"kind": "utility", "completed_on": "2026-01-01"},
    ],
)
def test_what_has_no_clock_or_no_rule_brings_no_ban(project: dict[str, Any]) -> None:
    assert found(projects=projects_of(project | {"geometry": line((0, 0), (100, 0))})).empty


def test_bans_come_in_order_and_each_rule_makes_its_own() -> None:
    roads = roads_of({"opened_on": "2023-01-01", "overhauled_on": "2025-01-01"}, {"overhauled_on": "2026-01-01"})
    projects = projects_of({"state": "planned", "geometry": line((0, 0), (100, 0))})
    bans = found(roads, projects, moratoria_of({}))
    assert bans.index.tolist() == [
        "road:R0000:cn_new_road",
        "road:R0000:cn_overhaul",
        "road:R0001:cn_overhaul",
        "project:P0000:cn_overhaul",
        "moratorium:M0000",
    ]
    assert bans["is_verified"].tolist() == [True] * 5


def test_the_closed_ground_is_the_street_as_wide_as_it_is() -> None:
    margin = read_policy().overlap.margin_m.value
    bans = found(roads_of({"opened_on": "2024-01-01", "width_m": 8.0}, {"opened_on": "2024-01-01", "width_m": None}))
    assert bans.geometry.bounds["maxy"].sub(NORTH).round(6).tolist() == [4.0 + margin, 10.0 + margin]


def test_a_published_ban_keeps_what_it_says() -> None:
    area = shapely.box(EAST, NORTH, EAST + 30, NORTH + 40)
    bans = found(
        moratoria=moratoria_of(
            {"cause": "event", "street_name": "温泉路", "geometry": area},
            {"ends_on": None, "cause": None},
            {"ends_on": "2026-12-31"},
        )
    )
    assert bans["rule_code"].tolist() == ["published", "published"]
    assert bans["cause"].tolist() == ["event", "unknown"]
    assert bans["ends_on"].isna().tolist() == [False, True]
    assert shapely.equals(bans.geometry.array[0], area)
    assert bans.geometry.isna().tolist() == [False, True]


def test_a_published_ban_without_place_takes_the_ground_of_its_road() -> None:
    roads = roads_of({"opened_on": "2024-01-01"})
    bans = found(roads, moratoria=moratoria_of({"road_id": "R0000"}, {"road_id": "R9999"}))
    assert shapely.equals(bans.geometry.array[1], bans.geometry.array[0])
    assert bans.geometry.isna().tolist() == [False, False, True]


def test_points_and_lines_of_published_bans_get_the_width_of_a_street() -> None:
    bans = found(
        moratoria=moratoria_of(
            {"geometry": shapely.Point(EAST, NORTH)}, {"geometry": line((0, 0), (100, 0))}, {"geometry": None}
        )
    )
    assert bans.geom_type.tolist()[:2] == ["Polygon", "Polygon"]
    assert bans.geometry.bounds["maxy"].iloc[:2].sub(NORTH).round(6).tolist() == [11.0, 11.0]


@given(
    start=st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    length=st.integers(0, 900) | st.none(),
    day=st.dates(date(2020, 1, 1), date(2032, 1, 1)),
)
def test_both_ends_are_forbidden_and_no_day_beyond(start: date, length: int | None, day: date) -> None:
    end = None if length is None else start + timedelta(days=length)
    bans = found(moratoria=moratoria_of({"starts_on": start, "ends_on": end}))
    for probe in [day, start, start - timedelta(days=1), *([end, end + timedelta(days=1)] if end else [])]:
        assert bool(len(bans_on(bans, probe))) == (start <= probe and (end is None or probe <= end))


def test_arguments_stay_as_they_are_and_nothing_gives_an_empty_frame() -> None:
    roads, projects = roads_of({"opened_on": "2024-01-01"}), projects_of({"geometry": line((0, 0), (9, 0))})
    moratoria = moratoria_of({"geometry": shapely.Point(EAST, NORTH)})
    copies = [frame.copy(deep=True) for frame in (roads, projects, moratoria)]
    found(roads, projects, moratoria)
    for frame, copy in zip((roads, projects, moratoria), copies, strict=True):
        pd.testing.assert_frame_equal(frame, copy)
    assert found().empty


def test_frames_that_do_not_fit_are_refused() -> None:
    roads = roads_of({"opened_on": "2024-01-01"}).to_crs("EPSG:4547")
    with pytest.raises(PlanningError, match="coordinate"):
        find_bans(roads, projects_of({"geometry": line((0, 0), (9, 0))}), moratoria_of(), read_policy(), AS_OF)
    with pytest.raises(FrameError):
        find_bans(roads_of().rename_axis("id"), projects_of(), moratoria_of(), read_policy(), AS_OF)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_packaged_sets_name_codes_that_exist(path: Any) -> None:
    bans = ban_set(path.stem)
    assert bans.id == path.stem
    for rule in bans.rules:
        assert rule.cause in value_list("ban_cause")
        assert set(rule.project_kinds) <= set(value_list("project_kind"))
    for media in (*(part.media for part in bans.exceptions), *(part.media for part in bans.closures)):
        assert set(media or ()) <= set(value_list("medium"))
    for exception in bans.exceptions:
        assert set(exception.before_project_kinds or ()) <= set(value_list("project_kind"))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('road_clock = "opened_on"\nproject_kinds = ["road_building"]', "", "road_clock"),
        ('code = "cn_overhaul"', 'code = "cn_new_road"', "code of its own"),
        ('exceptions = ["special_approval", "emergency_repair"]', 'exceptions = ["bribe"]', "bribe"),
        ('first_day = "06-07"', 'first_day = "02-30"', "day"),
        ("years = 5", "years = 0", "greater"),
        ('methods = ["emergency"]', 'before_project_kinds = ["road_overlay"]', "before_within_days"),
    ],
)
def test_a_set_that_contradicts_itself_is_refused(old: str, new: str, told: str) -> None:
    text = (REPOSITORY / "planner" / "bans" / "cn-national.toml").read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(ValidationError, match=told):
        BanSet.model_validate(tomllib.loads(text.replace(old, new)))


def test_the_ban_set_is_part_of_what_a_run_stores() -> None:
    national, local = read_policy(), policy_with("cn-overlay")
    assert national.content_hash != local.content_hash
    assert Policy.from_dict(local.to_dict()) == local
    assert "bans.exceptions[special_approval]" in national.unverified()
    assert not any("cn_new_road" in key for key in national.unverified())


def test_published_bans_know_the_exceptions_of_the_city() -> None:
    for name in ("cn-national", "us-example"):
        policy = policy_with(name)
        published = found(moratoria=moratoria_of({}), policy=policy)
        assert published["exceptions"].tolist() == ["|".join(policy.bans.published_exceptions)]
