"""Pipes that are gone, and which segments lie in their place: for whoever asks what happened there before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

import pandas as pd
import psycopg
from psycopg import sql

from registry.db import query
from registry.fields import fields
from registry.frames import to_frame
from registry.history.deliveries import frame_of
from registry.history.slices import statement
from registry.kinds import KINDS

if TYPE_CHECKING:
    import geopandas as gpd

    from registry.store import Registry

_SEGMENTS: Final = KINDS["segments"]


def read_retired(
    registry: Registry,
    columns: Sequence[str],
    as_of: date,
    known_at: datetime | None = None,
    where: sql.Composable | None = None,
) -> gpd.GeoDataFrame:
    """Return the segments that were in the ground once and are no more on a day, as they were at their end.

    The frame `segments`; `retired_on` is the day that is stated, else the day after their last. Those that were split,
    merged or given another id are left out: the pipe is still there under other ids. `where` is a condition of
    `registry.conditions`.
    """
    contract = fields()[_SEGMENTS.name]
    special = {
        "retired_on": sql.SQL("coalesce(v.retired_on, upper(v.valid)) AS retired_on"),
        "geometry": sql.SQL("v.geom::bytea AS geometry"),
        "length_m": sql.SQL("ST_Length(v.geom) AS length_m"),
    }
    wanted = [special.get(name, sql.Identifier("v", name)) for name in columns if name in contract]
    text = statement(
        "retired_segments",
        _SEGMENTS,
        wanted=sql.SQL(", ").join([sql.Identifier("v", _SEGMENTS.id_column), *wanted]),
        as_of=sql.SQL("{}::date").format(sql.Literal(as_of)),
        known_at=sql.SQL("{}::timestamptz").format(sql.Literal(known_at)),
        where=where or sql.SQL("true"),
    )
    found = to_frame(registry.read(text), _SEGMENTS.name, registry.srid)
    return found  # type: ignore[return-value]


def read_successions(connection: psycopg.Connection, as_of: date, known_at: datetime | None = None) -> pd.DataFrame:
    """Return the frame `successions`: which part of which segment goes on as which, by changes up to a day."""
    found = frame_of(connection, query("successions"), {"as_of": as_of, "known_at": known_at})
    types = {name: "float64" if field.dtype == "double" else "str" for name, field in fields()["successions"].items()}
    return found.astype(types)
