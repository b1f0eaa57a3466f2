from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.coalitions import Members, marginal_costs
from planner.policy import read_policy
from planner.sharing import coalition_cost_cny, joint_cost_cny, share_costs, share_steps, site_costs, split_by_weight
from registry.errors import FrameError, PlanningError
from registry.fields import check_frame, value_list
from tests.planner.frames import EAST, NORTH
from tests.planner.priced import Site, site_of

RULES = sorted(value_list("share_rule"))
PARTS = ["own_cny", "trench_cny", "paving_cny", "traffic_cny", "mobilisation_cny"]
AMOUNT = st.one_of(st.just(0.0), st.floats(1.0, 1e6))
# nobody opens a trench narrower than a finger
WIDTH_M = st.one_of(st.just(0.0), st.floats(0.01, 30.0))


def costs_of(*rows: dict[str, Any], project: str = "P") -> pd.DataFrame:
    """Parties by name `party`; what a row leaves out is 0, its width 1 m."""
    nothing = dict.fromkeys(PARTS, 0.0)
    filled = [
        {"project_id": project, "party": f"party {number}", "basis": "pair_values", "width_m": 1.0} | nothing | row
        for number, row in enumerate(rows)
    ]
    return pd.DataFrame(filled)


def parties(most: int = 5) -> st.SearchStrategy[list[dict[str, float]]]:
    row = st.fixed_dictionaries(dict.fromkeys(PARTS, AMOUNT) | {"width_m": WIDTH_M})
    return st.lists(row, min_size=1, max_size=most)


# --- laws of every rule ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES)
@given(rows=parties())
@settings(max_examples=20, deadline=None)
def test_what_is_paid_adds_up_and_nobody_pays_more_than_alone(rule: str, rows: list[dict[str, float]]) -> None:
    costs = costs_of(*rows)
    shares = share_costs(costs, rule)
    check_frame(shares, "party_shares")
    joint = float(joint_cost_cny(costs).iloc[0])
    assert shares["pays_cny"].sum() == pytest.approx(joint, rel=1e-12, abs=1e-6)
    assert shares["cost_alone_cny"].tolist() == pytest.approx([sum(row[part] for part in PARTS) for row in rows])
    assert (shares["pays_cny"] <= shares["cost_alone_cny"] * (1 + 1e-12) + 1e-6).all()
    assert (shares["pays_cny"] >= -1e-6).all()
    assert shares["saving_cny"].tolist() == pytest.approx((shares["cost_alone_cny"] - shares["pays_cny"]).tolist())


@pytest.mark.parametrize("rule", RULES)
@given(rows=parties(4), twin=st.integers(0, 3))
@settings(max_examples=15, deadline=None)
def test_parties_that_are_alike_pay_the_same(rule: str, rows: list[dict[str, float]], twin: int) -> None:
    shares = share_costs(costs_of(*rows, rows[twin % len(rows)]), rule)
    assert shares["pays_cny"].iloc[-1] == pytest.approx(shares["pays_cny"].iloc[twin % len(rows)], rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("rule", RULES)
@given(rows=parties(4), seed=st.integers(0, 5))
@settings(max_examples=15, deadline=None)
def test_the_order_of_the_parties_does_not_matter(rule: str, rows: list[dict[str, float]], seed: int) -> None:
    costs = costs_of(*rows)
    order = np.random.default_rng(seed).permutation(len(costs))
    shares, shuffled = share_costs(costs, rule), share_costs(costs.iloc[order], rule)
    assert shuffled["party"].tolist() == [shares["party"][place] for place in order]
    assert shuffled["pays_cny"].tolist() == pytest.approx(shares["pays_cny"].iloc[order].tolist(), abs=1e-6)


@pytest.mark.parametrize("rule", RULES)
def test_nothing_to_share_is_paid_alone(rule: str) -> None:
    costs = costs_of({"own_cny": 700.0}, {"own_cny": 300.0})
    assert share_costs(costs, rule)["saving_cny"].tolist() == pytest.approx([0.0, 0.0])
    assert share_costs(costs_of({}, {}), rule)["pays_cny"].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("rule", RULES)
@given(rows=parties(3))
@settings(max_examples=15, deadline=None)
def test_the_steps_add_up_to_what_is_paid(rule: str, rows: list[dict[str, float]]) -> None:
    costs = pd.concat([costs_of(*rows), costs_of(*rows[::-1], project="Q")])
    steps = share_steps(costs, rule)
    check_frame(steps, "share_steps")
    assert (steps["quantity_cny"] * steps["share"]).tolist() == pytest.approx(steps["amount_cny"].tolist())
    paid = steps.groupby(["project_id", "party"], sort=False)["amount_cny"].sum()
    assert paid.tolist() == pytest.approx(share_costs(costs, rule)["pays_cny"].tolist(), abs=1e-6)
    assert set(steps["step"]) <= set(value_list("share_step"))


@pytest.mark.parametrize("rule", RULES)
def test_projects_do_not_touch_each_other(rule: str) -> None:
    here = costs_of({"paving_cny": 10.0}, {"paving_cny": 30.0, "width_m": 4.0})
    there = costs_of({"paving_cny": 500.0}, {"own_cny": 1.0}, {"paving_cny": 2.0}, project="Q")
    both = share_costs(pd.concat([here, there]), rule)
    assert both["pays_cny"].tolist() == [*share_costs(here, rule)["pays_cny"], *share_costs(there, rule)["pays_cny"]]


@pytest.mark.parametrize("rule", RULES)
def test_what_is_not_known_is_not_shared(rule: str) -> None:
    unknown = costs_of({"paving_cny": 10.0}, {"own_cny": np.nan}, project="Q")
    shares = share_costs(pd.concat([costs_of({"own_cny": 5.0}), unknown]), rule)
    assert shares["pays_cny"].isna().tolist() == [False, True, True]
    assert shares["cost_alone_cny"].isna().tolist() == [False, False, True]
    assert share_steps(unknown, rule)["amount_cny"].isna().all()
    assert joint_cost_cny(unknown).isna().all()


# --- each rule ---------------------------------------------------------------------------------------------------


def test_proportional_is_by_the_cost_alone() -> None:
    costs = costs_of({"own_cny": 60.0, "paving_cny": 40.0}, {"paving_cny": 300.0})
    assert share_costs(costs, "proportional")["pays_cny"].tolist() == pytest.approx([90.0, 270.0])


def test_each_pays_its_trench_and_the_surface_is_shared_by_width() -> None:
    costs = costs_of(
        {"own_cny": 1000.0, "paving_cny": 200.0, "width_m": 1.0},
        {"own_cny": 400.0, "paving_cny": 600.0, "width_m": 3.0},
    )
    assert share_costs(costs, "trench_and_surface")["pays_cny"].tolist() == pytest.approx([1150.0, 850.0])


def test_a_shared_trench_is_split_by_what_each_would_cost() -> None:
    costs = costs_of({"trench_cny": 100.0, "width_m": 9.0}, {"trench_cny": 300.0, "width_m": 1.0})
    assert share_costs(costs, "trench_and_surface")["pays_cny"].tolist() == pytest.approx([75.0, 225.0])


def test_nobody_pays_more_for_the_surface_than_alone() -> None:
    """By width the narrow work would pay 150 of 600; alone it pays 40, and the other two take the rest by width."""
    pays = split_by_weight(np.array([40.0, 600.0, 500.0]), np.array([1.0, 2.0, 1.0]))
    assert pays.tolist() == pytest.approx([40.0, 560.0 * 2 / 3, 560.0 / 3])


def test_without_any_width_the_surface_is_still_paid() -> None:
    assert split_by_weight(np.array([40.0, 60.0]), np.zeros(2)).sum() == pytest.approx(60.0)


def test_shapley_of_the_airport_game() -> None:
    """Littlechild and Owen: runways of 10, 20, 60 cost 10/3, 10/3 + 10/2, 10/3 + 10/2 + 40."""
    costs = costs_of({"paving_cny": 10.0}, {"paving_cny": 20.0}, {"paving_cny": 60.0})
    expected = [10 / 3, 10 / 3 + 5, 10 / 3 + 5 + 40]
    assert share_costs(costs, "shapley")["pays_cny"].tolist() == pytest.approx(expected)


@given(rows=parties(5))
@settings(max_examples=15, deadline=None)
def test_shapley_is_the_closed_form_of_airport_games(rows: list[dict[str, float]]) -> None:
    """Each rise of the cost from one party to the next is shared by those who need it; parts add up."""
    pays = np.array([row["own_cny"] for row in rows])
    for part in PARTS[1:]:
        needs = np.array([row[part] for row in rows])
        order = np.argsort(needs, kind="stable")
        rises = np.diff(needs[order], prepend=0.0) / np.arange(len(rows), 0, -1)
        pays[order] += np.cumsum(rises)
    assert share_costs(costs_of(*rows), "shapley")["pays_cny"].tolist() == pytest.approx(pays.tolist(), abs=1e-6)


@given(amounts=st.lists(st.floats(0.0, 1e4), min_size=16, max_size=16))
@settings(max_examples=20, deadline=None)
def test_shapley_is_the_mean_over_all_orders_of_any_game(amounts: list[float]) -> None:
    """Also of a game that is no airport: every coalition of four parties has a cost of its own."""

    def cost(members: Members) -> float:
        return amounts[sum(1 << member for member in members)] if members else 0.0

    found, weight, wanted = np.zeros(4), np.zeros(4), np.zeros(4)
    for marginal in marginal_costs(4, cost):
        found[marginal.party] += marginal.cost * marginal.weight
        weight[marginal.party] += marginal.weight
    orders = list(permutations(range(4)))
    for order in orders:
        for place, party in enumerate(order):
            before, after = (tuple(order[:end]) for end in (place, place + 1))
            wanted[party] += (cost(after) - cost(before)) / len(orders)
    assert found.tolist() == pytest.approx(wanted.tolist(), abs=1e-6)
    assert weight.tolist() == pytest.approx([1.0] * 4)


def test_eight_parties_are_exact_and_nine_are_refused() -> None:
    eight = [{"paving_cny": 10.0 * number} for number in range(1, 9)]
    assert share_costs(costs_of(*eight), "shapley")["pays_cny"].sum() == pytest.approx(80.0)
    with pytest.raises(PlanningError, match=r"9 parties.*up to 8"):
        share_costs(costs_of(*eight, {}), "shapley")
    assert share_costs(costs_of(*eight, {}), "proportional")["pays_cny"].sum() == pytest.approx(80.0)


def test_an_empty_coalition_costs_nothing() -> None:
    assert coalition_cost_cny(np.zeros((0, 5))) == 0.0


def test_strange_rules_and_repeated_parties_are_refused() -> None:
    with pytest.raises(PlanningError, match="proportional, trench_and_surface, shapley"):
        share_costs(costs_of({}), "by_weight")
    with pytest.raises(PlanningError, match="gas"):
        share_costs(costs_of({"party": "gas"}, {"party": "gas"}), "proportional")
    with pytest.raises(FrameError, match="basis"):
        share_costs(costs_of({}).drop(columns="basis"), "proportional")


# --- what each party would pay alone ------------------------------------------------------------------------------

SQUARE = shapely.box(EAST, NORTH - 50, EAST + 100, NORTH + 50)


def costs_at(site: Site) -> Any:
    costs = site_costs(site.segments, site.values(), site.projects, read_policy())
    check_frame(costs, "site_costs")
    return costs.set_index("party")


def test_the_joint_saving_is_that_of_the_pairs() -> None:
    site = site_of({}, {"medium": "water", "overlap_m": 40.0}, {"project": 1}, projects=[{}, {"kind": "road_building"}])
    values = site.values()
    costs = site_costs(site.segments, values, site.projects, read_policy())
    alone = costs.groupby("project_id")[PARTS].sum().sum(axis=1)
    saved = values.groupby("project_id")["saving_cny"].sum()
    assert (alone - joint_cost_cny(costs)).tolist() == pytest.approx(saved.tolist())
    assert costs["project_id"].tolist() == ["P0000", "P0000", "P0000", "P0001", "P0001"]
    assert costs["party"].tolist() == ["gas", "water", "project", "gas", "project"]


def test_ours_pays_what_its_pairs_cost() -> None:
    site = site_of({}, {"length_m": 50.0}, {"medium": "water", "diameter_mm": 500.0})
    costs, values = costs_at(site), site.values()
    gas = values.iloc[:2]
    assert costs.loc["gas", PARTS].sum() == pytest.approx(gas["cost_alone_cny"].sum())
    assert costs.loc["gas", "own_cny"] == pytest.approx(gas["cost_together_cny"].sum())
    assert costs.loc["gas", "paving_cny"] == pytest.approx(gas["paving_saving_cny"].sum())
    assert costs["basis"].tolist() == ["pair_values", "pair_values", "paving_area"]
    assert costs["width_m"].tolist() == [1.2, 1.7, 20.0]


def test_theirs_is_its_paving_where_no_budget_is_known() -> None:
    project = {"kind": "old_residential", "geometry": SQUARE, "half_width_m": 7.0}
    found = costs_at(site_of({}, projects=[project])).loc["project"]
    assert found["basis"] == "paving_area"
    assert found["paving_cny"] == pytest.approx(10000 * 130)
    assert found["own_cny"] == 0.0
    assert found["width_m"] == 14.0


def test_theirs_is_its_budget_where_it_has_one() -> None:
    site = site_of({}, projects=[{"kind": "old_residential", "geometry": SQUARE}])
    site.projects["cost_cny"] = 5e6
    site.projects["owner"] = "streets"
    found = costs_at(site).loc["streets"]
    assert found["basis"] == "budget"
    assert found[PARTS].sum() == pytest.approx(5e6)
    site.projects["cost_cny"] = 1000.0
    too_small = costs_at(site).loc["streets"]
    assert too_small["own_cny"] == 0.0
    assert too_small[PARTS].sum() == pytest.approx(found[PARTS].sum() - found["own_cny"])


def test_theirs_is_not_known_where_it_opens_nothing_and_has_no_budget() -> None:
    costs = costs_at(site_of({}, projects=[{"opens_ground": "none"}]))
    assert costs.loc["project", "basis"] == "unknown"
    assert costs["own_cny"].isna().tolist() == [False, True]
    assert costs.loc["project", "paving_cny"] == 0.0
