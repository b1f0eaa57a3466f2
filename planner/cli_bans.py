"""The verb `bans`: which streets may not be dug up, since when, until when, by which rule, with which exceptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from planner.cli_job import PolicyPath, open_job
from planner.cli_tables import in_words
from registry.console import AsOf, KnownAt, Output, Session, command, parse_day

if TYPE_CHECKING:
    from datetime import date

    import geopandas as gpd
    import pandas as pd

    from planner.policy import Policy

app = typer.Typer()
_SHOWN: Final = 40
_COLUMNS: Final = ("street_name", "cause", "rule", "starts_on", "ends_on", "days_left", "is_planned", "exceptions")


@command(app, "bans")
def bans(
    session: Session,
    on: Annotated[str | None, typer.Option("--on", metavar="D", help="Bans in force on this day.")] = None,
    street: Annotated[
        str | None, typer.Option("--street", metavar="NAME", help="Only streets whose name holds this.")
    ] = None,
    shows_all: Annotated[bool, typer.Option("--all", help="Bans that are over and bans to come as well.")] = False,
    policy: PolicyPath = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    output: Output = None,
) -> None:
    """List the streets with a dig ban: cause, rule, first and last forbidden day, days left, exceptions.

    Example: digonce bans --on 2027-03-01 -o bans.xlsx
    """
    from planner.bans import bans_on, find_bans
    from planner.closed_streets import closed_streets, undated_works
    from registry.exports import check_output, write_table

    if output is not None:
        check_output(output)
    wanted = parse_day(on)
    with open_job(session, policy, as_of, known_at) as job:
        roads, projects, moratoria = (job.frame(kind) for kind in ("roads", "projects", "moratoria"))
        with job.step("plan_step_bans"):
            found = find_bans(roads, projects, moratoria, job.policy, job.as_of)
    day = wanted or job.as_of
    chosen = found if shows_all else bans_on(found, day)
    if street is not None:
        _check_street(street, roads["name"], projects["street_name"], found["street_name"])
        chosen = chosen[_names(chosen["street_name"], street)]
    table = closed_streets(chosen, job.policy, day, session.language)
    facts = {
        "ban_count": len(chosen),
        "planned_count": int(chosen["is_planned"].sum()),
        "unplaced_count": int(chosen.geometry.isna().sum()),
        "undated_count": int(undated_works(projects, job.policy).sum()),
    }
    if output is not None:
        write_table(table, output, "closed_streets", session.language)
        session.tell_written(output, len(table))
    else:
        _show(session, table.head(_SHOWN), chosen["exceptions"], job.policy)
        if len(table) > _SHOWN:
            session.tell("change_more", count=len(table) - _SHOWN)
    _tell(session, job.policy, day, facts, shows_all=shows_all)
    filing = _tell_filing(session, job.policy, job.as_of)
    ban_set = {"id": job.policy.bans.id, "version": job.policy.bans.version}
    streets = _days_as_text(table).drop(columns="geometry").reset_index().to_dict("records")
    session.result({"as_of": job.as_of, "on": day, "ban_set": ban_set, **facts, "filing": filing, "bans": streets})


def _tell(session: Session, policy: Policy, day: date, facts: dict[str, int], *, shows_all: bool) -> None:
    said: dict[str, Any] = {
        "count": facts["ban_count"],
        "planned": facts["planned_count"],
        "bans": policy.bans.label_zh if session.language == "zh" else policy.bans.label_en,
        "version": policy.bans.version,
    }
    if shows_all:
        session.tell("plan_bans_listed", **said)
    else:
        session.tell("plan_bans_found", day=day, **said)
    for code, name in (("plan_bans_unplaced", "unplaced_count"), ("plan_bans_undated", "undated_count")):
        if facts[name]:
            session.warn(code, count=facts[name])


def _tell_filing(session: Session, policy: Policy, as_of: date) -> dict[str, Any] | None:
    from planner.calendars import next_filing

    filing, rule = next_filing(as_of, policy), policy.bans.filing
    if filing is None or rule is None:
        return None
    label = rule.label_zh if session.language == "zh" else rule.label_en
    session.tell("plan_bans_filing", year=str(filing.works_year), day=filing.files_by, label=label)
    return {**filing._asdict(), "confidence": rule.confidence}


def _check_street(street: str, *names: pd.Series) -> None:
    from registry.errors import NotFoundError

    if not any(_names(known, street).any() for known in names):
        raise NotFoundError("plan_street_unknown", street=street)


def _names(names: pd.Series, street: str) -> pd.Series:
    """Tell which names hold the one asked for, in any case."""
    return names.fillna("").str.casefold().str.contains(street.casefold(), regex=False)


def _days_as_text(table: pd.DataFrame) -> pd.DataFrame:
    days = {name: table[name].dt.strftime("%Y-%m-%d").astype("str") for name in ("starts_on", "ends_on")}
    return table.assign(**days)


def _show(session: Session, table: gpd.GeoDataFrame, codes: pd.Series, policy: Policy) -> None:
    """Print one line for each ban, with the names of its exceptions: their text is too long for a terminal."""
    from planner.ban_exceptions import label_exceptions
    from registry.fields import fields

    declared = fields()["closed_streets"]
    words = in_words(_days_as_text(table)[list(_COLUMNS)], {"cause": "ban_cause"}, session.language)
    words["is_planned"] = [session.say("yes" if is_planned else "no") for is_planned in words["is_planned"]]
    words["exceptions"] = [
        "; ".join(label_exceptions(known, policy.bans, session.language)) for known in codes.reindex(table.index)
    ]
    text = words.drop(columns="days_left").fillna("—").assign(days_left=words["days_left"].astype("str").fillna("—"))
    headings = {name: declared[name].label(session.language) for name in _COLUMNS}
    session.table(text, headings, session.say("plan_title_bans"))
