"""Verbs of the planner: `score`, `overlap` and `plan`. They load, call pure functions, save and print."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from planner.cli_tables import show_kinds, show_plan, show_scores
from registry.console import AsOf, KnownAt, Output, Session, command, parse_day, parse_instant, parse_years

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from planner.plan import Limits, Plan
    from planner.policy import Policy
    from registry.store import Registry

app = typer.Typer()

PolicyPath = Annotated[
    Path | None, typer.Option("--policy", help="Policy file (TOML); the packaged default where none is given.")
]
YearsText = Annotated[str, typer.Option("--years", metavar="A-B", help="Planning years, for example 2027-2031.")]
_SEGMENT_COLUMNS: Final = [
    "medium",
    "tier",
    "material",
    "diameter_mm",
    "pressure_class",
    "pressure_kpa",
    "installed_year_min",
    "installed_year_max",
    "coating",
    "cathodic_protection",
    "surface",
    "street_name",
    "compound_name",
    "status",
    "assessment",
    "assessed_on",
    "is_encroached",
    "retired_on",
    "length_m",
    "geometry",
]


@dataclass(frozen=True)
class Job:
    """What every verb needs: where to read, as of when, by which policy."""

    session: Session
    registry: Registry
    policy: Policy
    as_of: date
    known_at: datetime | None
    bars: Any

    def frame(self, kind: str, columns: list[str] | None = None) -> Any:  # noqa: ANN401 - frame with or without geometry
        """Read one kind as of the day of the job."""
        return self.registry.frame(kind, columns, as_of=self.as_of, known_at=self.known_at)

    def segments(self) -> gpd.GeoDataFrame:
        """Read the segments, or say that there are none."""
        from registry.errors import PlanningError

        segments: gpd.GeoDataFrame = self.frame("segments", _SEGMENT_COLUMNS)
        if segments.empty:
            raise PlanningError("plan_no_segments", as_of=self.as_of)
        return segments

    @contextmanager
    def step(self, code: str, total: int | None = None) -> Generator[Callable[[int], None]]:
        """Show one step while it runs."""
        task = self.bars.add_task(self.session.say(code), total=total)
        yield lambda done: self.bars.update(task, advance=done)
        self.bars.remove_task(task)

    def save(self, kind: str, name: str | None, frames: dict[str, pd.DataFrame], summary: dict[str, Any]) -> str:
        """Save the run with everything it was made from."""
        policy = self.policy.to_dict() | {"hash": self.policy.content_hash}
        return self.registry.save_run(
            kind, name, frames, policy=policy, summary=summary, as_of=self.as_of, known_at=self.known_at
        )


@contextmanager
def open_job(session: Session, policy: Path | None, as_of: str | None, known_at: str | None) -> Generator[Job]:
    """Open the registry for a verb, with its policy, its times and its progress bars."""
    from planner.policy import read_policy

    chosen = read_policy(policy)
    day, instant = parse_day(as_of), parse_instant(known_at)
    with session.open() as registry, session.progress() as bars:
        yield Job(session, registry, chosen, day or registry.today(), instant, bars)


@command(app, "score")
def score(
    session: Session,
    policy: PolicyPath = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    output: Output = None,
) -> None:
    """Score every segment: policy class, likelihood, consequence and grade, with every contribution.

    Example: digonce score --as-of 2026-11-01 -o risk.xlsx
    """
    from planner.summaries import by_tier

    _check_output(output)
    with open_job(session, policy, as_of, known_at) as job:
        segments = job.segments()
        leaks = job.frame("leaks")
        made = _score(job, segments, leaks)
        scores, links = made["scores"], made["leak_links"]
        classes, grades = (by_tier(scores, segments, column) for column in ("policy_class", "grade"))
        summary = {
            "segment_count": len(scores),
            "km": float(scores["length_m"].sum() / 1000.0),
            "leak_count": len(leaks),
            "leak_link_count": len(links),
            "classes": classes.to_dict("records"),
            "grades": grades.to_dict("records"),
            **_policy_facts(job.policy),
        }
        run = job.save("score", None, made, summary)
        if output is not None:
            _write(scores, output, "scores", session, segments)
    show_scores(session, classes, grades)
    session.tell(
        "plan_scored",
        segments=len(scores),
        km=summary["km"],
        as_of=job.as_of,
        links=len(links),
        leaks=len(leaks),
        run=run,
    )
    _tell_unverified(session, job.policy)
    session.result({"run_id": run, "as_of": job.as_of, **summary})


@command(app, "overlap")
def overlap(
    session: Session,
    years: YearsText,
    policy: PolicyPath = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    output: Output = None,
) -> None:
    """Find the metres of each segment inside each project, and whether the project meets the planning years.

    Example: digonce overlap --years 2027-2031 -o overlaps.xlsx
    """
    from planner.summaries import by_project_kind
    from registry.errors import PlanningError

    _check_output(output)
    wanted = parse_years(years)
    with open_job(session, policy, as_of, known_at) as job:
        _check_years(wanted, job.as_of)
        segments = job.segments()
        projects = job.frame("projects")
        if projects.empty:
            raise PlanningError("plan_no_projects", as_of=job.as_of)
        pairs = _overlaps(job, segments, projects, wanted)
        kinds = by_project_kind(pairs, segments)
        meeting = pairs["meets_years"].to_numpy(dtype=bool)
        summary = {
            "years": list(wanted),
            "pair_count": len(pairs),
            "segment_count": int(pairs["segment_id"].nunique()),
            "project_count": int(pairs["project_id"].nunique()),
            "km": float(pairs["overlap_m"].sum() / 1000.0),
            "meeting_pair_count": int(meeting.sum()),
            "meeting_km": float(pairs["overlap_m"][meeting].sum() / 1000.0),
            "kinds": kinds.to_dict("records"),
            **_policy_facts(job.policy),
        }
        run = job.save("overlap", None, {"pairs": pairs}, summary)
        if output is not None:
            _write(pairs, output, "pairs", session, segments)
    show_kinds(session, kinds)
    session.tell(
        "plan_overlapped",
        pairs=len(pairs),
        segments=summary["segment_count"],
        projects=summary["project_count"],
        km=summary["km"],
        meeting=summary["meeting_pair_count"],
        meeting_km=summary["meeting_km"],
        first=wanted[0],
        last=wanted[-1],
        run=run,
    )
    session.result({"run_id": run, "as_of": job.as_of, **summary})


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
    save: Annotated[str | None, typer.Option("--save", metavar="NAME", help="Keep the plan under this name.")] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    output: Output = None,
) -> None:
    """Plan renewal in yearly batches under a budget, together with road and compound projects.

    Example: digonce plan --years 2027-2031 --budget-cny 20000000 --save plan-2027
    """
    from planner.households import Supplied
    from planner.plan import make_plan

    _check_output(output)
    limits = _limits(parse_years(years), budget_cny, budget_total_cny, km)
    with open_job(session, policy, as_of, known_at) as job:
        _check_years(limits.years, job.as_of)
        segments = job.segments()
        projects = job.frame("projects")
        scored = _score(job, segments, job.frame("leaks"))
        scores = scored["scores"]
        pairs = _overlaps(job, segments, projects, limits.years)
        supplied = Supplied.from_frames(
            job.frame("compounds", ["name", "household_count"]), scores["expected_household_count"]
        )
        with job.step("plan_step_plan"), _quiet_solver():
            made = make_plan(segments, scores, pairs, projects, job.policy, limits, supplied)
        frames = {
            **scored,
            "pairs": made.pairs,
            "batches": made.batches,
            "batch_segments": made.batch_segments,
        }
        run = job.save("plan", save, frames, made.summary)
        if output is not None:
            _write(made.batches, output, "batches", session, _batch_shapes(segments, made))
    show_plan(session, made, has_projects=not projects.empty, run=run)
    _tell_unverified(session, job.policy)
    session.result({"run_id": run, "name": save, "as_of": job.as_of, **made.summary})


def _score(job: Job, segments: gpd.GeoDataFrame, leaks: gpd.GeoDataFrame) -> dict[str, pd.DataFrame]:
    """Link leaks, events and households to segments and score these: the frames of the run."""
    from planner.predecessors import predecessor_links
    from planner.score import Told, score_segments
    from planner.supply import Homes, link_households

    buildings = job.frame("buildings", ["household_count", "compound_id", "geometry"])
    with job.step("plan_step_link"):
        successions = read_lineage(job)
        links, events = link_places(job, segments, leaks, successions)
        homes = Homes(
            job.frame("customers", ["household_count", "building_id", "segment_id", "geometry"]),
            job.frame("risers", ["household_count", "building_id", "compound_id"]),
            buildings,
            job.frame("compounds", ["name", "household_count"]),
        )
        told = Told(predecessor_links(links, successions, segments), link_households(homes, segments, job.policy))
    with job.step("plan_step_score", len(segments)) as advance:
        scores = score_segments(segments, links, leaks, buildings, job.policy, job.as_of, told=told, progress=advance)
    return {"scores": scores, "leak_links": links, "event_links": events}


def read_lineage(job: Job) -> pd.DataFrame:
    """Read which segment goes on as which: the frame `successions`."""
    from registry.history.retired import read_successions

    return read_successions(job.registry.connection, job.as_of, job.known_at)


def link_places(
    job: Job, segments: gpd.GeoDataFrame, leaks: gpd.GeoDataFrame, successions: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Link leaks and events to the segments of the day and to those that were there before: the pipes that are gone."""
    import pandas as pd

    from planner.events import link_events
    from planner.leaks import link_leaks
    from planner.successors import name_successors
    from registry.history.retired import read_retired

    retired = read_retired(job.registry, _SEGMENT_COLUMNS, job.as_of, job.known_at)
    candidates = segments if retired.empty else pd.concat([segments, retired])
    leaks, events = (name_successors(found, candidates, successions) for found in (leaks, job.frame("events")))
    return link_leaks(leaks, candidates, job.policy), link_events(events, candidates, job.policy)


def _overlaps(job: Job, segments: gpd.GeoDataFrame, projects: gpd.GeoDataFrame, years: range) -> pd.DataFrame:
    from planner.overlap import find_overlaps

    with job.step("plan_step_overlap"):
        return find_overlaps(segments, projects, years, job.policy)


def _check_years(years: range, as_of: date) -> None:
    """Refuse years that are over by the as-of date: they cannot be planned."""
    from registry.errors import PlanningError

    if years[0] < as_of.year:
        raise PlanningError("plan_years_past", first=years[0], last=years[-1], as_of=as_of)


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


def _policy_facts(policy: Policy) -> dict[str, Any]:
    return {
        "policy": {"id": policy.id, "version": policy.version, "hash": policy.content_hash},
        "unverified_count": len(policy.unverified()),
    }


def _tell_unverified(session: Session, policy: Policy) -> None:
    if count := len(policy.unverified()):
        session.tell("plan_unverified_note", count=count)


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


def _batch_shapes(segments: gpd.GeoDataFrame, made: Plan) -> gpd.GeoDataFrame:
    """The lines of each batch as one shape."""
    import geopandas as gpd

    members = made.batch_segments["batch_id"]
    lines = gpd.GeoDataFrame({"batch_id": members}, geometry=segments.geometry.reindex(members.index))
    shapes: gpd.GeoDataFrame = lines.dissolve(by="batch_id")
    return shapes
