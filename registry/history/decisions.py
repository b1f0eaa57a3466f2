"""What a meeting decided about a project, or about one segment in it: kept with history, undone like any delivery."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import psycopg

from registry.db import query
from registry.errors import EditError, NotFoundError
from registry.fields import value_list
from registry.history.edit import Edited, Editing, Warrant, run_edit
from registry.kinds import KINDS

_DECISIONS: Final = KINDS["decisions"]
# a pair on the command line: segment@project, or the project alone for all of its segments
_SIGN: Final = "@"


@dataclass(frozen=True)
class Subject:
    """What is decided about: a project, as far as it meets one segment or as a whole."""

    project_id: str
    segment_id: str | None = None

    @classmethod
    def parse(cls, pair: str) -> Subject:
        """Read `SEGMENT@PROJECT` or `PROJECT`; a project whose id holds the sign is written `@PROJECT`."""
        segment_id, sign, project_id = pair.partition(_SIGN)
        return cls(project_id, segment_id or None) if sign else cls(pair)

    def __str__(self) -> str:
        """Return the pair as it is written on the command line."""
        is_bare = self.segment_id is None and _SIGN not in self.project_id
        return self.project_id if is_bare else f"{self.segment_id or ''}{_SIGN}{self.project_id}"


@dataclass(frozen=True)
class Verdict:
    """What was decided, when, by whom, and until when it must be carried out."""

    code: str
    decided_on: date
    decided_by: str
    due_on: date | None = None
    note: str | None = None


def decide(connection: psycopg.Connection, subject: Subject, verdict: Verdict, warrant: Warrant) -> Edited:
    """Record a decision; the latest about a subject stands, the earlier ones stay on record.

    Raises
    ------
    NotFoundError
        Where no project or no segment has or had that id.
    EditError
        Where the verdict is none of the list, nobody is named, or it is due before the day of the meeting.
    """
    _check(connection, subject, verdict)
    values = {
        "project_id": subject.project_id,
        "segment_id": subject.segment_id,
        "verdict": verdict.code,
        "decided_on": verdict.decided_on,
        "decided_by": verdict.decided_by.strip(),
        "due_on": verdict.due_on,
        "note": verdict.note,
    }

    def work(editing: Editing) -> None:
        editing.say([name for name, value in values.items() if value is not None])
        # one decision for one delivery: their ids differ by the letter in front
        editing.add("J" + editing.delivery_id.removeprefix("D"), values)

    return run_edit(connection, _DECISIONS, warrant, "meeting", verdict.decided_on, work)


def _check(connection: psycopg.Connection, subject: Subject, verdict: Verdict) -> None:
    verdicts = value_list("verdict")
    if verdict.code not in verdicts:
        # as they are written on the command line
        raise EditError("verdict_unknown", verdict=verdict.code, verdicts=", ".join(verdicts).replace("_", "-"))
    if not verdict.decided_by.strip():
        raise EditError("decision_without_decider")
    if verdict.due_on is not None and verdict.due_on < verdict.decided_on:
        raise EditError("decision_due_before", due_on=verdict.due_on.isoformat(), day=verdict.decided_on.isoformat())
    row = connection.execute(
        query("subject_is_known"), {"project_id": subject.project_id, "segment_id": subject.segment_id}
    ).fetchone()
    has_project, has_segment = row if row is not None else (False, False)
    if not has_project:
        raise NotFoundError("object_unknown", kind="projects", object=subject.project_id)
    if not has_segment:
        raise NotFoundError("object_unknown", kind="segments", object=subject.segment_id)
