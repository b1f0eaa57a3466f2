"""Take a delivery back: what was known before it is known again, and what was believed meanwhile stays on record.

An undo is a delivery of its own. For each object that the delivery touched it restores what was known just before it.
Where later deliveries changed the same objects, they build on it: they are taken back with it, or nothing is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
import psycopg
from psycopg import sql

from registry.db import query, writing
from registry.errors import DependentDeliveriesError, ReviewError
from registry.history.deliveries import NewDelivery, delivery_id, frame_of, insert_delivery, new_key
from registry.history.slices import listed, statement, stored_columns
from registry.kinds import KEPT_KINDS, Kind
from registry.rights.acting import refuse_deeds_of_others


@dataclass(frozen=True)
class Undone:
    """What an undo took back."""

    delivery_id: str
    undone: tuple[str, ...]
    withdrawn: int
    restored: int
    used_by: pd.DataFrame


def dependents(connection: psycopg.Connection, name: str) -> pd.DataFrame:
    """Return the later deliveries that build on this one, newest first: id, action, kind, actor, file, instant.

    A delivery builds on another where it changed an object that the other one had changed before it, and where it
    builds on one that does.
    """
    with connection.transaction(force_rollback=True):
        first = _instants(connection, [name])
        return frame_of(connection, query("deliveries_at"), [sorted(_closure(connection, first) - first)])


def undo_delivery(
    connection: psycopg.Connection, name: str, actor: str, *, is_cascade: bool = False, reason: str | None = None
) -> Undone:
    """Take back one delivery and, where asked, all that build on it.

    Afterwards the state hash is what it was before the delivery, as far as no other delivery has changed other objects
    since; `known_at` between the two still shows what was believed.

    Raises
    ------
    ReviewError
        Where the delivery is unknown or does not count.
    DependentDeliveriesError
        Where later deliveries build on it and no cascade was asked for; nothing is written.
    """
    with writing(connection, made := delivery_id(connection, key := new_key())):
        kind = _check_state(connection, name)
        first = _instants(connection, [name])
        instants = _closure(connection, first)
        later = frame_of(connection, query("deliveries_at"), [sorted(instants - first)])
        if len(later) and not is_cascade:
            raise DependentDeliveriesError("delivery_has_dependents", delivery=name, deliveries=_named(later))
        names = [name, *later["delivery_id"].tolist()]
        refuse_deeds_of_others(connection, frame_of(connection, query("delivery_actors"), [names]).to_dict("records"))
        used_by = frame_of(connection, query("runs_that_used"), {"deliveries": names})
        withdrawn, restored = _restore(connection, instants)
        new = NewDelivery(made, kind, key, actor, action="undo", reason=reason, undoes=names)
        insert_delivery(connection, new, "accepted", restored, 0, {"changed": restored})
        connection.execute(query("mark_undone"), [names])
        connection.execute(query("mark_redone"), {"names": names})
    return Undone(made, tuple(names), withdrawn, restored, used_by)


def _check_state(connection: psycopg.Connection, name: str) -> str:
    found = frame_of(connection, query("delivery_record"), [name])
    if found.empty:
        raise ReviewError("delivery_unknown", delivery=name)
    state = str(found["state"].iloc[0])
    if state != "accepted":
        raise ReviewError(f"delivery_is_{state}", delivery=name)
    return str(found["kind"].iloc[0])


def _instants(connection: psycopg.Connection, names: list[str]) -> set[datetime]:
    rows = connection.execute(query("undo_instants"), [names]).fetchall()
    return {row[1] for row in rows if row[1] is not None}


def _closure(connection: psycopg.Connection, instants: set[datetime]) -> set[datetime]:
    """Return the instants and those of all deliveries that build on them."""
    found, fresh = set(instants), set(instants)
    while fresh:
        fresh = {later for kind in KEPT_KINDS.values() for later in _later(connection, kind, found)} - found
        found |= fresh
    return found


def _later(connection: psycopg.Connection, kind: Kind, instants: set[datetime]) -> set[datetime]:
    _touch(connection, kind, instants)
    rows: list[Any] = connection.execute(statement("undo_dependents", kind)).fetchall()
    return {row[0] for row in rows}


def _touch(connection: psycopg.Connection, kind: Kind, instants: set[datetime]) -> None:
    """Fill the table `touched`: each object that deliveries of these instants changed, and the first of them."""
    connection.execute("DROP TABLE IF EXISTS pg_temp.touched")
    listed_instants = sql.SQL("{}::timestamptz[]").format(sql.Literal(sorted(instants)))
    connection.execute(statement("undo_make_touched", kind, instants=listed_instants))
    connection.execute("ANALYZE touched")


def _restore(connection: psycopg.Connection, instants: set[datetime]) -> tuple[int, int]:
    withdrawn = restored = 0
    for kind in KEPT_KINDS.values():
        _touch(connection, kind, instants)
        withdrawn += connection.execute(statement("undo_close", kind)).rowcount
        columns = listed(stored_columns(kind), "v")
        restored += connection.execute(statement("undo_assert", kind, version_columns=columns)).rowcount
    connection.execute("DROP TABLE IF EXISTS pg_temp.touched")
    connection.execute(query("undo_lineage"), {"instants": sorted(instants)})
    return withdrawn, restored


def _named(deliveries: pd.DataFrame) -> str:
    return ", ".join(deliveries["delivery_id"])
