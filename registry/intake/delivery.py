"""One delivered file: read whole, understood part by part, so that writing can begin while the rest is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import psycopg
import pyarrow as pa
import shapely

from registry.arrow import compute as pc
from registry.errors import FileFaultError, RightsError
from registry.fields import fields
from registry.intake.addresses import POSITION_COLUMNS, Addresses
from registry.intake.checks import Columns, check_extent, check_ids, check_rows
from registry.intake.content_ids import content_ids
from registry.intake.convert import convert
from registry.intake.extents import Extents
from registry.intake.findings import Findings
from registry.intake.headings import Headings, known_headings, match_headings
from registry.intake.mapping import Mapping, unit_factor
from registry.intake.placed import Placed
from registry.intake.progress import check_progress
from registry.intake.readers import RawTable, read_raw
from registry.intake.shapes import Place, Settled, Source, make_points, place_shapes, settle, shape_rows
from registry.kinds import Kind
from registry.rights.ownership import hold_objects_of_others, hold_rows_of_others

Geometries = npt.NDArray[Any]

PART_ROWS: Final = 16_384
# farther than two surveys of one pipe usually differ
MOVED_M: Final = 1.0


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
    is_accepted: bool = False
    valid_from: date | None = None
    moved_m: float = MOVED_M
    # held-back rows that are tried again: which delivery they are of
    action: str = "import"
    follows: str | None = None
    key: str | None = None
    # for whom it is delivered: rows of others are held back; None for all
    organisation: str | None = None


@dataclass
class Understood:
    """Some rows of a delivery: our columns, geometry in the working CRS and as given, and the faults by row."""

    raw: pd.DataFrame
    ids: pd.Series
    rows: Columns
    placed: Placed
    given: Source
    findings: Findings


@dataclass
class Kept:
    """What was held back, gathered over the parts: rows as delivered, their geometry, their faults."""

    raw: list[pd.DataFrame] = field(default_factory=list)
    geometry: list[Geometries] = field(default_factory=list)
    given: list[Geometries] = field(default_factory=list)
    ids: list[pd.Series] = field(default_factory=list)
    owners: list[pa.Array] = field(default_factory=list)
    tables: list[pd.DataFrame] = field(default_factory=list)

    @classmethod
    def of(cls, parts: Iterable[Understood]) -> Kept:
        """Gather what all parts hold back, without writing anything."""
        kept = cls()
        for part in parts:
            kept.add(part)
        return kept

    def add(self, part: Understood) -> None:
        """Take the held-back rows of one part."""
        held = part.findings.held
        if held.any():
            faults = part.findings.table()
            faults.insert(0, "row_number", part.raw.index.to_numpy()[faults.pop("position").to_numpy(dtype=int)])
            self.tables.append(faults)
            self.raw.append(part.raw[held])
            self.ids.append(part.ids[held])
            owner = part.rows.get("owner", pa.nulls(len(held), pa.string()))
            self.owners.append(owner.filter(pa.array(held)))
            self.geometry.append(part.placed.shapes(held))
            self.given.append(part.given.shapes(held))

    @property
    def held(self) -> int:
        """How many rows are held back."""
        return sum(len(rows) for rows in self.raw)

    def faults(self) -> pd.DataFrame:
        """Return one row for each fault, in the order of the file."""
        if self.tables:
            return pd.concat(self.tables, ignore_index=True)
        return Findings(0).table().rename(columns={"position": "row_number"})


class Delivery:
    """A delivered file of which everything is settled that needs all of its rows: headings, ids, CRS, axes."""

    def __init__(self, connection: psycopg.Connection, request: Request, srid: int) -> None:
        kind, mapping = request.kind, request.mapping
        if request.organisation is not None and "owner" not in fields()[kind.name]:
            raise RightsError("kind_is_shared", kind=kind.name)
        raw = read_raw(request.path, mapping.source, known_headings(kind))
        _filter_rows(raw, mapping, request.path.name)
        names = [str(name) for name in raw.rows.columns]
        self._connection = connection
        self._request = request
        self._raw = raw
        self._headings = match_headings(names, kind, mapping, request.path.name)
        self._place = Place(kind, mapping, request.crs, srid, request.path.name)
        self._findings = Findings(len(raw.rows), self._headings.by_column)
        self._ids = self._read_ids()
        self._is_compared = False
        self._extents = Extents(connection, kind)
        self._addresses = Addresses(connection, kind)
        self._source, self._settled = self._settle()
        self.encoding = raw.encoding
        self.crs = self._settled.name if self._settled else None
        self.notes = self._notes()

    def __len__(self) -> int:
        return len(self._raw.rows)

    @property
    def said_columns(self) -> list[str]:
        """The attributes that its rows say: those with a heading or a default, and the geometry where it has one."""
        told = self._headings.by_column.keys() | self._request.mapping.defaults.keys()
        if self._request.kind.is_placed_by_words:
            told |= {"located_by"}
        if self._request.kind.takes_addresses and "address" in told and self._has_placeless_rows():
            told |= set(POSITION_COLUMNS)
        said = [name for name in self._request.kind.attributes if name in told]
        return [*said, "geometry"] if self._source is not None else said

    def _has_placeless_rows(self) -> bool:
        if self._source is None:
            return True
        shapes = self._source.shapes()
        return bool((shapely.is_missing(shapes) | shapely.is_empty(shapes)).any())

    def _read_ids(self) -> pd.Series:
        kind = self._request.kind
        heading = self._headings.by_column.get(kind.id_column)
        if heading is None and kind.makes_ids:
            return content_ids(self._raw, self._headings, kind.subject_columns)
        if heading is None:
            ids = pd.Series(pd.NA, index=self._raw.rows.index, dtype="str")
        else:
            column = self._headings.column(self._raw.rows, kind.id_column)
            known = convert(column, fields()[kind.name][kind.id_column], self._findings, {}, 1.0)
            ids = known.to_pandas().set_axis(column.index)
        check_ids(ids, kind, self._findings)
        return ids

    def _settle(self) -> tuple[Source | None, Settled | None]:
        if self._request.kind.geometry_dtype is None:
            return None, None
        points = None
        if self._raw.geometry is None:
            points = _make_points(self._raw, self._headings, self._findings, self._request.mapping)
            if shapely.is_missing(points).all():
                return Source(None, points), None
        source = Source(self._raw.geometry, points)
        return source, settle(source, self._raw.crs, self._place)

    def _notes(self) -> list[dict[str, object]]:
        notes = [*self._raw.notes, *(self._settled.notes if self._settled else [])]
        if self._request.kind.makes_ids and self._request.kind.id_column not in self._headings.by_column:
            code = "note_ids_made" if self._request.kind.subject_columns is None else "note_subject_ids_made"
            notes.append({"code": code, "count": len(self)})
        if self._headings.unused:
            notes.append({"code": "note_columns_unused", "columns": ", ".join(self._headings.unused)})
        if self.encoding and self.encoding.lower() not in {"utf-8-sig", "utf-8"}:
            notes.append({"code": "note_encoding", "encoding": self.encoding})
        return notes

    def parts(self) -> Iterator[Understood]:
        """Understand the rows part by part, in the order of the file.

        Whose the known objects are is looked up when the first part is asked for: within the turn of the writer.
        """
        if self._request.organisation is not None and not self._is_compared:
            self._is_compared = True
            hold_objects_of_others(
                self._connection, self._ids, self._request.kind, self._request.organisation, self._findings
            )
        for start in range(0, len(self), PART_ROWS):
            yield self._part(start, min(start + PART_ROWS, len(self)))
        self.notes += self._extents.notes() + self._addresses.notes()

    def _part(self, start: int, stop: int) -> Understood:
        kind, request = self._request.kind, self._request
        raw = self._raw.rows.iloc[start:stop]
        findings = self._findings.part(start, stop)
        rows = _columns(raw, kind, request.mapping, self._headings, findings)
        given = _no_shapes(len(raw)) if self._source is None else self._source.part(start, stop)
        if request.organisation is not None:
            hold_rows_of_others(rows, len(raw), request.organisation, findings)
        placed = self._placed(given, rows, findings)
        check_rows(rows, kind, request.today, findings)
        if kind.name == "progress":
            check_progress(self._connection, rows, findings)
        if kind.geometry_dtype is not None:
            check_extent(placed.is_missing, rows, kind, findings)
        return Understood(raw, self._ids.iloc[start:stop], rows, placed, given, findings)

    def _placed(self, given: Source, rows: Columns, findings: Findings) -> Placed:
        kind, place = self._request.kind, self._place
        if not kind.is_placed_by_words and not kind.takes_addresses:
            return (
                Placed.of(given.shapes(), place.srid)
                if self._settled is None
                else place_shapes(given, self._settled, place, findings)
            )
        geometry = given.shapes()
        if self._settled is not None:
            geometry = shape_rows(given, np.ones(len(given), dtype=bool), self._settled, place, findings)
        if kind.takes_addresses:
            return Placed.of(self._addresses.fill(rows, geometry, findings), place.srid)
        filled, how = self._extents.fill(_frame(rows, len(given)), geometry, findings)
        self._extents.count_collections(given.shapes(), findings)
        found = pa.array(how, type=pa.string())
        rows["located_by"] = pc.coalesce(found, rows["located_by"]) if "located_by" in rows else found
        return Placed.of(filled, place.srid)


def _frame(rows: Columns, row_count: int) -> pd.DataFrame:
    return pa.table(rows).to_pandas() if rows else pd.DataFrame(index=pd.RangeIndex(row_count))


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
    raw.geometry = raw.geometry.filter(pa.array(keep)) if raw.geometry is not None else None
    raw.notes.append({"code": "note_rows_filtered", "count": int((~keep).sum())})
    if not keep.any():
        wanted = ", ".join(f"“{heading}” = {value}" for heading, value in mapping.filter.items())
        raise FileFaultError("filter_matches_nothing", file=file_name, count=len(keep), filter=wanted)


def _columns(raw: pd.DataFrame, kind: Kind, mapping: Mapping, headings: Headings, findings: Findings) -> Columns:
    columns: Columns = {}
    read: set[str] = set()
    reworded = dict(mapping.values)
    for field_ in fields()[kind.name].values():
        if field_.role != "attribute":
            continue
        name = field_.column
        words = reworded.get(name, {})
        factor = unit_factor(mapping.units[name], field_.unit) or 1.0 if name in mapping.units else 1.0
        default = mapping.defaults.get(name)
        if name in headings.by_column:
            heading = headings.by_column[name]
            # the second end of an interval read from one heading has the same faults as the first
            noted = Findings(len(raw)) if heading in read else findings
            read.add(heading)
            column = headings.column(raw, name)
            columns[name] = convert(column, field_, noted, words, factor, mapping.dates.get(name))
            if default is not None:
                stated = convert(pd.Series([default], dtype=object), field_, Findings(1), words, 1.0)
                columns[name] = pc.coalesce(columns[name], stated[0])
        elif default is not None:
            constant = pd.Series(default, index=raw.index, dtype=object)
            columns[name] = convert(constant, field_, findings, words, 1.0)
    if "ends_on" in columns and headings.by_column.get("ends_on") == headings.by_column.get("starts_on"):
        # one column for both: only a bare year or month says when the work ends
        is_day = pc.equal(columns["ends_on"], columns["starts_on"])
        columns["ends_on"] = pc.if_else(is_day, None, columns["ends_on"])
    return columns


def _no_shapes(row_count: int) -> Source:
    return Source(None, np.full(row_count, None, dtype=object))


def _make_points(raw: RawTable, headings: Headings, findings: Findings, mapping: Mapping) -> Geometries:
    """Return points from the coordinate columns of a table; all missing where it has none."""
    names = [headings.by_column.get(axis) for axis in ("x", "y")]
    if names[0] is None or names[1] is None:
        return np.full(len(raw.rows), None, dtype=object)
    template = fields()["nodes"]["ground_elevation_m"]
    numbers: list[npt.NDArray[np.float64]] = []
    for axis in ("x", "y"):
        coordinate = replace(template, column=axis, minimum=None, maximum=None)
        factor = unit_factor(mapping.units[axis], "m") or 1.0 if axis in mapping.units else 1.0
        column = convert(headings.column(raw.rows, axis), coordinate, findings, {}, factor)
        numbers.append(column.to_numpy(zero_copy_only=False))
    return make_points(numbers[0], numbers[1])
