"""The verb `frontier`: what more or less money would bring, a million more in each year, and what dig bans cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from registry.console import Output, Session, command

if TYPE_CHECKING:
    from maps.frontier_page import FrontierFacts
    from planner.cli_job import Job
    from registry.store import SavedRun

app = typer.Typer()
_PERCENT: Final = 100.0
_FRAMES: Final = ("scores", "pairs", "plan_locks", "emissions")
_SHOWN_BANS: Final = 15


@command(app, "frontier")
def frontier(
    session: Session,
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="Name of a saved plan.")],
    shares: Annotated[
        str, typer.Option("--shares", metavar="P,P", help="Budgets to plan with, in percent of that of the plan.")
    ] = "50,75,100,125,150",
    check: Annotated[
        int, typer.Option("--check", metavar="N", min=0, help="Make the plan anew without each of the N dearest bans.")
    ] = 0,
    output: Output = None,
) -> None:
    """Show what a saved plan would remove with more or less money, what a million more brings, and what bans cost.

    Plans are made at some budgets; in between a bound is proven that no plan can pass. The price of a ban is what
    lifting it could bring at most. XLSX has a sheet for each, CSV the budgets; HTML draws them.

    Example: digonce frontier plan-2027 --shares 50,100,150 -o frontier.html
    """
    from maps.pages import save_page
    from planner.cli_job import run_as_job
    from registry.exports import FRAME_SUFFIXES, PAGE_SUFFIXES, check_output

    wanted = _shares(shares)
    is_page = output is not None and output.suffix.lower() in PAGE_SUFFIXES
    if output is not None:
        check_output(output, (*FRAME_SUFFIXES, *PAGE_SUFFIXES))
    with session.open() as registry, session.progress() as bars:
        run = registry.load_run("plan", plan, _FRAMES)
        job = run_as_job(session, registry, run, bars)
        facts = _facts(job, run, wanted, check)
        if output is not None and is_page:
            from maps.frontier_page import frontier_page

            save_page(frontier_page(run, registry.city, facts, session.language), output)
    if output is not None:
        if not is_page:
            _write(session, facts, output)
        session.tell("written", file=output)
    _show(session, facts)
    _result(session, run, facts)


def _shares(text: str) -> list[float]:
    from registry.errors import UsageError

    try:
        return [float(part.strip().rstrip("%")) / _PERCENT for part in text.split(",")]
    except ValueError as fault:
        raise UsageError("frontier_shares_unusable", shares=text) from fault


def _facts(job: Job, run: SavedRun, shares: list[float], check: int) -> FrontierFacts:
    from maps.frontier_page import FrontierFacts
    from planner.ban_prices import ban_prices
    from planner.cli_problem import problem_of
    from planner.frontier import budget_frontier
    from planner.why import worth_of_money

    with job.step("plan_step_read"):
        of_plan = problem_of(job, run)
    problem = of_plan.problem
    with job.step("frontier_step_budgets", len(shares)) as advance:
        made = budget_frontier(problem, shares, advance)
    with job.step("plan_step_plan"):
        programme = made.programmes.get(1.0) or problem.choose(problem.bearing.effort)
    with job.step("frontier_step_bans", check) as advance:
        bans = ban_prices(problem, programme, of_plan.bans, job.as_of, check, advance)
    worth = worth_of_money(programme, problem.limits.years)
    return FrontierFacts(made, {str(year): float(value) for year, value in worth.items()}, bans)


def _show(session: Session, facts: FrontierFacts) -> None:
    from maps.frontier_page import BAN_COLUMNS
    from planner.cli_said import show_frame

    show_frame(session, facts.frontier.points, "frontier_points", session.say("frontier_points_title"), "budget_share")
    session.tell("frontier_points_note")
    for year, value in facts.worth_per_million.items():
        session.tell("frontier_worth_of_year", year=year, value=value)
    if facts.bans.empty:
        session.tell("frontier_bans_none")
        return
    shown = facts.bans[list(BAN_COLUMNS)].head(_SHOWN_BANS)
    # whole days, also those that are the first of a month
    days = {name: shown[name].dt.strftime("%Y-%m-%d").astype("str") for name in ("starts_on", "ends_on")}
    shown = shown.assign(**days)
    show_frame(session, shown, "ban_prices", session.say("frontier_bans_title"))
    session.tell("frontier_bans_note")
    if len(facts.bans) > _SHOWN_BANS:
        session.tell("frontier_bans_more", count=len(facts.bans) - _SHOWN_BANS)


def _write(session: Session, facts: FrontierFacts, path: Path) -> None:
    from registry.exports import write_table, write_workbook

    if path.suffix.lower() == ".xlsx":
        sheets = {
            session.say("frontier_sheet_points"): ("frontier_points", facts.frontier.points),
            session.say("frontier_sheet_bans"): ("ban_prices", facts.bans),
        }
        write_workbook(sheets, path, session.language)
        return
    write_table(facts.frontier.points, path, "frontier_points", session.language)


def _result(session: Session, run: SavedRun, facts: FrontierFacts) -> None:
    from planner.cli_tables import told

    if not session.is_json:
        return
    budgets, bound = facts.frontier.corners()
    session.result(
        {
            "plan": run.name,
            "run_id": run.run_id,
            "points": told(facts.frontier.points),
            "bound": [
                {"budget_cny": budget, "bound": most}
                for budget, most in zip(budgets.tolist(), bound.tolist(), strict=True)
            ],
            "worth_per_million": facts.worth_per_million,
            "bans": told(facts.bans.reset_index()),
        }
    )
