"""Verbs that say where saved plans stand: `plans`, `propose`, `adopt`, `withdraw`, and `tasks` of the adopted ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.catalogue import joined
from registry.console import AsOf, KnownAt, Output, Session, command, parse_day, parse_instant

if TYPE_CHECKING:
    import pandas as pd

    from registry.history.edit import Warrant
    from registry.history.programme import Stepped

app = typer.Typer()
PlanName = Annotated[str, typer.Argument(help="Name of the saved plan.")]
Day = Annotated[str | None, typer.Option("--on", help="Day of the step; today by default.")]
Reason = Annotated[str | None, typer.Option("--reason", help="Why, in words.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")]


@command(app, "plans")
def plans(session: Session, as_of: AsOf = None, known_at: KnownAt = None) -> None:
    """List the saved plans: where each stands, what it achieves and costs, and whether data came in since.

    Example: digonce plans --json
    """
    from planner.cli_plans_table import show_plans
    from registry.history.programme import DRAFT, read_plans

    instant = parse_instant(known_at)
    with session.open() as registry:
        found = read_plans(registry.connection, instant)
        states = registry.frame("plan_states", as_of=parse_day(as_of) or registry.today(), known_at=instant)
    standing = states.to_dict("index")
    rows: list[dict[str, Any]] = []
    for run in found.to_dict("records"):
        state = standing.get(run["run_id"], {"state": DRAFT})
        rows.append(_told(run) | {key: state.get(key) for key in ("state", "changed_on", "changed_by", "reason")})
    if not rows:
        session.tell("plans_none")
    else:
        show_plans(session, rows)
        weighted = [row["name"] or "—" for row in rows if row["is_weighted"]]
        if weighted:
            session.warn("plans_weighted", plans=joined(weighted, session.language))
    session.result({"plans": rows})


def _told(run: dict[Any, Any]) -> dict[str, Any]:
    from planner.benefits import is_weighted

    summary, edited = run["summary"], run["summary"].get("edited")
    policy = summary.get("policy", {})
    return {
        "run_id": run["run_id"],
        "name": run["name"],
        "parent": run["parent_name"],
        "made_at": run["made_at"],
        "actor": run["actor"],
        "as_of": run["as_of"],
        "known_at": run["known_at"],
        "first_year": summary["years"][0],
        "last_year": summary["years"][-1],
        "objective": summary["objective"],
        "is_weighted": is_weighted(summary),
        "bound": summary["bound"],
        "gap_share": summary["gap_share"],
        "cost_cny": summary["cost_cny"],
        "policy": policy,
        "scenario": summary.get("scenario", {}).get("content", {}).get("name"),
        "is_replanned": "replanned" in summary,
        "is_edited": edited is not None,
        "breach_count": len(edited["breaches"]) if edited else 0,
        # what was recorded since it was made may change it
        "is_stale": bool(run["last_version"] > run["seen_version"]),
    }


@command(app, "propose")
def propose(
    session: Session, plan: PlanName, day: Day = None, reason: Reason = None, is_dry_run: DryRun = False
) -> None:
    """Put a saved plan forward to be adopted; from then on its results are a record and stay.

    Example: digonce propose plan-2027 --reason "for the meeting of 12 December"
    """
    _step(session, plan, "propose", day, reason, is_dry_run=is_dry_run)


@command(app, "withdraw")
def withdraw(
    session: Session, plan: PlanName, day: Day = None, reason: Reason = None, is_dry_run: DryRun = False
) -> None:
    """Take a plan one step back: an adopted one is proposed again and has no tasks, a proposed one is a draft.

    A plan that it superseded stays superseded; `digonce undo` of the adoption brings that back.

    Example: digonce withdraw plan-2027 --reason "budget cut"
    """
    _step(session, plan, "withdraw", day, reason, is_dry_run=is_dry_run)


@command(app, "adopt")
def adopt(session: Session, plan: PlanName, day: Day = None, reason: Reason = None, is_dry_run: DryRun = False) -> None:
    """Adopt a proposed plan: it makes the yearly tasks, and supersedes whichever was adopted for any of its years.

    Example: digonce adopt plan-2027 --on 2026-12-15 --reason "minutes 31"
    """
    _step(session, plan, "adopt", day, reason, is_dry_run=is_dry_run)


def _step(session: Session, plan: str, step: str, day: str | None, reason: str | None, *, is_dry_run: bool) -> None:
    from planner.cli_saved import PROMISED, parts_of
    from planner.programme import yearly_tasks
    from registry.history.programme import take_step

    tasks: pd.DataFrame | None = None
    with session.open() as registry:
        if step == "adopt":
            run = registry.load_run("plan", plan, PROMISED)
            tasks = yearly_tasks(parts_of(registry, run, plan), run.frames["batches"])
        on = parse_day(day) or registry.today()
        done = take_step(registry.connection, plan, step, on, _warrant(session, reason, is_dry_run=is_dry_run), tasks)
    _tell_step(session, done)
    if tasks is not None:
        show_tasks(session, tasks)
    session.result(
        {
            "delivery_id": done.delivery_id,
            "plan": plan,
            "state": done.state,
            "superseded": list(done.superseded),
            "tasks": [] if tasks is None else tasks.reset_index().to_dict("records"),
        }
    )


def _warrant(session: Session, reason: str | None, *, is_dry_run: bool) -> Warrant:
    from registry.history.edit import Warrant

    return Warrant(session.settings.actor, reason=reason, is_dry_run=is_dry_run)


def _tell_step(session: Session, done: Stepped) -> None:
    from registry.fields import value_list

    state = value_list("plan_state")[done.state].label(session.language)
    if done.delivery_id is None:
        session.tell("plan_step_shown", plan=done.plan.name, state=state)
    else:
        session.tell("plan_step_taken", plan=done.plan.name, state=state, delivery=done.delivery_id)
    if done.superseded:
        session.tell("plan_step_superseded", plans=", ".join(done.superseded))


def show_tasks(session: Session, tasks: pd.DataFrame) -> None:
    """Print yearly tasks by tier and medium."""
    from planner.cli_said import show_frame

    names = ["year", "tier", "medium", "district", "km", "household_count", "batch_count", "plan_name"]
    show_frame(session, tasks[names], "tasks", session.say("tasks_title"))


@command(app, "tasks")
def tasks(
    session: Session,
    year: Annotated[int | None, typer.Option("--year", metavar="Y", help="Only this year.")] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    output: Output = None,
) -> None:
    """List the yearly tasks, of the adopted plan and of the bureau, and how far they differ by year and tier.

    Example: digonce tasks --year 2027 -o tasks.xlsx
    """
    from planner.cli_said import show_frame
    from planner.programme import task_differences
    from registry.exports import check_output

    if output is not None:
        check_output(output)
    with session.open() as registry:
        day = parse_day(as_of) or registry.today()
        found = registry.frame("tasks", as_of=day, known_at=parse_instant(known_at))
    if year is not None:
        found = found[found["year"] == year]
    found = found.sort_values(["year", "tier", "medium", "plan_name"], kind="stable")
    differences = task_differences(found)
    if found.empty:
        session.tell("tasks_none")
    elif output is not None:
        _write_tasks(session, found, differences, output)
    else:
        show_tasks(session, found)
        show_frame(session, differences, "task_differences", session.say("tasks_differences_title"))
    session.result({"tasks": found.reset_index().to_dict("records"), "differences": differences.to_dict("records")})


def _write_tasks(session: Session, found: pd.DataFrame, differences: pd.DataFrame, output: Any) -> None:  # noqa: ANN401 - a path
    from registry.exports import write_table, write_workbook

    if output.suffix.lower() == ".xlsx":
        sheets = {
            session.say("tasks_title"): ("tasks", found),
            session.say("tasks_differences_title"): ("task_differences", differences),
        }
        write_workbook(sheets, output, session.language)
    else:
        write_table(found, output, "tasks", session.language)
    session.tell_written(output, len(found))
