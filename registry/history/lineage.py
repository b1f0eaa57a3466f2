"""Split, merge, redraw, retire and replace segments, and find what became of an id.

A segment that is split, merged or replaced is true until the day of the change and its children from that day on; what
an engineer asks of the years before is answered by the parent. Leaks named for a parent follow it to the right child.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any, Final

import pandas as pd
import psycopg
import shapely
import shapely.ops
from psycopg import sql

from registry.db import query
from registry.errors import EditError
from registry.history.deliveries import frame_of
from registry.history.edit import Edited, Editing, Warrant, run_edit, understand
from registry.history.joining import Current, joined_line, merged_values
from registry.history.slices import make_tables, statement, stored_columns, write_slices
from registry.kinds import KINDS, Kind
from registry.rights.acting import organisation_in_force

SEGMENTS: Final = KINDS["segments"]
# what names the segment it was at, and names the child that lies there after a change
FOLLOWERS: Final = (KINDS["leaks"], KINDS["events"])
# two surveys of one end point differ by less
COLUMNS: Final = frozenset(stored_columns(SEGMENTS)) - {"geom"}
TOUCHING_M: Final = 0.01


@dataclass(frozen=True)
class Part:
    """Which part of a parent a child continues, as measures along both."""

    parent_id: str
    child_id: str
    parent_from_m: float
    parent_to_m: float
    child_from_m: float
    child_to_m: float


def split(
    connection: psycopg.Connection,
    segment_id: str,
    at_m: Sequence[float],
    day: date,
    warrant: Warrant,
    child_ids: Sequence[str] | None = None,
) -> Edited:
    """Cut a segment at distances from its start into children that are true from `day` on.

    Without ids the children are named ID-1, ID-2, … Attributes are those of the parent; elevations are left behind.

    Raises
    ------
    EditError
        Where a cut does not lie inside the segment, or the ids do not fit.
    """
    current = read_current(connection, [segment_id], day)[0]
    cuts = [0.0, *sorted(at_m), current.shape.length]
    if any(later - earlier < TOUCHING_M for earlier, later in pairwise(cuts)):
        raise EditError("cut_outside", segment=segment_id, length_m=current.shape.length)
    names = list(child_ids) if child_ids else [f"{segment_id}-{number}" for number in range(1, len(cuts))]
    if len(names) != len(cuts) - 1 or len(set(names)) != len(names):
        raise EditError("children_miscounted", wanted=len(cuts) - 1, given=len(names))
    check_free(connection, names)
    pieces = [shapely.ops.substring(current.shape, start, stop) for start, stop in pairwise(cuts)]
    parts = [
        Part(segment_id, name, start, stop, 0.0, stop - start)
        for name, start, stop in zip(names, cuts[:-1], cuts[1:], strict=True)
    ]

    def work(editing: Editing) -> None:
        editing.refuse_if_changed(segment_id)
        for name, piece in zip(names, pieces, strict=True):
            editing.derive(segment_id, name, {"geom": editing.packed(piece), "elevations_m": None}, (day, None))
        editing.withdraw(segment_id, (day, None))
        editing.then(lambda: _follow(connection, "split", parts, [current], day))

    return run_edit(connection, SEGMENTS, warrant, "split", day, work)


def merge(
    connection: psycopg.Connection, segment_ids: Sequence[str], new_id: str, day: date, warrant: Warrant
) -> Edited:
    """Join segments that lie end to end into one that is true from `day` on.

    Attributes follow `lineage_policy.csv`: equal ones are kept, years become the interval that spans them, of the
    others those of the longest part.

    Raises
    ------
    EditError
        Where the segments do not form one line, or differ in what one pipe has only one of.
    """
    parents = read_current(connection, segment_ids, day)
    line, pieces = joined_line(parents, TOUCHING_M)
    parts = [Part(p.parent_id, new_id, 0.0, p.length_m, p.from_m, p.to_m) for p in pieces]
    values = merged_values(parents)
    check_free(connection, [new_id])

    def work(editing: Editing) -> None:
        for parent in parents:
            editing.refuse_if_changed(parent.segment_id)
        longest = max(parents, key=lambda parent: parent.shape.length)
        editing.derive(longest.segment_id, new_id, values | {"geom": editing.packed(line)}, (day, None))
        for parent in parents:
            editing.withdraw(parent.segment_id, (day, None))
        editing.then(lambda: _follow(connection, "merge", parts, parents, day))

    return run_edit(connection, SEGMENTS, warrant, "merge", day, work)


def redraw(
    connection: psycopg.Connection, segment_id: str, line: shapely.LineString, day: date | None, warrant: Warrant
) -> Edited:
    """Give a segment another course: from `day` on, or without a day for all of its life, because it always lay so.

    Raises
    ------
    EditError
        Where the course is no sound line.
    """
    if line.is_empty or not line.is_valid or line.length < TOUCHING_M:
        raise EditError("course_unsound", segment=segment_id)

    def work(editing: Editing) -> None:
        editing.refuse_if_changed(segment_id)
        flat = shapely.force_2d(line)
        editing.say(["geometry"])
        editing.set_values(segment_id, {"geom": editing.packed(flat), "elevations_m": None}, (day, None))

    return run_edit(connection, SEGMENTS, warrant, "redraw", day, work)


def retire(
    connection: psycopg.Connection, segment_ids: Sequence[str], day: date, warrant: Warrant, until: date | None = None
) -> Edited:
    """Take segments out of service on `day`: for good, or until a day on which they are back as they were."""

    def work(editing: Editing) -> None:
        for segment_id in segment_ids:
            editing.refuse_if_changed(segment_id)
            editing.withdraw(segment_id, (day, until))
            if until is None:
                editing.note_end(segment_id, day, {"retired_on": day})

    return run_edit(connection, SEGMENTS, warrant, "retire", day, work)


def replace(
    connection: psycopg.Connection,
    segment_id: str,
    new_id: str,
    values: Mapping[str, str],
    day: date,
    warrant: Warrant,
) -> Edited:
    """Renew a pipe in its place: the old one is retired on `day`, the new one lies there from that day on.

    The new pipe has the course and the place of the old one, the year of `day`, and the values that are given; what is
    not given of its material, coating, protection, joint and assessment is unknown.
    """
    return replace_all(connection, [Renewal(segment_id, new_id, values)], day, warrant)


@dataclass(frozen=True)
class Renewal:
    """One pipe that is renewed in its place: the old id, the new one, and the values of the new pipe as words."""

    segment_id: str
    new_id: str
    values: Mapping[str, str]


def replace_all(
    connection: psycopg.Connection,
    renewals: Sequence[Renewal],
    day: date,
    warrant: Warrant,
    action: str = "replace",
    then: Callable[[Editing], None] | None = None,
) -> Edited:
    """Renew several pipes in their places as one delivery, as `replace` does one, and do more in the same transaction.

    Raises
    ------
    EditError
        Where a pipe is not in the ground on that day, a new id is taken or named twice, or a value is not understood.
    """
    names = [renewal.new_id for renewal in renewals]
    if len(set(names)) < len(names):
        raise EditError("id_taken", segments=", ".join(sorted({name for name in names if names.count(name) > 1})))
    olds = read_current(connection, [renewal.segment_id for renewal in renewals], day)
    check_free(connection, names)
    fresh = [_new_pipe(renewal, day) for renewal in renewals]
    parts = [
        Part(renewal.segment_id, renewal.new_id, 0.0, old.shape.length, 0.0, old.shape.length)
        for renewal, old in zip(renewals, olds, strict=True)
    ]

    def work(editing: Editing) -> None:
        for renewal, values in zip(renewals, fresh, strict=True):
            old_id = renewal.segment_id
            editing.refuse_if_changed(old_id)
            editing.say([name for name, value in values.items() if value is not None])
            editing.derive(old_id, renewal.new_id, values, (day, None))
            editing.withdraw(old_id, (day, None))
            editing.note_end(old_id, day, {"retired_on": day})
        editing.then(lambda: _record(connection, "replace", parts, day))
        if then is not None:
            then(editing)

    return run_edit(connection, SEGMENTS, warrant, action, day, work)


def _new_pipe(renewal: Renewal, day: date) -> dict[str, Any]:
    """Return what is said of a new pipe: the year of its day, what is given; of the old pipe's own nothing."""
    fresh: dict[str, Any] = dict.fromkeys(_OF_THE_OLD_PIPE)
    fresh |= {"installed_year_min": day.year, "installed_year_max": day.year, "installed_quality": "as_built"}
    return fresh | understand(SEGMENTS, renewal.values)


_OF_THE_OLD_PIPE: Final = (
    "material",
    "coating",
    "cathodic_protection",
    "joint",
    "assessment",
    "assessed_on",
    "retired_on",
    "remark",
)


def read_current(connection: psycopg.Connection, segment_ids: Sequence[str], day: date) -> list[Current]:
    """Return what is known of segments on a day, in the order asked for.

    Raises
    ------
    EditError
        With the first id that is not in the ground on that day.
    """
    found = frame_of(connection, query("segments_on_day"), {"ids": list(segment_ids), "day": day})
    rows = {row["segment_id"]: row for row in found.to_dict("records")}
    for segment_id in segment_ids:
        if segment_id not in rows:
            raise EditError("segment_not_there", segment=segment_id, day=day.isoformat())
    if len(set(segment_ids)) != len(segment_ids):
        raise EditError("segment_named_twice")
    return [
        Current(
            name,
            shapely.LineString(shapely.from_wkb(rows[name]["geom"])),
            {
                str(column): None if pd.isna(value) else value
                for column, value in rows[name].items()
                if column in COLUMNS
            },
        )
        for name in segment_ids
    ]


def check_free(connection: psycopg.Connection, names: Sequence[str]) -> None:
    """Raise where an id is or was the id of some segment: ids are never used twice."""
    row = connection.execute(query("segment_ids_taken"), [list(names)]).fetchone()
    if row is not None and row[0]:
        raise EditError("id_taken", segments=", ".join(row[0]))


def is_segment(connection: psycopg.Connection, name: str) -> bool:
    """Tell whether any segment, of whatever time, has that id."""
    row = connection.execute(query("segment_ids_taken"), [[name]]).fetchone()
    return bool(row is not None and row[0])


def descendants(connection: psycopg.Connection, segment_id: str) -> pd.DataFrame:
    """Return the segments that an id leads to: segment_id, relation, happened_on, its part of the parent.

    `is_last` marks those that it leads to today.
    """
    return frame_of(connection, query("lineage_down"), [segment_id])


def ancestors(connection: psycopg.Connection, segment_id: str) -> pd.DataFrame:
    """Return the segments that an id goes back to, nearest first: segment_id, relation, happened_on."""
    return frame_of(connection, query("lineage_up"), [segment_id])


def _record(connection: psycopg.Connection, relation: str, parts: Sequence[Part], day: date) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            query("insert_lineage"), [{"relation": relation, "day": day, **vars(part)} for part in parts]
        )


def _follow(
    connection: psycopg.Connection, relation: str, parts: Sequence[Part], parents: Sequence[Current], day: date
) -> None:
    """Keep the lineage, and let the leaks and events that name a parent name the child that they lie on.

    An event without a place goes to a child that continues the whole parent; else it stays with the parent. Who acts
    for one organisation moves its own; by those of others the lineage leads to the child.
    """
    _record(connection, relation, parts, day)
    for kind in FOLLOWERS:
        _follow_kind(connection, kind, parts, parents, day)


def _follow_kind(
    connection: psycopg.Connection, kind: Kind, parts: Sequence[Part], parents: Sequence[Current], day: date
) -> None:
    mine = organisation_in_force(connection)
    is_ours = sql.SQL("true") if mine is None else sql.SQL("v.owner = {}").format(sql.Literal(mine))
    courses = {parent.segment_id: shapely.to_wkb(parent.shape) for parent in parents}
    lengths = {parent.segment_id: parent.shape.length for parent in parents}
    make_tables(connection, kind)
    for part in parts:
        edited = [
            sql.Literal(part.child_id) if name == "segment_id" else sql.Identifier("v", name)
            for name in stored_columns(kind)
        ]
        text = statement(
            "leaks_follow",
            kind,
            edited=sql.SQL(", ").join(edited),
            day=sql.SQL("{}::date").format(sql.Literal(day)),
            course=sql.SQL("ST_GeomFromWKB({}, ST_SRID(v.geom))").format(sql.Literal(courses[part.parent_id])),
            parent_id=sql.Literal(part.parent_id),
            from_m=sql.Literal(part.parent_from_m),
            to_m=sql.Literal(part.parent_to_m),
            is_ours=is_ours,
            is_last=sql.Literal(part.parent_to_m >= lengths[part.parent_id]),
        )
        connection.execute(text)
    write_slices(connection, kind)
