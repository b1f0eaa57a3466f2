"""The verb `progress`: planned against done, month by month, and which promises were kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.console import AsOf, KnownAt, Output, Session, command, parse_day, parse_instant

if TYPE_CHECKING:
    import pandas as pd

    from registry.store import Registry

app = typer.Typer()
# so many promises that were not kept are shown on the terminal
_SHOWN = 20
_NOT_KEPT = ("broken", "late", "moved", "dropped")


@dataclass(frozen=True)
class Made:
    """What the verb shows, as frames by the contracts of their names."""

    progress_tiers: pd.DataFrame
    progress_districts: pd.DataFrame
    promises: pd.DataFrame
    task_differences: pd.DataFrame
    plan_names: tuple[str, ...]

    @property
    def verdicts(self) -> dict[str, int]:
        """How many promises came to which end."""
        return {str(name): int(count) for name, count in self.promises["verdict"].value_counts().items()}


@command(app, "progress")
def progress(
    session: Session,
    month: Annotated[
        str | None,
        typer.Option("--month", metavar="YYYY-MM", help="Last month that counts; the present one by default."),
    ] = None,
    year: Annotated[
        int | None, typer.Option("--year", metavar="Y", help="Year of the tasks; that of the month by default.")
    ] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    output: Output = None,
) -> None:
    """Set the yearly tasks beside what the months report as done, and tell which promises of adopted plans were kept.

    Kilometres are by tier, and never added up over tiers. No forecast to the end of the year is made.

    Example: digonce progress --month 2027-03 -o progress.xlsx
    """
    from registry.exports import check_output

    if output is not None:
        check_output(output)
    with session.open() as registry:
        day = parse_day(as_of) or _default_day(month, year, registry.today())
        chosen = _month(month, year, day)
        made = make_progress(registry, chosen, day, parse_instant(known_at))
    if output is not None:
        _write(session, made, output)
    else:
        _show(session, made, chosen)
    session.result(
        {
            "year": chosen.year,
            "month": f"{chosen:%Y-%m}",
            "as_of": day,
            "plans": list(made.plan_names),
            "verdicts": made.verdicts,
            "tiers": made.progress_tiers.to_dict("records"),
            "districts": made.progress_districts.to_dict("records"),
            "promises": made.promises.to_dict("records"),
            "differences": made.task_differences.to_dict("records"),
        }
    )


def make_progress(registry: Registry, month: date, as_of: date, known_at: datetime | None = None) -> Made:
    """Load what is reported up to a day, and count it against the plans in force and the tasks of the year."""
    import pandas as pd

    from planner.done_shares import completed_parts, done_shares
    from planner.programme import task_differences
    from planner.progress import progress_by_district, progress_by_tier
    from planner.promises import finished_batches, promises

    plans = in_force(registry, as_of, known_at)
    tasks = registry.frame("tasks", as_of=as_of, known_at=known_at)
    reports = registry.frame("progress", as_of=as_of, known_at=known_at)
    reports = reports[pd.to_datetime(reports["month"]).dt.to_period("M") <= pd.Period(month, freq="M")]
    parts = pd.concat([plan.parts for plan in plans], ignore_index=True) if plans else _no_parts()
    batches = pd.concat([plan.batches for plan in plans]) if plans else _no_batches()
    batches = batches[~batches.index.duplicated(keep="last")]
    shares = done_shares(reports, parts, batches)
    finished = finished_batches(parts, completed_parts(reports, parts), shares)
    standing = [plan for plan in plans if plan.ended_on is None]
    current = pd.concat([plan.parts for plan in standing], ignore_index=True) if standing else parts.iloc[:0]
    return Made(
        progress_by_tier(tasks, shares, month.year, month.month),
        progress_by_district(current, shares, month.year, month.month),
        promises(plans, finished, shares, as_of),
        task_differences(tasks[tasks["year"] == month.year]),
        tuple(plan.name for plan in standing),
    )


def in_force(registry: Registry, as_of: date, known_at: datetime | None = None) -> list[Any]:
    """Return the plans that were in force up to a day, the oldest first, with what they promised."""
    from planner.cli_saved import PROMISED, parts_of
    from planner.promises import InForce
    from registry.history.programme import read_adopted

    found = read_adopted(registry.connection, as_of, known_at)
    plans = []
    for row in found.to_dict("records"):
        run = registry.load_run("plan", row["name"], PROMISED)
        ended = row["ended_on"] if isinstance(row["ended_on"], date) and row["ended_on"] <= as_of else None
        plans.append(
            InForce(row["name"], parts_of(registry, run, row["name"]), run.frames["batches"], row["adopted_on"], ended)
        )
    return plans


def _no_parts() -> pd.DataFrame:
    import pandas as pd

    from registry.fields import fields

    types = {"text": "str", "integer": "Int64", "double": "float64"}
    declared = fields()["plan_parts"].values()
    return pd.DataFrame({field.column: pd.Series([], dtype=types[field.dtype]) for field in declared})


def _no_batches() -> pd.DataFrame:
    import pandas as pd

    index = pd.Index([], dtype="str", name="batch_id")
    return pd.DataFrame({"household_count": pd.Series([], index, dtype="Int64")})


def _default_day(month: str | None, year: int | None, today: date) -> date:
    """Return the day up to which is looked: the end of the month or year that is asked for, but not beyond today."""
    if month is None and year is None:
        return today
    asked = _month(month, year, today)
    last = date(asked.year + asked.month // 12, asked.month % 12 + 1, 1)
    return min(today, date.fromordinal(last.toordinal() - 1))


def _month(month: str | None, year: int | None, day: date) -> date:
    """Return the first day of the month that is asked for.

    Raises
    ------
    UsageError
        Where it cannot be read, or month and year contradict each other.
    """
    from registry.errors import UsageError

    if month is None:
        if year is None or year == day.year:
            return day.replace(day=1)
        return date(year, 12 if year < day.year else 1, 1)
    try:
        asked = datetime.strptime(month, "%Y-%m").date()
    except ValueError as fault:
        raise UsageError("month_unreadable", text=month) from fault
    if year is not None and asked.year != year:
        raise UsageError("month_of_another_year", month=month, year=year)
    return asked


def _show(session: Session, made: Made, month: date) -> None:
    """Print where the tasks stand, by tier and by district, and the promises that were not kept."""
    from planner.cli_said import show_frame

    tiers = made.progress_tiers
    if tiers.empty and made.promises.empty:
        session.tell("progress_none")
        return
    at_month = tiers[tiers["month"].dt.month == month.month].drop(columns=["month"])
    show_frame(session, at_month, "progress_tiers", f"{month:%Y-%m}", "tier")
    _show_course(session, tiers)
    if len(made.progress_districts):
        districts = made.progress_districts.fillna({"district": session.say("progress_no_district")})
        show_frame(session, districts, "progress_districts", session.say("progress_districts_title"))
    _show_promises(session, made)


def _show_course(session: Session, tiers: pd.DataFrame) -> None:
    """Print what was done month by month, each tier in a column of its own: in the month, and so far."""
    from registry.fields import fields, value_list

    if tiers.empty:
        return
    labels = {code: value.label(session.language) for code, value in value_list("tier").items()}
    months = tiers["month"].dt.strftime("%Y-%m")
    cells = tiers["done_km"].map("{:,.3f}".format) + " / " + tiers["cumulative_km"].map("{:,.3f}".format)
    course = tiers.assign(month=months, cell=cells).pivot_table("cell", "month", "tier", aggfunc="first").reset_index()
    month = fields()["progress_tiers"]["month"].label(session.language)
    headings = {"month": month} | {name: labels[name] for name in course.columns if name != "month"}
    session.table(course, headings, session.say("progress_course"))


def _show_promises(session: Session, made: Made) -> None:
    from planner.cli_said import show_frame
    from registry.fields import value_list

    labels = value_list("promise_verdict")
    counts = made.verdicts
    said = [f"{labels[code].label(session.language)} {counts[code]}" for code in labels if code in counts]
    if not said:
        session.tell("progress_no_promises")
        return
    session.tell("progress_promises", counts=", ".join(said))
    failed = made.promises[made.promises["verdict"].isin(_NOT_KEPT)]
    if len(failed):
        show_frame(session, failed.head(_SHOWN), "promises", session.say("progress_not_kept", count=len(failed)))


def _write(session: Session, made: Made, output: Path) -> None:
    """Write the sheets of a workbook, or the table by tier where the file holds one table."""
    from registry.exports import write_table, write_workbook

    if output.suffix.lower() == ".xlsx":
        names = ("progress_tiers", "progress_districts", "promises", "task_differences")
        sheets = {session.say(f"progress_sheet_{name}"): (name, getattr(made, name)) for name in names}
        write_workbook(sheets, output, session.language)
    else:
        write_table(made.progress_tiers, output, "progress_tiers", session.language)
    session.tell_written(output, len(made.progress_tiers))
