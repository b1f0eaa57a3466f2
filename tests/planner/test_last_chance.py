"""The last chance before a road closes: what is expected in the ban, counted by hand day by day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from scipy.stats import nbinom

from planner.bans import find_bans
from planner.forecast.outlook import leak_outlook
from planner.last_chance import find_last_chances, summarise_last_chances
from planner.overlap import find_overlaps
from planner.policy import Policy, read_policy
from planner.relations import relate
from planner.value import price_pairs
from planner.value_terms import PairFrames
from registry.fields import check_frame
from tests.planner.frames import line, moratoria_of, projects_of, roads_of, segments_of
from tests.planner.test_choice import scored

AS_OF = date(2026, 11, 1)
YEARS = range(2027, 2031)
PLANNED = {"S1": 2027, "S2": 2028, "S3": 2029, "S4": 2031}


def with_least(leaks: float, **changes: Any) -> Policy:
    policy = read_policy()
    rule = policy.last_chance
    assert rule is not None
    least = rule.least_leaks.model_copy(update={"value": leaks})
    return policy.model_copy(update={"last_chance": rule.model_copy(update={"least_leaks": least, **changes})})


@pytest.fixture(scope="module")
def street() -> dict[str, Any]:
    """Old pipes under an overhaul that ends in the middle of 2028, under a new road, and under works that may come."""
    old = {"material": "grey_iron", "installed_year_min": 1968, "installed_year_max": 1968, "surface": "carriageway"}
    shapes = [line((120 * k, 0), (120 * k + 100, 0)) for k in range(6)]
    segments = segments_of(
        *({"segment_id": f"S{k}", "geometry": shape} | old for k, shape in enumerate(shapes)),
        {"segment_id": "S6", "geometry": line((0, 200), (100, 200))} | old,
        {"segment_id": "S7", "geometry": line((0, 300), (100, 300))} | old,
    )
    projects = projects_of(
        {"geometry": line((-5, 0), (700, 0)), "starts_on": "2028-02-01", "ends_on": "2028-06-30", "state": "confirmed"},
        {
            "geometry": line((-5, 200), (105, 200)),
            "kind": "road_building",
            "starts_on": "2026-12-01",
            "ends_on": "2029-03-31",
            "state": "under_way",
        },
        {
            "geometry": line((-5, 300), (105, 300)),
            "starts_on": "2028-02-01",
            "ends_on": "2028-06-30",
            "state": "proposed",
        },
    )
    policy, scores = read_policy(), scored(segments)
    bans = find_bans(roads_of(), projects, moratoria_of(), policy, AS_OF)
    pairs = find_overlaps(segments, projects, YEARS, policy)
    times = relate(pairs, scores, segments, projects, bans, policy, AS_OF)
    return {
        "frames": PairFrames(segments, scores, pairs, times, projects),
        "amounts": price_pairs(segments, scores, pairs, times, projects, policy, AS_OF),
        "bans": bans,
        "outlook": leak_outlook(segments, scores, policy, range(2027, 2057), AS_OF),
        "planned": pd.DataFrame(
            {"year": pd.array([PLANNED.get(name) for name in segments.index], dtype="Int64")}, segments.index
        ),
    }


def listed(street: dict[str, Any], policy: Policy) -> pd.DataFrame:
    return find_last_chances(**street, policy=policy)


def test_expected_leaks_and_their_price_are_those_of_a_slow_count(street: dict[str, Any]) -> None:
    policy = with_least(0.0)
    found = listed(street, policy)
    check_frame(found, "last_chances")
    # what is renewed in the year in which the ban begins, or before, is renewed in time
    assert set(found["segment_id"]) == {"S0", "S3", "S4", "S5", "S6"}
    outlook, frames = street["outlook"], street["frames"]
    value = policy.prices.value
    assert value is not None
    repair = {entry.code: entry.value for entry in value.repair_cny_per_leak}["gas"]
    harm = {entry.code: entry.value for entry in value.harm_cny_per_leak}["gas"]
    for row in found.to_dict("records"):
        place = list(outlook.segment_ids).index(row["segment_id"])
        leaks, day = 0.0, row["banned_from"].date()
        while day <= row["banned_until"].date():
            in_year = (date(day.year + 1, 1, 1) - date(day.year, 1, 1)).days
            leaks += outlook.leaks[place, day.year - 2027] / in_year
            day += timedelta(days=1)
        assert row["leaks_in_ban"] == pytest.approx(leaks)
        shape = outlook.shape[place]
        assert row["leak_probability"] == pytest.approx(1.0 - nbinom.pmf(0, shape, shape / (shape + leaks)))
        consequence = frames.scores.loc[row["segment_id"], "consequence_index"]
        assert row["leak_cost_cny"] == pytest.approx(leaks * (repair + harm * consequence + 2.0 * 6.0 * 220.0))
        amounts = street["amounts"]
        saving = amounts[(amounts["segment_id"] == row["segment_id"]) & (amounts["project_id"] == row["project_id"])]
        assert row["lost_saving_cny"] == pytest.approx(float(saving["saving_cny"].iloc[0]))
        assert row["price_cny"] == pytest.approx(row["leak_cost_cny"] + row["lost_saving_cny"])
    assert found["rank"].tolist() == [1, 2, 3, 4, 5]
    assert (np.diff(found["price_cny"]) <= 0).all()
    overhaul = found[found["segment_id"] == "S0"].iloc[0]
    assert (str(overhaul["banned_from"])[:10], str(overhaul["banned_until"])[:10]) == ("2028-07-01", "2031-06-30")


def test_raising_the_threshold_never_lengthens_the_list(street: dict[str, Any]) -> None:
    before = listed(street, with_least(0.0))
    names = set(before["segment_id"])
    for least in (*np.quantile(before["leaks_in_ban"], [0.3, 0.6]), float(before["leaks_in_ban"].max()) + 1e-9):
        after = listed(street, with_least(float(least)))
        assert set(after["segment_id"]) <= names
        assert (after["leaks_in_ban"] >= least).all()
        names = set(after["segment_id"])
    assert not names


def test_only_committed_works_count_and_a_policy_without_the_part_lists_nothing(street: dict[str, Any]) -> None:
    both = with_least(0.0, committed_states=("confirmed", "proposed"))
    assert {"S0", "S7"} <= set(listed(street, both)["segment_id"])
    assert "S6" not in set(listed(street, both)["segment_id"])
    none = listed(street, read_policy().model_copy(update={"last_chance": None}))
    check_frame(none, "last_chances")
    assert none.empty


def test_the_order_of_rows_does_not_matter_and_sums_count_a_pipe_once(street: dict[str, Any]) -> None:
    frames: PairFrames = street["frames"]
    turned = PairFrames(
        frames.segments.iloc[::-1],
        frames.scores.sample(frac=1.0, random_state=1),
        frames.pairs.iloc[::-1],
        frames.pair_times.iloc[::-1],
        frames.projects.iloc[::-1],
    )
    again = listed(street | {"frames": turned, "bans": street["bans"].iloc[::-1]}, with_least(0.0))
    found = listed(street, with_least(0.0))
    assert_frame_equal(found, again)
    twice = pd.concat([found, found.assign(project_id="P9", price_cny=0.0)], ignore_index=True)
    length = frames.segments["length_m"]
    assert summarise_last_chances(twice, length) == summarise_last_chances(found, length)
    assert summarise_last_chances(found, length)["km"] == pytest.approx(0.5)
