"""Keep what was held back: each row as it was delivered, with its faults."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import psycopg
import pyarrow as pa
import shapely
from psycopg.types.json import Jsonb

from registry.arrow import compute as pc
from registry.db import query
from registry.intake.delivery import Kept
from registry.kinds import Kind


def keep_held(connection: psycopg.Connection, delivery_id: str, kind: Kind, kept: Kept) -> None:
    """Write the held-back rows of a delivery and why each was held back."""
    if not kept.held:
        return
    raw = pd.concat(kept.raw)
    shapes, given = np.concatenate(kept.geometry), np.concatenate(kept.given)
    lengths = shapely.length(np.where(shapely.is_missing(shapes), given, shapes))
    is_line = kind.geometry_dtype == "linestring"
    faults = kept.faults()
    # a row that repeats the id of another is not settled when that other comes again
    repeating = set(faults.loc[faults["code"] == "id_repeated", "row_number"])
    owners = pa.chunked_array(kept.owners, type=pa.string()).to_pylist()
    ids = [
        None if number in repeating or pd.isna(name) else str(name)
        for number, name in zip(raw.index, pd.concat(kept.ids), strict=True)
    ]
    records = zip(raw.index.tolist(), raw.to_dict("records"), given, lengths, ids, owners, strict=True)
    rows = [
        (
            delivery_id,
            int(number),
            Jsonb(_as_json(row, shape)),
            float(length) if is_line and np.isfinite(length) else None,
            name,
            owner,
        )
        for number, row, shape, length, name, owner in records
    ]
    reasons = [
        (
            delivery_id,
            fault["row_number"],
            fault["column_name"],
            fault["code"],
            _text(fault["value"]),
            _text(fault["offered"]),
            Jsonb(fault["parameters"]),
        )
        for fault in faults.to_dict("records")
    ]
    with connection.cursor() as cursor:
        cursor.executemany(query("insert_held_row"), rows)
        cursor.executemany(query("insert_held_fault"), reasons)


def settle_held(connection: psycopg.Connection, delivery_id: str, kind: Kind, ids: list[pa.Array]) -> None:
    """Note which held-back rows of earlier deliveries this one settles: it brings their objects in."""
    rows = connection.execute(query("held_ids"), {"kind": kind.name, "delivery_id": delivery_id}).fetchall()
    if not rows or not ids:
        return
    held = pa.array([row[0] for row in rows], type=pa.string())
    given = pa.chunked_array(ids).cast(pa.string())
    brought = held.filter(pc.is_in(held, value_set=given.combine_chunks())).to_pylist()
    if brought:
        parameters = {"delivery_id": delivery_id, "kind": kind.name, "ids": brought}
        connection.execute(query("settle_held"), parameters)


def _text(value: object) -> str | None:
    return None if value is None or value != value else str(value)


def _as_json(row: dict[Any, Any], shape: shapely.Geometry | None) -> dict[str, Any]:
    values = {str(key): _text(value) for key, value in row.items()}
    if shape is not None and not shapely.is_missing(shape):
        values["geometry"] = shapely.to_wkt(shape, rounding_precision=-1)
    return values
