"""Take one delivered file in: read, understand, check, and write what is sound in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import psycopg
import shapely

from registry.errors import FileFaultError
from registry.fields import fields
from registry.intake.checks import check_extent, check_rows
from registry.intake.convert import convert
from registry.intake.extents import fill_extents
from registry.intake.findings import Findings
from registry.intake.headings import Headings, known_headings, match_headings
from registry.intake.mapping import Mapping, unit_factor
from registry.intake.promote import Writer, Written, repeated_delivery
from registry.intake.readers import RawTable, read_raw
from registry.intake.shapes import Place, settle_shapes
from registry.kinds import Kind

Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Request:
    """What is to be imported and how."""

    kind: Kind
    path: Path
    mapping: Mapping
    crs: str | None
    source: str | None
    actor: str
    today: date
    is_dry_run: bool = False


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


@dataclass
class Understood:
    """A delivery after reading: our columns, geometry in the working CRS, and the faults by row."""

    raw: RawTable
    ids: pd.Series
    rows: pd.DataFrame
    geometry: npt.NDArray[Any]
    findings: Findings
    crs: str
    notes: list[dict[str, object]]


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
    understood = understand(connection, request, srid, report)
    held = understood.findings.held
    row_count = len(held)
    faults = understood.findings.table()
    faults.insert(0, "row_number", understood.raw.rows.index.to_numpy()[faults["position"].to_numpy(dtype=int)])
    if request.is_dry_run:
        written = Written("", 0, 0, 0)
    else:
        writer = Writer(connection, request.kind, srid, report)
        done = writer.write(understood, faults, _facts(request, understood, digest, key))
        if done is None:
            return Receipt(**(repeated_delivery(connection, key) or {}), is_repeat=True)
        written = done
    return Receipt(
        delivery_id=written.delivery_id,
        kind=request.kind.name,
        rows_read=row_count,
        accepted=int(row_count - held.sum()),
        held=int(held.sum()),
        added=written.added,
        changed=written.changed,
        unchanged=written.unchanged,
        is_dry_run=request.is_dry_run,
        notes=understood.notes,
        faults=faults,
    )


def _facts(request: Request, understood: Understood, digest: str, key: str) -> dict[str, object]:
    path = request.path
    size = path.stat().st_size if path.is_file() else sum(f.stat().st_size for f in path.rglob("*") if f.is_file())
    return {
        "file_name": path.name,
        "file_sha256": digest,
        "file_bytes": size,
        "content_key": key,
        "mapping": request.mapping.model_dump(mode="json"),
        "crs": understood.crs or None,
        "encoding": understood.raw.encoding,
        "source": request.source,
        "actor": request.actor,
        "notes": understood.notes,
    }


def understand(
    connection: psycopg.Connection, request: Request, srid: int, report: Report = lambda _step, _done, _total: None
) -> Understood:
    """Read a delivery and turn it into our columns; writes nothing."""
    report("read", 0, 4)
    kind, mapping = request.kind, request.mapping
    raw = read_raw(request.path, mapping.source, known_headings(kind))
    _filter_rows(raw, mapping, request.path.name)
    names = [str(name) for name in raw.rows.columns]
    headings = match_headings(names, kind, mapping, request.path.name)
    report("convert", 1, 4)
    findings = Findings(len(raw.rows))
    rows = _columns(raw, kind, mapping, headings, findings)
    ids = rows.pop(kind.id_column) if kind.id_column in rows else pd.Series(pd.NA, index=raw.rows.index, dtype="str")
    report("geometry", 2, 4)
    points = _point_columns(raw, headings, findings, mapping) if raw.geometry is None else None
    place = Place(kind, mapping, request.crs, srid, request.path.name)
    shapes = settle_shapes(raw, points, place, findings)
    geometry = shapes.geometry
    notes = [*raw.notes, *shapes.notes]
    if headings.unused:
        notes.append({"code": "note_columns_unused", "columns": ", ".join(headings.unused)})
    if raw.encoding and raw.encoding.lower() not in {"utf-8-sig", "utf-8"}:
        notes.append({"code": "note_encoding", "encoding": raw.encoding})
    report("check", 3, 4)
    check_rows(rows, ids, kind, request.today, findings)
    if kind.name == "projects":
        geometry = fill_extents(connection, rows, geometry, findings)
    if kind.geometry_dtype is not None:
        check_extent(shapely.is_missing(geometry), kind, findings)
    report("check", 4, 4)
    return Understood(raw, ids, rows, geometry, findings, shapes.crs, notes)


def _filter_rows(raw: RawTable, mapping: Mapping, file_name: str) -> None:
    """Keep the rows that the mapping asks for; the others are no part of this delivery and are counted in a note."""
    keep = np.ones(len(raw.rows), dtype=bool)
    for heading, wanted in mapping.filter.items():
        if heading not in raw.rows:
            raise FileFaultError("filter_heading_absent", file=file_name, heading=heading)
        values = wanted if isinstance(wanted, list) else [wanted]
        keep &= raw.rows[heading].isin(values).to_numpy()
    if keep.all():
        return
    raw.rows = raw.rows[keep]
    raw.geometry = raw.geometry[keep] if raw.geometry is not None else None
    raw.notes.append({"code": "note_rows_filtered", "count": int((~keep).sum())})
    if not keep.any():
        raise FileFaultError("file_without_rows", file=file_name)


def _columns(raw: RawTable, kind: Kind, mapping: Mapping, headings: Headings, findings: Findings) -> pd.DataFrame:
    columns: dict[str, pd.Series] = {}
    read: set[str] = set()
    reworded = dict(mapping.values)
    for field_ in fields()[kind.name].values():
        if field_.role not in {"index", "attribute"}:
            continue
        name = field_.column
        words = reworded.get(name, {})
        factor = unit_factor(mapping.units[name], field_.unit) or 1.0 if name in mapping.units else 1.0
        default = mapping.defaults.get(name)
        if name in headings.by_column:
            heading = headings.by_column[name]
            # the second end of an interval read from one heading has the same faults as the first
            noted = Findings(len(raw.rows)) if heading in read else findings
            read.add(heading)
            columns[name] = convert(raw.rows[heading], field_, noted, words, factor)
            if default is not None:
                stated = convert(pd.Series([default], dtype=object), field_, Findings(1), words, 1.0)
                columns[name] = columns[name].fillna(stated.iloc[0])
        elif default is not None:
            constant = pd.Series(default, index=raw.rows.index, dtype=object)
            columns[name] = convert(constant, field_, findings, words, 1.0)
    rows = pd.DataFrame(columns, index=raw.rows.index)
    if "ends_on" in rows and headings.by_column.get("ends_on") == headings.by_column.get("starts_on"):
        # one column for both: only a bare year or month says when the work ends
        rows["ends_on"] = rows["ends_on"].where(rows["ends_on"] != rows["starts_on"])
    return rows


def _point_columns(
    raw: RawTable, headings: Headings, findings: Findings, mapping: Mapping
) -> tuple[pd.Series, pd.Series] | None:
    """Return the coordinate columns of a table as numbers, or None where it has none."""
    names = [headings.by_column.get(axis) for axis in ("x", "y")]
    if names[0] is None or names[1] is None:
        return None
    template = fields()["nodes"]["ground_elevation_m"]
    numbers: list[pd.Series] = []
    for axis, name in zip(("x", "y"), names, strict=True):
        coordinate = replace(template, column=axis, minimum=None, maximum=None)
        factor = unit_factor(mapping.units[axis], "m") or 1.0 if axis in mapping.units else 1.0
        numbers.append(convert(raw.rows[name], coordinate, findings, {}, factor))
    return numbers[0], numbers[1]
