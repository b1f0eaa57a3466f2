"""Places in words on a small town whose answers are known by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.places.locate import locate
from registry.places.network import Network
from tests.registry.places.roads import road, roads, town, turned

TOWN = Network.of(roads(*town()))


def place(network: Network = TOWN, **words: Any) -> dict[str, Any]:
    """Locate one row."""
    found = locate(pd.DataFrame([words], index=["row"], dtype=object), network).loc["row"]
    return {str(name): None if value is None or value is np.nan else value for name, value in found.items()}


def span(shape: shapely.Geometry) -> tuple[float, float]:
    """Return from where to where a stretch of MAIN ST goes."""
    west, _south, east, _north = shapely.bounds(shape)
    return float(west), float(east)


def test_between_cross_streets() -> None:
    found = place(street_name="Main Street", cross_street_from="Third Ave", cross_street_to="second avenue")
    assert (found["located_by"], found["problem"]) == ("stretch", None)
    assert found["geometry"].equals(shapely.LineString([(300, 0), (600, 0)]))


def test_between_a_cross_street_and_the_end() -> None:
    found = place(street_name="MAIN ST", cross_street_from="FIRST AVE", cross_street_to="END")
    # both ends of MAIN ST are crossings: it has no loose end
    assert found["problem"] == "crossing_unknown"
    loose = Network.of(roads(road("A ST", (0, 0), (100, 0)), road("B ST", (40, -50), (40, 50))))
    assert place(loose, street_name="B ST", cross_street_from="A ST", cross_street_to="dead end")["problem"] == (
        "ambiguous"
    )
    one_end = Network.of(roads(road("A ST", (0, 0), (100, 0)), road("B ST", (40, 0), (40, 50))))
    found = place(one_end, street_name="B ST", cross_street_from="A ST", cross_street_to="dead end")
    assert found["geometry"].length == pytest.approx(50.0)


def test_a_chinese_text_means_what_the_columns_mean() -> None:
    by_text = place(address="罗峰大街（魁星路至温泉路）")
    by_columns = place(street_name="罗峰大街", cross_street_from="魁星路", cross_street_to="温泉路")
    assert by_text["geometry"].equals(by_columns["geometry"])
    assert by_text["geometry"].length == pytest.approx(400.0)


def test_house_numbers_of_a_block_are_the_block() -> None:
    for last in (199, 200):
        found = place(street_name="MAIN ST", number_from=101, number_to=last)
        assert found["located_by"] == "numbers"
        assert span(found["geometry"]) == pytest.approx((300.0, 600.0))


def test_house_numbers_over_several_blocks_are_one_line() -> None:
    found = place(address="50-250 MAIN ST")
    assert shapely.get_num_geometries(found["geometry"]) == 1 or found["geometry"].geom_type == "LineString"
    west, east = span(found["geometry"])
    assert 130 < west < 170
    assert 730 < east < 770


def test_one_house_number_is_a_point_of_its_block() -> None:
    middle = place(address="151 MAIN ST")
    assert middle["located_by"] == "number"
    assert middle["geometry"].x == pytest.approx(450.0, abs=3.0)
    assert middle["geometry"].y == 0.0


def test_odd_and_even_numbers_go_to_their_own_side() -> None:
    # the left side has 1 to 9, the right side 2 to 100: number 9 is the last on its side, not among the first
    uneven = Network.of(roads(road("A ST", (0, 0), (100, 0), numbers=(1, 9, 2, 100))))
    odd = place(uneven, address="9 A ST")["geometry"].x
    even = place(uneven, address="10 A ST")["geometry"].x
    assert odd > 75
    assert even < 25
    # a narrower range of the other parity does not go before
    narrow = Network.of(roads(road("A ST", (0, 0), (100, 0), numbers=(1, 99, 8, 12))))
    assert place(narrow, address="9 A ST")["geometry"].x < 20
    # no side has odd numbers: the other side is better than nothing
    even_only = Network.of(roads(road("A ST", (0, 0), (100, 0), numbers=(None, None, 2, 100))))
    assert place(even_only, address="51 A ST")["geometry"].x == pytest.approx(50.0, abs=3.0)


def test_a_number_that_stands_alone_has_the_middle_of_its_side() -> None:
    alone = Network.of(roads(road("A ST", (0, 0), (100, 0), numbers=(15, 15, None, None))))
    assert place(alone, address="15 A ST")["geometry"].x == pytest.approx(50.0)
    assert place(alone, address="11-19 A ST")["geometry"].length == pytest.approx(100.0)
    one_end = Network.of(roads(road("A ST", (0, 0), (100, 0), numbers=(None, 15, None, None))))
    assert place(one_end, address="15 A ST")["geometry"].x == pytest.approx(50.0)


def test_a_number_just_beyond_the_known_ones_lies_at_the_end_and_is_less_sure() -> None:
    beyond = place(address="315 MAIN ST")
    assert beyond["geometry"].x > 890
    assert beyond["confidence"] < place(address="295 MAIN ST")["confidence"]
    far = place(address="399 MAIN ST")
    assert (far["problem"], far["offered"]) == ("number_unknown", "1-300 MAIN ST")


def test_a_crossing_is_a_point_and_a_block_an_area() -> None:
    crossing = place(address="Second Ave & Main St")
    assert crossing["located_by"] == "crossing"
    assert crossing["geometry"].distance(shapely.Point(300, 0)) < 1e-6
    block = place(address="MAIN ST & SECOND AVE & NORTH ST & THIRD AVE")
    assert block["located_by"] == "block"
    assert block["geometry"].symmetric_difference(shapely.box(300, 0, 600, 300)).area < 1.0


def test_several_places_of_one_text_are_taken_together_or_not_at_all() -> None:
    both = place(address="MAIN ST (FIRST AVE to SECOND AVE); NORTH ST (FIRST AVE to SECOND AVE)")
    assert both["geometry"].length == pytest.approx(600.0)
    # an area and a point: the area
    mixed = place(address="151 MAIN ST; MAIN ST & SECOND AVE & NORTH ST & THIRD AVE")
    assert (mixed["located_by"], mixed["geometry"].geom_type) == ("block", "Polygon")
    half = place(address="151 MAIN ST; 12 NOWHERE ST")
    assert (half["geometry"], half["problem"], half["asked"]) == (None, "street_unknown", "NOWHERE ST")


def test_a_direction_that_is_left_out_is_settled_by_the_numbers_or_asked_for() -> None:
    assert place(address="150 QUEEN ST")["geometry"].x < 2000
    assert place(address="50 QUEEN ST")["geometry"].x > 2000
    assert place(address="50 QUEEN ST")["confidence"] < place(address="50 QUEEN ST E")["confidence"]
    both = place(address="50 KING ST")
    assert (both["problem"], both["offered"]) == ("ambiguous", "KING ST E | KING ST W")
    # a direction that is said is never another one
    assert place(address="50 KING ST N")["problem"] == "street_unknown"
    assert place(address="150 QUEEN ST E")["problem"] == "number_unknown"


def test_a_street_that_begins_and_ends_at_one_cross_street() -> None:
    crescent = Network.of(
        roads(road("LONG RD", (0, 0), (500, 0)), road("MOON CRES", (100, 0), (100, 80), (400, 80), (400, 0)))
    )
    found = place(crescent, street_name="MOON CRES", cross_street_from="LONG RD", cross_street_to="LONG RD")
    assert found["geometry"].length == pytest.approx(460.0)


def test_a_cross_street_that_is_met_twice_is_asked_about_unless_numbers_settle_it() -> None:
    rows = roads(
        road("LONG RD", (0, 0), (500, 0), numbers=(1, 99, 2, 100)),
        road("MOON CRES", (100, 0), (100, 80), (400, 80), (400, 0)),
        road("SUN ST", (50, 0), (50, 90)),
    )
    network = Network.of(rows)
    words = {"street_name": "LONG RD", "cross_street_from": "SUN ST", "cross_street_to": "MOON CRES"}
    found = place(network, **words)
    assert (found["problem"], found["geometry"]) == ("ambiguous", None)
    assert found["offered"] == "LONG RD (50 m) | LONG RD (350 m)"
    settled = place(network, **words, number_from=10, number_to=20)
    assert (settled["problem"], settled["located_by"]) == (None, "numbers")


def test_streets_that_do_not_meet_are_told_with_one_that_does() -> None:
    found = place(street_name="MAIN ST", cross_street_from="FIRST AVE", cross_street_to="FOURTHS AVE")
    assert (found["problem"], found["asked"], found["offered"]) == ("street_unknown", "FOURTHS AVE", "FOURTH AVE")
    found = place(street_name="KING ST E", cross_street_from="KING ST W", cross_street_to="MAIN ST")
    assert (found["problem"], found["asked"]) == ("crossing_unknown", "KING ST E × MAIN ST")


def test_a_street_in_two_towns_is_ambiguous_for_a_number_that_both_have() -> None:
    two = Network.of(
        roads(
            road("解放路", (0, 0), (300, 0), numbers=(1, 99, 2, 100)),
            road("解放路", (9000, 0), (9300, 0), numbers=(1, 49, 2, 50)),
        )
    )
    assert place(two, address="解放路21号")["problem"] == "ambiguous"
    assert place(two, address="解放路11-31号")["problem"] == "ambiguous"
    assert place(two, address="解放路81号")["problem"] is None


def test_a_street_that_is_broken_between_the_crossings_is_said_to_be() -> None:
    broken = Network.of(
        roads(
            road("A ST", (0, 0), (100, 0)),
            road("A ST", (400, 0), (500, 0)),
            road("B ST", (10, -50), (10, 50)),
            road("C ST", (490, -50), (490, 50)),
        )
    )
    found = place(broken, street_name="A ST", cross_street_from="B ST", cross_street_to="C ST")
    assert found["problem"] == "stretch_apart"


def test_both_carriageways_of_a_divided_street() -> None:
    divided = Network.of(
        roads(
            road("A ST", (0, 0), (500, 0)),
            road("A ST", (500, 20), (0, 20)),
            road("B ST", (100, -50), (100, 50)),
            road("C ST", (400, -50), (400, 50)),
        )
    )
    found = place(divided, street_name="A ST", cross_street_from="B ST", cross_street_to="C ST")
    assert found["geometry"].length == pytest.approx(600.0)


def test_a_row_that_names_nothing_has_neither_place_nor_problem() -> None:
    found = locate(pd.DataFrame({"street_name": [None, "MAIN ST"]}, index=["a", "b"]), TOWN)
    assert found.loc[["a"]].isna().to_numpy().all()
    assert found.loc["b", "located_by"] == "street"
    assert shapely.length(found["geometry"].to_numpy()[1]) == pytest.approx(900.0)


def test_a_remark_beside_a_street_does_not_hide_it() -> None:
    found = place(street_name="MAIN ST", address="behind the school")
    assert found["located_by"] == "street"
    # but a text that names a part of it is believed
    part = place(street_name="MAIN ST", address="101-199 MAIN ST")
    assert span(part["geometry"]) == pytest.approx((300.0, 600.0))


def test_no_roads_at_all() -> None:
    none = Network.of(roads())
    for words in ({"address": "12 MAIN ST"}, {"address": "A ST & B ST"}, {"street_name": "MAIN ST"}):
        assert place(none, **words)["problem"] == "street_unknown"


STRETCH = st.tuples(st.integers(1, 150), st.integers(1, 70), st.integers(0, 20), st.integers(0, 20), st.integers(0, 1))


@settings(max_examples=8, deadline=None)
@given(st.lists(STRETCH, min_size=20, max_size=20))
def test_more_numbers_never_make_less_of_a_stretch(drawn: list[tuple[int, ...]]) -> None:
    first, count, before, after, parity = np.array(drawn).T
    # both ends of one parity, so that the same sides decide
    start, end = 2 * first - parity, 2 * (first + count) - parity
    small = pd.DataFrame({"street_name": "MAIN ST", "number_from": start, "number_to": end})
    large = small.assign(number_from=np.maximum(start - 2 * before, 2 - parity), number_to=end + 2 * after)
    inner, outer = locate(small, TOWN)["geometry"], locate(large, TOWN)["geometry"]
    there = inner.notna() & outer.notna()
    assert there.any()
    assert shapely.covers(shapely.buffer(outer[there].to_numpy(), 1e-6), inner[there].to_numpy()).all()


@settings(max_examples=8, deadline=None)
@given(st.permutations(town()), st.lists(st.booleans(), min_size=len(town()), max_size=len(town())))
def test_neither_the_order_of_roads_nor_their_direction_moves_a_house(
    rows: list[dict[str, Any]], is_turned: list[bool]
) -> None:
    numbers = pd.DataFrame({"address": [f"{number} MAIN ST" for number in range(1, 301, 7)]})
    other = roads(*(turned(row) if turn else row for row, turn in zip(rows, is_turned, strict=True)))
    here, there = locate(numbers, TOWN), locate(numbers, Network.of(other))
    assert here["problem"].equals(there["problem"])
    assert (shapely.distance(here["geometry"].to_numpy(), there["geometry"].to_numpy()) < 1e-6).all()


def test_the_rows_are_not_changed_and_their_index_is_kept() -> None:
    rows = pd.DataFrame({"address": ["151 MAIN ST", None]}, index=[9, 4])
    before = rows.copy()
    found = locate(rows, TOWN)
    pd.testing.assert_frame_equal(rows, before)
    assert list(found.index) == [9, 4]
