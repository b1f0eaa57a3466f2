"""Review a delivery that waits: read its change report, accept all or some classes of it, decide doubts, decline it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import pandas as pd
import psycopg

from registry.db import query, writing
from registry.errors import ReviewError
from registry.history.deliveries import NewDelivery, frame_of, insert_delivery, new_key
from registry.history.deliveries import delivery_id as delivery_identifier
from registry.intake.delivery import Delivery, Request
from registry.intake.files import restore_file
from registry.intake.held import settle_held
from registry.intake.importer import Report, terms_of
from registry.intake.mapping import Mapping
from registry.intake.merge import CLASSES, Merge, Terms
from registry.intake.promote import Writer
from registry.intake.recognition import Decisions, open_doubts
from registry.intake.waiting import forget_waiting, is_fresh, waiting_ids
from registry.kinds import kind_named
from registry.rights.acting import organisation_in_force, refuse_foreign_delivery

NOTHING_DECIDED: Final = Decisions()


@dataclass(frozen=True)
class Acceptance:
    """What was accepted, or that the report is another one by now and nothing was."""

    delivery_id: str
    kind: str
    is_stale: bool
    counts: dict[str, int]
    accepted_classes: tuple[str, ...]
    # delivered segments of which nobody has said yet which known ones they are
    undecided: tuple[str, ...] = ()


def change_report(connection: psycopg.Connection, delivery_id: str) -> pd.DataFrame:
    """Return the change report of a delivery that waits or waited: one row for each value that differs.

    It has the frame contract `changes`. What becomes of a whole row (added, reopened, gone, under another id, doubtful)
    is a line with an empty column name; one for each known id.
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
    decisions: Decisions = NOTHING_DECIDED,
) -> Acceptance:
    """Let a delivery that waits count from now on, whole or only some classes of its changes.

    Doubtful segments never count by their class, only by a decision; the others stay open for `decide_doubts`. The
    rows count as they were compared. Where other deliveries count since, where rows are known under other ids, and for
    who acts for one organisation, the delivered file is read again and compared anew; where the report would say
    something else now, the new one is kept and nothing is accepted: look again.

    Raises
    ------
    ReviewError
        Where the delivery is unknown or does not wait, or a decision cannot be.
    RightsError
        Where it was made for another organisation.
    """
    chosen = tuple(name for name in CLASSES if name in set(classes) - {"doubtful"})
    record = waiting(connection, delivery_id, "pending")
    refuse_foreign_delivery(connection, record)
    accepted = None if decisions else _accept_as_kept(connection, record, chosen)
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
            if decisions:
                merge.decide(decisions, open_doubts(connection, delivery_id))
            accepted = _accept(connection, delivery_id, merge, counts, chosen)
            _settle(connection, delivery_id, delivery_id, decisions)
            return replace(accepted, undecided=_undecided(connection, delivery_id))


def decide_doubts(
    connection: psycopg.Connection,
    delivery_id: str,
    srid: int,
    decisions: Decisions,
    actor: str,
    report: Report = lambda _step, _done, _total: None,
) -> Acceptance:
    """Let doubtful segments of a delivery that counts already be what a person says, as a delivery of its own.

    Raises
    ------
    ReviewError
        Where the delivery does not count, a segment is not in doubt or decided already, or a decision cannot be.
    RightsError
        Where it was made for another organisation.
    """
    record = waiting(connection, delivery_id, "accepted")
    refuse_foreign_delivery(connection, record)
    key = new_key()
    with tempfile.TemporaryDirectory(prefix="digonce-decide-") as folder:
        path = restore_file(connection, record["file_sha256"], record["file_name"], Path(folder))
        request = request_again(record, path)
        delivery = Delivery(connection, request, srid)
        report("read", 1, 1)
        with writing(connection, made := delivery_identifier(connection, key)):
            waiting(connection, delivery_id, "accepted")
            _counts, merge = Writer(connection, request.kind, terms_of(request), report).compare(delivery)
            merge.decide(decisions, open_doubts(connection, delivery_id))
            merge.apply(())
            merge.close()
            new_ones = len(decisions.different)
            counts = {"added": new_ones, "changed": len(decisions.delivered_ids) - new_ones}
            new = NewDelivery(
                made,
                request.kind.name,
                key,
                actor,
                action="decide",
                organisation=request.organisation,
                source=record["source"],
                follows=delivery_id,
                valid_from=request.valid_from,
                reference_day=request.today,
                moved_m=request.moved_m,
            )
            insert_delivery(connection, new, "accepted", sum(counts.values()), 0, counts)
            _settle(connection, delivery_id, made, decisions)
            return Acceptance(made, request.kind.name, False, counts, (), _undecided(connection, delivery_id))


def _settle(connection: psycopg.Connection, delivery_id: str, settled_by: str, decisions: Decisions) -> None:
    parameters = {"delivery_id": delivery_id, "settled_by": settled_by, "ids": decisions.delivered_ids}
    connection.execute(query("settle_doubtful"), parameters)


def _undecided(connection: psycopg.Connection, delivery_id: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(open_doubts(connection, delivery_id)["delivered_id"]))


def _accept_as_kept(
    connection: psycopg.Connection, record: dict[str, Any], chosen: tuple[str, ...]
) -> Acceptance | None:
    """Let the rows count as they were compared; None where others have counted since."""
    delivery_id, kind = str(record["delivery_id"]), kind_named(record["kind"])
    if organisation_in_force(connection) is not None or not is_fresh(connection, kind, delivery_id):
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
    merge.confirm(delivery_id)
    merge.close()
    forget_waiting(connection, delivery_id)
    connection.execute(query("accept_delivery"), {"delivery_id": delivery_id, "classes": list(chosen)})
    record = waiting(connection, delivery_id)
    return Acceptance(delivery_id, record["kind"], False, counts, chosen)


def decline_delivery(connection: psycopg.Connection, delivery_id: str) -> None:
    """Refuse a delivery that waits; its report is kept, and the same file may be delivered again."""
    with writing(connection):
        refuse_foreign_delivery(connection, waiting(connection, delivery_id, "pending"))
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
        organisation=record["organisation"],
    )


def _has_changed(connection: psycopg.Connection, delivery_id: str) -> bool:
    row = connection.execute(query("report_differs"), {"delivery_id": delivery_id}).fetchone()
    return bool(row and row[0])
