"""The verb `plan`: loads, calls pure functions, saves and prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from planner.cli import check_output_path, write_result
from planner.cli_bearing import bearing_parts, isolation_of, warn_of_districts
from planner.cli_job import PolicyPath, check_years, score_city, tell_unverified
from planner.cli_last_chance import last_chances_of, show_last_chances
from planner.cli_late import show_late
from planner.cli_methane import methane_by_batch, methane_of, show_methane
from planner.cli_overlap import meeting_frames, read_city
from planner.cli_plan_tables import show_plan
from planner.cli_ranking import ForceModel, ModelName, ranking_of, tell_ranking
from planner.cli_reasons import usual_facts
from planner.cli_replan import Origin, Parent, ScenarioPath, open_origin, tell_origin
from registry.console import AsOf, KnownAt, Output, Session, command, parse_years
from registry.runs import check_run_name

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd

    from planner.cli_job import Job
    from planner.meeting import City
    from planner.plan import Plan
    from planner.plan_request import Asked, Settled
    from planner.ranking import Ranking

app = typer.Typer()

_Years = Annotated[str | None, typer.Option("--years", metavar="A-B", help="Planning years, for example 2027-2031.")]
_Budget = Annotated[float | None, typer.Option("--budget-cny", metavar="N", help="Budget in yuan for each year.")]
_Total = Annotated[
    float | None,
    typer.Option("--budget-total-cny", metavar="N", help="Budget in yuan for all years, shared evenly."),
]
_Km = Annotated[float | None, typer.Option("--km", metavar="N", help="At most this many kilometres a year.")]
_Carried = Annotated[
    float | None,
    typer.Option("--carry-over", metavar="S", min=0, max=1, help="Share of unspent money that next year gets."),
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
_LeastRisk = Annotated[
    float | None, typer.Option("--least-risk", metavar="N", min=0, help="Remove at least this much risk.")
]
_LeastRepair = Annotated[
    float | None,
    typer.Option("--least-repair-cny", metavar="N", min=0, help="Avoid at least this many yuan of repairs."),
]
_LeastMethane = Annotated[
    float | None,
    typer.Option("--least-methane-t", metavar="N", min=0, help="Avoid at least this many tonnes of methane."),
]
_RepairWeight = Annotated[
    float | None,
    typer.Option("--weight-repair", metavar="W", min=0, help="Worth of 10,000 yuan of repairs, in risk removed."),
]
_MethaneWeight = Annotated[
    float | None,
    typer.Option("--weight-methane", metavar="W", min=0, help="Worth of a tonne of methane, in risk removed."),
]
_Gap = Annotated[
    float | None, typer.Option("--gap", metavar="S", min=0, max=0.5, help="Stop this near to the best plan.")
]
_Time = Annotated[
    float | None,
    typer.Option("--time-limit", metavar="SECONDS", min=1, help="End each search after this; runs may then differ."),
]
_Seed = Annotated[int | None, typer.Option("--seed", metavar="S", min=0, help="Seed of candidate batches and search.")]
_Stability = Annotated[
    int,
    typer.Option(
        "--stability", metavar="N", min=0, max=1000, help="Solve again under N draws of the risk: what of it stays."
    ),
]
_OneIsolation = Annotated[
    bool | None,
    typer.Option(
        "--one-isolation/--no-one-isolation",
        help="Keep each run within one isolation section, as the valves cut the network. Default: no.",
        show_default=False,
    ),
]
_Save = Annotated[str | None, typer.Option("--save", metavar="NAME", help="Keep the plan under this name.")]


@command(app, "plan")
def plan(
    session: Session,
    years: _Years = None,
    budget_cny: _Budget = None,
    budget_total_cny: _Total = None,
    km: _Km = None,
    carry_over: _Carried = None,
    district_km: _DistrictKm = None,
    district_households: _DistrictHouseholds = None,
    district_floor: _DistrictFloor = None,
    least_risk: _LeastRisk = None,
    least_repair_cny: _LeastRepair = None,
    least_methane_t: _LeastMethane = None,
    weight_repair: _RepairWeight = None,
    weight_methane: _MethaneWeight = None,
    gap: _Gap = None,
    time_limit: _Time = None,
    seed: _Seed = None,
    stability: _Stability = 0,
    one_isolation: _OneIsolation = None,
    parent: Parent = None,
    scenario: ScenarioPath = None,
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
    possible, and says how near it is proven to be to the best one. With --from it is made anew out of a saved plan,
    whose locked batches stay; with --scenario under other money, limits, project days or bans.

    Example: digonce plan --years 2027-2031 --budget-cny 20000000 --save plan-2027
    """
    from planner.plan_request import Asked, settle

    check_output_path(output)
    asked = Asked(
        parse_years(years) if years else None,
        *(budget_cny, budget_total_cny, km, carry_over, district_km, district_households, district_floor),
        *(least_risk, least_repair_cny, least_methane_t, weight_repair, weight_methane, gap),
        *(seed, time_limit, one_isolation),
    )
    _check_early(asked, save, parent, scenario)
    with open_origin(session, parent, scenario, policy, as_of, known_at) as (job, origin):
        settled = settle(asked, origin.scenario, origin.summary)
        check_years(settled.limits.years, job.as_of)
        ranking = ranking_of(job, model, is_forced=is_forced)
        city, made, frames, told = _plan_city(job, ranking, settled, origin, stability)
        summary = made.summary | told | {"ranking": ranking.facts()}
        usual = usual_facts(frames["scores"], city.segments["medium"])
        run = job.save("plan", save, frames, summary | {"usual": usual}, origin.parent_id if save else None)
        if output is not None:
            write_result(made.batches, output, "batches", session, _batch_shapes(city.segments, made))
    worst = _tell(session, made, summary, frames, job, run, city)
    session.result({"run_id": run, "name": save, "as_of": job.as_of} | summary | worst)


def _check_early(asked: Asked, save: str | None, parent: str | None, scenario: Path | None) -> None:
    """Refuse before anything is read what makes no sense, as a plan under the name of the one that it comes from."""
    from planner.plan_request import settle
    from registry.errors import UsageError

    check_run_name(save)
    if parent is None and scenario is None:
        settle(asked)
    elif save is not None and save == parent:
        raise UsageError("plan_edit_same_name", name=save)


def _tell(
    session: Session,
    made: Plan,
    summary: dict[str, Any],
    frames: dict[str, pd.DataFrame],
    job: Job,
    run: str,
    city: City,
) -> dict[str, Any]:
    """Say what the plan was made out of, what it is, and what to bear in mind; return late work and last chances."""
    tell_origin(session, summary)
    show_plan(session, made, has_projects=not city.projects.empty, run=run)
    worst = {
        "late": show_late(session, frames),
        "last_chances": show_last_chances(session, frames["last_chances"], city),
        "batch_methane": methane_by_batch(frames, made.batch_segments),
    }
    _tell_decided(session, made.summary["decided"])
    show_methane(session, summary["methane"])
    tell_ranking(session, summary["ranking"])
    tell_unverified(session, job.policy)
    return worst


def _plan_city(
    job: Job, ranking: Ranking, settled: Settled, origin: Origin, stability: int
) -> tuple[City, Plan, dict[str, pd.DataFrame], dict[str, Any]]:
    """Read and score a city, find its pairs and what bears on it, plan, and prepare the meeting: frames to keep."""
    from planner.decisions import standing_decisions
    from planner.held import kept_locks
    from planner.households import Supplied
    from planner.meeting import prepare_meeting, prepare_pairs
    from planner.plan import Bearing, make_plan

    segments, limits = job.segments(), settled.limits
    city, told = origin.of_city(read_city(job, segments), job)
    scored = score_city(job, segments, job.frame("leaks"), ranking)
    scores = scored["scores"]
    with job.step("plan_step_overlap"):
        pairs = prepare_pairs(city, limits.years, job.policy)
    compounds = job.frame("compounds", ["name", "household_count"])
    supplied = Supplied.from_frames(compounds, scores["expected_household_count"])
    with job.step("plan_step_conditions"):
        parts = bearing_parts(job, city, scores, limits.years)
    warn_of_districts(job, limits, parts["conditions"])
    with job.step("plan_step_plan"):
        decided = standing_decisions(city.decisions, pairs, city.successions)
        parts |= {
            "worth": settled.worth,
            "effort": settled.effort,
            "locks": origin.locks(),
            "stability_draws": stability,
            "isolation": isolation_of(job, segments, is_kept=settled.keeps_isolation),
        }
        bearing = Bearing(emissions=scored.get("emissions"), decisions=decided, **parts)
        made = make_plan(segments, scores, pairs, city.projects, job.policy, limits, supplied, bearing)
    with job.step("plan_step_meeting"):
        prepared = prepare_meeting(city, scores, made.pairs, job.policy, job.as_of, made.batch_segments)
    of_plan = {"batches": made.batches, "batch_segments": made.batch_segments, "plan_reasons": made.reasons}
    chances = last_chances_of(job, city, scores, prepared, parts["outlook"], made.batch_segments)
    of_plan |= {"last_chances": chances, "late_work": made.late.work, "late_years": made.late.years}
    if bearing.locks:
        of_plan["plan_locks"] = kept_locks(bearing.locks, made.batch_segments)
    frames = scored | meeting_frames(prepared) | of_plan
    told |= origin.parent_facts(made.summary["locked"]) | {"methane": methane_of(job, frames, made.batch_segments)}
    return city, made, frames, told


def _tell_decided(session: Session, decided: dict[str, int]) -> None:
    """Say what decisions of meetings did to the plan, where there were any."""
    if decided["bound_batch_count"] or decided["apart_pair_count"]:
        session.tell("plan_decided", batches=decided["bound_batch_count"], pairs=decided["apart_pair_count"])
    if decided["unmet_pair_count"]:
        session.tell("plan_decided_unmet", count=decided["unmet_pair_count"])


def _batch_shapes(segments: gpd.GeoDataFrame, made: Plan) -> gpd.GeoDataFrame:
    """The lines of each batch as one shape."""
    import geopandas as gpd

    members = made.batch_segments["batch_id"]
    lines = gpd.GeoDataFrame({"batch_id": members}, geometry=segments.geometry.reindex(members.index))
    shapes: gpd.GeoDataFrame = lines.dissolve(by="batch_id")
    return shapes
