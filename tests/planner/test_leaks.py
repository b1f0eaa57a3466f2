from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from planner.evidence import leak_rates, unheld_rates
from planner.leaks import link_leaks
from planner.policy import Policy, read_policy
from registry.fields import check_frame
from tests.planner.frames import EAST, NORTH, leaks_of, line, segments_of

POLICY = read_policy()
LINKS = POLICY.links
# each example links whole frames, and the first call compiles
FEW = settings(deadline=None, max_examples=40)


def point(x: float, y: float) -> shapely.Point:
    return shapely.Point(EAST + x, NORTH + y)


def with_links(**changes: Any) -> Policy:
    """The policy with other figures of its links."""
    content = POLICY.to_dict()
    for name, value in changes.items():
        content["links"][name]["value"] = value
    return Policy.from_dict(content)


def given_to(leak: dict[str, Any], *rows: dict[str, Any], policy: Policy = POLICY, which: str = "S0000") -> float:
    """The probability that one leak gives to one of the segments."""
    links = link_leaks(leaks_of(leak), segments_of(*rows), policy).set_index("segment_id")["probability"]
    return float(links.get(which, 0.0))


coordinates = st.floats(0, 60)
places = st.tuples(coordinates, coordinates)
materials = st.sampled_from(["steel", "grey_iron", "cast_iron", "pe80", "pe100", "unknown", None])
diameters = st.sampled_from([63.0, 110.0, 200.0, None])
tiers = st.sampled_from(["municipal", "courtyard", None])
years = st.sampled_from([1990, 2014, 2015, 2016, None])
pipes = st.fixed_dictionaries(
    {
        "geometry": st.lists(places, min_size=2, max_size=3).map(lambda course: line(*course)),
        "material": materials,
        "diameter_mm": diameters,
        "tier": tiers,
        "installed_year_min": years,
        "installed_year_max": st.sampled_from([2016, 2020, None]),
        "retired_on": st.sampled_from([None, None, "2012-01-01", "2018-01-01"]),
        "medium": st.sampled_from(["gas", "gas", "water"]),
    }
)
reports = st.fixed_dictionaries(
    {
        "geometry": places.map(lambda at: point(*at)),
        "material": materials,
        "diameter_mm": diameters,
        "tier": tiers,
        "medium": st.sampled_from(["gas", None]),
        "position_quality": st.sampled_from(["surveyed", "address", "unknown", None]),
        "segment_id": st.sampled_from([None, None, None, "S0000", "GONE"]),
    }
)


def test_the_nearer_pipe_is_likelier_and_one_leak_stays_below_one() -> None:
    segments = segments_of({}, {"geometry": line((0, 6), (100, 6))})
    links = link_leaks(leaks_of({"geometry": point(30, 1)}), segments, POLICY)
    check_frame(links, "leak_links")
    assert links["segment_id"].tolist() == ["S0000", "S0001"]
    near, far = links["probability"].tolist()
    assert near > far > 0
    assert 0.9 < links["probability"].sum() < 0.999
    np.testing.assert_allclose(links[["distance_m", "measure_m"]].to_numpy()[0], [1.0, 30.0])


def test_a_far_leak_is_linked_to_nothing() -> None:
    assert link_leaks(leaks_of({"geometry": point(50, -31)}), segments_of({}), POLICY).empty
    assert len(link_leaks(leaks_of({"geometry": point(50, -29)}), segments_of({}), POLICY)) == 1
    assert link_leaks(leaks_of({"geometry": point(50, -29)}), segments_of({}), POLICY, radius_m=10).empty


def test_an_address_reaches_farther_than_a_survey() -> None:
    leaks = leaks_of({"geometry": point(50, -40), "position_quality": "address"}, {"geometry": point(50, -40)})
    assert list(link_leaks(leaks, segments_of({}), POLICY)["leak_id"]) == ["L0000"]


def test_a_quality_that_the_policy_does_not_know_counts_as_unknown() -> None:
    leaks = leaks_of(*({"geometry": point(50, -9), "position_quality": quality} for quality in (None, "unknown")))
    one, other = link_leaks(leaks, segments_of({}), POLICY)["probability"]
    assert one == other


def test_a_pipe_younger_than_the_leak_or_retired_before_it_cannot_have_leaked() -> None:
    segments = segments_of(
        {"geometry": line((0, 0), (9, 0)), "installed_year_min": 2016, "installed_year_max": 2016},
        {"geometry": line((0, 1), (9, 1)), "retired_on": "2015-01-01"},
        {"geometry": line((0, 2), (9, 2)), "installed_year_min": 2015, "installed_year_max": 2020},
        {"geometry": line((0, 3), (9, 3)), "medium": "water"},
        {"geometry": line((0, 4), (9, 4)), "retired_on": "2015-06-01"},
    )
    links = link_leaks(leaks_of({"geometry": point(5, 1), "medium": "gas"}), segments, POLICY)
    assert list(links["segment_id"]) == ["S0002", "S0004"]


def test_the_earlier_part_of_an_install_interval_weighs() -> None:
    leak = {"geometry": point(50, 1)}
    late, early, sure = (
        {"installed_year_min": 2010, "installed_year_max": last, "geometry": line((0, 0), (100, 0))}
        for last in (2029, 2019, 2014)
    )
    assert 0 < given_to(leak, late) < given_to(leak, early) < given_to(leak, sure)


def test_a_pipe_that_was_there_with_half_a_chance_gets_half_of_what_its_equal_gets() -> None:
    rows = [
        {"geometry": line((0, 2), (100, 2)), "installed_year_min": 2010, "installed_year_max": 2014},
        {"geometry": line((0, -2), (100, -2)), "installed_year_min": 2010, "installed_year_max": 2019},
    ]
    leak, blind = {"geometry": point(50, 0), "leaked_on": "2014-12-31"}, with_links(hazard_power=0.0)
    sure, half = (given_to(leak, *rows, which=name, policy=blind) for name in ("S0000", "S0001"))
    assert half == pytest.approx(sure / 2, rel=1e-3)


def test_the_leak_of_a_predecessor_is_not_given_to_its_neighbours() -> None:
    leak = {"geometry": point(50, 0.5)}
    old = {"geometry": line((0, 8), (100, 8))}
    young = {"geometry": line((0, 0), (100, 0)), "installed_year_min": 2018, "installed_year_max": 2018}
    assert given_to(leak, old) > 0.8
    assert given_to(leak, old, young) < 0.2


def test_a_retired_pipe_gets_the_leaks_of_its_time() -> None:
    leak = {"geometry": point(50, 0.5)}
    before = {"installed_year_min": 1980, "installed_year_max": 1980, "retired_on": "2018-03-01"}
    now = {"installed_year_min": 2018, "installed_year_max": 2018}
    assert given_to(leak, *({"geometry": line((0, 0), (100, 0))} | pipe for pipe in (before, now))) > 0.5


def test_of_two_pipes_as_far_away_the_one_with_more_length_there_is_likelier() -> None:
    leak = {"geometry": point(0, 0)}
    stub, main = {"geometry": line((0, 2), (0, 3))}, {"geometry": line((-50, -2), (50, -2))}
    assert given_to(leak, stub, main) < given_to(leak, stub, main, which="S0001")


def test_of_two_pipes_as_near_the_one_of_the_leakier_cohort_is_likelier() -> None:
    rows = [{"geometry": line((0, y), (100, y)), "material": m} for y, m in ((2, "grey_iron"), (-2, "pe100"))]
    iron, plastic = (given_to({"geometry": point(50, 0)}, *rows, which=name) for name in ("S0000", "S0001"))
    assert iron > 1.5 * plastic
    blind = with_links(hazard_power=0.0)
    iron, plastic = (given_to({"geometry": point(50, 0)}, *rows, which=n, policy=blind) for n in ("S0000", "S0001"))
    assert iron == plastic


def test_the_segment_named_by_the_crew_wins() -> None:
    segments = segments_of({}, {"geometry": line((0, 500), (100, 500))})
    links = link_leaks(leaks_of({"geometry": point(50, 1), "segment_id": "S0001"}), segments, POLICY)
    assert list(links["segment_id"]) == ["S0001"]
    assert list(links["probability"]) == [1.0]


def test_a_leak_of_a_pipe_that_is_gone_is_not_given_to_its_neighbours() -> None:
    segments = segments_of({}, {"installed_year_min": 2016, "installed_year_max": 2016})
    leaks = leaks_of(
        {"geometry": point(50, 1), "segment_id": "GONE"}, {"geometry": point(50, 1), "segment_id": "S0001"}
    )
    assert link_leaks(leaks, segments, POLICY).empty


def test_a_named_leak_without_position_keeps_an_empty_distance() -> None:
    links = link_leaks(leaks_of({"segment_id": "S0000"}), segments_of({}), POLICY)
    assert links["probability"].tolist() == [1.0]
    assert links[["distance_m", "measure_m"]].isna().all(axis=None)


def slow_links(leaks: gpd.GeoDataFrame, segments: gpd.GeoDataFrame, policy: Policy) -> dict[tuple[Any, Any], float]:
    """Weigh surveyed leaks of which nothing is stated with sound pipes, one pair at a time, in steps of 2 cm."""
    power, scatter = policy.links.hazard_power.value, 2.0
    day = np.array(["2015-06-01"], dtype="datetime64[D]")
    found: dict[tuple[Any, Any], float] = {}
    for leak_id, where in leaks.geometry.items():
        weights = {}
        for row, (name, shape) in enumerate(segments.geometry.items()):
            if shape.distance(where) > 30:
                continue
            count = int(np.ceil(shape.length / 0.02))
            steps = (np.arange(count) + 0.5) * shape.length / count
            away = shapely.distance(shapely.line_interpolate_point(np.array([shape]), steps), where)
            density = (1 + away**2 / (2 * scatter**2)) ** -2 / (2 * np.pi * scatter**2)
            rate = leak_rates(segments.iloc[[row]], np.array([0]), day, policy.weights)[0]
            weights[name] = density.mean() * shape.length * rate**power
        unheld = unheld_rates(leaks.loc[[leak_id]], policy.weights)[0] ** power
        total = sum(weights.values()) + unheld * policy.links.elsewhere_m_per_m2.value
        found |= {(leak_id, name): weight / total for name, weight in weights.items()}
    return found


def test_links_equal_a_slow_search(rng: np.random.Generator) -> None:
    starts = rng.uniform(0, 150, (30, 2))
    kinds = rng.choice(["steel", "pe80", "grey_iron"], len(starts))
    segments = segments_of(
        *(
            {
                "geometry": line(tuple(a), tuple(a + rng.normal(0, 20, 2)), tuple(a + rng.normal(0, 30, 2))),
                "material": m,
            }
            for a, m in zip(starts, kinds, strict=True)
        )
    )
    leaks = leaks_of(*({"geometry": point(*xy), "medium": "gas"} for xy in rng.uniform(0, 150, (12, 2))))
    policy = with_links(least_probability=0.0)
    links = link_leaks(leaks, segments, policy).set_index(["leak_id", "segment_id"])["probability"]
    expected = pd.Series(slow_links(leaks, segments, policy))
    assert set(links.index) == set(expected.index)
    np.testing.assert_allclose(links.reindex(expected.index), expected, rtol=1e-3)


def test_small_links_are_left_out_and_given_to_nobody() -> None:
    leak, rows = {"geometry": point(50, 0)}, [{"geometry": line((0, y), (100, y))} for y in (0.0, 20.0)]
    every = with_links(least_probability=0.0)
    small = given_to(leak, *rows, policy=every, which="S0001")
    fewer = with_links(least_probability=small * 1.01)
    assert given_to(leak, *rows, policy=fewer, which="S0001") == 0 < small
    assert given_to(leak, *rows, policy=fewer) == given_to(leak, *rows, policy=every)


@FEW
@given(leaks=st.lists(reports, min_size=1, max_size=4), segments=st.lists(pipes, min_size=1, max_size=5))
def test_probabilities_of_a_leak_never_exceed_one(leaks: list[Any], segments: list[Any]) -> None:
    frames = leaks_of(*leaks), segments_of(*segments)
    links = link_leaks(*frames, POLICY)
    check_frame(links, "leak_links")
    assert not links.duplicated(["leak_id", "segment_id"]).any()
    assert (links.groupby("leak_id")["probability"].sum() <= 1 + 1e-12).all()
    near = links[frames[0]["segment_id"].isna().loc[links["leak_id"]].to_numpy()]
    assert (near.groupby("leak_id")["probability"].sum() < 1).all()


@FEW
@given(
    leaks=st.lists(reports, min_size=1, max_size=4),
    segments=st.lists(pipes, min_size=1, max_size=5),
    draw=st.randoms(use_true_random=False),
)
def test_the_order_of_the_rows_changes_nothing(leaks: list[Any], segments: list[Any], draw: Any) -> None:
    frames = (leaks_of(*leaks), segments_of(*segments))
    mixed = tuple(frame.iloc[draw.sample(range(len(frame)), len(frame))] for frame in frames)
    policy, keys = with_links(least_probability=0.0), ["leak_id", "segment_id"]
    one, other = (link_leaks(pair[0], pair[1], policy).sort_values(keys, ignore_index=True) for pair in (frames, mixed))
    assert_frame_equal(one, other, rtol=1e-9)


@FEW
@given(x=st.floats(-40, 140), near=st.floats(0, 60), step=st.floats(0, 60), other=st.floats(0, 80))
def test_moving_a_leak_straight_to_a_pipe_never_lowers_its_probability(
    x: float, near: float, step: float, other: float
) -> None:
    """The other pipe lies on the far side of the leak, so nothing else comes closer."""
    rows = [
        {"geometry": line((0, 0), (100, 0))},
        {"geometry": line((-10, near + step + other), (90, near + step + other))},
    ]
    foot = np.clip(x, 0, 100)
    aside = np.array([x - foot, near + step])
    length = np.hypot(*aside)
    closer = aside * (max(length - step, 0.0) / length if length else 1.0)
    places = [point(foot + way[0], way[1]) for way in (aside, closer)]
    policy = with_links(least_probability=0.0)
    far_off, close_by = (
        given_to({"geometry": at, "position_quality": "address"}, *rows, policy=policy) for at in places
    )
    assert close_by >= far_off - 1e-12


@FEW
@given(
    report=reports,
    segments=st.lists(pipes, min_size=1, max_size=4),
    column=st.sampled_from(["material", "diameter_mm", "tier"]),
)
def test_a_statement_that_fits_never_lowers_the_probability(report: Any, segments: list[Any], column: str) -> None:
    wanted = segments[0][column]
    silent, said = report | {column: None}, report | {column: wanted}
    assert given_to(said, *segments) >= given_to(silent, *segments) - 1e-12


@FEW
@given(leaks=st.lists(reports, max_size=4), segments=st.lists(pipes, min_size=1, max_size=5))
def test_both_engines_link_alike(leaks: list[Any], segments: list[Any]) -> None:
    pytest.importorskip("numba")
    frames = leaks_of(*leaks), segments_of(*segments)
    policy = with_links(least_probability=0.0)
    fast, slow = link_leaks(*frames, policy, engine="kernel"), link_leaks(*frames, policy, engine="shapely")
    assert_frame_equal(fast.drop(columns="measure_m"), slow.drop(columns="measure_m"), rtol=1e-6, atol=1e-9)


def test_arguments_are_left_as_they_were(rng: np.random.Generator) -> None:
    segments = segments_of(*({} for _ in range(5)))
    leaks = leaks_of(*({"geometry": point(*xy)} for xy in rng.uniform(0, 100, (9, 2))))
    before = segments.copy(), leaks.copy()
    link_leaks(leaks, segments, POLICY)
    assert_frame_equal(pd.DataFrame(segments), pd.DataFrame(before[0]))
    assert_frame_equal(pd.DataFrame(leaks), pd.DataFrame(before[1]))
