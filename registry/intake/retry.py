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
from registry.intake.files import restore_file
from registry.intake.importer import Receipt, import_delivery
from registry.intake.mapping import Mapping as MappingFile
from registry.intake.mapping import Source
from registry.intake.review import request_again, waiting
from registry.kinds import kind_named
from registry.rights.acting import refuse_foreign_delivery

# faults whose cause lies outside the row: it may have gone since
_OUTSIDE: Final = frozenset(
    {
        "project_place_unknown",
        "project_without_extent",
        "ban_place_unknown",
        "place_crossing_unknown",
        "place_number_unknown",
        "place_stretch_apart",
        "place_ambiguous",
        "point_is_no_extent",
        "address_street_unknown",
        "address_too_wide",
        "address_ambiguous",
    }
)
# says where a row is; whoever mends a row may say it although the file does not
_ADDABLE: Final = frozenset(
    {"street_name", "cross_street_from", "cross_street_to", "number_from", "number_to", "address", "compound_name"}
)
_COORDINATES: Final = frozenset({"x", "y"})
_PLACELESS: Final = "note_place_without_place"
_TABLES: Final = frozenset({".csv", ".txt", ".xlsx", ".xls"})


@dataclass(frozen=True)
class Retried:
    """How many rows were tried, and what became of them; without a receipt none could be."""

    tried: int
    left: int
    receipt: Receipt | None
    # of the whole file, where rows were let in without a place: what became of them now
    read_again: Receipt | None = None


def fix_row(connection: psycopg.Connection, delivery_id: str, row_number: int, values: Mapping[str, str]) -> None:
    """Mend values of one held-back row in place; they count with the next retry.

    A column may be named as in the file or by our name where the file has a heading for it. What tells the place of a
    project, dig ban, leak or event may be added by our name too, though the file has no such column.

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
        # what is joined from several columns has none of its own to mend
        if heading is None or (heading not in rows[row_number]["row"] and heading not in _ADDABLE | _COORDINATES):
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

    Dig bans that were let in without a place are looked for again too: their whole file is read once more, and what is
    held back of it now waits in that new delivery.

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
    is_placeless = any(note.get("code") == _PLACELESS for note in record["notes"])
    if chosen:
        _put_made_ids(connection, record, rows, chosen)
    done = _retry_rows(connection, record, chosen, srid, info, actor) if chosen else Retried(0, len(rows), None)
    if not is_placeless:
        return done
    return replace(done, read_again=_read_again(connection, record, srid, info, actor), left=0)


def _put_made_ids(
    connection: psycopg.Connection,
    record: dict[str, Any],
    rows: list[dict[str, Any]],
    chosen: list[tuple[int, dict[str, Any]]],
) -> None:
    """Give rows of a file without ids those that were made: a mend does not make a row another object."""
    id_column = kind_named(record["kind"]).id_column
    if id_column in _headings(connection, str(record["delivery_id"]), list(rows[0]["row"])):
        return
    made = {row["row_number"]: row["object_id"] for row in rows}
    for number, mended in chosen:
        mended[id_column] = made[number]


def _read_again(connection: psycopg.Connection, record: dict[str, Any], srid: int, info: str, actor: str) -> Receipt:
    """Read a whole delivered file again, now that its places may be known; its queue moves to the new delivery."""
    with tempfile.TemporaryDirectory(prefix="digonce-retry-") as folder:
        path = restore_file(connection, record["file_sha256"], record["file_name"], Path(folder))
        request = replace(
            request_again(record, path), actor=actor, is_accepted=True, follows=record["delivery_id"], key=new_key()
        )
        receipt = import_delivery(connection, request, srid, info)
    numbers = [row["row_number"] for row in _rows(connection, str(record["delivery_id"]))]
    _settle(connection, receipt.delivery_id, str(record["delivery_id"]), numbers)
    return receipt


def _retry_rows(
    connection: psycopg.Connection,
    record: dict[str, Any],
    chosen: list[tuple[int, dict[str, Any]]],
    srid: int,
    info: str,
    actor: str,
) -> Retried:
    delivery_id = str(record["delivery_id"])
    left = len(_rows(connection, delivery_id))
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
    _settle(connection, receipt.delivery_id, delivery_id, numbers)
    return Retried(len(chosen), left - len(numbers), receipt)


def _settle(connection: psycopg.Connection, settled_by: str, delivery_id: str, row_numbers: list[int]) -> None:
    with writing(connection):
        connection.execute(
            query("settle_rows"), {"settled_by": settled_by, "delivery_id": delivery_id, "row_numbers": row_numbers}
        )


def _rows(connection: psycopg.Connection, delivery_id: str) -> list[dict[str, Any]]:
    found = frame_of(connection, query("held_rows"), [delivery_id])
    return [{str(name): value for name, value in row.items()} for row in found.to_dict("records")]


def _headings(connection: psycopg.Connection, delivery_id: str, names: list[str]) -> dict[str, str]:
    """Return our column -> heading of the file."""
    from registry.intake.headings import match_headings

    record = waiting(connection, delivery_id)
    request = request_again(record, Path(str(record["file_name"])))
    known = match_headings(names, request.kind, request.mapping, str(record["file_name"])).by_column
    if not request.kind.is_placed_by_words and not request.kind.takes_addresses:
        return known
    addable = _ADDABLE.difference(request.mapping.defaults).intersection(request.kind.attributes)
    if request.kind.takes_coordinates and Path(str(record["file_name"])).suffix.lower() in _TABLES:
        addable |= _COORDINATES
    return {name: name for name in addable} | known


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
