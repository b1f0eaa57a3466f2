"""What is believed of one segment, and which delivery said each attribute first: also of a part of a former segment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import pandas as pd
import psycopg

from registry.db import query
from registry.fields import fields
from registry.history.beliefs import Version, holding
from registry.history.deliveries import frame_of
from registry.history.lineage import ancestors
from registry.history.slices import stored_columns
from registry.kinds import KINDS

COLUMNS: Final = [name for name in stored_columns(KINDS["segments"]) if name not in {"geom", "elevations_m"}]
# what goes on as the same pipe; what replaces it is another one
_SAME_PIPE: Final = frozenset({"split", "merge", "renumber"})
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Beliefs:
    """All versions of one segment up to an instant, and the deliveries that wrote them by their instants."""

    versions: list[Version]
    deliveries: dict[datetime, dict[str, Any]]
    known_at: datetime | None

    @property
    def instants(self) -> list[datetime]:
        """When anything of it was said or taken back."""
        return instants_of(self.versions)


def instants_of(versions: list[Version]) -> list[datetime]:
    """Return when versions began or ceased to be believed, in order."""
    return sorted({instant for v in versions for instant in (v.known_from, v.known_to) if instant is not None})


def known(value: Any) -> Any:  # noqa: ANN401 - any value of a column
    """Return a value of a frame, with None for nothing."""
    return None if value is None or pd.isna(value) else value


def read_beliefs(connection: psycopg.Connection, ids: list[str], known_at: datetime | None) -> Beliefs:
    """Read the versions of a segment under all of its ids, and who said them."""
    rows = frame_of(connection, query("dossier_versions"), {"ids": ids, "known_at": known_at}).to_dict("records")
    versions = [
        Version(
            first_day=known(row["first_day"]),
            last_day=known(row["last_day"]),
            known_from=row["known_from"],
            known_to=known(row["known_to"]),
            content={**{name: known(row[name]) for name in COLUMNS}, "course": bytes(row["course"])},
        )
        for row in rows
    ]
    said = frame_of(connection, query("dossier_deliveries"), {"instants": instants_of(versions)})
    deliveries = {
        row["applied_at"]: {str(name): known(value) for name, value in row.items()} for row in said.to_dict("records")
    }
    return Beliefs(versions, deliveries, known_at)


def facts_of(
    connection: psycopg.Connection, segment_id: str, believed: Beliefs, came_from: pd.DataFrame, as_of: date
) -> pd.DataFrame:
    """Return each attribute on a day with the delivery since which it was believed without a break.

    What a part of a split or merged segment has had since it began, and a former segment had before with the same
    value, was said by whoever said it of the former one. The frame `dossier_facts`; empty where the segment is not in
    the ground on that day.
    """
    names = list(fields()["dossier_facts"])
    now = holding(believed.versions, as_of, believed.known_at)
    if now is None:
        return pd.DataFrame(columns=names)
    past = [
        v
        for v in believed.versions
        if v.holds(as_of) and (believed.known_at is None or v.known_from <= believed.known_at)
    ]
    inherited = _inherited(connection, segment_id, believed, came_from)
    rows: dict[str, dict[str, Any]] = {}
    for name in COLUMNS:
        if now.content[name] is None:
            continue
        since = _since(name, now, past)
        rows[name] = _fact(name, now, since, believed)
        former = inherited.get(name)
        if former is not None and former["value"] == rows[name]["value"] and since.known_from == past[0].known_from:
            rows[name] = former
    return pd.DataFrame(list(rows.values()), columns=names)


def _since(name: str, now: Version, past: list[Version]) -> Version:
    """Return the version since which a value was believed without a break."""
    since = now
    for earlier in reversed([v for v in past if v.known_from < now.known_from]):
        if earlier.content[name] != now.content[name]:
            break
        since = earlier
    return since


def _fact(name: str, now: Version, since: Version, believed: Beliefs) -> dict[str, Any]:
    told = believed.deliveries.get(since.known_from, {})
    return {
        "column_name": name,
        "value": str(now.content[name]),
        "known_since": since.known_from.date(),
        "delivery_id": told.get("delivery_id"),
        "source": told.get("source") or told.get("file_name"),
        "actor": told.get("actor"),
    }


def _inherited(
    connection: psycopg.Connection, segment_id: str, believed: Beliefs, came_from: pd.DataFrame
) -> dict[str, dict[str, Any]]:
    """Return what was said of the segments that this one continues, on their last day; the longest part decides."""
    parents = came_from[(came_from["child_id"] == segment_id) & came_from["relation"].isin(_SAME_PIPE)]
    length = (parents["child_to_m"] - parents["child_from_m"]).abs()
    found: dict[str, dict[str, Any]] = {}
    for row in parents.assign(length_m=length).sort_values("length_m").to_dict("records"):
        parent, last_day = str(row["segment_id"]), row["happened_on"] - _DAY
        of_parent = read_beliefs(connection, [parent], believed.known_at)
        told = facts_of(connection, parent, of_parent, ancestors(connection, parent), last_day)
        found |= {fact["column_name"]: {str(k): v for k, v in fact.items()} for fact in told.to_dict("records")}
    return found
