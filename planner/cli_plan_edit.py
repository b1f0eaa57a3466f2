"""The verb `edit-plan`: change a saved plan by hand, see what it costs, and keep it as a new draft."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from registry.catalogue import CNY_PER_UNIT, money
from registry.console import Session, command
from registry.runs import check_run_name

if TYPE_CHECKING:
    import pandas as pd

    from planner.edit_effects import Effects
    from planner.plan_edit import Draft, Edit
    from registry.store import Registry, SavedRun

app = typer.Typer()


@command(app, "edit-plan")
def edit_plan(
    session: Session,
    plan: Annotated[str, typer.Argument(help="Name of the saved plan; it stays as it is.")],
    move: Annotated[
        list[str] | None, typer.Option("--move", metavar="BATCH=YEAR", help="Move a batch to a year; repeatable.")
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option("--drop", metavar="BATCH", help="Leave a batch out; repeatable.")
    ] = None,
    add: Annotated[
        list[str] | None,
        typer.Option("--add", metavar="SEGMENTS", help="Segments of a new batch, or a batch left out; with --year."),
    ] = None,
    year: Annotated[int | None, typer.Option("--year", metavar="Y", help="Year of what --add adds.")] = None,
    lock: Annotated[
        list[str] | None,
        typer.Option("--lock", metavar="BATCH[=YEAR]", help="Keep a batch in its year, or in YEAR; repeatable."),
    ] = None,
    unlock: Annotated[
        list[str] | None, typer.Option("--unlock", metavar="BATCH", help="Take a lock away; repeatable.")
    ] = None,
    save: Annotated[
        str | None, typer.Option("--save", metavar="NEW", help="Keep the edited plan under this name.")
    ] = None,
    anyway: Annotated[
        str | None, typer.Option("--anyway", metavar="REASON", help="Keep it though it breaks a limit, and say why.")
    ] = None,
    is_dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the consequences.")] = False,
) -> None:
    """Change a saved plan by hand: the consequences are computed anew and shown before and after.

    The edited plan is a new draft that names the plan it was made of. Locks are kept with it for planning anew.

    Example: digonce edit-plan plan-2027 --move B-0a1b2c3d4e=2028 --lock B-0a1b2c3d4e --save plan-2027-b
    """
    from planner.cli_job import run_as_job
    from planner.cli_saved import source_of
    from planner.edit_effects import edit_effects
    from planner.plan_edit import edit_plan as run_edits
    from planner.plan_edit import priced

    _check_keeping(save, anyway, is_dry_run=is_dry_run)
    edits = _edits(move, drop, add, year, lock, unlock)
    with session.open() as registry, session.progress() as bars:
        run = registry.load_run("plan", plan)
        job = run_as_job(session, registry, run, bars)
        with job.step("plan_step_read"):
            source = source_of(job, run)
        with job.step("plan_step_plan"):
            before = priced(run.frames["batches"], run.frames["batch_segments"], run.frames["plan_locks"], source)
            after, told = run_edits(before, edits, source)
            effects = edit_effects(before, after, source)
        new_id = None
        if save is not None and not (effects.breaches and anyway is None):
            new_id = _save(job, run, after, told, effects, save, anyway)
    _show(session, told, effects)
    _warn_of_model(session, run, effects)
    _finish(session, run, told, effects, save, new_id)


def _check_keeping(save: str | None, anyway: str | None, *, is_dry_run: bool) -> None:
    """Refuse a name or a reason that says nothing, and to keep what is only to be shown."""
    from registry.errors import UsageError

    check_run_name(save)
    if anyway is not None and not anyway.strip():
        raise UsageError("plan_edit_reason_blank")
    if is_dry_run == (save is not None):
        raise UsageError("plan_edit_save_or_show")


def _edits(
    move: list[str] | None,
    drop: list[str] | None,
    add: list[str] | None,
    year: int | None,
    lock: list[str] | None,
    unlock: list[str] | None,
) -> list[Edit]:
    """Read the options as edits.

    Raises
    ------
    UsageError
        Where there is none, a year cannot be read, or `--add` and `--year` do not come together.
    """
    from planner.plan_edit import Edit
    from registry.errors import UsageError

    edits = [Edit("unlock", (name,)) for name in unlock or []]
    for text in move or []:
        name, chosen = _with_year(text)
        if chosen is None:
            raise UsageError("plan_edit_year_unreadable", text=text)
        edits.append(Edit("move", (name,), chosen))
    edits += [Edit("drop", (name,)) for name in drop or []]
    if (add is None) != (year is None):
        raise UsageError("plan_edit_add_needs_year")
    if add:
        names = tuple(name.strip() for text in add for name in text.split(",") if name.strip())
        edits.append(Edit("add", names, year))
    edits += [Edit("lock", (name,), chosen) for name, chosen in map(_with_year, lock or [])]
    if not edits:
        raise UsageError("plan_edit_nothing")
    return edits


def _with_year(text: str) -> tuple[str, int | None]:
    from registry.errors import UsageError

    name, sign, year = text.strip().replace(" ", "=", 1).partition("=")
    if sign and not year.strip().isdigit():
        raise UsageError("plan_edit_year_unreadable", text=text)
    return name.strip(), int(year) if sign else None


# what was found for the choice of the parent and does not hold after an edit
_OF_PARENT: Final = ("late_work", "late_years", "last_chances")


def _save(
    job: Any,  # noqa: ANN401 - the job of the saved plan
    run: SavedRun,
    after: Draft,
    told: pd.DataFrame,
    effects: Effects,
    name: str,
    anyway: str | None,
) -> str:
    from planner.cli_methane import methane_of
    from planner.edit_effects import edited_summary
    from planner.plan_edit import with_cause
    from registry.errors import UsageError

    registry: Registry = job.registry
    if name == run.name:
        raise UsageError("plan_edit_same_name", name=name)
    kept = {key: frame for key, frame in run.frames.items() if len(frame) and key not in _OF_PARENT}
    frames = kept | {
        "batches": after.batches,
        "batch_segments": after.batch_segments,
        "plan_locks": after.locks,
        "plan_edits": with_cause(told, anyway),
    }
    summary = edited_summary(run.summary, effects, run.run_id, run.name)
    summary["edited"]["anyway"] = anyway
    if "emissions" in frames:
        summary["methane"] = methane_of(job, frames, after.batch_segments)
    return registry.save_run(
        "plan",
        name,
        frames,
        policy=run.policy,
        summary=summary,
        as_of=run.as_of,
        known_at=job.known_at,
        parent_id=run.run_id,
    )


def _show(session: Session, told: pd.DataFrame, effects: Effects) -> None:
    """Print the edits, and each figure before and after."""
    from planner.cli_said import show_frame

    unit = CNY_PER_UNIT[session.language]
    show_frame(session, told, "plan_edits", session.say("plan_edits_title"))
    show_frame(session, effects.by_year, "plan_edit_years", session.say("plan_edit_years_title"), "year")
    show_frame(session, effects.by_tier, "plan_edit_tiers", session.say("plan_edit_tiers_title"), "tier")
    before, after = effects.before, effects.after
    session.tell(
        "plan_edit_totals",
        value_before=before["value"],
        value_after=after["value"],
        cost_before=before["cost_cny"] / unit,
        cost_after=after["cost_cny"] / unit,
        lost=(before["saving_cny"] - after["saving_cny"]) / unit,
        late_before=before["mandatory_late_m"] / 1000.0,
        late_after=after["mandatory_late_m"] / 1000.0,
        closed_before=before["closed_m"] / 1000.0,
        closed_after=after["closed_m"] / 1000.0,
    )
    _show_parts(session, before, after)
    _show_limits(session, effects.limits)
    for batch, parts in effects.torn.items():
        session.warn("plan_edit_torn", batch=batch, parts=parts)
    for breach in effects.breaches:
        session.warn(breach.code, **breach.parameters)


def _show_parts(session: Session, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Say what the plan avoids of each part, before and after."""
    session.tell(
        "plan_edit_parts",
        risk_before=before["risk"],
        risk_after=after["risk"],
        repair_before=money(before["repair_cny"], session.language),
        repair_after=money(after["repair_cny"], session.language),
        methane_before=before["methane_t"],
        methane_after=after["methane_t"],
    )


# how the amounts of limits are told; money stands for itself
_FORMS: Final = {
    "district_km": "{:,.3f}",
    "district_floor": "{:,.3f}",
    "district_households": "{:,.0f}",
    "second_cut": "{:,.0f}",
    "least_risk": "{:,.3f}",
    "least_methane_t": "{:,.3f}",
}


def _show_limits(session: Session, limits: pd.DataFrame) -> None:
    """Print what the edits change of the limits besides money and kilometres of a year; nothing where it is nothing."""
    from planner.cli_said import show_frame

    if limits.empty:
        return
    shown = limits.drop(columns=["is_least", "is_broken"])
    for name in ("asked", "before", "after"):
        pairs = zip(limits["limit"], limits[name], strict=True)
        shown[name] = [_amount(limit, value, session.language) for limit, value in pairs]
    show_frame(session, shown, "plan_edit_limits", session.say("plan_edit_limits_title"))


def _amount(limit: str, value: float, language: str) -> str:
    return _FORMS[limit].format(value) if limit in _FORMS else money(value, language)


def _warn_of_model(session: Session, run: SavedRun, effects: Effects) -> None:
    """Say so where the plan was saved with another value than its batches have by themselves."""
    saved, found = float(run.summary["objective"]), effects.before["value"]
    if abs(saved - found) > 1e-6 * max(abs(saved), 1.0):
        session.warn("plan_edit_other_model", saved=saved, found=found)


def _finish(
    session: Session, run: SavedRun, told: pd.DataFrame, effects: Effects, save: str | None, new_id: str | None
) -> None:
    from registry.errors import PlanningError

    result = {
        "plan": run.name,
        "run_id": new_id,
        "name": save if new_id else None,
        "edits": told.to_dict("records"),
        "by_year": effects.by_year.to_dict("records"),
        "by_tier": effects.by_tier.to_dict("records"),
        "limits": effects.limits.to_dict("records"),
        "torn": effects.torn.to_dict(),
        "before": effects.before,
        "after": effects.after,
        "breaches": [{"code": breach.code, **breach.parameters} for breach in effects.breaches],
    }
    session.result(result)
    if save is None:
        session.tell("plan_edit_shown")
    elif new_id is None:
        raise PlanningError("plan_edit_breaks", count=len(effects.breaches))
    else:
        session.tell("plan_edit_saved", name=save, parent=run.name or "—", run=new_id)
