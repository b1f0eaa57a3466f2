"""Write an understood delivery: sound rows to the truth, the others to the list of held-back rows, all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import numpy as np
import pandas as pd
import psycopg
import pyarrow as pa
import shapely
from psycopg import sql
from psycopg.types.json import Jsonb

from registry.db import columns_sql, query, writing
from registry.fields import fields
from registry.frames import copy_in
from registry.intake.delivery import Delivery, Kept, Understood
from registry.kinds import Kind

# below this many rows building the indexes anew costs more than it saves
_BULK_ROWS: Final = 20_000
_COPY_STEP: Final = "write"


@dataclass(frozen=True)
class Written:
    """How the accepted rows of a delivery changed what is known, and what was held back."""

    delivery_id: str
    added: int
    changed: int
    unchanged: int
    kept: Kept


def repeated_delivery(connection: psycopg.Connection, key: str) -> dict[str, Any] | None:
    """Return the receipt of an earlier delivery of the same content, or None."""
    row = connection.execute(query("delivery_by_key"), [key]).fetchone()
    if row is None:
        return None
    names = ("delivery_id", "kind", "rows_read", "accepted", "held", "added", "changed", "unchanged")
    return dict(zip(names, row, strict=True))


class Writer:
    """Writes one delivery of one kind in one transaction."""

    def __init__(
        self, connection: psycopg.Connection, kind: Kind, srid: int, report: Callable[[str, int, int], None]
    ) -> None:
        self._connection = connection
        self._kind = kind
        self._srid = srid
        self._report = report

    def write(self, delivery: Delivery, facts: dict[str, object]) -> Written | None:
        """Write the delivery and return how many rows were added, changed and unchanged.

        None where somebody else delivered the same while this one was being read.
        """
        delivery_id = self._delivery_id(str(facts["content_key"]))
        kept = Kept()
        parts: Iterable[Understood] = delivery.parts()
        if self._kind.name == "projects":
            # their extents are looked up over the connection that the rows will be sent through
            parts = list(parts)
        with writing(self._connection, delivery_id):
            if repeated_delivery(self._connection, str(facts["content_key"])) is not None:
                return None
            added, changed, unchanged = self._write_rows(parts, len(delivery), kept)
            counts = {
                "rows_read": len(delivery),
                "rows_accepted": added + changed + unchanged,
                "rows_held": kept.held,
                "rows_added": added,
                "rows_changed": changed,
                "rows_unchanged": unchanged,
            }
            self._write_delivery(delivery_id, facts | counts)
            self._write_held(delivery_id, kept)
        return Written(delivery_id, added, changed, unchanged, kept)

    def _delivery_id(self, key: str) -> str:
        """Return an id that a person can say: the day and the beginning of the content's hash."""
        row = self._connection.execute("SELECT to_char(now(), 'YYYYMMDD')").fetchone()
        return f"D{row[0] if row else ''}-{key[:8]}"

    def _batches(self, parts: Iterable[Understood], kept: Kept) -> Iterator[pa.Table]:
        """Return the sound rows of each part as the table's columns; the others are kept aside."""
        contract = fields()[self._kind.name]
        for part in parts:
            kept.add(part)
            held = part.findings.held
            columns = {self._kind.id_column: pa.Array.from_pandas(part.ids).cast(pa.string()), **part.rows}
            if self._kind.geometry_dtype is not None:
                if "elevations_m" in contract:
                    columns["elevations_m"] = part.placed.heights
                columns["geom"] = part.placed.packed
            table = pa.table(columns).filter(pa.array(~held)) if held.any() else pa.table(columns)
            self._ids.extend(table[self._kind.id_column].chunks)
            if "retired_on" in table.column_names:
                self._has_retired |= table["retired_on"].null_count < table.num_rows
            yield table

    def _write_rows(self, parts: Iterable[Understood], row_count: int, kept: Kept) -> tuple[int, int, int]:
        self._ids: list[pa.Array] = []
        self._row_count = row_count
        self._has_retired = False
        batches = self._batches(parts, kept)
        row = self._connection.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(self._versions)).fetchone()
        if row is not None and row[0]:
            return self._merge(batches)
        return self._load(batches), 0, 0

    @property
    def _versions(self) -> sql.Identifier:
        return sql.Identifier("registry", self._kind.version_table)

    def _load(self, batches: Iterator[pa.Table]) -> int:
        """Fill an empty table and return how many rows; for many rows the indexes are built afterwards."""
        connection = self._connection
        is_bulk = self._row_count >= _BULK_ROWS
        definitions = self._take_indexes_off() if is_bulk else []
        sent = self._copy(self._versions, batches, is_frozen=is_bulk)
        identities = pa.table({self._kind.id_column: pa.chunked_array(self._ids, type=pa.string())})
        for _sent in copy_in(connection, sql.Identifier("registry", self._kind.table), [identities], is_frozen=is_bulk):
            pass
        self._apply_retirement()
        for number, definition in enumerate(definitions):
            self._report("index", number, len(definitions))
            connection.execute(definition.encode())
        self._report("index", len(definitions), len(definitions))
        return sent

    def _take_indexes_off(self) -> list[str]:
        """Take the plain indexes off the two empty tables and return how to make them again.

        The tables are truncated first: PostgreSQL then writes the rows without a log of them where its settings allow.
        """
        definitions: list[str] = []
        for table in (self._kind.table, self._kind.version_table):
            name = sql.Identifier("registry", table)
            row = self._connection.execute(
                "SELECT registry_app.take_indexes_off(%s::regclass)", [f"registry.{table}"]
            ).fetchone()
            self._connection.execute(sql.SQL("TRUNCATE {}").format(name))
            definitions += row[0] if row else []
        return definitions

    def _copy(self, target: sql.Composable, batches: Iterator[pa.Table], *, is_frozen: bool = False) -> int:
        sent = 0
        for sent in copy_in(self._connection, target, batches, is_frozen=is_frozen):
            self._report(_COPY_STEP, sent, self._row_count)
        return sent

    def _merge(self, batches: Iterator[pa.Table]) -> tuple[int, int, int]:
        """Add what is new, supersede what differs, leave what is equal alone."""
        connection = self._connection
        names = self._stored_columns()
        first = next(batches)
        carried = [name for name in names if name not in first.column_names]
        parts: dict[str, sql.Composable] = {
            "incoming": sql.Identifier("incoming"),
            "versions": self._versions,
            "identity": sql.Identifier("registry", self._kind.table),
            "key": sql.Identifier(self._kind.id_column),
            "columns": columns_sql(names),
            "ours": sql.SQL(", ").join(sql.Identifier("v", name) for name in names),
            "theirs": sql.SQL(", ").join(sql.Identifier("i", name) for name in names),
        }
        connection.execute(
            sql.SQL(
                "CREATE TEMP TABLE {incoming} ON COMMIT DROP AS SELECT {key}, {columns} FROM {versions} LIMIT 0"
            ).format(**parts)
        )
        self._copy(sql.Identifier("incoming"), chain([first], batches))
        connection.execute(sql.SQL("CREATE INDEX ON {incoming} ({key})").format(**parts))
        connection.execute(sql.SQL("ANALYZE {incoming}").format(**parts))
        if carried:
            # a census that leaves a column out says nothing about it: what was known stays
            parts["carried"] = sql.SQL(", ").join(
                sql.SQL("{} = {}").format(sql.Identifier(name), sql.Identifier("v", name)) for name in carried
            )
            connection.execute(_statement("merge_carry_over", parts))
        unchanged = connection.execute(_statement("merge_drop_equal", parts)).rowcount
        changed = connection.execute(_statement("merge_close_changed", parts)).rowcount
        connection.execute(_statement("merge_name_new", parts))
        written = connection.execute(_statement("merge_insert", parts)).rowcount
        connection.execute(sql.SQL("DROP TABLE {incoming}").format(**parts))
        self._apply_retirement()
        return written - changed, changed, unchanged

    def _stored_columns(self) -> list[str]:
        contract = fields()[self._kind.name].values()
        names = [field.column for field in contract if field.role in {"attribute", "derived"}]
        return [*names, "geom"] if self._kind.geometry_dtype else names

    def _apply_retirement(self) -> None:
        """A pipe that was retired is true until that day."""
        if self._has_retired:
            self._connection.execute(query("end_retired_segments"))

    def _write_delivery(self, delivery_id: str, facts: dict[str, Any]) -> None:
        values = facts | {
            "delivery_id": delivery_id,
            "kind": self._kind.name,
            "mapping": Jsonb(facts["mapping"]),
            "notes": Jsonb(facts["notes"]),
        }
        self._connection.execute(query("insert_delivery"), values)

    def _write_held(self, delivery_id: str, kept: Kept) -> None:
        if not kept.held:
            return
        raw = pd.concat(kept.raw)
        shapes, given = np.concatenate(kept.geometry), np.concatenate(kept.given)
        lengths = shapely.length(np.where(shapely.is_missing(shapes), given, shapes))
        is_line = self._kind.geometry_dtype == "linestring"
        rows = [
            (
                delivery_id,
                int(number),
                Jsonb(_as_json(row, shape)),
                float(length) if is_line and np.isfinite(length) else None,
            )
            for number, row, shape, length in zip(
                raw.index.tolist(), raw.to_dict("records"), given, lengths, strict=True
            )
        ]
        with self._connection.cursor() as cursor:
            cursor.executemany(query("insert_held_row"), rows)
            cursor.executemany(
                query("insert_held_fault"),
                [
                    (
                        delivery_id,
                        fault["row_number"],
                        fault["column_name"],
                        fault["code"],
                        _text(fault["value"]),
                        _text(fault["offered"]),
                        Jsonb(fault["parameters"]),
                    )
                    for fault in kept.faults().to_dict("records")
                ],
            )


def _statement(name: str, parts: dict[str, sql.Composable]) -> sql.Composed:
    """Return a statement of `sql/query` with its identifiers filled in."""
    text: Any = query(name).decode()
    return sql.SQL(text).format(**parts)


def _text(value: object) -> str | None:
    return None if value is None or value != value else str(value)


def _as_json(row: dict[Any, Any], shape: shapely.Geometry | None) -> dict[str, Any]:
    values = {str(key): _text(value) for key, value in row.items()}
    if shape is not None and not shapely.is_missing(shape):
        values["geometry"] = shapely.to_wkt(shape, rounding_precision=3)
    return values
