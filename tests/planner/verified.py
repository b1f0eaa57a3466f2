"""The independent checker on plans of today: what they must keep, read off the policy as plain numbers."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from planner.costs import opened_ground, unit_costs
from planner.plan import Limits, Plan
from planner.policy import Policy
from planner.verify import Promises, verify_plan
from planner.verify_findings import tell_findings


def promises_of(
    segments: gpd.GeoDataFrame,
    scores: pd.DataFrame,
    plan: Plan,
    projects: pd.DataFrame,
    policy: Policy,
    limits: Limits,
    decisions: pd.DataFrame | None = None,
    order: pd.DataFrame | None = None,
) -> Promises:
    """State what a plan must keep."""
    costs = unit_costs(segments, policy.prices)
    prices = {
        "cost_cny_per_m": costs.total_cny_per_m,
        "reinstatement_cny_per_m": costs.reinstatement_cny_per_m,
        "trench_cny_per_m": costs.trench_cny_per_m,
    }
    return Promises(
        years=limits.years,
        budget_cny=limits.budget_cny,
        end_tolerance_m=policy.groups.snap_m.value,
        longest_m=policy.groups.maximum_run_m.value,
        mobilisation_cny=policy.prices.mobilisation_cny_per_batch.value,
        prices=pd.DataFrame(prices, index=segments.index),
        pairs=plan.pairs,
        opens_ground=dict(zip(projects.index.astype(str), opened_ground(projects, policy), strict=True)),
        decisions=decisions,
        precedence=order,
        apart=scores["policy_class"].isin(list(policy.candidates.classes)).reindex(segments.index),
        km_per_year=limits.km_per_year,
    )


def assert_kept(
    segments: gpd.GeoDataFrame,
    scores: pd.DataFrame,
    plan: Plan,
    projects: pd.DataFrame,
    policy: Policy,
    limits: Limits,
    decisions: pd.DataFrame | None = None,
    order: pd.DataFrame | None = None,
) -> None:
    """Check a plan independently; its findings are told in words."""
    candidates = segments.loc[plan.batch_segments.index]
    promises = promises_of(candidates, scores, plan, projects, policy, limits, decisions, order)
    found = verify_plan(candidates, plan.batches, plan.batch_segments, promises)
    assert found.empty, "\n".join(tell_findings(found, "en"))
