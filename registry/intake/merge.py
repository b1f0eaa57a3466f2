"""Compare a delivery with what is known: which rows are new, changed, moved, under other ids, gone; then let it count.

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

from registry.db import query
from registry.history.deliveries import frame_of
from registry.history.slices import drop_tables, listed, make_tables, statement, stored_columns, write_slices
from registry.intake import recognition, succession
from registry.intake.recognition import Decisions
from registry.intake.waiting import confirm_waiting, restore_waiting
from registry.kinds import Kind

CLASSES: Final = ("added", "changed", "moved", "reopened", "renumbered", "split", "merged", "doubtful", "gone")
# what counts where nothing else is said: what is gone may only be missing, and what is doubtful a person decides
PLAIN_CLASSES: Final = tuple(name for name in CLASSES if name not in {"gone", "doubtful"})
# kinds of which a delivery is a census: what lies amidst its rows and is not among them may be gone
_CENSUS: Final = frozenset({"segments", "nodes", "compounds", "roads", "buildings", "valves"})
# a file that lacks more of what lies amidst its rows is a part of a census, not one in which so much is gone
_MOST_GONE: Final = 0.5
SEGMENTS: Final = "segments"


@dataclass(frozen=True)
class Terms:
    """The day that the rows speak of, from when changes are true, and what counts as moved."""

    day: date
    valid_from: date | None
    moved_m: float
    organisation: str | None = None


class Merge:
    """One delivery beside the rows that are known, inside the transaction that writes it."""

    def __init__(self, connection: psycopg.Connection, kind: Kind, terms: Terms) -> None:
        self._connection = connection
        self._kind = kind
        self._terms = terms
        self._carried: list[str] = []
        self._decided: list[str] = []
        self._is_resumed = False
        self._forget()
        make_tables(connection, kind)

    def compare(self, delivered: Iterable[str]) -> dict[str, int]:
        """Classify the rows of `incoming` and return how many there are of each class.

        `delivered` names the columns that the file has: a census that leaves one out says nothing about it.
        """
        self._run("CREATE INDEX ON incoming ({key})")
        self._connection.execute("ANALYZE incoming")
        self._do("merge_find_known")
        self._run("CREATE INDEX ON known ({key})")
        self._carried = [name for name in stored_columns(self._kind) if name not in set(delivered)]
        if self._carried:
            self._do("merge_carry_over", carried=sql.SQL(", ").join(map(self._known_value, self._carried)))
        self._do("merge_classify", **self._ownership("k", "i"))
        self._do("recognise_make")
        self._connection.execute("ANALYZE verdict")
        if self._recognises:
            recognition.recognise(
                self._connection, self._common() | self._ownership("o"), self._counted().get("unchanged", 0)
            )
        if self._kind.name in _CENSUS:
            self._do("merge_find_gone", most=sql.Literal(_MOST_GONE), **self._ownership("v"))
        self._connection.execute("CREATE INDEX ON verdict (object_id)")
        self._connection.execute("ANALYZE verdict")
        counted = self._counted()
        return {name: counted.get(name, 0) for name in (*CLASSES, "unchanged")}

    def _counted(self) -> dict[str, int]:
        return dict(self._connection.execute("SELECT class, count(*) FROM verdict GROUP BY class").fetchall())

    def has_recognised(self) -> bool:
        """Tell whether some rows are known under other ids, or may be."""
        row = self._connection.execute("SELECT EXISTS (SELECT FROM recognised)").fetchone()
        return row is not None and bool(row[0])

    @property
    def _recognises(self) -> bool:
        """Only segments are known by where they lie; every other kind by its id alone."""
        return self._kind.name == SEGMENTS

    def report(self) -> None:
        """Fill the table `report`: every value that would change, and every row that comes or goes."""
        names = [name for name in stored_columns(self._kind) if name != "geom"]
        differences: list[sql.Composable] = [
            sql.SQL("({name}, {old}::text, {new}::text, {old} IS DISTINCT FROM {new})").format(
                name=sql.Literal(name), old=sql.Identifier("k", name), new=sql.Identifier("i", name)
            )
            for name in names
        ]
        if self._kind.geometry_dtype:
            differences.append(sql.SQL("('geometry', NULL, NULL, k.geom IS DISTINCT FROM i.geom)"))
        self._do("merge_report", differences=sql.SQL(", ").join(differences))
        if self._recognises:
            # what was not delivered is carried over once it is settled from which segment
            told = [entry for name, entry in zip(names, differences, strict=False) if name not in self._carried]
            told += differences[len(names) :]
            self._do("recognise_report", differences=sql.SQL(", ").join(told))

    def report_frame(self) -> pd.DataFrame:
        """Return the report as a frame."""
        return frame_of(self._connection, query("report_unkept"))

    def keep_report(self, delivery_id: str, classes: Iterable[str] = CLASSES) -> None:
        """Store the report of a delivery that waits for review, or those classes of it that do."""
        self._connection.execute("DELETE FROM registry.change WHERE delivery_id = %s", [delivery_id])
        self._connection.execute(query("keep_report"), {"delivery_id": delivery_id, "classes": list(classes)})

    def decide(self, decisions: Decisions, doubts: pd.DataFrame) -> None:
        """Let doubtful rows be what a person says; they count with the next `apply`, whatever its classes are."""
        recognition.decide(self._connection, self._common(), decisions, doubts)
        self._decided = decisions.delivered_ids

    @classmethod
    def resumed(
        cls, connection: psycopg.Connection, kind: Kind, terms: Terms, delivery_id: str
    ) -> tuple[Merge, dict[str, int]]:
        """Return the comparison of a delivery that waits as it was made, and how many rows there are of each class.

        None of its rows is known under another id.
        """
        merge = cls(connection, kind, terms)
        merge._is_resumed = True
        return merge, restore_waiting(connection, kind, delivery_id)

    def apply(self, classes: Iterable[str]) -> None:
        """Let the rows of these classes count from now on, and those that were decided."""
        accepted = sql.Literal(list(classes))
        self._do("merge_drop_declined", classes=accepted, decided=sql.Literal(self._decided))
        self._do("merge_set_days")
        if self._recognises and not self._is_resumed:
            succession.prepare(self._connection, self._common(), self._carried)
            self._do("succeed_affect")
        self._do("merge_affect", classes=accepted)
        write_slices(self._connection, self._kind)
        if self._recognises and not self._is_resumed:
            succession.follow(self._connection, self._common())

    def confirm(self, delivery_id: str) -> None:
        """Keep which objects the delivery says again as they are known: it verifies them without a new version."""
        if self._is_resumed:
            confirm_waiting(self._connection, delivery_id)
            return
        self._do("merge_confirm", delivery_id=sql.Literal(delivery_id))

    def close(self) -> None:
        """Remove the working tables."""
        drop_tables(self._connection)
        self._forget()

    def _forget(self) -> None:
        names = ("known", "verdict", "report", *recognition.TABLES)
        tables = sql.SQL(", ").join(sql.Identifier("pg_temp", name) for name in names)
        self._connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(tables))

    def _do(self, name: str, **parts: sql.Composable) -> None:
        self._connection.execute(statement(name, self._kind, **self._common(), **parts))

    def _ownership(self, *tables: str) -> dict[str, sql.Composable]:
        """Return whose an object is, and whether it is for the one who delivers to say that it is gone."""
        if "owner" not in self._kind.attributes:
            return {"owner": sql.SQL("NULL::text"), "is_ours": sql.SQL("true")}
        owner = sql.SQL("coalesce({})").format(sql.SQL(", ").join(sql.Identifier(name, "owner") for name in tables))
        ours = sql.SQL("{} = {}").format(owner, sql.Literal(self._terms.organisation))
        return {"owner": owner, "is_ours": sql.SQL("true") if self._terms.organisation is None else ours}

    def _known_value(self, name: str) -> sql.Composable:
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
            "first_day": sql.SQL("{}::date").format(sql.Literal(terms.valid_from or terms.day)),
            "moved": sql.Literal(terms.moved_m),
            "retired": sql.SQL("i.retired_on" if "retired_on" in names else "NULL::date"),
            "distance": sql.SQL(distance if self._kind.geometry_dtype else "NULL::double precision"),
            "known_columns": listed(names, "k"),
            "incoming_columns": listed(names, "i"),
        }
