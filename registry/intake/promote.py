"""Write an understood delivery: sound rows to the truth, the others to the list of held-back rows, all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

import pandas as pd
import psycopg
import pyarrow as pa
from psycopg import sql

from registry.arrow import compute as pc
from registry.db import query, writing
from registry.fields import fields
from registry.frames import copy_in
from registry.history.deliveries import NewDelivery, insert_delivery
from registry.history.slices import drop_tables, make_tables, statement
from registry.intake.delivery import Delivery, Kept, Understood
from registry.intake.held import keep_held, settle_held
from registry.intake.merge import CLASSES, PLAIN_CLASSES, Merge, Terms
from registry.intake.waiting import forget_waiting, keep_waiting
from registry.kinds import Kind
from registry.rights.acting import is_owner, organisation_in_force

# below this many rows building the indexes anew costs more than it saves
_BULK_ROWS: Final = 20_000
_COPY_STEP: Final = "write"
# what cannot be taken in without a look at it: something that is known would change
_REVIEWED: Final = tuple(name for name in CLASSES if name != "added")


# what is still to be done in the transaction, once the rows are written
Last = Callable[[psycopg.Connection], None]


@dataclass(frozen=True)
class Written:
    """What a delivery changes in what is known, whether it counts already, and what was held back."""

    delivery_id: str
    state: str
    counts: dict[str, int]
    kept: Kept
    changes: pd.DataFrame = field(default_factory=pd.DataFrame)


def repeated_delivery(connection: psycopg.Connection, key: str) -> dict[str, Any] | None:
    """Return the receipt of an earlier delivery of the same content, or None."""
    row = connection.execute(query("delivery_by_key"), [key]).fetchone()
    if row is None:
        return None
    names = ("delivery_id", "kind", "state", "rows_read", "accepted", "held", "added", "changed", "unchanged")
    return dict(zip(names, row, strict=True))


class Writer:
    """Writes one delivery of one kind in one transaction."""

    def __init__(
        self, connection: psycopg.Connection, kind: Kind, terms: Terms, report: Callable[[str, int, int], None]
    ) -> None:
        self._connection = connection
        self._kind = kind
        self._terms = terms
        self._report = report

    def write(
        self,
        delivery: Delivery,
        new: NewDelivery,
        *,
        is_accepted: bool,
        before_commit: Last,
    ) -> Written | None:
        """Write the delivery; where it would change what is known and is not accepted yet, keep its change report.

        None where somebody else delivered the same while this one was being read.
        """
        kept = Kept()
        with writing(self._connection, new.delivery_id):
            if repeated_delivery(self._connection, new.content_key) is not None:
                return None
            batches = self._batches(self._parts(delivery), kept)
            merge: Merge | None = None
            if self.is_empty():
                counts, state = {"added": self._load(batches, len(delivery))}, "accepted"
            else:
                merge, counts, state = self._merge(batches, len(delivery), is_accepted=is_accepted)
            insert_delivery(self._connection, new, state, len(delivery), kept.held, counts)
            if merge is not None:
                self._keep_findings(merge, new.delivery_id, state, counts)
            if new.action == "import":
                # rows that are held back again stay with the delivery that they came with
                keep_held(self._connection, new.delivery_id, self._kind, kept)
            if state == "accepted":
                self.settle(new.delivery_id)
            before_commit(self._connection)
        return Written(new.delivery_id, state, counts, kept)

    def preview(self, delivery: Delivery) -> Written:
        """Compare the delivery with what is known and write nothing."""
        kept = Kept()
        parts = self._parts(delivery)
        with self._connection.transaction(force_rollback=True):
            merge, counts = self._compare(self._batches(parts, kept), len(delivery))
            merge.report()
            changes = merge.report_frame()
        return Written("", "pending", counts, kept, changes)

    def compare(self, delivery: Delivery) -> tuple[dict[str, int], Merge]:
        """Compare inside the caller's transaction, fill the report, and return the counts and the comparison."""
        merge, counts = self._compare(self._batches(self._parts(delivery), Kept()), len(delivery))
        merge.report()
        return counts, merge

    def keep_for_review(self, merge: Merge, delivery_id: str) -> None:
        """Keep the report of a delivery that waits, and its rows as they were compared.

        The rows are not kept where some are known under other ids, nor for who acts for one organisation: what others
        have changed since cannot be told by who does not see it.
        """
        merge.keep_report(delivery_id)
        if merge.has_recognised() or organisation_in_force(self._connection) is not None:
            forget_waiting(self._connection, delivery_id)
        else:
            keep_waiting(self._connection, self._kind, delivery_id, self._ids)

    def settle(self, delivery_id: str) -> None:
        """Note the held-back rows of earlier deliveries whose objects came in with this one."""
        settle_held(self._connection, delivery_id, self._kind, self._ids)

    def _parts(self, delivery: Delivery) -> Iterable[Understood]:
        # places in words are looked up over the connection that the rows will be sent through
        return (
            list(delivery.parts()) if self._kind.is_placed_by_words or self._kind.takes_addresses else delivery.parts()
        )

    def _batches(self, parts: Iterable[Understood], kept: Kept) -> Iterator[pa.Table]:
        """Return the sound rows of each part as the table's columns; the others are kept aside."""
        contract = fields()[self._kind.name]
        self._ids: list[pa.Array] = []
        self._has_retired = False
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

    def is_empty(self) -> bool:
        """Tell whether nothing of this kind was ever recorded."""
        row = self._connection.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(self._versions)).fetchone()
        return row is not None and not row[0]

    @property
    def _versions(self) -> sql.Identifier:
        return sql.Identifier("registry", self._kind.version_table)

    @property
    def _identities(self) -> sql.Identifier:
        return sql.Identifier("registry", self._kind.table)

    def _load(self, batches: Iterator[pa.Table], row_count: int) -> int:
        """Fill two empty tables and return how many rows; for many rows the indexes are built afterwards."""
        if not is_owner(self._connection, self._kind.version_table):
            return self._stage(batches, row_count)
        is_bulk = row_count >= _BULK_ROWS
        versions, identities = (
            (self._make_ready(self._versions), self._make_ready(self._identities)) if is_bulk else ([], [])
        )
        sent = self._copy(self._versions, self._then_sort(batches), row_count, is_frozen=is_bulk)
        self._set_days()
        count = len(versions) + len(identities)
        self._build(versions, 0, count)
        for _sent in copy_in(self._connection, self._identities, [self._identity_rows], is_frozen=is_bulk):
            pass
        self._build(identities, len(versions), count)
        self._report("index", count, count)
        return sent

    def _build(self, definitions: list[str], done: int, count: int) -> None:
        for number, definition in enumerate(definitions, start=done):
            self._report("index", number, count)
            self._connection.execute(definition.encode())

    def _then_sort(self, batches: Iterator[pa.Table]) -> Iterator[pa.Table]:
        """Pass the batches on; the server has rows left to take then, and the ids are sorted meanwhile.

        They go in in the order of their index, which is built faster so.
        """
        yield from batches
        ids = pa.chunked_array(self._ids, type=pa.string()).combine_chunks()
        self._identity_rows = pa.table({self._kind.id_column: ids.take(pc.sort_indices(ids))})

    def _set_days(self) -> None:
        if self._kind.name == "segments" and (self._has_retired or self._terms.valid_from):
            self._connection.execute(query("load_set_days"), {"valid_from": self._terms.valid_from})
        elif self._terms.valid_from:
            self._set_first_day(self._versions)

    def _stage(self, batches: Iterator[pa.Table], row_count: int) -> int:
        """Fill an empty table by way of a temporary one, for who is subject to its policies, and return the rows."""
        connection, staged = self._connection, sql.Identifier("incoming")
        make_tables(connection, self._kind)
        connection.execute("ALTER TABLE incoming ALTER COLUMN valid SET DEFAULT '(,)'")
        sent = self._copy(staged, batches, row_count)
        if self._kind.name == "segments" and (self._has_retired or self._terms.valid_from):
            connection.execute(query("stage_set_days"), {"valid_from": self._terms.valid_from})
        elif self._terms.valid_from:
            self._set_first_day(staged)
        connection.execute(statement("slices_name", self._kind))
        connection.execute(statement("slices_insert", self._kind))
        drop_tables(connection)
        return sent

    def _set_first_day(self, table: sql.Identifier) -> None:
        day = sql.Literal(self._terms.valid_from)
        self._connection.execute(sql.SQL("UPDATE {} SET valid = daterange({}, NULL)").format(table, day))

    def _make_ready(self, table: sql.Identifier) -> list[str]:
        """Take off an empty table what slows a load and return how to make it again, the longest work first.

        These are the plain indexes, and defaults that would be computed for each row. The table is truncated:
        PostgreSQL then writes the rows without a log of them where its settings allow.
        """
        row = self._connection.execute(query("make_ready"), {"table": table.as_string(self._connection)}).fetchone()
        self._connection.execute(sql.SQL("TRUNCATE {}").format(table))
        definitions: list[str] = row[0] if row else []
        return definitions

    def _copy(
        self, target: sql.Composable, batches: Iterator[pa.Table], row_count: int, *, is_frozen: bool = False
    ) -> int:
        sent = 0
        for sent in copy_in(self._connection, target, batches, is_frozen=is_frozen):
            self._report(_COPY_STEP, sent, row_count)
        return sent

    def _compare(self, batches: Iterator[pa.Table], row_count: int) -> tuple[Merge, dict[str, int]]:
        merge = Merge(self._connection, self._kind, self._terms)
        first = next(batches)
        self._copy(sql.Identifier("incoming"), chain([first], batches), row_count)
        self._report("match", 0, 1)
        counts = merge.compare(first.column_names)
        self._report("match", 1, 1)
        return merge, counts

    def _merge(
        self, batches: Iterator[pa.Table], row_count: int, *, is_accepted: bool
    ) -> tuple[Merge, dict[str, int], str]:
        merge, counts = self._compare(batches, row_count)
        is_accepted = is_accepted or not any(counts[name] for name in _REVIEWED)
        if not is_accepted or counts["doubtful"]:
            merge.report()
        if not is_accepted:
            return merge, counts, "pending"
        # whatever is gone or doubtful needs a word of its own
        merge.apply(PLAIN_CLASSES)
        return merge, counts, "accepted"

    def _keep_findings(self, merge: Merge, delivery_id: str, state: str, counts: dict[str, int]) -> None:
        """Keep what waits for a person, and what an accepted delivery has said again as it was known."""
        if state == "pending":
            self.keep_for_review(merge, delivery_id)
            return
        merge.confirm(delivery_id)
        if counts["doubtful"]:
            merge.keep_report(delivery_id, ["doubtful"])
