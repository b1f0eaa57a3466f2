"""Keep what was held back: each row as it was delivered, with its faults."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import psycopg
import shapely
from psycopg.types.json import Jsonb

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
    rows = [
        (
            delivery_id,
            int(number),
            Jsonb(_as_json(row, shape)),
            float(length) if is_line and np.isfinite(length) else None,
        )
        for number, row, shape, length in zip(raw.index.tolist(), raw.to_dict("records"), given, lengths, strict=True)
    ]
    faults = [
        (
            delivery_id,
            fault["row_number"],
            fault["column_name"],
            fault["code"],
            _text(fault["value"]),
            _text(fault["offered"]),
            Jsonb(fault["parameters"]),
        )
        for fault in kept.faults().to_dict("records")
    ]
    with connection.cursor() as cursor:
        cursor.executemany(query("insert_held_row"), rows)
        cursor.executemany(query("insert_held_fault"), faults)


def _text(value: object) -> str | None:
    return None if value is None or value != value else str(value)


def _as_json(row: dict[Any, Any], shape: shapely.Geometry | None) -> dict[str, Any]:
    values = {str(key): _text(value) for key, value in row.items()}
    if shape is not None and not shapely.is_missing(shape):
        values["geometry"] = shapely.to_wkt(shape, rounding_precision=3)
    return values
