"""What the verb `plan` shows on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.cli_tables import headings_of
from registry.catalogue import CNY_PER_UNIT

if TYPE_CHECKING:
    from planner.plan import Plan
    from registry.console import Session


def show_plan(session: Session, made: Plan, *, has_projects: bool, run: str) -> None:
    """Print the years of a plan, how good it is proven to be, and what a person has to look at."""
    summary, unit = made.summary, CNY_PER_UNIT[session.language]
    table = made.by_year().reset_index()
    for column in ("budget", "cost", "saving"):
        table[column] = table[f"{column}_cny"] / unit
    table["year"] = table["year"].astype(str)
    names = ("year", "batch_count", "km", "budget", "cost", "saving", "value")
    session.table(table, headings_of(session, *names), session.say("plan_title_years"))
    session.tell(
        "plan_planned",
        batches=summary["batch_count"],
        all_batches=len(made.batches),
        km=summary["km"],
        cost=summary["cost_cny"] / unit,
        saving=summary["saving_cny"] / unit,
        run=run,
    )
    blind = summary["project_blind"]
    session.tell(
        "plan_proven",
        objective=summary["objective"],
        bound=summary["bound"],
        gap=summary["gap_share"],
        greedy=summary["greedy"],
        blind=blind["objective"],
        blind_cost=blind["cost_cny"] / unit,
    )
    certificate = summary["certificate"]
    if certificate["greedy_late_km_years"] > certificate["late_km_years"]:
        is_ahead = summary["greedy"] > summary["objective"]
        code = "plan_greedy_ahead" if is_ahead else "plan_greedy_late"
        session.tell(code, greedy=certificate["greedy_late_km_years"], plan=certificate["late_km_years"])
    if blind["locked_out_batch_count"]:
        session.tell("plan_locked_out", count=blind["locked_out_batch_count"], km=blind["locked_out_km"])
    late, left = (sum(duty[key] for duty in _duties(made)) for key in ("late_km", "left_km"))
    if late or left:
        session.warn("plan_duties_late", late=late, left=left)
    if not certificate["reproducible"]:
        session.warn("plan_not_reproducible")
    mandatory, oversized = summary["mandatory"], summary["oversized"]
    if not mandatory["all_that_fit_a_year_are_placed"]:
        session.warn("plan_mandatory_left", count=mandatory["left_batch_count"], km=mandatory["left_km"])
    elif mandatory["left_batch_count"]:
        session.warn("plan_mandatory_oversized", count=mandatory["left_batch_count"], km=mandatory["left_km"])
    if oversized["batch_count"]:
        session.warn("plan_oversized", count=oversized["batch_count"], example=oversized["examples"][0])
    if not has_projects:
        session.warn("plan_no_projects_note")


def _duties(made: Plan) -> list[dict[str, float]]:
    return [made.summary["duties"][name] for name in ("mandatory", "due")]
