"""Verbs of the planner: `score` and `plan`. They load, call pure functions, save and print."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli_job import PolicyPath, YearsText, check_years, open_job, policy_facts, score_city, tell_unverified
from planner.cli_methane import methane_of, show_methane
from planner.cli_overlap import meeting_frames, read_city
from planner.cli_ranking import ForceModel, ModelName, ranking_of, tell_ranking
from planner.cli_tables import show_plan, show_risk, show_scores, told
from registry.console import AsOf, KnownAt, Output, Session, command, parse_years

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from planner.plan import Limits, Plan

app = typer.Typer()


@command(app, "score")
def score(
    session: Session,
    policy: PolicyPath = None,
    save: Annotated[
        str | None,
        typer.Option("--save", metavar="NAME", help="Keep the scores under this name, to compare them later."),
    ] = None,
    model: ModelName = "auto",
    is_forced: ForceModel = False,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    output: Output = None,
) -> None:
    """Score every segment: policy class, likelihood, consequence and grade, with every contribution.

    A learned model ranks only where the last back-test opened the gate for it; else the default does.

    Example: digonce score --as-of 2026-11-01 -o risk.xlsx
    """
    from planner.risk_summary import risk_by_medium, risk_matrix
    from planner.summaries import by_tier

    _check_output(output)
    with open_job(session, policy, as_of, known_at) as job:
        ranking = ranking_of(job, model, is_forced=is_forced)
        segments = job.segments()
        leaks = job.frame("leaks")
        made = score_city(job, segments, leaks, ranking, stores_beside=True)
        scores, links = made["scores"], made["leak_links"]
        classes, grades = (by_tier(scores, segments, column) for column in ("policy_class", "grade"))
        media, matrix = risk_by_medium(scores, segments), risk_matrix(scores, segments, job.policy.weights.matrix)
        methane = methane_of(job, made)
        summary = {
            "segment_count": len(scores),
            "km": float(scores["length_m"].sum() / 1000.0),
            "leak_count": len(leaks),
            "leak_link_count": len(links),
            "classes": classes.to_dict("records"),
            "grades": grades.to_dict("records"),
            "risk": told(media),
            "matrix": told(matrix),
            "methane": methane,
            "ranking": ranking.facts(),
            **policy_facts(job.policy),
        }
        run = job.save("score", save, made, summary)
        if output is not None:
            _write(scores, output, "scores", session, segments)
    show_scores(session, classes, grades)
    show_risk(session, media, matrix)
    show_methane(session, methane)
    counts = {name: summary[f"{name}_count"] for name in ("segment", "leak_link", "leak")}
    session.tell("plan_scored", **counts, km=summary["km"], as_of=job.as_of, run=run)
    tell_ranking(session, ranking.facts())
    tell_unverified(session, job.policy)
    session.result({"run_id": run, "name": save, "as_of": job.as_of, **summary})


@command(app, "plan")
def plan(
    session: Session,
    years: YearsText,
    budget_cny: Annotated[
        float | None, typer.Option("--budget-cny", metavar="N", help="Budget in yuan for each year.")
    ] = None,
    budget_total_cny: Annotated[
        float | None,
        typer.Option("--budget-total-cny", metavar="N", help="Budget in yuan for all years, shared evenly."),
    ] = None,
    km: Annotated[float | None, typer.Option("--km", metavar="N", help="At most this many kilometres a year.")] = None,
    policy: PolicyPath = None,
    model: ModelName = "auto",
    is_forced: ForceModel = False,
    save: Annotated[str | None, typer.Option("--save", metavar="NAME", help="Keep the plan under this name.")] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    output: Output = None,
) -> None:
    """Plan renewal in yearly batches under a budget, together with road and compound projects.

    Example: digonce plan --years 2027-2031 --budget-cny 20000000 --save plan-2027
    """
    from planner.decisions import standing_decisions
    from planner.households import Supplied
    from planner.meeting import prepare_meeting, prepare_pairs
    from planner.plan import make_plan

    _check_output(output)
    limits = _limits(parse_years(years), budget_cny, budget_total_cny, km)
    with open_job(session, policy, as_of, known_at) as job:
        check_years(limits.years, job.as_of)
        ranking = ranking_of(job, model, is_forced=is_forced)
        segments = job.segments()
        city = read_city(job, segments)
        projects = city.projects
        scored = score_city(job, segments, job.frame("leaks"), ranking)
        scores = scored["scores"]
        with job.step("plan_step_overlap"):
            pairs = prepare_pairs(city, limits.years, job.policy)
        supplied = Supplied.from_frames(
            job.frame("compounds", ["name", "household_count"]), scores["expected_household_count"]
        )
        with job.step("plan_step_plan"), _quiet_solver():
            decided = standing_decisions(city.decisions, pairs, city.successions)
            made = make_plan(segments, scores, pairs, projects, job.policy, limits, supplied, decided)
        with job.step("plan_step_meeting"):
            prepared = prepare_meeting(city, scores, made.pairs, job.policy, job.as_of, made.batch_segments)
        frames = scored | meeting_frames(prepared) | {"batches": made.batches, "batch_segments": made.batch_segments}
        summary = made.summary | {"methane": methane_of(job, scored, made.batch_segments)}
        summary["ranking"] = ranking.facts()
        run = job.save("plan", save, frames, summary)
        if output is not None:
            _write(made.batches, output, "batches", session, _batch_shapes(segments, made))
    show_plan(session, made, has_projects=not projects.empty, run=run)
    _tell_decided(session, made.summary["decided"])
    show_methane(session, summary["methane"])
    tell_ranking(session, ranking.facts())
    tell_unverified(session, job.policy)
    session.result({"run_id": run, "name": save, "as_of": job.as_of, **summary})


def _tell_decided(session: Session, decided: dict[str, int]) -> None:
    """Say what decisions of meetings did to the plan, where there were any."""
    if decided["bound_batch_count"] or decided["apart_pair_count"]:
        session.tell("plan_decided", batches=decided["bound_batch_count"], pairs=decided["apart_pair_count"])
    if decided["unmet_pair_count"]:
        session.tell("plan_decided_unmet", count=decided["unmet_pair_count"])


def _limits(years: range, budget_cny: float | None, budget_total_cny: float | None, km: float | None) -> Limits:
    from planner.plan import Limits
    from registry.errors import PlanningError, UsageError

    if budget_cny is not None and budget_total_cny is None:
        limits = Limits.per_year(years, budget_cny, km)
    elif budget_total_cny is not None and budget_cny is None:
        limits = Limits.total(years, budget_total_cny, km)
    else:
        raise UsageError("plan_budget_twice")
    # before anything is read: a long run must not end in a bad budget
    try:
        limits.check()
    except PlanningError as fault:
        raise UsageError(fault.code, **fault.parameters) from fault
    return limits


@contextmanager
def _quiet_solver() -> Generator[None]:
    """Keep lines that the solver's own library prints off the standard output: it carries our JSON."""
    sys.stdout.flush()
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _check_output(output: Path | None) -> None:
    from registry.exports import check_output

    if output is not None:
        check_output(output)


def _write(table: pd.DataFrame, path: Path, contract: str, session: Session, shapes: gpd.GeoDataFrame) -> None:
    """Write a result; formats for maps get the geometry of the rows."""
    import geopandas as gpd

    from registry.exports import write_table

    if path.suffix.lower() in {".gpkg", ".geojson", ".parquet"}:
        keys = table["segment_id"] if "segment_id" in table.columns else table.index
        table = gpd.GeoDataFrame(table, geometry=shapes.geometry.reindex(keys).array, crs=shapes.crs)
    write_table(table, path, contract, session.language)
    session.tell_written(path, len(table))


def _batch_shapes(segments: gpd.GeoDataFrame, made: Plan) -> gpd.GeoDataFrame:
    """The lines of each batch as one shape."""
    import geopandas as gpd

    members = made.batch_segments["batch_id"]
    lines = gpd.GeoDataFrame({"batch_id": members}, geometry=segments.geometry.reindex(members.index))
    shapes: gpd.GeoDataFrame = lines.dissolve(by="batch_id")
    return shapes
