"""What the verb `plan` shows on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.cli_tables import headings_of
from registry.catalogue import CNY_PER_UNIT, money
from registry.fields import fields

_LEAST_STEADY = 5

if TYPE_CHECKING:
    from planner.plan import Plan
    from registry.console import Session


def show_plan(session: Session, made: Plan, *, has_projects: bool, run: str) -> None:
    """Print the years of a plan, how good it is proven to be, and what a person has to look at."""
    summary, unit = made.summary, CNY_PER_UNIT[session.language]
    table = made.by_year().reset_index()
    # the objective may count more than risk
    table["value"] = table["risk"]
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
        cost=money(summary["cost_cny"], session.language),
        saving=money(summary["saving_cny"], session.language),
        run=run,
    )
    _show_proof(session, summary)
    blind, certificate = summary["project_blind"], summary["certificate"]
    _show_isolation(session, summary["isolation"])
    _show_alignment(session, summary)
    if blind["locked_out_batch_count"]:
        session.tell("plan_locked_out", count=blind["locked_out_batch_count"], km=blind["locked_out_km"])
    _show_stability(session, made)
    late, left = (sum(duty[key] for duty in _duties(made)) for key in ("late_km", "left_km"))
    if late or left:
        session.warn("plan_duties_late", late=late, left=left)
    if not certificate["reproducible"]:
        session.warn("plan_not_reproducible")
    _show_mandatory_left(session, summary)
    oversized = summary["oversized"]
    if oversized["batch_count"]:
        session.warn("plan_oversized", count=oversized["batch_count"], example=oversized["examples"][0])
    if not has_projects:
        session.warn("plan_no_projects_note")


def _show_mandatory_left(session: Session, summary: dict[str, Any]) -> None:
    """Say how much mandatory work is left out, and whether for money, for other limits, or for its size."""
    from planner.limits import Limits

    mandatory, kept = summary["mandatory"], summary["duties"]["only_mandatory_years"]
    if not mandatory["left_batch_count"]:
        return
    if mandatory["all_that_fit_a_year_are_placed"]:
        code = "plan_mandatory_oversized"
    elif kept:
        code = "plan_mandatory_left"
    else:
        limits = Limits.of_summary(summary)
        has_least = limits.district_floor_share or limits.least()
        code = "plan_mandatory_left_least" if has_least else "plan_mandatory_left_shut"
    years = ", ".join(str(year) for year in kept)
    session.warn(code, count=mandatory["left_batch_count"], km=mandatory["left_km"], years=years)


def _show_proof(session: Session, summary: dict[str, Any]) -> None:
    """Say what the plan is worth, what it could be worth at most, and what the usual choices are worth."""
    from planner.benefits import is_weighted

    blind = summary["project_blind"]
    session.tell(
        "plan_proven_weighted" if is_weighted(summary) else "plan_proven",
        objective=summary["objective"],
        bound=summary["bound"],
        gap=summary["gap_share"],
        greedy=summary["greedy"],
        blind=blind["objective"],
        blind_cost=money(blind["cost_cny"], session.language),
    )
    repair = money(summary["repair_cny"], session.language)
    session.tell("plan_parts", risk=summary["risk"], repair=repair, methane=summary["methane_t"])
    certificate = summary["certificate"]
    if certificate["greedy_late_km_years"] > certificate["late_km_years"]:
        is_ahead = summary["greedy"] > summary["objective"]
        code = "plan_greedy_ahead" if is_ahead else "plan_greedy_late"
        session.tell(code, greedy=certificate["greedy_late_km_years"], plan=certificate["late_km_years"])


def _show_isolation(session: Session, found: dict[str, Any] | None) -> None:
    """Say in how many isolation sections the candidates lie, where runs keep to one."""
    if found is not None:
        session.tell("plan_isolation", **found)


def _show_alignment(session: Session, summary: dict[str, Any]) -> None:
    """Say what goes together with projects, and what seeing them brings; nothing where no project saves anything."""
    found, language = summary["alignment"], session.language
    more = found["more"]
    if not found["aligned_km"] and not any(more.values()):
        return
    session.tell(
        "plan_alignment",
        joint=found["aligned_km"],
        km=summary["km"],
        share=found["aligned_km_share"],
        saving=money(found["reinstatement_saved_cny"], language, 3),
    )
    session.tell(
        "plan_alignment_blind",
        risk=more["risk"],
        cost=money(more["cost_cny"], language, 3, is_signed=True),
        saving=money(more["saving_cny"], language, 3, is_signed=True),
    )


def _show_stability(session: Session, made: Plan) -> None:
    """Say what of the plan stays where the risk is drawn anew, and which batches stay least."""
    found = made.summary.get("stability")
    if not found:
        return
    session.tell("plan_stability", **found)
    placed = made.batches[made.batches["year"].notna() & (made.batches["stable_share"] < found["core_share"])]
    shown = placed.sort_values(["stable_share", "kept_share"], kind="stable").head(_LEAST_STEADY).reset_index()
    if shown.empty:
        return
    for column in ("stable_share", "kept_share"):
        shown[column] = [f"{share:.0%}" for share in shown[column]]
    shown["year"] = shown["year"].astype("str")
    shown["km"] = shown["length_m"] / 1000.0
    declared = fields()["batches"]
    names = ("batch_id", "label", "year", "stable_share", "kept_share")
    headings = {name: declared[name].label(session.language) for name in names} | headings_of(session, "km")
    session.table(shown, headings, session.say("plan_title_unsteady"))


def _duties(made: Plan) -> list[dict[str, float]]:
    return [made.summary["duties"][name] for name in ("mandatory", "due")]
