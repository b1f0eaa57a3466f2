"""A batch that is built: the renewals go into the registry, and the month reports it done, all as one delivery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import psycopg

from registry.db import query
from registry.history.edit import Edited, Editing, Warrant, edited_columns, put_slice
from registry.history.lineage import Renewal, replace_all
from registry.history.slices import make_tables, stored_columns, write_slices
from registry.kinds import KINDS

PROGRESS: Final = KINDS["progress"]


@dataclass(frozen=True)
class Completion:
    """What a batch of a plan reports when it is built; where it is not whole, only these segments were."""

    plan_name: str
    batch_id: str
    segment_ids: tuple[str, ...]
    km_done: float
    is_whole: bool
    owner: str | None = None


def complete(
    connection: psycopg.Connection,
    completion: Completion,
    renewals: Sequence[Renewal],
    day: date,
    warrant: Warrant,
) -> Edited:
    """Renew the pipes of a batch in their places and report them done in the month of `day`.

    A whole batch is reported as completed without kilometres: what the months before have not reported counts then.

    Raises
    ------
    EditError
        As `replace_all`.
    """
    values: dict[str, Any] = dict.fromkeys(stored_columns(PROGRESS)) | {
        "month": day.replace(day=1),
        "plan_name": completion.plan_name,
        "batch_id": completion.batch_id,
        "segment_ids": None if completion.is_whole else ",".join(completion.segment_ids),
        "km_done": None if completion.is_whole else completion.km_done,
        "work_state": "completed" if completion.is_whole else "in_progress",
        "done_on": day,
        "owner": completion.owner,
    }

    def report(editing: Editing) -> None:
        # one report for one delivery: their ids differ by the letter in front
        name = "P" + editing.delivery_id.removeprefix("D")
        editing.then(lambda: _report(connection, name, values))

    return replace_all(connection, renewals, day, warrant, "complete", report)


def _report(connection: psycopg.Connection, name: str, values: dict[str, Any]) -> None:
    make_tables(connection, PROGRESS)
    put_slice(connection, PROGRESS, name, edited_columns(PROGRESS, values), (None, None))
    write_slices(connection, PROGRESS)


def renewed_ids(connection: psycopg.Connection, segment_ids: Sequence[str], day: date) -> dict[str, str]:
    """Return for each segment an id that no segment has or had: its own with the year of its renewal."""
    wanted = {name: f"{name}-R{day.year}" for name in segment_ids}
    row = connection.execute(query("segment_ids_taken"), [list(wanted.values())]).fetchone()
    taken: set[str] = set(row[0] or []) if row else set()
    number = 1
    while taken:
        number += 1
        for name, new_id in wanted.items():
            if new_id in taken:
                wanted[name] = f"{name}-R{day.year}-{number}"
        row = connection.execute(query("segment_ids_taken"), [list(wanted.values())]).fetchone()
        taken = set(row[0] or []) if row else set()
    return wanted
