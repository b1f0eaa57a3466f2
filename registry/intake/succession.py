"""Let a known segment go on under the ids that a delivery gives it: slices, lineage, and what names it.

The known id is true until the first day of the change and the delivered ones from that day on, as with a split or merge
by hand. A census that leaves a column out says nothing about it: its values are those of the known segments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, LiteralString

import psycopg
from psycopg import sql

from registry.history.joining import merge_rules
from registry.history.slices import make_tables, statement, stored_columns, write_slices
from registry.intake.recognition import SEGMENTS, Parts
from registry.kinds import KINDS, Kind
from registry.rights.acting import organisation_in_force

# kinds that name a segment
_FOLLOWERS: Final = ("leaks", "customers", "valves")
_OF_PARENTS: Final[dict[str, LiteralString]] = {
    "least": "CASE WHEN bool_and({value} IS NOT NULL) THEN min({value}) END",
    "greatest": "CASE WHEN bool_and({value} IS NOT NULL) THEN max({value}) END",
    "any": "bool_or({value})",
    "equal": "(array_agg({value} ORDER BY {value} IS NULL, s.parent_m DESC, s.known_id))[1]",
}
_OF_THE_LONGEST: Final = "(array_agg({value} ORDER BY s.parent_m DESC, s.known_id))[1]"


def prepare(connection: psycopg.Connection, parts: Parts, carried: Sequence[str]) -> None:
    """Give the recognised rows of `incoming` their days and what was not delivered, and end the known ids.

    Parts of a merge that differ in a value that was not delivered are joined by `lineage_policy.csv`; where one pipe
    has only one value the longest part that has one decides.
    """
    connection.execute(statement("succeed_make", SEGMENTS, **parts))
    if carried:
        assigned = [sql.SQL("{0} = parents.{0}").format(sql.Identifier(name)) for name in carried]
        connection.execute(
            statement(
                "succeed_carry_over",
                SEGMENTS,
                assigned=sql.SQL(", ").join(assigned),
                carried=sql.SQL(", ").join(_of_parents(name) for name in carried),
            )
        )
    connection.execute(statement("succeed_set_days", SEGMENTS, **parts))


def _of_parents(name: str) -> sql.Composed:
    rule = merge_rules().get(name, "longest")
    value = sql.SQL(_OF_PARENTS.get(rule, _OF_THE_LONGEST)).format(value=sql.Identifier("k", name))
    return sql.SQL("{} AS {}").format(value, sql.Identifier(name))


def follow(connection: psycopg.Connection, parts: Parts) -> None:
    """Keep the lineage, and let leaks, customers and valves name the segment that lies at their place."""
    if connection.execute(statement("succeed_lineage", SEGMENTS, **parts)).rowcount:
        connection.execute("CREATE INDEX ON succession (known_id)")
        connection.execute("ANALYZE succession")
        for name in _FOLLOWERS:
            _let_follow(connection, KINDS[name], parts)


def _let_follow(connection: psycopg.Connection, kind: Kind, parts: Parts) -> None:
    """Move what one may move: by what belongs to others the lineage leads to the segment."""
    mine = organisation_in_force(connection)
    if mine is not None and "owner" not in kind.attributes:
        return
    is_ours = sql.SQL("true") if mine is None else sql.SQL("v.owner = {}").format(sql.Literal(mine))
    make_tables(connection, kind)
    # what has no place of its own goes with the beginning of the segment
    measure = "coalesce(ST_LineLocatePoint(s.parent, ST_Centroid(v.geom)), 0) * s.parent_m"
    followed = [
        sql.Identifier("v", "delivered_id") if name == "segment_id" else sql.Identifier("v", name)
        for name in stored_columns(kind)
    ]
    connection.execute(
        statement(
            "succeed_follow",
            kind,
            first_day=parts["first_day"],
            measure=sql.SQL(measure if kind.geometry_dtype else "0"),
            is_ours=is_ours,
            followed=sql.SQL(", ").join(followed),
        )
    )
    write_slices(connection, kind)
