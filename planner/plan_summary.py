"""The figures of a plan: what it removes, costs and saves, how good it is proven to be, and what it could not keep."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

import numpy as np
import pandas as pd

from planner.batches import BatchTable
from planner.candidates import Candidates
from planner.choice import Programme
from planner.conditions import NONE
from planner.factors import Flags
from planner.limits import Limits
from planner.members import Rows
from planner.why import worth_of_money

_METRES_PER_KM: Final = 1000.0
_EXAMPLES: Final = 3


def summarise_plan(candidates: Candidates, seeing: Programme, blind: Programme, limits: Limits) -> dict[str, Any]:
    """Return the summary of a plan as plain values for JSON.

    `greedy` is what the usual way removes: mandatory first, then by value per cost, each in its first free year.
    `project_blind` is the plan that knows no projects, priced with what it would really cost and save; the part of it
    that projects close the street to is `locked_out`, and not in its figures.
    """
    solution = seeing.solution
    years = limits.years
    is_locked = _locked_out(candidates, blind.year)
    done_blind = np.where(is_locked, NONE, blind.year)
    summary: dict[str, Any] = {
        "objective": solution.objective,
        "bound": solution.bound,
        "gap_share": solution.gap_share,
        "greedy": solution.greedy,
        "certificate": _certificate(seeing),
        **limits.facts(),
        "by_year": [_year_figures(candidates, seeing.year, limits, place) for place in range(len(years))],
        "project_blind": _figures(candidates, done_blind)
        | {
            "locked_out_batch_count": int(is_locked.sum()),
            "locked_out_km": float(candidates.length_m[is_locked].sum() / _METRES_PER_KM),
        },
        "candidates": {
            "segment_count": len(np.unique(candidates.members.row)),
            "batch_count": len(candidates.length_m),
            "km": float(candidates.segment_length_m.sum() / _METRES_PER_KM),
        },
        "duties": _duties(seeing, years),
        "worth_per_million": worth_of_money(seeing, years).to_dict(),
    }
    figures = _figures(candidates, seeing.year)
    summary["alignment"] = _alignment(figures, summary["project_blind"])
    return summary | {key: value for key, value in figures.items() if key != "objective"}


def _alignment(seeing: dict[str, Any], blind: dict[str, Any]) -> dict[str, Any]:
    """Tell what going together with projects brings, and the difference of both plans: seeing less blind.

    The blind plan is counted with what it would really cost and save, without what a ban would lock out.
    """
    return {
        "aligned_km": seeing["joint_km"],
        "aligned_km_share": seeing["joint_km"] / seeing["km"] if seeing["km"] else 0.0,
        "reinstatement_saved_cny": seeing["saving_cny"],
        "locked_out_batch_count": blind["locked_out_batch_count"],
        "locked_out_km": blind["locked_out_km"],
        "more": {key: seeing[key] - blind[key] for key in ("objective", "risk", "cost_cny", "saving_cny", "km")},
    }


def left_out(table: BatchTable, year: Rows, batches: pd.DataFrame, programme: Programme) -> dict[str, Any]:
    """Tell what of the mandatory work the plan leaves out, and which batches no single year can hold.

    A person has to cut such a batch or raise the budget of a year.
    """
    is_left = year == NONE
    is_mandatory = table.batches.severity == 0
    model = programme.model
    fits = table.batches.cost_cny <= model.fund_cny()
    for cap in model.caps:
        if cap.code == "km":
            fits &= table.batches.length_m[:, None] / _METRES_PER_KM <= cap.cap[0]
    is_oversized = is_left & ~fits.any(axis=1)
    left = is_left & is_mandatory
    return {
        "mandatory": {
            "all_that_fit_a_year_are_placed": not programme.is_mandatory_left,
            "batch_count": int(is_mandatory.sum()),
            "left_batch_count": int(left.sum()),
            "left_km": float(table.batches.mandatory_m[left].sum() / _METRES_PER_KM),
        },
        "oversized": {
            "batch_count": int(is_oversized.sum()),
            "km": float(table.batches.length_m[is_oversized].sum() / _METRES_PER_KM),
            "examples": [str(name) for name in batches.index[is_oversized][:_EXAMPLES]],
        },
    }


def _certificate(programme: Programme) -> dict[str, Any]:
    solution = programme.solution
    return {
        "status": solution.status,
        "method": solution.method,
        "solver": solution.solver,
        "seed": solution.seed,
        "nodes": solution.nodes,
        "seconds": round(solution.seconds, 3),
        "reproducible": solution.is_reproducible and all(stage.is_reproducible for stage in programme.stages),
        "stages": [asdict(stage) for stage in programme.stages],
        "greedy_broken": list(solution.greedy_broken),
        "greedy_late_km_years": programme.late_km_years(solution.greedy_year),
        "late_km_years": programme.late_km_years(solution.year),
    }


def _locked_out(candidates: Candidates, year: Rows) -> Flags:
    """Tell which placed batches stand in a year in which a ban or a decision closes them."""
    placed = year != NONE
    at = np.where(placed, year, 0)
    result: Flags = placed & ~candidates.stays_open[np.arange(len(year)), at]
    return result


def _figures(candidates: Candidates, year: Rows) -> dict[str, Any]:
    """Sum up a plan with its real costs and savings."""
    placed = np.flatnonzero(year != NONE)
    at = year[placed]
    joint = candidates.saving_cny[placed, at] > 0
    return {
        "objective": float(candidates.value[placed, at].sum()),
        **{part: float(values[placed, at].sum()) for part, values in candidates.parts.items()},
        "cost_cny": float(candidates.cost_cny[placed, at].sum()),
        "saving_cny": float(candidates.saving_cny[placed, at].sum()),
        "km": float(candidates.length_m[placed].sum() / _METRES_PER_KM),
        "joint_km": float(candidates.length_m[placed[joint]].sum() / _METRES_PER_KM),
        "batch_count": len(placed),
        "joint_batch_count": int(joint.sum()),
    }


def _year_figures(candidates: Candidates, year: Rows, limits: Limits, place: int) -> dict[str, Any]:
    figures = _figures(candidates, np.where(year == place, year, NONE))
    value = figures.pop("objective")
    return {"year": limits.years[place], "budget_cny": limits.budget_cny[place], "value": value} | figures


def _duties(programme: Programme, years: range) -> dict[str, Any]:
    """Tell how much of what the law asks for within the plan is in time, late, and left out."""
    asked, kept = programme.duties.deadline, programme.model.packing.deadline
    done = programme.item_years()
    metres = programme.duties.length_m
    told: dict[str, Any] = {"only_mandatory_years": [years[at] for at in np.flatnonzero(programme.only_mandatory)]}
    for name, severity in (("mandatory", 0), ("due", 1)):
        rows = (programme.duties.severity == severity) & (asked != NONE)
        parts = {
            "in_time_km": rows & (done != NONE) & (done <= asked),
            "late_km": rows & (done > asked),
            "left_km": rows & (done == NONE),
            "kept_km": rows & (kept != NONE),
        }
        told[name] = {key: float(metres[part].sum() / _METRES_PER_KM) for key, part in parts.items()}
    return told
