"""The problem of a saved plan as it was when the plan was made, for verbs that ask what else was possible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import geopandas as gpd

    from planner.cli_job import Job
    from planner.plan import Problem
    from registry.store import SavedRun


@dataclass(frozen=True)
class PlanProblem:
    """What the plan was chosen from and under, and the dig bans that it saw."""

    problem: Problem
    bans: gpd.GeoDataFrame


def problem_of(job: Job, run: SavedRun) -> PlanProblem:
    """Put the problem of a saved plan together, from its own scores and pairs, as its scenario has the city."""
    from planner.cli_bearing import bearing_parts, isolation_of
    from planner.cli_overlap import read_city
    from planner.cli_saved import as_planned
    from planner.decisions import standing_decisions
    from planner.households import Supplied
    from planner.plan import Bearing, plan_problem
    from planner.plan_request import Asked, settle
    from planner.programme import locked_batches

    segments = job.segments()
    city = as_planned(read_city(job, segments), run, job)
    scores, pairs, settled = run.frames["scores"], run.frames["pairs"], settle(Asked(), None, run.summary)
    decided = standing_decisions(city.decisions, pairs, city.successions)
    compounds = job.frame("compounds", ["name", "household_count"])
    supplied = Supplied.from_frames(compounds, scores["expected_household_count"])
    emissions = run.frames.get("emissions")
    bearing = Bearing(
        emissions=None if emissions is None or emissions.empty else emissions,
        worth=settled.worth,
        effort=settled.effort,
        decisions=decided,
        locks=tuple(locked_batches(run.frames["plan_locks"])),
        batches_per_segment=run.summary.get("pool", {}).get("batches_per_segment", Bearing.batches_per_segment),
        isolation=isolation_of(job, segments, is_kept=settled.keeps_isolation),
        **bearing_parts(job, city, scores, settled.limits.years),
    )
    problem = plan_problem(
        segments, scores, pairs, city.projects, job.policy, settled.limits, supplied=supplied, bearing=bearing
    )
    return PlanProblem(problem, city.bans(job.policy, job.as_of))
