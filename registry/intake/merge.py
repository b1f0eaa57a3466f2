"""Compare a delivery with what is known: which rows are new, changed, moved, back again, gone; then let it count.

A row is compared with what is true of its id on the reference day. Accepting it corrects that slice of time, or its
part from `valid_from` on; what is known of earlier and later slices stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final, LiteralString

import pandas as pd
import psycopg
from psycopg import sql

from registry.history.slices import drop_tables, listed, make_tables, statement, stored_columns, write_slices
from registry.intake.waiting import restore_waiting
from registry.kinds import Kind

CLASSES: Final = ("added", "changed", "moved", "reopened", "gone")
# kinds of which a delivery is a census: what lies amidst its rows and is not among them may be gone
_CENSUS: Final = frozenset({"segments", "nodes", "compounds", "roads", "buildings", "valves"})
# a file that lacks more of what lies amidst its rows is a part of a census, not one in which so much is gone
_MOST_GONE: Final = 0.5


@dataclass(frozen=True)
class Terms:
    """The day that the rows speak of, from when changes are true, and what counts as moved."""

    day: date
    valid_from: date | None
    moved_m: float


class Merge:
    """One delivery beside the rows that are known, inside the transaction that writes it."""

    def __init__(self, connection: psycopg.Connection, kind: Kind, terms: Terms) -> None:
        self._connection = connection
        self._kind = kind
        self._terms = terms
        connection.execute("DROP TABLE IF EXISTS pg_temp.known, pg_temp.verdict, pg_temp.report")
        make_tables(connection, kind)

    def compare(self, delivered: Iterable[str]) -> dict[str, int]:
        """Classify the rows of `incoming` and return how many there are of each class.

        `delivered` names the columns that the file has: a census that leaves one out says nothing about it.
        """
        self._run("CREATE INDEX ON incoming ({key})")
        self._connection.execute("ANALYZE incoming")
        self._do("merge_find_known")
        self._run("CREATE INDEX ON known ({key})")
        carried = [name for name in stored_columns(self._kind) if name not in set(delivered)]
        if carried:
            self._do("merge_carry_over", carried=sql.SQL(", ").join(self._carried(name) for name in carried))
        self._do("merge_classify")
        if self._kind.name in _CENSUS:
            self._do("merge_find_gone", most=sql.Literal(_MOST_GONE))
        self._connection.execute("CREATE INDEX ON verdict (object_id)")
        self._connection.execute("ANALYZE verdict")
        counted: dict[str, int] = dict(
            self._connection.execute("SELECT class, count(*) FROM verdict GROUP BY class").fetchall()
        )
        return {name: counted.get(name, 0) for name in (*CLASSES, "unchanged")}

    def report(self) -> None:
        """Fill the table `report`: every value that would change, and every row that comes or goes."""
        differences: list[sql.Composable] = [
            sql.SQL("({name}, {old}::text, {new}::text, {old} IS DISTINCT FROM {new})").format(
                name=sql.Literal(name), old=sql.Identifier("k", name), new=sql.Identifier("i", name)
            )
            for name in stored_columns(self._kind)
            if name != "geom"
        ]
        if self._kind.geometry_dtype:
            differences.append(sql.SQL("('geometry', NULL, NULL, k.geom IS DISTINCT FROM i.geom)"))
        self._do("merge_report", differences=sql.SQL(", ").join(differences))

    def report_frame(self) -> pd.DataFrame:
        """Return the report as a frame."""
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT * FROM report ORDER BY object_id, column_name")
            names = [column.name for column in cursor.description or []]
            return pd.DataFrame(cursor.fetchall(), columns=pd.Index(names))

    def keep_report(self, delivery_id: str) -> None:
        """Store the report of a delivery that waits for review."""
        self._connection.execute("DELETE FROM registry.change WHERE delivery_id = %s", [delivery_id])
        self._connection.execute(
            "INSERT INTO registry.change (delivery_id, object_id, class, column_name, old_value, new_value, moved_m) "
            "SELECT %s, object_id, class, column_name, old_value, new_value, moved_m FROM report",
            [delivery_id],
        )

    @classmethod
    def resumed(
        cls, connection: psycopg.Connection, kind: Kind, terms: Terms, delivery_id: str
    ) -> tuple[Merge, dict[str, int]]:
        """Return the comparison of a delivery that waits as it was made, and how many rows there are of each class."""
        merge = cls(connection, kind, terms)
        return merge, restore_waiting(connection, kind, delivery_id)

    def apply(self, classes: Iterable[str]) -> None:
        """Let the rows of these classes count from now on."""
        accepted = sql.Literal(list(classes))
        self._do("merge_drop_declined", classes=accepted)
        self._do("merge_set_days")
        self._do("merge_affect", classes=accepted)
        write_slices(self._connection, self._kind)

    def close(self) -> None:
        """Remove the working tables."""
        drop_tables(self._connection)
        self._connection.execute("DROP TABLE IF EXISTS pg_temp.known, pg_temp.verdict, pg_temp.report")

    def _do(self, name: str, **parts: sql.Composable) -> None:
        self._connection.execute(statement(name, self._kind, **self._common(), **parts))

    def _carried(self, name: str) -> sql.Composable:
        known: sql.Composable = sql.Identifier("k", name)
        if name == "retired_on":
            # a pipe that is delivered again after its end is not said to have ended
            day = self._common()["day"]
            known = sql.SQL("CASE WHEN upper(k.valid) <= {} THEN NULL ELSE {} END").format(day, known)
        return sql.SQL("{} = {}").format(sql.Identifier(name), known)

    def _run(self, text: LiteralString) -> None:
        key = sql.Identifier(self._kind.id_column)
        self._connection.execute(sql.SQL(text).format(key=key))

    def _common(self) -> dict[str, sql.Composable]:
        names = stored_columns(self._kind)
        terms = self._terms
        distance = "CASE WHEN k.geom IS DISTINCT FROM i.geom THEN ST_HausdorffDistance(k.geom, i.geom) END"
        return {
            "day": sql.SQL("{}::date").format(sql.Literal(terms.day)),
            "valid_from": sql.SQL("{}::date").format(sql.Literal(terms.valid_from)),
            "moved": sql.Literal(terms.moved_m),
            "retired": sql.SQL("i.retired_on" if "retired_on" in names else "NULL::date"),
            "distance": sql.SQL(distance if self._kind.geometry_dtype else "NULL::double precision"),
            "known_columns": listed(names, "k"),
            "incoming_columns": listed(names, "i"),
        }
