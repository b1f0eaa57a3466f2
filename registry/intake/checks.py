"""Checks that look at whole rows: ids, required values, days in the future, intervals, extents."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from registry.arrow import compute as pc
from registry.fields import fields
from registry.intake.findings import Findings, Mask
from registry.kinds import Kind

# our columns as Arrow arrays of one length
Columns = dict[str, Any]

# days that tell of something that has happened, so they cannot lie ahead
_PAST_DAYS: dict[str, tuple[str, ...]] = {
    "leaks": ("leaked_on", "repaired_on"),
    "events": ("happened_on", "closed_on"),
    "surveys": ("surveyed_on",),
    "segments": ("assessed_on", "retired_on"),
    "roads": ("opened_on", "overhauled_on"),
    "progress": ("month", "done_on"),
}
# what tells the place of a row without a geometry, and the fault where nothing does
_PLACES: dict[str, tuple[tuple[str, ...], str]] = {
    "events": (("segment_id",), "event_without_place"),
    "surveys": (("segment_id", "street_name", "district", "surveyed_km"), "survey_without_place"),
}
_INTERVALS = (
    ("installed_year_min", "installed_year_max"),
    ("starts_on", "ends_on"),
    ("leaked_on", "repaired_on"),
    ("happened_on", "closed_on"),
)


def check_rows(rows: Columns, kind: Kind, today: date, findings: Findings) -> None:
    """Run every check of single rows that needs no geometry; `rows` has the columns of the kind."""
    _check_required(rows, kind, findings)
    _check_future(rows, kind, today, findings)
    for first, last in _INTERVALS:
        if first in rows and last in rows:
            backwards = _mask(pc.greater(rows[first], rows[last]))
            if backwards.any():
                findings.add(backwards, last, "interval_backwards", values=_values(rows[last]), other=first)


def check_ids(ids: pd.Series, kind: Kind, findings: Findings) -> None:
    """Note rows without an id and rows that repeat one; the first row of an id stands."""
    missing = ids.isna().to_numpy() | (ids == "").fillna(False).to_numpy(dtype=bool)
    findings.add(missing, kind.id_column, "id_missing")
    repeated = ids.duplicated(keep="first").to_numpy() & ~missing
    if repeated.any():
        first_rows = pd.Series(ids.index, index=ids.to_numpy()).groupby(level=0).first()
        firsts = ids.map(first_rows).astype("Int64").to_numpy(dtype=object)
        findings.add(repeated, kind.id_column, "id_repeated", values=ids.to_numpy(dtype=object), offered=firsts)


def _check_required(rows: Columns, kind: Kind, findings: Findings) -> None:
    faulty = findings.held
    for field in fields()[kind.name].values():
        if field.role != "attribute" or field.is_nullable:
            continue
        missing = _mask(rows[field.column].is_null()) if field.column in rows else np.ones(len(faulty), dtype=bool)
        # a value that could not be understood has its own fault already
        findings.add(missing & ~faulty, field.column, "value_missing")


def _check_future(rows: Columns, kind: Kind, today: date, findings: Findings) -> None:
    for column in _PAST_DAYS.get(kind.name, ()):
        if column in rows:
            ahead = _mask(pc.greater(rows[column], pa.scalar(today)))
            if ahead.any():
                findings.add(ahead, column, "day_in_future", values=_values(rows[column]), today=today.isoformat())
    for column in ("installed_year_min", "built_year"):
        if column in rows:
            ahead = _mask(pc.greater(rows[column], today.year))
            if ahead.any():
                findings.add(ahead, column, "year_in_future", values=_values(rows[column]), today=today.isoformat())


def check_extent(is_missing: Mask, rows: Columns, kind: Kind, findings: Findings) -> None:
    """Note rows that need a place and have none; events and surveys may name it instead."""
    field = fields()[kind.name].get("geometry")
    if kind.name in _PLACES:
        columns, code = _PLACES[kind.name]
        is_named = np.zeros_like(is_missing)
        for column in columns:
            if column in rows:
                is_named = is_named | _mask(rows[column].is_valid())
        findings.add(is_missing & ~is_named & ~findings.held, "geometry", code)
    if field is None or field.is_nullable:
        return
    code = "project_without_extent" if kind.name == "projects" else "geometry_missing"
    findings.add(is_missing & ~findings.held, "geometry", code)


def _mask(condition: pa.Array) -> Mask:
    """Return where a condition holds; where it cannot be told it does not."""
    return np.asarray(pc.fill_null(condition, fill_value=False).to_numpy(zero_copy_only=False), dtype=bool)


def _values(column: pa.Array) -> npt.NDArray[Any]:
    text = column.cast(pa.string()) if pa.types.is_date(column.type) else column
    return np.array(text.to_pylist(), dtype=object)
