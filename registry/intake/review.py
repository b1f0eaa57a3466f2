"""Review a delivery that waits: read its change report, accept all of it or some classes, or decline it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg

from registry.db import query, writing
from registry.errors import ReviewError
from registry.history.deliveries import frame_of
from registry.intake.delivery import Delivery, Request
from registry.intake.files import restore_file
from registry.intake.held import settle_held
from registry.intake.importer import Report, terms_of
from registry.intake.mapping import Mapping
from registry.intake.merge import CLASSES, Merge, Terms
from registry.intake.promote import Writer
from registry.intake.waiting import forget_waiting, is_fresh, waiting_ids
from registry.kinds import kind_named


@dataclass(frozen=True)
class Acceptance:
    """What was accepted, or that the report is another one by now and nothing was."""

    delivery_id: str
    kind: str
    is_stale: bool
    counts: dict[str, int]
    accepted_classes: tuple[str, ...]


def change_report(connection: psycopg.Connection, delivery_id: str) -> pd.DataFrame:
    """Return the change report of a delivery that waits or waited: one row for each value that differs.

    Columns: object_id, class, column_name, old_value, new_value, moved_m. A row that is added, reopened or gone has
    one line with an empty column name.
    """
    waiting(connection, delivery_id)
    return frame_of(connection, query("change_report"), [delivery_id])


def waiting(connection: psycopg.Connection, delivery_id: str, wanted: str | None = None) -> dict[str, Any]:
    """Return the record of a delivery.

    Raises
    ------
    ReviewError
        Where there is no such delivery, or where it is not in the wanted state.
    """
    found = frame_of(connection, query("delivery_record"), [delivery_id])
    if found.empty:
        raise ReviewError("delivery_unknown", delivery=delivery_id)
    record: dict[str, Any] = {str(name): value for name, value in found.to_dict("records")[0].items()}
    if wanted is not None and record["state"] != wanted:
        raise ReviewError(f"delivery_is_{record['state']}", delivery=delivery_id)
    return record


def accept_delivery(
    connection: psycopg.Connection,
    delivery_id: str,
    srid: int,
    classes: Iterable[str] = CLASSES,
    report: Report = lambda _step, _done, _total: None,
) -> Acceptance:
    """Let a delivery that waits count from now on, whole or only some classes of its changes.

    Where other deliveries count since the report was made, the delivered file is read again and compared anew; where
    the report would say something else now, the new one is kept and nothing is accepted: look again.

    Raises
    ------
    ReviewError
        Where the delivery is unknown or does not wait.
    """
    chosen = tuple(name for name in CLASSES if name in set(classes))
    record = waiting(connection, delivery_id, "pending")
    accepted = _accept_as_kept(connection, record, chosen)
    if accepted is not None:
        return accepted
    with tempfile.TemporaryDirectory(prefix="digonce-accept-") as folder:
        path = restore_file(connection, record["file_sha256"], record["file_name"], Path(folder))
        request = request_again(record, path)
        delivery = Delivery(connection, request, srid)
        report("read", 1, 1)
        writer = Writer(connection, request.kind, terms_of(request), report)
        with writing(connection, delivery_id):
            waiting(connection, delivery_id, "pending")
            counts, merge = writer.compare(delivery)
            if _has_changed(connection, delivery_id):
                writer.keep_for_review(merge, delivery_id)
                merge.close()
                return Acceptance(delivery_id, request.kind.name, True, counts, ())
            writer.settle(delivery_id)
            return _accept(connection, delivery_id, merge, counts, chosen)


def _accept_as_kept(
    connection: psycopg.Connection, record: dict[str, Any], chosen: tuple[str, ...]
) -> Acceptance | None:
    """Let the rows count as they were compared; None where others have counted since."""
    delivery_id, kind = str(record["delivery_id"]), kind_named(record["kind"])
    if not is_fresh(connection, kind, delivery_id):
        return None
    with writing(connection, delivery_id):
        record = waiting(connection, delivery_id, "pending")
        if not is_fresh(connection, kind, delivery_id):
            return None
        terms = Terms(record["reference_day"], record["valid_from"], record["moved_m"])
        merge, found = Merge.resumed(connection, kind, terms, delivery_id)
        counts = {name: found.get(name, 0) for name in CLASSES} | {"unchanged": record["rows_unchanged"]}
        settle_held(connection, delivery_id, kind, waiting_ids(connection, delivery_id))
        return _accept(connection, delivery_id, merge, counts, chosen)


def _accept(
    connection: psycopg.Connection, delivery_id: str, merge: Merge, counts: dict[str, int], chosen: tuple[str, ...]
) -> Acceptance:
    merge.apply(chosen)
    merge.close()
    forget_waiting(connection, delivery_id)
    connection.execute(query("accept_delivery"), {"delivery_id": delivery_id, "classes": list(chosen)})
    record = waiting(connection, delivery_id)
    return Acceptance(delivery_id, record["kind"], False, counts, chosen)


def decline_delivery(connection: psycopg.Connection, delivery_id: str) -> None:
    """Refuse a delivery that waits; its report is kept, and the same file may be delivered again."""
    with writing(connection):
        waiting(connection, delivery_id, "pending")
        forget_waiting(connection, delivery_id)
        connection.execute("UPDATE registry.delivery SET state = 'declined' WHERE delivery_id = %s", [delivery_id])


def request_again(record: dict[str, Any], path: Path) -> Request:
    """Return the request of an earlier delivery for the same rows in another place."""
    day: date = record["reference_day"]
    return Request(
        kind=kind_named(record["kind"]),
        path=path,
        mapping=Mapping.model_validate(record["mapping"]),
        crs=record["requested_crs"],
        source=record["source"],
        actor=record["actor"],
        today=day,
        valid_from=record["valid_from"],
        moved_m=record["moved_m"],
    )


def _has_changed(connection: psycopg.Connection, delivery_id: str) -> bool:
    row = connection.execute(query("report_differs"), {"delivery_id": delivery_id}).fetchone()
    return bool(row and row[0])
