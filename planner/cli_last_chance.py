"""What verbs say of last chances: the dearest on the terminal, and the figures of all for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from registry.catalogue import CNY_PER_UNIT, money
from registry.fields import fields

if TYPE_CHECKING:
    import pandas as pd

    from planner.cli_job import Job
    from planner.forecast.outlook import Outlook
    from planner.meeting import City, Prepared
    from registry.console import Session

_SHOWN: Final = 5


def last_chances_of(
    job: Job, city: City, scores: pd.DataFrame, prepared: Prepared, outlook: Outlook, planned: pd.DataFrame
) -> pd.DataFrame:
    """Return the frame `last_chances` of a plan (its frame `batch_segments`)."""
    from planner.last_chance import find_last_chances
    from planner.value_terms import PairFrames

    frames = PairFrames(city.segments, scores, prepared.pairs, prepared.pair_times, city.projects)
    return find_last_chances(frames, prepared.pair_values, prepared.bans, outlook, planned, job.policy)


def show_last_chances(session: Session, table: pd.DataFrame, city: City) -> dict[str, Any]:
    """Say how many pipes the plan leaves under roads about to be closed, and the dearest; return the figures."""
    from planner.last_chance import summarise_last_chances

    facts = summarise_last_chances(table, city.segments["length_m"])
    if table.empty:
        return facts
    unit = CNY_PER_UNIT[session.language]
    told = facts | {"price": money(facts["price_cny"], session.language, 2), "shown": min(len(table), _SHOWN)}
    session.tell("plan_last_chances", count=facts["segment_count"], **{key: told[key] for key in _TOLD})
    shown = table.head(_SHOWN).copy()
    shown["project_id"] = [_project(city.projects, name) for name in shown["project_id"]]
    until = shown["banned_until"].dt.strftime("%Y-%m-%d").fillna("…")
    shown["banned_from"] = shown["banned_from"].dt.strftime("%Y-%m-%d") + " – " + until
    shown["leaks_in_ban"] = [f"{leaks:.2f}" for leaks in shown["leaks_in_ban"]]
    shown["leak_probability"] = [f"{chance:.0%}" for chance in shown["leak_probability"]]
    shown["price_cny"] = [f"{cny / unit:,.3f}" for cny in shown["price_cny"]]
    declared = fields()["last_chances"]
    names = ("segment_id", "project_id", "leaks_in_ban", "leak_probability")
    headings = {name: declared[name].label(session.language) for name in names}
    headings |= {"banned_from": session.say("plan_heading_closed"), "price_cny": session.say("plan_heading_price")}
    order = ("segment_id", "project_id", "banned_from", "leaks_in_ban", "leak_probability", "price_cny")
    session.table(shown, {name: headings[name] for name in order}, session.say("plan_title_last_chances"))
    return facts


_TOLD: Final = ("km", "leaks_in_ban", "price", "shown")


def _project(projects: pd.DataFrame, project_id: str) -> str:
    import pandas as pd

    name = projects["name"].get(project_id) if "name" in projects else None
    return project_id if pd.isna(name) else str(name)
