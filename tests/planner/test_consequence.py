"""What stands near a segment and what it adds: laws of direction, defaults, and a plain search as the oracle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from planner.consequence import ConsequenceParts, consequence_parts
from planner.policy import read_policy
from planner.surroundings import Near, building_people, find_surroundings
from tests.planner.frames import EAST, NORTH, frame_of, line, places_of, segments_of

WEIGHTS = read_policy().weights
MEDIA = ["gas", "water", "heat", "drain", "other"]
USES = ["residential", "commercial", "school", "hospital", "industrial", "public", "unknown", None]
MAIN = line((0, 0), (100, 0))


def house(distance_m: float, x_m: float = 50.0, size_m: float = 10.0) -> shapely.Polygon:
    x, y = EAST + x_m, NORTH - distance_m
    return shapely.box(x, y - size_m, x + size_m, y)


def hole(distance_m: float, x_m: float = 50.0) -> shapely.Point:
    return shapely.Point(EAST + x_m, NORTH + distance_m)


def houses_of(*rows: Mapping[str, Any]) -> gpd.GeoDataFrame:
    default = {"use": "residential", "household_count": 0, "geometry": house(8)}
    filled = [{"building_id": f"B{number:04d}"} | default | dict(row) for number, row in enumerate(rows)]
    return frame_of("buildings", filled, ("use", "floor_count", "household_count"))


def parts_of(
    segments: gpd.GeoDataFrame | None = None,
    buildings: gpd.GeoDataFrame | None = None,
    context: gpd.GeoDataFrame | None = None,
    supplied: list[float] | None = None,
) -> ConsequenceParts:
    segments = segments_of({"geometry": MAIN}) if segments is None else segments
    homes = None if supplied is None else np.array(supplied)
    return consequence_parts(segments, Near(buildings, context), WEIGHTS, None, homes)


def factor(parts: ConsequenceParts, name: str) -> float:
    (value,) = np.exp(parts.ln_parts[name])
    return float(value)


def total(parts: ConsequenceParts) -> float:
    (value,) = parts.ln_consequence
    return float(value)


def in_medium(medium: str) -> gpd.GeoDataFrame:
    return segments_of({"geometry": MAIN, "medium": medium})


# --- laws ----------------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(medium=st.sampled_from(MEDIA), near_m=st.floats(0, 8), farther_m=st.floats(0, 8))
def test_a_nearer_void_never_lowers_the_consequence(medium: str, near_m: float, farther_m: float) -> None:
    far_one = ("void", hole(500))
    near, far = (
        total(parts_of(in_medium(medium), context=places_of(far_one, ("void", hole(distance_m)))))
        for distance_m in (near_m, near_m + farther_m)
    )
    assert near >= far


@settings(deadline=None, max_examples=40)
@given(
    medium=st.sampled_from(MEDIA),
    use=st.sampled_from(USES),
    households=st.integers(0, 400),
    more=st.integers(0, 400),
    distance_m=st.floats(0, 40),
    farther_m=st.floats(0, 40),
)
def test_more_or_nearer_people_never_lower_the_consequence(
    medium: str, use: str | None, households: int, more: int, distance_m: float, farther_m: float
) -> None:
    def at(count: int, away_m: float) -> float:
        found = houses_of({"use": use, "household_count": count, "geometry": house(away_m)})
        return total(parts_of(in_medium(medium), found))

    assert at(households + more, distance_m) >= at(households, distance_m)
    assert at(households, distance_m) >= at(households, distance_m + farther_m)


@settings(deadline=None, max_examples=30)
@given(
    medium=st.sampled_from(MEDIA),
    uses=st.lists(st.sampled_from(USES), min_size=1, max_size=4),
    another=st.sampled_from(USES),
)
def test_another_building_never_lowers_the_consequence(
    medium: str, uses: list[str | None], another: str | None
) -> None:
    rows = [{"use": use, "household_count": 3, "geometry": house(8, 12.0 * place)} for place, use in enumerate(uses)]
    further = {"use": another, "household_count": 3, "geometry": house(8, 80)}
    # a use that is known elsewhere in the city, so that the second frame is not the first to know of any
    known = {"use": "industrial", "household_count": 1, "geometry": house(900)}
    one, both = (parts_of(in_medium(medium), houses_of(*rows, known, *more)) for more in ([], [further]))
    assert total(both) >= total(one)


@settings(deadline=None, max_examples=30)
@given(medium=st.sampled_from(MEDIA), cut_off=st.floats(0, 400), more=st.floats(0, 400))
def test_more_households_cut_off_never_lower_the_consequence(medium: str, cut_off: float, more: float) -> None:
    few, many = (parts_of(in_medium(medium), houses_of({}), supplied=[count]) for count in (cut_off, cut_off + more))
    assert total(many) >= total(few)


def test_what_stands_beyond_reach_changes_nothing() -> None:
    segments = segments_of({"geometry": MAIN}, {"geometry": MAIN, "medium": "heat"})
    rows = [{"use": "commercial", "household_count": 40}]
    things = [("void", hole(4)), ("sensitive_place", house(20))]
    beyond = [{"use": "hospital", "household_count": 500, "geometry": house(30.01)}]
    far_things = [("void", hole(5.01)), ("sensitive_place", house(30.01)), ("other", hole(0)), ("soil", house(0))]
    near = parts_of(segments, houses_of(*rows), places_of(*things))
    both = parts_of(segments, houses_of(*rows, *beyond), places_of(*things, *far_things))
    assert_frame_equal(pd.DataFrame(near.ln_parts), pd.DataFrame(both.ln_parts))
    assert_frame_equal(pd.DataFrame(near.gaps), pd.DataFrame(both.gaps))


def test_rows_may_come_in_any_order(rng: np.random.Generator) -> None:
    segments, buildings, context = city(rng)
    there = pd.DataFrame(parts_of(segments, buildings, context).ln_parts, index=segments.index)
    order = rng.permutation(len(segments))
    mixed = parts_of(
        segments.iloc[order],
        buildings.iloc[rng.permutation(len(buildings))],
        context.iloc[rng.permutation(len(context))],
    )
    assert_frame_equal(pd.DataFrame(mixed.ln_parts, index=segments.index[order]), there.iloc[order])


# --- by hand -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("medium", "distance_m", "expected"),
    [("gas", 1.5, 2.5), ("gas", 1.6, 2.0), ("gas", 5.0, 2.0), ("gas", 5.1, 1.0), ("water", 1.0, 1.3), ("other", 1, 1)],
)
def test_bands_of_voids(medium: str, distance_m: float, expected: float) -> None:
    parts = parts_of(in_medium(medium), context=places_of(("void", hole(distance_m))))
    assert factor(parts, "void") == pytest.approx(expected)
    assert not parts.gaps["void_distance"].any()


def test_a_city_without_voids_is_a_gap_not_safety() -> None:
    for context in (None, places_of(), places_of(("soil", house(0)))):
        parts = parts_of(context=context)
        assert factor(parts, "void") == pytest.approx(1.3)
        assert parts.gaps["void_distance"].all()


@pytest.mark.parametrize(
    ("uses", "expected", "is_gap"),
    [
        (["residential"], 1.0, False),
        (["school", "hospital", "commercial"], 1.8, False),
        ([None, "residential"], 1.1, True),
        ([None, "school"], 1.5, False),
        ([None, None], 1.1, True),
        (["unknown", "public"], 1.1, False),
    ],
)
def test_the_hardest_to_lead_away_decides(uses: list[str | None], expected: float, *, is_gap: bool) -> None:
    parts = parts_of(buildings=houses_of(*({"use": use} for use in uses)))
    assert factor(parts, "evacuation") == pytest.approx(expected)
    assert parts.gaps["building_use"].tolist() == [is_gap]


def test_places_where_people_gather_count_without_any_building() -> None:
    near, far = (parts_of(context=places_of(("sensitive_place", house(at)))) for at in (30, 30.5))
    assert factor(near, "evacuation") == pytest.approx(1.5)
    assert factor(far, "evacuation") == pytest.approx(1.0)
    assert not near.gaps["building_use"].any()


def test_only_gas_asks_whom_it_must_lead_away() -> None:
    found = houses_of({"use": "hospital", "household_count": 400})
    for medium in MEDIA:
        parts = parts_of(in_medium(medium), found, places_of(("void", hole(900))))
        assert (factor(parts, "evacuation") > 1) == (medium == "gas"), medium
        assert (factor(parts, "occupancy") > 1) == (medium in {"gas", "heat"}), medium
        assert (factor(parts, "pressure") == 1) or medium == "gas"


def test_people_are_counted_at_home_and_at_work() -> None:
    rows: list[dict[str, Any]] = [
        {"use": "residential", "household_count": 20},
        {"use": "residential", "household_count": None, "floor_count": 6},
        {"use": "school", "household_count": None, "floor_count": 3},
        {"use": "commercial", "household_count": 10, "floor_count": 2},
        {"use": None, "household_count": 0},
    ]
    people = building_people(houses_of(*rows), WEIGHTS.consequence)
    np.testing.assert_allclose(people, [20 * 2.6, 600 * 0.03, 300 * 0.15, 10 * 2.6 + 200 * 0.1, 0.0])


def test_those_who_are_supplied_are_cut_off_else_those_near() -> None:
    near = houses_of({"household_count": 100})
    assert factor(parts_of(buildings=near), "household") == pytest.approx(1.5)
    assert factor(parts_of(buildings=near, supplied=[float("nan")]), "household") == pytest.approx(1.5)
    assert factor(parts_of(buildings=near, supplied=[0.0]), "household") == pytest.approx(1.0)
    assert factor(parts_of(buildings=near, supplied=[300.0]), "household") == pytest.approx(1.8)


# --- the oracle ----------------------------------------------------------------------------------------------------


def city(rng: np.random.Generator, count: int = 30) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, gpd.GeoDataFrame]:
    at = rng.uniform(0, 150, (count, 4))
    segments = segments_of(
        *({"geometry": line((a, b), (c, d)), "medium": MEDIA[n % 5]} for n, (a, b, c, d) in enumerate(at))
    )
    rows: list[dict[str, Any]] = [
        {
            "use": USES[int(rng.integers(len(USES)))],
            "household_count": None if n % 5 == 0 else int(rng.integers(0, 90)),
            "floor_count": None if n % 3 == 0 else int(rng.integers(1, 20)),
            "geometry": house(*rng.uniform(-200, 200, 2)),
        }
        for n in range(25)
    ]
    things = [("void" if n % 2 else "sensitive_place", hole(*rng.uniform(-150, 150, 2))) for n in range(40)]
    return segments, houses_of(*rows), places_of(*things)


def test_the_search_agrees_with_looking_at_every_pair(rng: np.random.Generator) -> None:
    segments, buildings, context = city(rng)
    found = find_surroundings(segments, Near(buildings, context), WEIGHTS.consequence)
    people = dict(zip(buildings.index, building_people(buildings, WEIGHTS.consequence), strict=True))
    voids = [shape for kind, shape in zip(context["kind"], context.geometry, strict=True) if kind == "void"]
    places = [shape for kind, shape in zip(context["kind"], context.geometry, strict=True) if kind != "void"]
    assert found.kinds is not None
    for row, shape in enumerate(segments.geometry):
        near = [name for name, footprint in buildings.geometry.items() if shape.distance(footprint) <= 30]
        nearest = min(buildings.geometry.distance(shape))
        nearest_void = min(shape.distance(void) for void in voids)
        assert found.building_m[row] == (nearest if near else np.inf)
        assert found.void_m[row] == (nearest_void if nearest_void <= 5 else np.inf)
        counts = pd.DataFrame(buildings).loc[near, "household_count"]
        assert found.household_count[row] == counts.sum()
        assert found.people_count[row] == pytest.approx(sum(people[name] for name in near), abs=1e-5)
        uses = set(buildings.loc[near, "use"].fillna("unknown"))
        assert {kind for kind in found.kinds if kind != "sensitive_place" and found.kinds[kind][row]} == uses
        assert found.kinds["sensitive_place"][row] == any(shape.distance(place) <= 30 for place in places)


def test_pieces_do_not_show(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    segments, buildings, context = city(rng)
    whole = parts_of(segments, buildings, context)
    monkeypatch.setattr("planner.surroundings._CHUNK", 7)
    done: list[int] = []
    pieces = consequence_parts(segments, Near(buildings, context), WEIGHTS, done.append)
    assert sum(done) == len(segments)
    assert len(done) == 5
    assert_frame_equal(pd.DataFrame(whole.ln_parts), pd.DataFrame(pieces.ln_parts))
