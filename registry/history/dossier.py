"""The dossier of a segment: what it is, who says so since when, and all that ever happened to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import pandas as pd
import psycopg
import shapely

from registry.db import query
from registry.errors import NotFoundError
from registry.fields import fields
from registry.history.beliefs import Version, changes_between, holding
from registry.history.deliveries import frame_of
from registry.history.facts import Beliefs, facts_of, known, read_beliefs
from registry.history.lineage import ancestors, descendants
from registry.kinds import KINDS

_SEGMENTS: Final = KINDS["segments"]


@dataclass(frozen=True)
class Dossier:
    """All that is known of one segment, for a day and as known at an instant.

    `facts` has the frame contract `dossier_facts`: each attribute with the delivery that said it first without a break;
    it is empty where the segment is not in the ground on that day. What is known of the pipe under former ids, of which
    it was only renumbered, belongs to both. `timeline` has the contract `dossier_events`, in
    the order of what happened. `became` and `came_from` are the lineage.
    """

    segment_id: str
    as_of: date
    known_at: datetime | None
    is_there: bool
    length_m: float | None
    facts: pd.DataFrame
    timeline: pd.DataFrame
    became: pd.DataFrame
    came_from: pd.DataFrame


def read_dossier(
    connection: psycopg.Connection, segment_id: str, as_of: date, known_at: datetime | None = None
) -> Dossier:
    """Gather the dossier of a segment.

    Raises
    ------
    NotFoundError
        Where no segment has or had that id, as far as was known.
    """
    became, came_from = descendants(connection, segment_id), ancestors(connection, segment_id)
    # a pipe that was only given another id has one history
    ids = [segment_id, *_former_ids(segment_id, came_from)]
    parameters = {
        "ids": ids,
        "parents": list(came_from["segment_id"]),
        "children": list(became["segment_id"]),
        "as_of": as_of,
        "known_at": known_at,
    }
    believed = read_beliefs(connection, ids, known_at)
    versions = believed.versions
    if not versions:
        raise NotFoundError("object_unknown", kind=_SEGMENTS.name, object=segment_id)
    now = holding(versions, as_of, known_at)
    events = [
        *_writes(believed),
        *_life(versions, known_at),
        *_leaks(frame_of(connection, query("dossier_leaks"), parameters)),
        *_events(frame_of(connection, query("dossier_events"), parameters)),
        *_lineage(became, came_from),
        *_decisions(frame_of(connection, query("dossier_decisions"), parameters)),
        *_runs(frame_of(connection, query("dossier_runs"), parameters)),
    ]
    return Dossier(
        segment_id=segment_id,
        as_of=as_of,
        known_at=known_at,
        is_there=now is not None,
        length_m=None if now is None else float(shapely.from_wkb(now.content["course"]).length),
        facts=facts_of(connection, segment_id, believed, came_from, as_of),
        timeline=_ordered(events),
        became=became,
        came_from=came_from,
    )


def _former_ids(segment_id: str, came_from: pd.DataFrame) -> list[str]:
    """Return the ids that the same pipe had before, latest first."""
    before = came_from[came_from["relation"] == "renumber"].groupby("child_id")["segment_id"].first().to_dict()
    ids: list[str] = []
    while (former := before.get(ids[-1] if ids else segment_id)) is not None and former not in {segment_id, *ids}:
        ids.append(str(former))
    return ids


def _writes(believed: Beliefs) -> list[dict[str, Any]]:
    """Return what each delivery changed of what was believed."""
    events = []
    for instant in believed.instants:
        told = believed.deliveries.get(instant, {})
        common = {
            "day": instant.date(),
            "event": f"event_{told.get('action', 'import')}",
            "delivery_id": told.get("delivery_id"),
            "actor": told.get("actor"),
            "source": told.get("source") or told.get("file_name"),
            "reason": told.get("reason"),
        }
        changes = changes_between(believed.versions, instant)
        events += [common | change for change in changes]
    return events


def _life(versions: list[Version], known_at: datetime | None) -> list[dict[str, Any]]:
    """Return when the pipe was laid and when it was taken out of service, as it is believed."""
    believed = [v for v in versions if v.is_believed(known_at)]
    if not believed:
        return []
    last = believed[-1].content
    events = []
    if last["installed_year_min"] is not None:
        years = sorted({int(last[name]) for name in ("installed_year_min", "installed_year_max") if last[name]})
        text = "-".join(map(str, years))
        events.append({"day": date(years[0], 1, 1), "event": "event_laid", "new_value": text})
    ended = next((v.content["retired_on"] for v in reversed(believed) if v.content["retired_on"] is not None), None)
    if ended is not None:
        events.append({"day": ended, "event": "event_retired"})
    return events


def _leaks(leaks: pd.DataFrame) -> list[dict[str, Any]]:
    events = []
    for leak in leaks.to_dict("records"):
        common = {
            "object_id": leak["leak_id"],
            "source": leak["source"],
            "probability": leak["probability"],
        }
        happened = {"day": leak["leaked_on"], "new_value": leak["cause"], "measure_m": leak["measure_m"]}
        events.append(common | happened | {"event": "event_leak"})
        if known(leak["repaired_on"]) is not None:
            events.append(common | {"day": leak["repaired_on"], "event": "event_repaired"})
    return events


def _events(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return inspections, repairs, hazards and the like, and when each was settled."""
    events = []
    for row in rows.to_dict("records"):
        common = {
            "object_id": row["event_id"],
            "source": row["source"],
            "actor": row["reporter"],
            "probability": row["probability"],
        }
        events.append(
            common
            | {
                "day": row["happened_on"],
                "event": f"event_{row['kind']}",
                "new_value": row["grade"],
                "finding": row["finding"],
                "measure_m": row["measure_m"],
            }
        )
        if known(row["closed_on"]) is not None:
            events.append(common | {"day": row["closed_on"], "event": "event_closed"})
    return events


def _lineage(became: pd.DataFrame, came_from: pd.DataFrame) -> list[dict[str, Any]]:
    rows = [("event_became", row) for row in became[became["generation"] == 1].to_dict("records")]
    rows += [("event_came_from", row) for row in came_from[came_from["generation"] == 1].to_dict("records")]
    return [
        {"day": row["happened_on"], "event": event, "object_id": row["segment_id"], "new_value": row["relation"]}
        for event, row in rows
    ]


def _decisions(decisions: pd.DataFrame) -> list[dict[str, Any]]:
    """Return what meetings decided, with the day by which it is due."""
    return [
        {
            "day": row["decided_on"],
            "event": "event_meeting",
            "object_id": row["project_id"],
            "new_value": row["verdict"],
            "source": row["decided_by"],
            "reason": row["note"],
            "finding": None if known(row["due_on"]) is None else row["due_on"].isoformat(),
        }
        for row in decisions.to_dict("records")
    ]


def _runs(runs: pd.DataFrame) -> list[dict[str, Any]]:
    events = []
    for run in runs.to_dict("records"):
        common = {"day": run["made_at"].date(), "object_id": run["name"], "actor": run["actor"]}
        if run["kind"] == "plan":
            year = None if pd.isna(run["year"]) else str(int(run["year"]))
            events.append(common | {"event": "event_planned" if year else "event_not_planned", "new_value": year})
        elif run["grade"] is not None:
            events.append(common | {"event": "event_scored", "new_value": run["grade"]})
    return events


def _ordered(events: list[dict[str, Any]]) -> pd.DataFrame:
    names = list(fields()["dossier_events"])
    table = pd.DataFrame(events, columns=names)
    return table.sort_values("day", kind="stable", ignore_index=True)
