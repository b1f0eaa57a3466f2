"""Where a saved plan stands: draft, proposed, adopted, superseded; and the yearly tasks that an adopted plan makes.

A plan without a state on record is a draft. Every step is a delivery: kept with its day, who and why, undone like any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import pandas as pd
import psycopg
from psycopg import sql

from registry.db import query
from registry.errors import EditError, NotFoundError
from registry.history.deliveries import frame_of
from registry.history.edit import Editing, Warrant, edited_columns, put_slice, run_edit
from registry.history.slices import make_tables, statement, stored_columns, write_slices
from registry.kinds import KEPT_KINDS, KINDS

STATES: Final = KEPT_KINDS["plan_states"]
TASKS: Final = KINDS["tasks"]
DRAFT: Final = "draft"
PROPOSED: Final = "proposed"
ADOPTED: Final = "adopted"
SUPERSEDED: Final = "superseded"
# state and step -> state; a step that is not here cannot be taken
STEPS: Final[Mapping[tuple[str, str], str]] = {
    (DRAFT, "propose"): PROPOSED,
    (PROPOSED, "adopt"): ADOPTED,
    (PROPOSED, "withdraw"): DRAFT,
    (ADOPTED, "withdraw"): PROPOSED,
}
# deliveries that say where plans stand and what was done change nothing that a plan was computed from
UNREAD_KINDS: Final = ["plan_states", "tasks", "progress"]


@dataclass(frozen=True)
class SavedPlan:
    """A saved plan as the programme knows it: its run, its name, its years, and whose it is."""

    plan_id: str
    name: str
    first_year: int
    last_year: int
    owner: str | None


@dataclass(frozen=True)
class Stepped:
    """What a step did: the new state, the delivery (none where it was only shown), and the plans it superseded."""

    plan: SavedPlan
    state: str
    delivery_id: str | None
    superseded: tuple[str, ...]


def find_plan(connection: psycopg.Connection, name: str) -> SavedPlan:
    """Return the saved plan of that name.

    Raises
    ------
    NotFoundError
        Where there is none.
    """
    row = connection.execute(query("plan_identity"), [name]).fetchone()
    if row is None:
        raise NotFoundError("run_unknown", kind="plan", name=name)
    years = row[3]["years"]
    return SavedPlan(row[0], row[1], int(years[0]), int(years[-1]), row[2])


def take_step(
    connection: psycopg.Connection,
    name: str,
    step: str,
    day: date,
    warrant: Warrant,
    tasks: pd.DataFrame | None = None,
) -> Stepped:
    """Bring a plan into its next state from `day` on: `propose`, `adopt` or `withdraw`.

    Adopting supersedes, from the same day, every plan that is adopted for any of its years, and writes `tasks` (the
    frame `tasks`); those of plans that are no longer in force end with that day. Withdrawing takes one step back.

    Raises
    ------
    NotFoundError
        Where no plan has that name.
    EditError
        Where the plan is not in a state from which the step leads on, or the day lies before its last step.
    """
    plan = find_plan(connection, name)
    told: dict[str, Any] = {}

    def work(editing: Editing) -> None:
        known = _standing(connection, plan)
        before = known.get(plan.plan_id, {"state": DRAFT})
        after = STEPS.get((before["state"], step))
        if after is None:
            raise EditError("plan_step_impossible", name=name, state=before["state"], step=step)
        others = [row for key, row in known.items() if key != plan.plan_id] if after == ADOPTED else []
        for row in (before, *others):
            if "changed_on" in row and row["changed_on"] > day:
                raise EditError("plan_step_too_early", name=row["name"], day=day, last=row["changed_on"])
        editing.say(stored_columns(STATES))
        for row in others:
            reason = {"state": SUPERSEDED, "reason": warrant.reason or name}
            editing.put(row["plan_id"], _values(_of(row), day, warrant) | reason, (day, None))
        editing.put(plan.plan_id, _values(plan, day, warrant) | {"state": after}, (day, None))
        told.update(state=after, superseded=tuple(row["name"] for row in others))
        ended = [row["name"] for row in others] + ([name] if before["state"] == ADOPTED else [])
        made = tasks if after == ADOPTED else None
        if ended or made is not None:
            editing.then(lambda: _write_tasks(connection, made, ended, plan.owner, day))

    edited = run_edit(connection, STATES, warrant, step, day, work)
    return Stepped(plan, told["state"], edited.delivery_id, told["superseded"])


def _standing(connection: psycopg.Connection, plan: SavedPlan) -> dict[str, dict[str, Any]]:
    found = frame_of(connection, query("plan_states_now"), vars(plan))
    return {row["plan_id"]: {str(k): v for k, v in row.items()} for row in found.to_dict("records")}


def _of(row: Mapping[str, Any]) -> SavedPlan:
    owner = None if pd.isna(row["owner"]) else str(row["owner"])
    return SavedPlan(row["plan_id"], row["name"], int(row["first_year"]), int(row["last_year"]), owner)


def _values(plan: SavedPlan, day: date, warrant: Warrant) -> dict[str, Any]:
    return {
        "name": plan.name,
        "first_year": plan.first_year,
        "last_year": plan.last_year,
        "changed_on": day,
        "changed_by": warrant.actor,
        "reason": warrant.reason,
        "owner": plan.owner,
    }


def _write_tasks(
    connection: psycopg.Connection, tasks: pd.DataFrame | None, ended: Sequence[str], owner: str | None, day: date
) -> None:
    """End the tasks of plans that are no longer in force, and put in those of the one that is."""
    make_tables(connection, TASKS)
    parts = {
        "day": sql.SQL("{}::date").format(sql.Literal(day)),
        "plan_names": sql.SQL("{}::text[]").format(sql.Literal(list(ended))),
        "owner": sql.SQL("{}::text").format(sql.Literal(owner)),
    }
    connection.execute(statement("tasks_end", TASKS, **parts))
    if tasks is not None:
        put_rows(connection, "tasks", tasks.assign(owner=owner), (day, None))
    write_slices(connection, TASKS)


def put_rows(
    connection: psycopg.Connection, kind_name: str, rows: pd.DataFrame, days: tuple[date | None, date | None]
) -> None:
    """Put the rows of a frame into the working tables of its kind; nothing is written until `write_slices`."""
    kind = KINDS[kind_name]
    plain = rows.astype("object").where(rows.notna(), None)
    for object_id, values in plain.to_dict("index").items():
        every: dict[str, Any] = dict.fromkeys(stored_columns(kind)) | {str(k): v for k, v in values.items()}
        put_slice(connection, kind, str(object_id), edited_columns(kind, every), days)


def read_plans(connection: psycopg.Connection, known_at: datetime | None = None) -> pd.DataFrame:
    """Return the saved plans, newest first: what they were made from, their parent, and whether data came in since.

    `seen_version` and `last_version` are the last deliveries that a plan could see and that there are, among those
    that plans are computed from.
    """
    told = {"unread": UNREAD_KINDS, "known_at": known_at}
    return frame_of(connection, query("plans"), told)


def read_adopted(connection: psycopg.Connection, as_of: date, known_at: datetime | None = None) -> pd.DataFrame:
    """Return the plans that were in force up to a day: plan_id, name, years, adopted_on, ended_on, next_state."""
    return frame_of(connection, query("adopted_plans"), {"as_of": as_of, "known_at": known_at})
