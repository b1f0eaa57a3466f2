"""Try held-back rows again: with values mended in place, from a corrected list, or because what they lacked is here.

The rows are read once more as they were delivered, with the mends put in; what is sound now goes in as a delivery of
its own that follows the first one, what is not stays where it was.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import pandas as pd
import psycopg
import shapely
from psycopg.types.json import Jsonb

from registry.db import query, writing
from registry.errors import ReviewError
from registry.history.deliveries import frame_of, new_key
from registry.intake.importer import Receipt, import_delivery
from registry.intake.mapping import Mapping as MappingFile
from registry.intake.mapping import Source
from registry.intake.review import request_again, waiting
from registry.rights.acting import refuse_foreign_delivery

# faults whose cause lies outside the row: it may have gone since
_OUTSIDE: Final = frozenset({"project_place_unknown", "project_without_extent"})
_TABLES: Final = frozenset({".csv", ".txt", ".xlsx", ".xls"})


@dataclass(frozen=True)
class Retried:
    """How many rows were tried, and what became of them; without a receipt none could be."""

    tried: int
    left: int
    receipt: Receipt | None


def fix_row(connection: psycopg.Connection, delivery_id: str, row_number: int, values: Mapping[str, str]) -> None:
    """Mend values of one held-back row in place; they count with the next retry.

    A column may be named as in the file or by our name where the file has a heading for it.

    Raises
    ------
    ReviewError
        Where the delivery holds no such row, or the row no such column.
    """
    refuse_foreign_delivery(connection, waiting(connection, delivery_id))
    rows = {row["row_number"]: row for row in _rows(connection, delivery_id)}
    if row_number not in rows:
        raise ReviewError("held_row_unknown", delivery=delivery_id, row=row_number)
    headings = _headings(connection, delivery_id, list(rows[row_number]["row"]))
    fixes: dict[str, str] = {}
    for name, value in values.items():
        heading = name if name in rows[row_number]["row"] else headings.get(name)
        if heading is None:
            raise ReviewError("held_column_unknown", column=name, columns=", ".join(rows[row_number]["row"]))
        fixes[heading] = value
    with writing(connection):
        connection.execute(
            query("fix_held_row"), {"delivery_id": delivery_id, "row_number": row_number, "fixes": Jsonb(fixes)}
        )


def retry_held(
    connection: psycopg.Connection, delivery_id: str, srid: int, info: str, actor: str, corrected: pd.DataFrame | None
) -> Retried:
    """Try the mended rows of a delivery again, and those whose fault lay outside of them.

    Parameters
    ----------
    corrected
        Rows of the list that `held -o` wrote, mended: its row numbers say which rows they are, its other headings are
        those of the file. Without it the mends made in place are used.
    """
    record = waiting(connection, delivery_id)
    refuse_foreign_delivery(connection, record)
    rows = _rows(connection, delivery_id)
    mends = _mends(corrected) if corrected is not None else {}
    chosen = []
    for row in rows:
        mended = {**row["row"], **row["fixes"], **mends.get(row["row_number"], {})}
        if mended != row["row"] or _OUTSIDE & set(row["codes"]):
            chosen.append((row["row_number"], mended))
    if not chosen:
        return Retried(0, len(rows), None)
    with tempfile.TemporaryDirectory(prefix="digonce-retry-") as folder:
        path = _write(chosen, record, Path(folder))
        request = request_again(record, path)
        request = replace(
            request,
            mapping=_without_place(request.mapping, record),
            actor=actor,
            is_accepted=True,
            follows=delivery_id,
            action="retry",
            key=new_key(),
        )
        receipt = import_delivery(connection, request, srid, info)
    faulty = set(receipt.faults["row_number"])
    numbers = [number for place, (number, _row) in enumerate(chosen, start=1) if place not in faulty]
    with writing(connection):
        connection.execute(
            query("settle_rows"),
            {"settled_by": receipt.delivery_id, "delivery_id": delivery_id, "row_numbers": numbers},
        )
    return Retried(len(chosen), len(rows) - len(numbers), receipt)


def _rows(connection: psycopg.Connection, delivery_id: str) -> list[dict[str, Any]]:
    found = frame_of(connection, query("held_rows"), [delivery_id])
    return [{str(name): value for name, value in row.items()} for row in found.to_dict("records")]


def _headings(connection: psycopg.Connection, delivery_id: str, names: list[str]) -> dict[str, str]:
    """Return our column -> heading of the file."""
    from registry.intake.headings import match_headings

    record = waiting(connection, delivery_id)
    request = request_again(record, Path(str(record["file_name"])))
    return match_headings(names, request.kind, request.mapping, str(record["file_name"])).by_column


def _mends(corrected: pd.DataFrame) -> dict[int, dict[str, str | None]]:
    """Return row number -> values of a corrected list; its first column holds the row numbers."""
    mends: dict[int, dict[str, str | None]] = {}
    number = corrected.columns[0]
    for row in corrected.to_dict("records"):
        values = {str(name): None if pd.isna(value) else str(value) for name, value in row.items() if name != number}
        mends[int(row[number])] = values
    return mends


def _write(chosen: list[tuple[int, dict[str, Any]]], record: dict[str, Any], folder: Path) -> Path:
    """Write rows as a file that is read as the first one was: with geometry or as a table of coordinates."""
    frame = pd.DataFrame([row for _number, row in chosen])
    path = folder / f"{Path(str(record['file_name'])).stem}.parquet"
    geometry = frame.pop("geometry") if "geometry" in frame else None
    if geometry is None or Path(str(record["file_name"])).suffix.lower() in _TABLES:
        frame.to_parquet(path, index=False)
    else:
        shapes = shapely.from_wkt(geometry.where(geometry.notna(), None).to_numpy(dtype=object), on_invalid="ignore")
        gpd.GeoDataFrame(frame, geometry=shapes, crs=record["crs"]).to_parquet(path, index=False)
    return path


def _without_place(mapping: MappingFile, record: dict[str, Any]) -> MappingFile:
    """Return the mapping for rows that no longer stand in a layer or sheet, with the axes that were found."""
    is_swapped = any(note.get("code") == "note_axes_swapped" for note in record["notes"])
    axis = "northing-easting" if is_swapped else mapping.source.axis
    return mapping.model_copy(update={"source": Source(axis=axis, crs=mapping.source.crs), "filter": {}})
