"""Take one delivered file in: read, understand, check, and write what is sound in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pandas as pd
import psycopg

from registry.errors import FileFaultError
from registry.intake.delivery import Delivery, Kept, Request
from registry.intake.promote import Writer, Written, repeated_delivery

Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Receipt:
    """What became of a delivery: every row is accepted or held."""

    delivery_id: str
    kind: str
    rows_read: int
    accepted: int
    held: int
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    is_repeat: bool = False
    is_dry_run: bool = False
    notes: list[dict[str, object]] = field(default_factory=list)
    faults: pd.DataFrame = field(default_factory=pd.DataFrame)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a delivery: of the file, of all parts of a shapefile, of all files of a folder."""
    if path.is_dir():
        parts = sorted(entry for entry in path.rglob("*") if entry.is_file())
    elif path.suffix.lower() == ".shp":
        parts = sorted(entry for entry in path.parent.iterdir() if entry.stem == path.stem)
    else:
        parts = [path]
    digest = sha256()
    for part in parts:
        if len(parts) > 1:
            digest.update(part.name.encode())
        with part.open("rb") as handle:
            while block := handle.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def content_key(request: Request, digest: str) -> str:
    """Return the key under which equal deliveries are recognised: file, kind, mapping and CRS."""
    text = "\n".join((digest, request.kind.name, request.mapping.digest(), request.crs or ""))
    return sha256(text.encode()).hexdigest()


def import_delivery(
    connection: psycopg.Connection, request: Request, srid: int, report: Report = lambda _step, _done, _total: None
) -> Receipt:
    """Import one file and return what became of its rows.

    The same file, kind, mapping and CRS twice is a no-op that returns the first receipt. Rows with faults are held
    back with their reasons; the rest goes in. Everything is written in one transaction.

    Raises
    ------
    FileFaultError
        Where the file as a whole cannot be used; then nothing was written.
    """
    if not request.path.exists():
        raise FileFaultError("file_absent", file=str(request.path))
    digest = file_digest(request.path)
    key = content_key(request, digest)
    if earlier := repeated_delivery(connection, key):
        return Receipt(**earlier, is_repeat=True)
    delivery = Delivery(connection, request, srid)
    report("read", 1, 1)
    if request.is_dry_run:
        kept = Kept.of(delivery.parts())
        return _receipt(request, delivery, kept, Written("", 0, 0, 0, kept))
    writer = Writer(connection, request.kind, srid, report)
    written = writer.write(delivery, _facts(request, delivery, digest, key))
    if written is None:
        return Receipt(**(repeated_delivery(connection, key) or {}), is_repeat=True)
    return _receipt(request, delivery, written.kept, written)


def _receipt(request: Request, delivery: Delivery, kept: Kept, written: Written) -> Receipt:
    return Receipt(
        delivery_id=written.delivery_id,
        kind=request.kind.name,
        rows_read=len(delivery),
        accepted=len(delivery) - kept.held,
        held=kept.held,
        added=written.added,
        changed=written.changed,
        unchanged=written.unchanged,
        is_dry_run=request.is_dry_run,
        notes=delivery.notes,
        faults=kept.faults(),
    )


def _facts(request: Request, delivery: Delivery, digest: str, key: str) -> dict[str, object]:
    path = request.path
    size = path.stat().st_size if path.is_file() else sum(f.stat().st_size for f in path.rglob("*") if f.is_file())
    return {
        "file_name": path.name,
        "file_sha256": digest,
        "file_bytes": size,
        "content_key": key,
        "mapping": request.mapping.model_dump(mode="json"),
        "crs": delivery.crs,
        "encoding": delivery.encoding,
        "source": request.source,
        "actor": request.actor,
        "notes": delivery.notes,
    }
