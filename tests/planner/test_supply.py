"""Households find the segments that supply them; none is lost, none counts twice."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.policy import read_policy
from planner.scatter import piece_nearness
from planner.score import Told, score_segments
from planner.supply import Homes, expected_households, link_households
from registry.fields import check_frame
from tests.conftest import TODAY
from tests.planner.frames import EAST, NORTH, frame_of, leaks_of, line, named_links, segments_of
from tests.planner.test_leaks import point

POLICY = read_policy()
FEW = settings(deadline=None, max_examples=20)


def customers_of(*rows: dict[str, Any]) -> gpd.GeoDataFrame:
    filled = [
        {"customer_id": f"C{number}", "geometry": None, "household_count": 10} | row for number, row in enumerate(rows)
    ]
    return frame_of("customers", filled, ("household_count", "building_id", "segment_id"))


def risers_of(*rows: dict[str, Any]) -> pd.DataFrame:
    filled = [{"riser_group_id": f"R{number}", "household_count": 10} | row for number, row in enumerate(rows)]
    return pd.DataFrame(frame_of("risers", filled, ("household_count", "building_id", "compound_id"))).drop(
        columns="geometry"
    )


def houses_of(*rows: dict[str, Any]) -> gpd.GeoDataFrame:
    filled = [{"building_id": f"B{number}", "household_count": 10} | row for number, row in enumerate(rows)]
    return frame_of("buildings", filled, ("household_count", "compound_id"))


def compounds_of(*rows: dict[str, Any]) -> gpd.GeoDataFrame:
    filled = [
        {"compound_id": f"K{number}", "name": f"yard {number}", "household_count": 10} | row
        for number, row in enumerate(rows)
    ]
    return frame_of("compounds", filled, ("name", "household_count"))


def house(x: float, y: float) -> shapely.Polygon:
    return shapely.box(EAST + x - 5, NORTH + y - 5, EAST + x + 5, NORTH + y + 5)


def linked(homes: Homes, segments: gpd.GeoDataFrame) -> pd.DataFrame:
    links = link_households(homes, segments, POLICY)
    check_frame(links, "household_links")
    return links


@pytest.mark.parametrize(
    ("customer", "basis"),
    [
        ({"segment_id": "S0001", "geometry": point(50, 1)}, "connection"),
        ({"segment_id": "GONE", "geometry": point(50, 1)}, "place"),
        ({"geometry": point(50, 1), "building_id": "B0"}, "place"),
        ({"building_id": "B0"}, "building"),
        ({"geometry": point(50, 900), "building_id": "B1"}, "compound"),
        ({"geometry": point(50, 900)}, "unassigned"),
        ({}, "unassigned"),
    ],
)
def test_the_closest_word_decides(customer: dict[str, Any], basis: str) -> None:
    segments = segments_of({}, {"compound_name": "yard 0", "geometry": line((0, 400), (100, 400))})
    houses = houses_of({"geometry": house(50, 12)}, {"geometry": house(50, 900), "compound_id": "K0"})
    links = linked(Homes(customers_of(customer), None, houses, compounds_of({})), segments)
    own = links[links["holder_kind"] == "customers"]
    assert own["basis"].tolist() == [basis]
    expected = {"connection": "S0001", "place": "S0000", "building": "S0000", "compound": "S0001"}.get(basis)
    assert own["segment_id"].dropna().tolist() == ([] if expected is None else [expected])


def test_of_two_tellers_of_one_site_the_nearer_to_the_pipe_is_believed() -> None:
    houses = houses_of(
        {"geometry": house(50, 12), "compound_id": "K0"},
        {"geometry": house(70, 12), "compound_id": "K0"},
        {"geometry": house(90, 12)},
        {"geometry": house(30, 12)},
    )
    customers = customers_of({"building_id": "B0", "household_count": 7}, {"building_id": "B3", "household_count": 0})
    homes = Homes(customers, risers_of({"building_id": "B1"}, {"building_id": "B2"}), houses, compounds_of({}, {}))
    links = linked(homes, segments_of({}))
    assert set(zip(links["holder_kind"], links["holder_id"], strict=True)) == {
        ("customers", "C0"),
        ("risers", "R1"),
        ("buildings", "B3"),
        ("compounds", "K1"),
    }


def test_only_pipes_of_the_media_supply() -> None:
    homes = Homes(customers_of({"segment_id": "S0000", "geometry": point(50, 1)}))
    links = linked(homes, segments_of({"medium": "water"}, {"geometry": line((0, 9), (100, 9))}))
    assert links["segment_id"].tolist() == ["S0001"]


def test_no_word_of_households_is_not_none_at_all() -> None:
    nobody = linked(Homes(), segments_of({}))
    assert nobody.empty
    assert np.isnan(expected_households(nobody, segments_of({}))).all()
    lost = linked(Homes(customers_of({})), segments_of({}))
    assert expected_households(lost, segments_of({})).tolist() == [0.0]


coordinates = st.tuples(st.floats(-20, 120), st.floats(-80, 120))
callers = st.fixed_dictionaries(
    {
        "geometry": st.one_of(st.none(), coordinates.map(lambda at: point(*at))),
        "household_count": st.integers(0, 300),
        "segment_id": st.sampled_from([None, None, "S0001", "GONE"]),
        "building_id": st.sampled_from([None, "B0", "B1"]),
    }
)


@FEW
@given(customers=st.lists(callers, min_size=1, max_size=6), at=st.lists(coordinates, min_size=2, max_size=2))
def test_every_household_is_somewhere_and_once(customers: list[dict[str, Any]], at: list[tuple[float, float]]) -> None:
    segments = segments_of({}, {"compound_name": "yard 0"}, {"compound_name": "yard 0"})
    houses = houses_of(*({"geometry": house(*place), "household_count": 0} for place in at))
    links = linked(Homes(customers_of(*customers), None, houses, compounds_of({"household_count": 0})), segments)
    told = links.groupby("holder_id")["probability"].sum(min_count=1)
    unassigned = links.loc[links["basis"] == "unassigned", "household_count"].sum()
    assert (np.isclose(told, 1.0) | told.isna()).all()
    counted = sum(row["household_count"] for row in customers)
    assert np.nansum(expected_households(links, segments)) + unassigned == pytest.approx(counted)


@FEW
@given(places=st.lists(coordinates, min_size=1, max_size=5))
def test_shares_by_place_are_those_of_a_slow_oracle(places: list[tuple[float, float]]) -> None:
    """One customer at a time, one pipe at a time, with the densities written out."""
    segments = segments_of({}, {}, {"geometry": line((20, 5), (20, 60))})
    reach = POLICY.supply.connection
    links = linked(Homes(customers_of(*({"geometry": point(*at)} for at in places))), segments)
    for number, at in enumerate(places):
        weights: dict[str, float] = {}
        for name, shape in segments.geometry.items():
            if shape.distance(point(*at)) > reach.radius_m:
                continue
            (ax, ay), (bx, by) = shape.coords
            length = float(np.hypot(bx - ax, by - ay))
            along = ((ax - point(*at).x) * (bx - ax) + (ay - point(*at).y) * (by - ay)) / length
            aside = abs((ax - point(*at).x) * (by - ay) - (ay - point(*at).y) * (bx - ax)) / length
            one, scatter = np.ones(1), np.full(1, reach.scatter_m)
            weights[str(name)] = float(piece_nearness(aside * one, along * one, (along + length) * one, scatter)[0])
        total = sum(weights.values())
        kept = {name: weight for name, weight in weights.items() if weight / total >= POLICY.supply.least_share.value}
        mine = links[(links["holder_id"] == f"C{number}") & links["segment_id"].notna()]
        assert dict(zip(mine["segment_id"], mine["probability"], strict=True)) == pytest.approx(
            {name: weight / sum(kept.values()) for name, weight in kept.items()}
        )


def test_more_expected_households_never_lower_the_consequence() -> None:
    segments, leaks = segments_of({}), leaks_of()
    found = []
    for count in (0, 5, 60, 500):
        links = linked(Homes(customers_of({"segment_id": "S0000", "household_count": count})), segments)
        scores = score_segments(
            segments, named_links(leaks, "S0000"), leaks, houses_of({"geometry": house(50, 12)}), POLICY, TODAY,
            told=Told(household_links=links),
        )  # fmt: skip
        found.append(float(scores["consequence_index"].iloc[0]))
    assert found == sorted(found)
    assert found[-1] > found[0]
