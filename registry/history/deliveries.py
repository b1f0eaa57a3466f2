"""Deliveries as records: every write of the truth is one, has an id that a person can say, and an instant."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg.sql import Composed
from psycopg.types.json import Jsonb

from registry.db import query

if TYPE_CHECKING:
    import pandas as pd

Counts = dict[str, int]
# classes of rows that change what is known; doubtful ones will once they are decided
_CHANGED: Final = ("changed", "moved", "reopened", "renumbered", "split", "merged", "doubtful")


@dataclass(frozen=True)
class NewDelivery:
    """What is known of a delivery before it is written."""

    delivery_id: str
    kind: str
    content_key: str
    actor: str
    action: str = "import"
    file_name: str | None = None
    file_sha256: str | None = None
    file_bytes: int | None = None
    mapping: dict[str, Any] = field(default_factory=dict)
    crs: str | None = None
    requested_crs: str | None = None
    encoding: str | None = None
    source: str | None = None
    reason: str | None = None
    follows: str | None = None
    undoes: list[str] = field(default_factory=list)
    valid_from: date | None = None
    reference_day: date | None = None
    moved_m: float | None = None
    # for whom it is made where the one who acts does so for all
    organisation: str | None = None
    notes: list[dict[str, object]] = field(default_factory=list)


def frame_of(connection: psycopg.Connection, text: bytes | Composed, parameters: Any = None) -> pd.DataFrame:  # noqa: ANN401
    """Run a query and return its rows as a frame, in their order."""
    import pandas as pd

    with connection.cursor() as cursor:
        cursor.execute(text, parameters)
        names = [column.name for column in cursor.description or []]
        return pd.DataFrame(cursor.fetchall(), columns=pd.Index(names))


def new_key() -> str:
    """Return a content key for a write that came without a file."""
    return uuid.uuid4().hex


def delivery_id(connection: psycopg.Connection, key: str) -> str:
    """Return an id that a person can say: the day and the beginning of the content's hash, numbered if taken."""
    row = connection.execute(query("delivery_id"), {"key": key[:8]}).fetchone()
    return str(row[0]) if row else key


def insert_delivery(
    connection: psycopg.Connection, new: NewDelivery, state: str, rows_read: int, held: int, counts: Counts
) -> None:
    """Write the record of a delivery inside the transaction that writes its rows."""
    values = {name: getattr(new, name) for name in NewDelivery.__dataclass_fields__}
    values |= {
        "mapping": Jsonb(new.mapping),
        "notes": Jsonb(new.notes),
        "state": state,
        "rows_read": rows_read,
        "rows_held": held,
        "rows_accepted": rows_read - held,
        "rows_added": counts.get("added", 0),
        "rows_changed": sum(counts.get(name, 0) for name in _CHANGED),
        "rows_unchanged": counts.get("unchanged", 0),
    }
    connection.execute(query("insert_delivery"), values)
