"""The verb `plan`: loads, calls pure functions, saves and prints."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Final

import typer

from planner.cli import check_output_path, write_result
from planner.cli_bearing import bearing_parts
from planner.cli_job import PolicyPath, YearsText, check_years, open_job, score_city, tell_unverified
from planner.cli_last_chance import last_chances_of, show_last_chances
from planner.cli_late import show_late
from planner.cli_methane import methane_by_batch, methane_of, show_methane
from planner.cli_overlap import meeting_frames, read_city
from planner.cli_plan_tables import show_plan
from planner.cli_ranking import ForceModel, ModelName, ranking_of, tell_ranking
from planner.cli_reasons import usual_facts
from registry.console import AsOf, KnownAt, Output, Session, command, parse_years

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from planner.benefits import Worth
    from planner.choice import Effort
    from planner.cli_job import Job
    from planner.limits import Limits
    from planner.meeting import City
    from planner.plan import Plan
    from planner.ranking import Ranking

app = typer.Typer()

# weights are asked for in units that people have a feeling for
_CNY_PER_WEIGHT: Final = 10_000.0

_Budget = Annotated[float | None, typer.Option("--budget-cny", metavar="N", help="Budget in yuan for each year.")]
_Total = Annotated[
    float | None,
    typer.Option("--budget-total-cny", metavar="N", help="Budget in yuan for all years, shared evenly."),
]
_Km = Annotated[float | None, typer.Option("--km", metavar="N", help="At most this many kilometres a year.")]
_Carried = Annotated[
    float, typer.Option("--carry-over", metavar="S", min=0, max=1, help="Share of unspent money that next year gets.")
]
_DistrictKm = Annotated[
    float | None, typer.Option("--district-km", metavar="N", help="At most this many kilometres a district and year.")
]
_DistrictHouseholds = Annotated[
    float | None,
    typer.Option("--district-households", metavar="N", help="At most this many households off a district and year."),
]
_DistrictFloor = Annotated[
    float | None,
    typer.Option("--district-floor", metavar="S", min=0, max=1, help="Least share of candidate length by district."),
]
_RepairWeight = Annotated[
    float, typer.Option("--weight-repair", metavar="W", min=0, help="Worth of 10,000 yuan of repairs, in risk removed.")
]
_MethaneWeight = Annotated[
    float, typer.Option("--weight-methane", metavar="W", min=0, help="Worth of a tonne of methane, in risk removed.")
]
_Gap = Annotated[float, typer.Option("--gap", metavar="S", min=0, max=0.5, help="Stop this near to the best plan.")]
_Time = Annotated[
    float | None,
    typer.Option("--time-limit", metavar="SECONDS", min=1, help="End each search after this; runs may then differ."),
]
_Seed = Annotated[int, typer.Option("--seed", metavar="S", min=0, help="Seed of candidate batches and search.")]
_Save = Annotated[str | None, typer.Option("--save", metavar="NAME", help="Keep the plan under this name.")]


@command(app, "plan")
def plan(
    session: Session,
    years: YearsText,
    budget_cny: _Budget = None,
    budget_total_cny: _Total = None,
    km: _Km = None,
    carry_over: _Carried = 0.0,
    district_km: _DistrictKm = None,
    district_households: _DistrictHouseholds = None,
    district_floor: _DistrictFloor = None,
    weight_repair: _RepairWeight = 0.0,
    weight_methane: _MethaneWeight = 0.0,
    gap: _Gap = 5e-3,
    time_limit: _Time = None,
    seed: _Seed = 0,
    policy: PolicyPath = None,
    model: ModelName = "auto",
    is_forced: ForceModel = False,
    save: _Save = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    output: Output = None,
) -> None:
    """Plan renewal in yearly batches under a budget, together with road and compound projects.

    What the law asks for comes first, as near to its day as the money allows; then the plan removes as much risk as
    possible, and says how near it is proven to be to the best one.

    Example: digonce plan --years 2027-2031 --budget-cny 20000000 --save plan-2027
    """
    from planner.benefits import Worth
    from planner.choice import Effort

    check_output_path(output)
    limits = _limits(parse_years(years), budget_cny, budget_total_cny, km)
    limits = replace(limits, carried_share=carry_over, district_km_per_year=district_km)
    limits = _checked(
        replace(limits, district_households_per_year=district_households, district_floor_share=district_floor)
    )
    worth = Worth(repair_cny=weight_repair / _CNY_PER_WEIGHT, methane_t=weight_methane)
    effort = Effort(gap_share=gap, seed=seed, time_limit_s=time_limit)
    with open_job(session, policy, as_of, known_at) as job:
        check_years(limits.years, job.as_of)
        ranking = ranking_of(job, model, is_forced=is_forced)
        city, made, frames = _plan_city(job, ranking, limits, worth, effort)
        summary = made.summary | {"methane": methane_of(job, frames, made.batch_segments)}
        summary["ranking"] = ranking.facts()
        usual = usual_facts(frames["scores"], city.segments["medium"])
        run = job.save("plan", save, frames, summary | {"usual": usual})
        if output is not None:
            write_result(made.batches, output, "batches", session, _batch_shapes(city.segments, made))
    show_plan(session, made, has_projects=not city.projects.empty, run=run)
    late = {"late": show_late(session, frames)}
    late["last_chances"] = show_last_chances(session, frames["last_chances"], city)
    _tell_decided(session, made.summary["decided"])
    show_methane(session, summary["methane"])
    tell_ranking(session, ranking.facts())
    tell_unverified(session, job.policy)
    by_batch = {"batch_methane": methane_by_batch(frames, made.batch_segments)}
    session.result({"run_id": run, "name": save, "as_of": job.as_of} | summary | by_batch | late)


def _plan_city(
    job: Job, ranking: Ranking, limits: Limits, worth: Worth, effort: Effort
) -> tuple[City, Plan, dict[str, pd.DataFrame]]:
    """Read and score a city, find its pairs and what bears on it, plan, and prepare the meeting: frames to keep."""
    from planner.decisions import standing_decisions
    from planner.households import Supplied
    from planner.meeting import prepare_meeting, prepare_pairs
    from planner.plan import Bearing, make_plan

    segments = job.segments()
    city = read_city(job, segments)
    scored = score_city(job, segments, job.frame("leaks"), ranking)
    scores = scored["scores"]
    with job.step("plan_step_overlap"):
        pairs = prepare_pairs(city, limits.years, job.policy)
    compounds = job.frame("compounds", ["name", "household_count"])
    supplied = Supplied.from_frames(compounds, scores["expected_household_count"])
    with job.step("plan_step_conditions"):
        parts = bearing_parts(job, city, scores, limits.years)
    with job.step("plan_step_plan"):
        decided = standing_decisions(city.decisions, pairs, city.successions)
        bearing = Bearing(worth=worth, emissions=scored.get("emissions"), decisions=decided, effort=effort, **parts)
        made = make_plan(segments, scores, pairs, city.projects, job.policy, limits, supplied, bearing)
    with job.step("plan_step_meeting"):
        prepared = prepare_meeting(city, scores, made.pairs, job.policy, job.as_of, made.batch_segments)
    of_plan = {"batches": made.batches, "batch_segments": made.batch_segments, "plan_reasons": made.reasons}
    chances = last_chances_of(job, city, scores, prepared, parts["outlook"], made.batch_segments)
    of_plan |= {"last_chances": chances, "late_work": made.late.work, "late_years": made.late.years}
    return city, made, scored | meeting_frames(prepared) | of_plan


def _tell_decided(session: Session, decided: dict[str, int]) -> None:
    """Say what decisions of meetings did to the plan, where there were any."""
    if decided["bound_batch_count"] or decided["apart_pair_count"]:
        session.tell("plan_decided", batches=decided["bound_batch_count"], pairs=decided["apart_pair_count"])
    if decided["unmet_pair_count"]:
        session.tell("plan_decided_unmet", count=decided["unmet_pair_count"])


def _limits(years: range, budget_cny: float | None, budget_total_cny: float | None, km: float | None) -> Limits:
    from planner.limits import Limits
    from registry.errors import UsageError

    if budget_cny is not None and budget_total_cny is None:
        limits = Limits.per_year(years, budget_cny, km)
    elif budget_total_cny is not None and budget_cny is None:
        limits = Limits.total(years, budget_total_cny, km)
    else:
        raise UsageError("plan_budget_twice")
    return limits


def _checked(limits: Limits) -> Limits:
    """Refuse limits that make no sense before anything is read: a long run must not end in a bad budget."""
    from registry.errors import PlanningError, UsageError

    try:
        limits.check()
    except PlanningError as fault:
        raise UsageError(fault.code, **fault.parameters) from fault
    return limits


def _batch_shapes(segments: gpd.GeoDataFrame, made: Plan) -> gpd.GeoDataFrame:
    """The lines of each batch as one shape."""
    import geopandas as gpd

    members = made.batch_segments["batch_id"]
    lines = gpd.GeoDataFrame({"batch_id": members}, geometry=segments.geometry.reindex(members.index))
    shapes: gpd.GeoDataFrame = lines.dissolve(by="batch_id")
    return shapes
