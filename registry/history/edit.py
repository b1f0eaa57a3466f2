"""Change one object by hand: some of its values, from some day on, with who, why and on whose word."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, LiteralString

import pandas as pd
import psycopg
import shapely
from psycopg import sql

from registry.catalogue import catalogue
from registry.db import writing
from registry.errors import EditError, NotFoundError
from registry.fields import fields
from registry.history.deliveries import NewDelivery, delivery_id, frame_of, insert_delivery, new_key
from registry.history.slices import make_tables, statement, stored_columns, write_slices
from registry.kinds import Kind

Days = tuple[date | None, date | None]
_SQL_TYPES: Final[dict[str, LiteralString]] = {
    "text": "text",
    "date": "date",
    "double": "double precision",
    "double[]": "double precision[]",
    "integer": "integer",
    "boolean": "boolean",
}


@dataclass(frozen=True)
class Warrant:
    """On whose word something is changed by hand, and whether it is only to be shown."""

    actor: str
    source: str | None = None
    reason: str | None = None
    # refuse where the object was changed by somebody else after this instant
    seen_at: datetime | None = None
    is_dry_run: bool = False


@dataclass(frozen=True)
class Edited:
    """What an edit changed: one row for each value and slice of time; without an id it was only shown."""

    delivery_id: str | None
    changes: pd.DataFrame


def correct(
    connection: psycopg.Connection,
    kind: Kind,
    object_id: str,
    values: Mapping[str, str],
    warrant: Warrant,
    days: Days = (None, None),
) -> Edited:
    """Set values of one object, as words of a survey, for some days; without days for all of its life.

    Every slice of time within the days keeps its other values. Values that are set already change nothing.

    Raises
    ------
    EditError
        Where a column or value is not understood, where nothing would change, where the object is not known in these
        days, or where somebody changed it after `seen_at`.
    """
    understood = understand(kind, values)

    def work(editing: Editing) -> None:
        editing.refuse_if_changed(object_id)
        editing.say(understood)
        editing.set_values(object_id, understood, days)

    return run_edit(connection, kind, warrant, "correct", days[0], work)


def understand(kind: Kind, values: Mapping[str, str]) -> dict[str, Any]:
    """Return words of a survey as values of our columns; an empty word means unknown.

    Raises
    ------
    EditError
        With the first column that is not ours or value that is not understood.
    """
    from registry.intake.convert import convert
    from registry.intake.findings import Findings
    from registry.intake.reasons import reason

    found: dict[str, Any] = {}
    for name, word in values.items():
        field = fields()[kind.name].get(name)
        if field is None or field.role != "attribute":
            raise EditError("column_not_editable", kind=kind.name, column=name, columns=", ".join(kind.attributes))
        findings = Findings(1)
        found[name] = convert(pd.Series([word], dtype=object), field, findings, {}, 1.0)[0].as_py()
        faults = findings.table().to_dict("records")
        if faults:
            raise EditError("value_not_understood", reason=reason({**faults[0], "column_name": name}, kind.name, "en"))
        if found[name] is None and not field.is_nullable:
            raise EditError("value_required", column=name)
    return found


class Editing:
    """One edit inside its transaction: slices are gathered, then written together."""

    def __init__(self, connection: psycopg.Connection, kind: Kind, warrant: Warrant, new: NewDelivery) -> None:
        self._connection = connection
        self._kind = kind
        self._warrant = warrant
        self._new = new
        self._then: list[Callable[[], None]] = []
        self._said: set[str] = set()
        make_tables(connection, kind)

    def refuse_if_changed(self, object_id: str) -> None:
        """Raise where the object is unknown, or was changed after the instant at which it was seen."""
        row = self._connection.execute(
            statement("object_seen", self._kind, object_id=sql.Literal(object_id))
        ).fetchone()
        if row is None or row[0] is None:
            raise NotFoundError("object_unknown", kind=self._kind.name, object=object_id)
        if self._warrant.seen_at is not None and row[0] > self._warrant.seen_at:
            raise EditError("object_changed_meanwhile", object=object_id, instant=row[0].isoformat(timespec="seconds"))

    def set_values(self, object_id: str, values: Mapping[str, Any], days: Days) -> None:
        """Set these values in every slice of the object, for its days within `days`."""
        self._do("edit_slices", object_id, days, edited=self._edited(values))

    def say(self, columns: Iterable[str]) -> None:
        """Note that these attributes are said anew, and so verified; all others are only carried over."""
        self._said.update(columns)

    def withdraw(self, object_id: str, days: Days) -> None:
        """Let the object not exist in its days within `days`."""
        self._do("edit_withdraw", object_id, days)

    def derive(self, object_id: str, new_id: str, values: Mapping[str, Any], days: Days) -> None:
        """Make another object of it: the same slices within `days` with these values set."""
        new = sql.Literal(new_id)
        self._do("edit_derive", object_id, days, edited=self._edited(values), new_id=new)
        self._connection.execute(statement("edit_affect_new", self._kind, new_id=new))

    @property
    def delivery_id(self) -> str:
        """The delivery that this edit will be."""
        return self._new.delivery_id

    def add(self, new_id: str, values: Mapping[str, Any]) -> None:
        """Make an object that did not exist, for all days; values that are not given are unknown."""
        new = sql.Literal(new_id)
        every = dict.fromkeys(stored_columns(self._kind)) | dict(values)
        self._connection.execute(statement("edit_add", self._kind, new_id=new, edited=self._edited(every)))
        self._connection.execute(statement("edit_affect_new", self._kind, new_id=new))

    def put(self, object_id: str, values: Mapping[str, Any], days: Days) -> None:
        """Let an object be this on these days, whatever it was; values that are not given are unknown."""
        every = dict.fromkeys(stored_columns(self._kind)) | dict(values)
        put_slice(self._connection, self._kind, object_id, self._edited(every), days)

    def note_end(self, object_id: str, day: date, values: Mapping[str, Any]) -> None:
        """Set values in the slice that ends on `day`; where the object begins on that day there is none."""
        text = statement("slice_before", self._kind, object_id=sql.Literal(object_id), day=sql.Literal(day))
        row = self._connection.execute(text).fetchone()
        if row is not None:
            self.set_values(object_id, values, (row[0], day))

    def packed(self, shape: shapely.Geometry) -> bytes:
        """Return a geometry of the working CRS as the database takes it."""
        row = self._connection.execute("SELECT srid FROM registry.info").fetchone()
        return bytes(shapely.to_wkb(shapely.set_srid(shape, row[0] if row else 0), include_srid=True))

    def then(self, follow: Callable[[], None]) -> None:
        """Do something more in the same transaction, once the slices are written."""
        self._then.append(follow)

    def finish(self) -> Edited:
        """Show what would change; unless that was all that was asked for, write it."""
        changes = self._report()
        if changes.empty:
            raise EditError("edit_changes_nothing")
        if self._warrant.is_dry_run:
            raise _OnlyShownError(changes)
        write_slices(self._connection, self._kind)
        for follow in self._then:
            follow()
        counts = {name: changes.loc[changes["class"] == name, "object_id"].nunique() for name in ("added", "changed")}
        new = replace(self._new, said_columns=sorted(self._said))
        insert_delivery(self._connection, new, "accepted", sum(counts.values()), 0, counts)
        return Edited(self._new.delivery_id, changes)

    def _do(self, name: str, object_id: str, days: Days, **parts: sql.Composable) -> None:
        identified = {"days": _span(days), "object_id": sql.Literal(object_id)}
        self._connection.execute(statement(name, self._kind, **identified, **parts))

    def _edited(self, values: Mapping[str, Any]) -> sql.Composed:
        """Return the stored columns, those that are set as their values."""
        return edited_columns(self._kind, values)

    def _report(self) -> pd.DataFrame:
        differences: list[sql.Composable] = [
            sql.SQL("({name}, {old}::text, {new}::text, {old} IS DISTINCT FROM {new})").format(
                name=sql.Literal("geometry" if name == "geom" else name),
                old=sql.Identifier("k", name),
                new=sql.Identifier("i", name),
            )
            for name in stored_columns(self._kind)
        ]
        distance = "ST_HausdorffDistance(k.geom, i.geom)" if self._kind.geometry_dtype else "NULL::double precision"
        parts = {"differences": sql.SQL(", ").join(differences), "distance": sql.SQL(distance)}
        text = statement("edit_report", self._kind, **parts)
        return frame_of(self._connection, text)


def edited_columns(kind: Kind, values: Mapping[str, Any]) -> sql.Composed:
    """Return the stored columns of a kind, those that are set as their values."""
    return sql.SQL(", ").join(
        _value(kind, name, values[name]) if name in values else sql.Identifier(name) for name in stored_columns(kind)
    )


def put_slice(connection: psycopg.Connection, kind: Kind, object_id: str, edited: sql.Composed, days: Days) -> None:
    """Put one slice of an object into the working tables that `make_tables` has made for its kind."""
    parts = {"object_id": sql.Literal(object_id), "edited": edited, "days": _span(days)}
    connection.execute(statement("edit_put", kind, **parts))


class _OnlyShownError(Exception):
    """Ends the transaction of an edit that was only to be shown."""

    def __init__(self, changes: pd.DataFrame) -> None:
        super().__init__()
        self.changes = changes


def run_edit(
    connection: psycopg.Connection,
    kind: Kind,
    warrant: Warrant,
    action: str,
    valid_from: date | None,
    work: Callable[[Editing], None],
) -> Edited:
    """Run one edit as one delivery, all or nothing; where it is only to be shown, nothing.

    Raises
    ------
    EditError
        Where the edit says so, or where the change would break a rule of the data.
    """
    key = new_key()
    name = delivery_id(connection, key)
    new = NewDelivery(
        name,
        kind.name,
        key,
        warrant.actor,
        action=action,
        source=warrant.source,
        reason=warrant.reason,
        valid_from=valid_from,
    )
    try:
        with writing(connection, name):
            editing = Editing(connection, kind, warrant, new)
            work(editing)
            return editing.finish()
    except _OnlyShownError as shown:
        return Edited(None, shown.changes)
    except psycopg.errors.CheckViolation as fault:
        rule = fault.diag.constraint_name or ""
        known = f"rule_{rule}"
        raise EditError(known if known in catalogue() else "edit_breaks_rule", rule=rule) from fault


def _span(days: Days) -> sql.Composed:
    return sql.SQL("daterange({}, {})").format(_day(days[0]), _day(days[1]))


def _day(day: date | None) -> sql.Composable:
    return sql.SQL("{}::date").format(sql.Literal(day))


def _value(kind: Kind, column: str, value: object) -> sql.Composed:
    if column == "geom":
        return sql.SQL("ST_GeomFromEWKB({})").format(sql.Literal(value))
    return sql.SQL("{}::{}").format(sql.Literal(value), sql.SQL(_SQL_TYPES[fields()[kind.name][column].dtype]))
