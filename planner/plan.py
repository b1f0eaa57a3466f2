"""The renewal plan: batches, years, costs, what joining projects saves, and how good the plan can be proven to be."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.agreed import Agreed, agree
from planner.batches import BatchTable, batch_frames, make_batch_table
from planner.groups import candidate_segments, group_segments
from planner.households import Supplied
from planner.limits import Limits as Limits
from planner.optimise import NOT_PLACED, Choice, Problem, Years, choose, greedy, make_problem
from planner.policy import Policy
from registry.errors import PlanningError
from registry.fields import check_frame

_EXAMPLES = 3


@dataclass(frozen=True)
class Plan:
    """A plan as it is saved: the frames `batches`, `batch_segments` and `pairs`, and a summary for JSON.

    The summary has `objective` (discounted risk removed), `bound` (no plan can remove more), `gap_share`, `greedy`
    (what the usual greedy choice removes), figures by year, and `project_blind`: the plan that ignores projects when
    it chooses, priced afterwards with what it would really cost and save.
    """

    batches: pd.DataFrame
    batch_segments: pd.DataFrame
    pairs: pd.DataFrame
    summary: dict[str, Any] = field(hash=False)

    def by_year(self) -> pd.DataFrame:
        """Return the figures by year as a frame, index `year`."""
        return pd.DataFrame(self.summary["by_year"]).set_index("year")

    def __repr__(self) -> str:
        """Return one line: batches, years, objective and gap."""
        years = self.summary["years"]
        placed = int(self.batches["year"].notna().sum())
        return (
            f"Plan({years[0]}-{years[-1]}: {placed} of {len(self.batches)} batches, "
            f"objective {self.summary['objective']:,.1f}, gap {self.summary['gap_share']:.2%})"
        )

    def _repr_html_(self) -> str:
        return str(self.by_year().to_html(float_format=lambda number: f"{number:,.1f}", notebook=True))


def make_plan(  # noqa: PLR0913 - all that a plan is made from
    segments: gpd.GeoDataFrame,
    scores: pd.DataFrame,
    pairs: pd.DataFrame,
    projects: pd.DataFrame,
    policy: Policy,
    limits: Limits,
    supplied: Supplied | None = None,
    decisions: pd.DataFrame | None = None,
) -> Plan:
    """Plan the renewal of candidate segments in yearly batches under the limits.

    Candidates are grouped by compound and by street run, those by policy class apart from those that are candidates
    by their grade only, so that no score makes a mandatory batch dearer or too long for a year; each batch goes at
    most once into one year. If all mandatory batches fit the budgets, each is placed, and the rest is filled with
    what removes most risk; otherwise only mandatory batches are placed, the best of them. The value of a batch is the
    risk that it removes each year, discounted from its year to the horizon of the policy: earlier is worth more.
    Where a project is on site in the year and opens the ground, its share of reinstatement (and trench) is saved.

    Decisions of a meeting (`pair_decisions`) bind the years of batches and part what is done apart (`planner.agreed`);
    the plan may then be worth less than the one that is blind to projects.

    The bound holds for the batches as grouped, not for every way to group. Risk is held constant over the years.

    Raises
    ------
    FrameError
        If a frame does not keep its contract.
    PlanningError
        If the limits make no sense, segments have no score, or nothing is a candidate.
    """
    limits.check()
    check_frame(segments, "segments", ["medium", "length_m", "geometry"])
    check_frame(scores, "scores", ["policy_class", "grade", "risk_per_year"])
    check_frame(pairs, "pairs")
    chosen, risk = _candidates(segments, scores, policy)
    groups = _grouped(chosen, risk, policy)
    agreed = agree(decisions, pairs, chosen.index, groups["group"].to_numpy(dtype=np.int64), limits.years)
    table = make_batch_table(chosen, risk, groups, agreed.pairs, projects, limits.years, policy)
    free = _problem(table, table.cost_cny, limits)
    problem = replace(free, value=np.where(agreed.is_open, free.value, -np.inf))
    blind_problem = _problem(table, np.repeat(table.alone_cny[:, None], len(limits.years), axis=1), limits)
    blind, _ = choose(blind_problem, table.is_mandatory)
    # the blind plan keeps the budgets with any saving, so it may start the search: never worse than blind
    choice, mandatory_fits = choose(problem, table.is_mandatory, [blind.year])
    batches, batch_segments = batch_frames(table, choice.year, limits.years, supplied or Supplied.from_frames())
    summary = _summary(table, problem, choice, blind.year, limits)
    summary["mandatory"] = _mandatory(table, choice.year, fits=mandatory_fits)
    summary["oversized"] = _oversized(table, free, batches)
    summary["decided"] = _decided(agreed)
    summary["policy"] = {"id": policy.id, "version": policy.version, "hash": policy.content_hash}
    summary["unverified_count"] = len(policy.unverified())
    return Plan(batches, batch_segments, pairs.copy(), summary)


def _candidates(
    segments: gpd.GeoDataFrame, scores: pd.DataFrame, policy: Policy
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Return candidate segments and their scores, in the order of ids: the order of rows must not matter."""
    missing = segments.index.difference(scores.index)
    if len(missing):
        raise PlanningError("plan_scores_absent", count=len(missing), example=str(missing[0]))
    aligned = scores.loc[segments.index]
    chosen = np.flatnonzero(candidate_segments(segments, aligned, policy))
    if not len(chosen):
        grade = policy.candidates.minimum_grade
        raise PlanningError(
            "plan_no_candidates", classes=", ".join(policy.candidates.classes), grade=f" / {grade}" if grade else ""
        )
    chosen = chosen[np.argsort(segments.index[chosen].to_numpy(dtype=object), kind="stable")]
    return segments.iloc[chosen], aligned.iloc[chosen]


def _grouped(chosen: gpd.GeoDataFrame, scores: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Group candidates by class and candidates by grade only each among themselves."""
    is_by_class = scores["policy_class"].isin(list(policy.candidates.classes)).to_numpy(dtype=bool)
    parts: list[pd.DataFrame] = []
    first = 0
    for rows in (is_by_class, ~is_by_class):
        if not rows.any():
            continue
        found = group_segments(chosen[rows], policy)
        found["group"] += first
        first = int(found["group"].max()) + 1
        parts.append(found)
    return pd.concat(parts).loc[chosen.index]


def _problem(table: BatchTable, cost_cny: np.ndarray[Any, np.dtype[np.float64]], limits: Limits) -> Problem:
    km = table.length_m / 1000.0
    return make_problem(table.value, cost_cny, np.array(limits.budget_cny), km, limits.km_per_year)


def _summary(table: BatchTable, problem: Problem, choice: Choice, blind: Years, limits: Limits) -> dict[str, Any]:
    baseline = greedy(problem, table.is_mandatory)
    summary: dict[str, Any] = {
        "objective": choice.objective,
        "bound": choice.bound,
        "gap_share": choice.gap_share,
        "greedy": problem.objective(baseline),
        "years": list(limits.years),
        "budget_cny": list(limits.budget_cny),
        "km_per_year": limits.km_per_year,
        "by_year": [_year_figures(table, choice.year, limits, place) for place in range(len(limits.years))],
        "project_blind": _figures(table, blind),
        "candidates": {
            "segment_count": len(table.segments),
            "batch_count": len(table.length_m),
            "km": float(table.length_m.sum() / 1000.0),
        },
    }
    return summary | {key: value for key, value in _figures(table, choice.year).items() if key != "objective"}


def _figures(table: BatchTable, year: Years) -> dict[str, Any]:
    """Sum up a plan with its real costs and savings."""
    placed = np.flatnonzero(year != NOT_PLACED)
    at = year[placed]
    return {
        "objective": float(table.value[placed, at].sum()),
        "cost_cny": float(table.cost_cny[placed, at].sum()),
        "saving_cny": float(table.saving_cny[placed, at].sum()),
        "km": float(table.length_m[placed].sum() / 1000.0),
        "batch_count": len(placed),
        "joint_batch_count": int((table.saving_cny[placed, at] > 0).sum()),
    }


def _year_figures(table: BatchTable, year: Years, limits: Limits, place: int) -> dict[str, Any]:
    figures = _figures(table, np.where(year == place, year, NOT_PLACED))
    value = figures.pop("objective")
    return {"year": limits.years[place], "budget_cny": limits.budget_cny[place], "value": value} | figures


def _mandatory(table: BatchTable, year: Years, *, fits: bool) -> dict[str, Any]:
    left = table.is_mandatory & (year == NOT_PLACED)
    return {
        "all_that_fit_a_year_are_placed": fits,
        "batch_count": int(table.is_mandatory.sum()),
        "left_batch_count": int(left.sum()),
        "left_km": float(table.mandatory_m[left].sum() / 1000.0),
    }


def _decided(agreed: Agreed) -> dict[str, int]:
    return {
        "bound_batch_count": agreed.bound_batch_count,
        "apart_pair_count": agreed.apart_pair_count,
        "unmet_pair_count": agreed.unmet_pair_count,
    }


def _oversized(table: BatchTable, problem: Problem, batches: pd.DataFrame) -> dict[str, Any]:
    """Count the batches that no single year can hold; a person has to cut them or raise a year's budget."""
    is_oversized = np.asarray(~np.isfinite(problem.value).any(axis=1), dtype=bool)
    return {
        "batch_count": int(is_oversized.sum()),
        "km": float(table.length_m[is_oversized].sum() / 1000.0),
        "examples": [str(name) for name in batches.index[is_oversized][:_EXAMPLES]],
    }
