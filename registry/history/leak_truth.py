"""The truth about a leak: the crew names the segment that leaked, and the doubt is over."""

from __future__ import annotations

from typing import Final

import psycopg

from registry.db import query
from registry.errors import EditError, NotFoundError
from registry.history.deliveries import frame_of
from registry.history.edit import Edited, Warrant, correct
from registry.kinds import KINDS

_LEAKS: Final = KINDS["leaks"]


def name_segment(connection: psycopg.Connection, leak_id: str, segment_id: str | None, warrant: Warrant) -> Edited:
    """Say which segment leaked; without one, that it is not known after all.

    From then on the leak belongs to that segment with probability 1. This is a delivery of its own and can be undone.

    Raises
    ------
    NotFoundError
        Where no leak or no segment has that id.
    EditError
        Where the segment was not in the ground on the day of the leak: the names of those that were there before it
        are given.
    """
    if segment_id is not None:
        _check(connection, leak_id, segment_id)
    return correct(connection, _LEAKS, leak_id, {"segment_id": segment_id or ""}, warrant)


def _check(connection: psycopg.Connection, leak_id: str, segment_id: str) -> None:
    rows = frame_of(connection, query("leak_and_segment"), {"leak_id": leak_id, "segment_id": segment_id})
    if rows.empty:
        raise NotFoundError("object_unknown", kind=_LEAKS.name, object=leak_id)
    found = rows.iloc[0]
    if not found["is_known"]:
        raise NotFoundError("object_unknown", kind=KINDS["segments"].name, object=segment_id)
    if not found["was_there"]:
        before = ", ".join(found["predecessors"] or []) or "—"
        raise EditError(
            "leak_segment_not_there", segment=segment_id, day=found["leaked_on"].isoformat(), predecessors=before
        )
