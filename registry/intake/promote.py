"""Write an understood delivery: sound rows to the truth, the others to the list of held-back rows, all or nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import psycopg
import pyarrow as pa
import shapely
from psycopg import sql
from psycopg.types.json import Jsonb

from registry.db import columns_sql, query, writing
from registry.fields import fields
from registry.frames import Shapes, copy_in, elevations, to_arrow
from registry.kinds import Kind

if TYPE_CHECKING:
    from registry.intake.importer import Understood

# below this many rows building the indexes anew costs more than it saves
_BULK_ROWS: Final = 20_000
_COPY_STEP: Final = "write"


@dataclass(frozen=True)
class Written:
    """How the accepted rows of a delivery changed what is known."""

    delivery_id: str
    added: int
    changed: int
    unchanged: int


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

    def write(self, understood: Understood, faults: pd.DataFrame, facts: dict[str, object]) -> Written | None:
        """Write the delivery and return how many rows were added, changed and unchanged.

        None where somebody else delivered the same while this one was being read.
        """
        held = understood.findings.held
        table = self._arrow(understood, ~held)
        self._shapes = Shapes(understood.geometry[~held], self._srid) if self._kind.geometry_dtype else None
        delivery_id = self._delivery_id(str(facts["content_key"]))
        with writing(self._connection, delivery_id):
            if repeated_delivery(self._connection, str(facts["content_key"])) is not None:
                return None
            added, changed, unchanged = self._write_rows(table)
            counts = {
                "rows_read": len(held),
                "rows_accepted": table.num_rows,
                "rows_held": int(held.sum()),
                "rows_added": added,
                "rows_changed": changed,
                "rows_unchanged": unchanged,
            }
            self._write_delivery(delivery_id, facts | counts)
            self._write_held(delivery_id, understood, faults)
        return Written(delivery_id, added, changed, unchanged)

    def _delivery_id(self, key: str) -> str:
        """Return an id that a person can say: the day and the beginning of the content's hash."""
        row = self._connection.execute("SELECT to_char(now(), 'YYYYMMDD')").fetchone()
        return f"D{row[0] if row else ''}-{key[:8]}"

    def _arrow(self, understood: Understood, sound: np.ndarray[Any, np.dtype[np.bool_]]) -> pa.Table:
        contract = fields()[self._kind.name]
        rows = understood.rows[sound]
        ids = understood.ids[sound]
        table = to_arrow(rows.reset_index(drop=True), contract)
        table = table.add_column(0, self._kind.id_column, pa.Array.from_pandas(ids).cast(pa.string()))
        if self._kind.geometry_dtype is not None:
            heights = elevations(understood.geometry[sound]) if "elevations_m" in contract else None
            if heights is not None:
                table = table.append_column("elevations_m", heights)
        return table

    def _write_rows(self, table: pa.Table) -> tuple[int, int, int]:
        row = self._connection.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(self._versions)).fetchone()
        if row is not None and row[0]:
            return self._merge(table)
        self._load(table)
        return table.num_rows, 0, 0

    @property
    def _versions(self) -> sql.Identifier:
        return sql.Identifier("registry", self._kind.version_table)

    def _load(self, table: pa.Table) -> None:
        """Fill an empty table; for many rows the indexes are built afterwards."""
        connection = self._connection
        identity = sql.Identifier("registry", self._kind.table)
        is_bulk = table.num_rows >= _BULK_ROWS
        definitions = self._take_indexes_off() if is_bulk else []
        self._copy(self._versions, table, is_frozen=is_bulk)
        for _sent in copy_in(connection, identity, table.select([self._kind.id_column]), is_frozen=is_bulk):
            pass
        self._apply_retirement(table)
        for number, definition in enumerate(definitions):
            self._report("index", number, len(definitions))
            connection.execute(definition.encode())
        self._report("index", len(definitions), len(definitions))

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

    def _copy(self, target: sql.Composable, table: pa.Table, *, is_frozen: bool = False) -> None:
        for sent in copy_in(self._connection, target, table, self._shapes, is_frozen=is_frozen):
            self._report(_COPY_STEP, sent, table.num_rows)

    def _merge(self, table: pa.Table) -> tuple[int, int, int]:
        """Add what is new, supersede what differs, leave what is equal alone."""
        connection = self._connection
        names = self._stored_columns()
        carried = [name for name in names if name not in table.column_names and name != "geom"]
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
        self._copy(sql.Identifier("incoming"), table)
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
        self._apply_retirement(table)
        return written - changed, changed, unchanged

    def _stored_columns(self) -> list[str]:
        contract = fields()[self._kind.name].values()
        names = [field.column for field in contract if field.role in {"attribute", "derived"}]
        return [*names, "geom"] if self._kind.geometry_dtype else names

    def _apply_retirement(self, table: pa.Table) -> None:
        """A pipe that was retired is true until that day."""
        if "retired_on" in table.column_names and table["retired_on"].null_count < table.num_rows:
            self._connection.execute(query("end_retired_segments"))

    def _write_delivery(self, delivery_id: str, facts: dict[str, Any]) -> None:
        values = facts | {
            "delivery_id": delivery_id,
            "kind": self._kind.name,
            "mapping": Jsonb(facts["mapping"]),
            "notes": Jsonb(facts["notes"]),
        }
        self._connection.execute(query("insert_delivery"), values)

    def _write_held(self, delivery_id: str, understood: Understood, faults: pd.DataFrame) -> None:
        positions = np.flatnonzero(understood.findings.held)
        if positions.size == 0:
            return
        raw = understood.raw.rows.iloc[positions]
        shapes = understood.geometry[positions]
        given = understood.raw.geometry[positions] if understood.raw.geometry is not None else shapes
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
                    for fault in faults.to_dict("records")
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
