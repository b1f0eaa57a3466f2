"""Events find their segment by the id they state, else by their place, whatever the leak rates."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.events import link_events
from planner.policy import read_policy
from registry.fields import check_frame
from tests.planner.frames import EAST, NORTH, frame_of, line, segments_of
from tests.planner.test_leaks import point

POLICY = read_policy()


def events_of(*rows: dict[str, Any]) -> gpd.GeoDataFrame:
    default = {"happened_on": "2020-06-01", "kind": "inspection", "position_quality": "surveyed"}
    filled = [{"event_id": f"E{number}", "geometry": None} | default | row for number, row in enumerate(rows)]
    return frame_of("events", filled, ("happened_on", "kind", "medium", "position_quality", "segment_id"))


def shares(*rows: dict[str, Any], segments: gpd.GeoDataFrame) -> dict[tuple[str, str], float]:
    links = link_events(events_of(*rows), segments, POLICY)
    check_frame(links, "event_links")
    return {(row["event_id"], row["segment_id"]): float(row["probability"]) for row in links.to_dict("records")}


def test_a_stated_segment_is_certain_if_it_lay_there_on_the_day() -> None:
    segments = segments_of({}, {"installed_year_min": 2022, "installed_year_max": 2022})
    told = shares({"segment_id": "S0000"}, {"segment_id": "S0001", "geometry": point(5, 20)}, segments=segments)
    assert told == {("E0", "S0000"): 1.0}


def test_the_nearer_segment_is_likelier_and_no_leak_rate_has_a_say() -> None:
    segments = segments_of({"material": "pe100"}, {"material": "grey_iron", "installed_year_min": 1960})
    told = shares({"geometry": point(50, 10)}, segments=segments)
    assert told["E0", "S0000"] == pytest.approx(told["E0", "S0001"])
    nearer = shares({"geometry": point(50, 6)}, segments=segments)
    assert nearer["E0", "S0000"] > nearer["E0", "S0001"]


@pytest.mark.parametrize(
    "place",
    [
        line((40, 1), (60, 1)),
        shapely.MultiLineString([line((40, 1), (50, 1)), line((50, 1), (60, 1))]),
        shapely.box(EAST + 45, NORTH - 4, EAST + 55, NORTH + 6),
    ],
)
def test_a_line_counts_from_its_middle_and_an_area_from_inside(place: shapely.Geometry) -> None:
    links = link_events(events_of({"geometry": place}), segments_of({}), POLICY)
    assert links["measure_m"].tolist() == pytest.approx([50.0])
    assert links["distance_m"].tolist() == pytest.approx([1.0])


def test_an_event_with_neither_place_nor_known_segment_is_linked_to_nothing() -> None:
    assert shares({"segment_id": "GONE"}, {"geometry": point(0, 500)}, segments=segments_of({})) == {}


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.floats(-20, 120), st.floats(-40, 60)), min_size=1, max_size=8))
def test_the_shares_of_one_event_stay_below_one(places: list[tuple[float, float]]) -> None:
    segments = segments_of({}, {}, {})
    links = link_events(events_of(*({"geometry": point(*at)} for at in places)), segments, POLICY)
    total = links.groupby("event_id")["probability"].sum()
    assert (total < 1.0).all()
    assert np.all(links["distance_m"] <= 30.0)
