"""The verb `audit`: what a coordination meeting has to answer for."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import typer

from planner.cli_job import Job, PolicyPath, YearsText, open_job, read_lineage, score_city
from planner.cli_overlap import latest_plan
from planner.cli_ranking import ranking_of, tell_ranking
from planner.cli_tables import in_words
from registry.console import AsOf, KnownAt, Output, Session, command, parse_years

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from planner.audit import Audited
    from planner.ranking import Ranking

app = typer.Typer()
_SHOWN = 40


@command(app, "audit")
def audit(
    session: Session,
    years: YearsText,
    policy: PolicyPath = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    output: Output = None,
) -> None:
    """List digs under a ban, emergencies on pipes that stood high, broken promises, projects and parties with gaps.

    Example: digonce audit --years 2027-2031 -o audit.xlsx
    """
    from planner.audit import audit as find
    from planner.meeting_words import in_ban_words
    from registry.exports import check_output, write_table
    from registry.fields import fields

    if output is not None:
        check_output(output)
    wanted = parse_years(years)
    with open_job(session, policy, as_of, known_at) as job:
        ranking = ranking_of(job)
        audited = _read(job, ranking)
        with job.step("plan_step_audit"):
            found = find(audited, wanted, job.policy, job.as_of)
        told = in_ban_words(found, job.policy, session.language)
    if output is not None:
        write_table(found if output.suffix == ".parquet" else told, output, "audit_findings", session.language)
        session.tell_written(output, len(found))
    elif len(found):
        shown = told.head(_SHOWN)
        days = {name: shown[name].dt.strftime("%Y-%m-%d") for name in ("day", "until_on")}
        words = in_words(shown.assign(**days), {"code": "audit_code"}, session.language).fillna("—")
        declared = fields()["audit_findings"]
        session.table(words, {name: declared[name].label(session.language) for name in declared})
        if len(found) > _SHOWN:
            session.tell("change_more", count=len(found) - _SHOWN)
    counts = found["code"].value_counts()
    session.tell("plan_audited", count=len(found), as_of=job.as_of)
    tell_ranking(session, ranking.facts())
    session.result(
        {
            "as_of": job.as_of,
            "ranking": ranking.facts(),
            "counts": counts.to_dict(),
            "findings": found.to_dict("records"),
        }
    )


def _read(job: Job, ranking: Ranking) -> Audited:
    from planner.audit import Audited
    from planner.bans import find_bans

    segments, projects = job.segments(), job.frame("projects")
    decisions = job.frame("decisions")
    made = score_city(job, segments, job.frame("leaks"), ranking)
    with job.step("plan_step_bans"):
        bans = find_bans(job.frame("roads"), projects, job.frame("moratoria"), job.policy, job.as_of)
    return Audited(
        segments=segments,
        projects=projects,
        events=job.frame("events"),
        event_links=made["event_links"],
        scores=made["scores"],
        bans=bans[~bans["is_planned"]],
        decisions=decisions,
        successions=read_lineage(job),
        announced=_announced(job, decisions),
        held=_held(job),
        planned=latest_plan(job),
    )


def _announced(job: Job, decisions: pd.DataFrame) -> pd.DataFrame:
    """Return the dates that the project of each decision had at the end of the day of the meeting."""
    import pandas as pd

    zone = ZoneInfo(job.registry.timezone)
    parts: list[pd.DataFrame] = []
    for day in decisions["decided_on"].drop_duplicates():
        of_day = decisions[decisions["decided_on"] == day]
        evening = datetime.combine(day.date() + timedelta(days=1), time(), zone)
        then: gpd.GeoDataFrame = job.registry.frame(
            "projects", ["starts_on", "ends_on"], as_of=job.as_of, known_at=evening
        )
        dates = then.reindex(of_day["project_id"]).reset_index(drop=True)
        parts.append(dates.assign(decision_id=of_day.index.to_numpy()))
    columns = ["decision_id", "starts_on", "ends_on"]
    return pd.concat(parts)[columns] if parts else pd.DataFrame({name: [] for name in columns})


def _held(job: Job) -> pd.DataFrame:
    """Return the held-back rows of projects that nobody has settled: project_id and code."""
    import pandas as pd

    rows = job.registry.open_faults("projects", known_at=job.known_at)
    return pd.DataFrame({"project_id": rows["object_id"], "code": rows["code"]})
