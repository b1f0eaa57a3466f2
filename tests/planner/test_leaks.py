from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely
from pandas.testing import assert_frame_equal

from planner.leaks import link_leaks
from planner.policy import read_policy
from registry.fields import check_frame
from tests.planner.frames import EAST, NORTH, leaks_of, line, segments_of


def point(x: float, y: float) -> shapely.Point:
    return shapely.Point(EAST + x, NORTH + y)


def test_the_nearer_pipe_is_likelier_and_one_leak_stays_below_one() -> None:
    segments = segments_of({}, {"geometry": line((0, 6), (100, 6))})
    links = link_leaks(leaks_of({"geometry": point(30, 1)}), segments, read_policy())
    check_frame(links, "leak_links")
    assert links["segment_id"].tolist() == ["S0000", "S0001"]
    near, far = links["probability"].tolist()
    assert near > far > 0
    assert 0.9 < links["probability"].sum() < 1
    np.testing.assert_allclose(links[["distance_m", "measure_m"]].to_numpy()[0], [1.0, 30.0])


def test_a_far_leak_is_linked_to_nothing() -> None:
    assert link_leaks(leaks_of({"geometry": point(50, -16)}), segments_of({}), read_policy()).empty
    assert len(link_leaks(leaks_of({"geometry": point(50, -14)}), segments_of({}), read_policy())) == 1
    assert link_leaks(leaks_of({"geometry": point(50, -14)}), segments_of({}), read_policy(), radius_m=10).empty


def test_an_address_reaches_farther_than_a_survey() -> None:
    leaks = leaks_of({"geometry": point(50, -40), "position_quality": "address"}, {"geometry": point(50, -40)})
    assert list(link_leaks(leaks, segments_of({}), read_policy())["leak_id"]) == ["L0000"]


def test_a_pipe_younger_than_the_leak_or_retired_before_it_cannot_have_leaked() -> None:
    segments = segments_of(
        {"geometry": line((0, 0), (9, 0)), "installed_year_min": 2016, "installed_year_max": 2016},
        {"geometry": line((0, 1), (9, 1)), "retired_on": "2015-01-01"},
        {"geometry": line((0, 2), (9, 2)), "installed_year_min": 2015, "installed_year_max": 2020},
        {"geometry": line((0, 3), (9, 3)), "medium": "water"},
    )
    links = link_leaks(leaks_of({"geometry": point(5, 1), "medium": "gas"}), segments, read_policy())
    assert list(links["segment_id"]) == ["S0002"]


def test_the_segment_named_by_the_crew_wins() -> None:
    segments = segments_of({}, {"geometry": line((0, 500), (100, 500))})
    links = link_leaks(leaks_of({"geometry": point(50, 1), "segment_id": "S0001"}), segments, read_policy())
    assert list(links["segment_id"]) == ["S0001"]
    assert list(links["probability"]) == [1.0]


def test_a_leak_of_a_pipe_that_is_gone_is_not_given_to_its_neighbours() -> None:
    segments = segments_of({}, {"installed_year_min": 2016, "installed_year_max": 2016})
    leaks = leaks_of(
        {"geometry": point(50, 1), "segment_id": "GONE"}, {"geometry": point(50, 1), "segment_id": "S0001"}
    )
    assert link_leaks(leaks, segments, read_policy()).empty


def test_a_named_leak_without_position_keeps_an_empty_distance() -> None:
    links = link_leaks(leaks_of({"segment_id": "S0000"}), segments_of({}), read_policy())
    assert links["probability"].tolist() == [1.0]
    assert links[["distance_m", "measure_m"]].isna().all(axis=None)


def test_links_equal_a_slow_search(rng: np.random.Generator) -> None:
    starts = rng.uniform(0, 300, (40, 2))
    segments = segments_of(*({"geometry": line(tuple(a), tuple(a + rng.normal(0, 30, 2)))} for a in starts))
    leaks = leaks_of(*({"geometry": point(*xy)} for xy in rng.uniform(0, 300, (30, 2))))
    links = link_leaks(leaks, segments, read_policy()).set_index(["leak_id", "segment_id"])["probability"]
    slow: dict[tuple[Any, Any], float] = {}
    for leak_id, where in leaks.geometry.items():
        near = {name: shape.distance(where) for name, shape in segments.geometry.items() if shape.distance(where) <= 15}
        total = sum(np.exp(-0.5 * (d / 4) ** 2) for d in near.values()) + 0.05
        slow |= {(leak_id, name): np.exp(-0.5 * (d / 4) ** 2) / total for name, d in near.items()}
    expected = pd.Series(slow)
    assert set(links.index) == set(expected.index)
    np.testing.assert_allclose(links.reindex(expected.index), expected, rtol=1e-12)


def test_arguments_are_left_as_they_were(rng: np.random.Generator) -> None:
    segments = segments_of(*({} for _ in range(5)))
    leaks = leaks_of(*({"geometry": point(*xy)} for xy in rng.uniform(0, 100, (9, 2))))
    before = segments.copy(), leaks.copy()
    link_leaks(leaks, segments, read_policy())
    assert_frame_equal(pd.DataFrame(segments), pd.DataFrame(before[0]))
    assert_frame_equal(pd.DataFrame(leaks), pd.DataFrame(before[1]))
