"""Take one delivered file in: read, understand, check, and write what is sound in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pandas as pd
import psycopg

from registry.errors import Interrupted
from registry.history.deliveries import NewDelivery, delivery_id
from registry.intake.delivery import Delivery, Kept, Request
from registry.intake.files import FileKeeper, delivered_parts
from registry.intake.merge import Terms
from registry.intake.promote import Writer, Written, repeated_delivery
from registry.intake.readers import check_readable

Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Receipt:
    """What became of a delivery: every row is accepted or held.

    Where `state` is pending, nothing counts yet: the changes wait for `digonce accept`.
    """

    delivery_id: str
    kind: str
    rows_read: int
    accepted: int
    held: int
    state: str = "accepted"
    added: int = 0
    changed: int = 0
    moved: int = 0
    reopened: int = 0
    renumbered: int = 0
    split: int = 0
    merged: int = 0
    doubtful: int = 0
    gone: int = 0
    unchanged: int = 0
    is_repeat: bool = False
    is_dry_run: bool = False
    notes: list[dict[str, object]] = field(default_factory=list)
    faults: pd.DataFrame = field(default_factory=pd.DataFrame)
    changes: pd.DataFrame = field(default_factory=pd.DataFrame)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a delivery: of the file, of all parts of a shapefile, of all files of a folder."""
    parts = delivered_parts(path)
    digest = sha256()
    for part in parts:
        if len(parts) > 1:
            digest.update(part.name.encode())
        with part.open("rb") as handle:
            while block := handle.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def content_key(request: Request, digest: str) -> str:
    """Return the key under which equal deliveries are recognised: file, kind, mapping, CRS, first day, organisation."""
    parts = [digest, request.kind.name, request.mapping.digest(), request.crs or ""]
    if request.valid_from is not None:
        parts.append(request.valid_from.isoformat())
    if request.organisation is not None:
        # two organisations may be handed the same file: what becomes of it differs
        parts.append(request.organisation)
    return sha256("\n".join(parts).encode()).hexdigest()


def import_delivery(
    connection: psycopg.Connection,
    request: Request,
    srid: int,
    info: str,
    report: Report = lambda _step, _done, _total: None,
) -> Receipt:
    """Import one file and return what became of its rows.

    The same file, kind, mapping, CRS and `valid_from` twice is a no-op that returns the first receipt. Rows with faults
    are held back with their reasons. Where the rest only adds to what is known, it goes in; where it would change what
    is known, it waits with a change report, unless the request accepts it at once. Everything is written in one
    transaction.

    Raises
    ------
    FileFaultError
        Where the file as a whole cannot be used; then nothing was written.
    """
    check_readable(request.path)
    digest = file_digest(request.path)
    key = request.key or content_key(request, digest)
    try:
        return _import(connection, request, srid, info, report, digest, key)
    except KeyboardInterrupt:
        earlier = None if request.is_dry_run else repeated_delivery(connection, key)
        if earlier:
            raise Interrupted("interrupted_after_import", delivery=earlier["delivery_id"]) from None
        raise Interrupted("interrupted_before_import") from None


def _import(
    connection: psycopg.Connection, request: Request, srid: int, info: str, report: Report, digest: str, key: str
) -> Receipt:
    earlier = repeated_delivery(connection, key)
    if earlier and not request.is_dry_run:
        return Receipt(**earlier, is_repeat=True)
    delivery = Delivery(connection, request, srid)
    report("read", 1, 1)
    keeper = FileKeeper(info, request.path, digest)

    def watched(step: str, done: int, total: int) -> None:
        if step == "index" and not request.is_dry_run:
            # the rows are sent; while the server builds indexes, the other processor is free
            keeper.start()
        report(step, done, total)

    writer = Writer(connection, request.kind, terms_of(request), watched)
    if request.is_dry_run:
        if earlier:
            delivery.notes.append({"code": "note_known_delivery", "delivery": earlier["delivery_id"]})
        return _receipt(request, delivery, _preview(writer, delivery))
    try:
        new = _new_delivery(request, delivery, digest, key, delivery_id(connection, key))
        written = writer.write(delivery, new, is_accepted=request.is_accepted, before_commit=keeper.finish)
    finally:
        keeper.join()
    if written is None:
        return Receipt(**(repeated_delivery(connection, key) or {}), is_repeat=True)
    return _receipt(request, delivery, written)


def terms_of(request: Request) -> Terms:
    """Return what the rows of a request are compared by."""
    return Terms(request.today, request.valid_from, request.moved_m, request.organisation)


def _preview(writer: Writer, delivery: Delivery) -> Written:
    if writer.is_empty():
        kept = Kept.of(delivery.parts())
        return Written("", "accepted", {"added": len(delivery) - kept.held}, kept)
    return writer.preview(delivery)


def _receipt(request: Request, delivery: Delivery, written: Written) -> Receipt:
    kept = written.kept

    def count(name: str) -> int:
        return written.counts.get(name, 0)

    return Receipt(
        delivery_id=written.delivery_id,
        kind=request.kind.name,
        rows_read=len(delivery),
        accepted=len(delivery) - kept.held,
        held=kept.held,
        state=written.state,
        added=count("added"),
        changed=count("changed"),
        moved=count("moved"),
        reopened=count("reopened"),
        renumbered=count("renumbered"),
        split=count("split"),
        merged=count("merged"),
        doubtful=count("doubtful"),
        gone=count("gone"),
        unchanged=count("unchanged"),
        is_dry_run=request.is_dry_run,
        notes=delivery.notes,
        faults=kept.faults(),
        changes=written.changes,
    )


def _new_delivery(request: Request, delivery: Delivery, digest: str, key: str, name: str) -> NewDelivery:
    parts = delivered_parts(request.path)
    return NewDelivery(
        delivery_id=name,
        kind=request.kind.name,
        content_key=key,
        actor=request.actor,
        organisation=request.organisation,
        file_name=request.path.name,
        file_sha256=digest,
        file_bytes=sum(part.stat().st_size for part in parts),
        mapping=request.mapping.model_dump(mode="json"),
        crs=delivery.crs,
        requested_crs=request.crs,
        encoding=delivery.encoding,
        source=request.source,
        action=request.action,
        follows=request.follows,
        valid_from=request.valid_from,
        reference_day=request.today,
        moved_m=request.moved_m,
        notes=delivery.notes,
    )
