"""Live pairs in the database: written whole by a full computation, then followed by what was recorded since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from psycopg import sql
from psycopg.types.json import Jsonb

from registry.db import query, writing
from registry.errors import RightsError
from registry.frames import copy_in, fill, line_vertices, read_arrow
from registry.rights.acting import is_owner

if TYPE_CHECKING:
    import pandas as pd

    from registry.store import Registry


@dataclass(frozen=True)
class Network:
    """The segments of a day as bare columns: ids, vertices one after another, and where each segment starts."""

    segment_ids: pd.Index
    vertices: NDArray[np.float64]
    start: NDArray[np.int64]
    known_at: datetime | None


@dataclass(frozen=True)
class Refreshed:
    """How much had changed since the live pairs were computed; projects count also where their pavement had."""

    project_count: int
    segment_count: int
    pavement_count: int


def read_network(registry: Registry, as_of: date) -> Network:
    """Read ids and courses of the segments of a day, without an object for each.

    `known_at` is the last delivery that is certainly in it; later ones may be.
    """
    import pandas as pd

    row = registry.connection.execute("SELECT max(applied_at) FROM registry.delivery").fetchone()
    statement = sql.SQL(
        "SELECT segment_id, geom::bytea AS geometry FROM registry_app.segment_at({}::date, NULL::timestamptz)"
    ).format(sql.Literal(as_of))
    rows = read_arrow(registry.info, statement.as_string(registry.connection))
    vertices, start = line_vertices(rows["geometry"])
    ids = pd.Index(rows["segment_id"].cast(pa.string()).to_pandas().astype("str"), name="segment_id")
    return Network(ids, vertices, start, row[0] if row else None)


def write_live_pairs(
    registry: Registry, pairs: pd.DataFrame, as_of: date, known_at: datetime | None, reach: dict[str, Any]
) -> None:
    """Put pairs in the place of all live pairs, in one transaction.

    Raises
    ------
    RightsError
        Where the session acts for one organisation: live pairs are those of all.
    """
    _refuse_bound(registry)
    table = pa.table({name: pa.array(pairs[name]) for name in ("segment_id", "project_id", "overlap_m")})
    table = table.cast(
        pa.schema([("segment_id", pa.string()), ("project_id", pa.string()), ("overlap_m", pa.float64())])
    )
    target = sql.Identifier("registry", "live_pair")
    with writing(registry.connection) as connection:
        if is_owner(connection, "live_pair"):
            connection.execute(sql.SQL("TRUNCATE {}").format(target))
            for _sent in copy_in(connection, target, [table], is_frozen=True):
                pass
        else:
            connection.execute(sql.SQL("DELETE FROM {}").format(target))
            fill(connection, "live_pair", table)
        connection.execute(query("stamp_live_pairs"), {"as_of": as_of, "known_at": known_at, "reach": Jsonb(reach)})


def refresh_live_pairs(registry: Registry, as_of: date, reach: dict[str, Any]) -> Refreshed | None:
    """Compute the live pairs of changed projects, segments and pavements anew, in the database.

    Changed is what a delivery has recorded since the pairs were computed or last followed; a pavement concerns the
    projects that name its street. The pairs of saved plans
    stay as they are.

    Returns
    -------
    What had changed, or None where there are no live pairs of that day and those widths: then all are due.

    Raises
    ------
    RightsError
        Where the session acts for one organisation: live pairs are those of all.
    """
    _refuse_bound(registry)
    with writing(registry.connection) as connection:
        row = connection.execute(query("refresh_live_pairs"), {"as_of": as_of, "reach": Jsonb(reach)}).fetchone()
    return Refreshed(*row) if row else None


def read_live_pairs(registry: Registry) -> pd.DataFrame:
    """Return the live pairs, by project, then by segment."""
    rows = read_arrow(
        registry.info,
        "SELECT segment_id, project_id, overlap_m FROM registry.live_pair ORDER BY project_id, segment_id",
    )
    frame: pd.DataFrame = rows.to_pandas()
    return frame.astype({"segment_id": "str", "project_id": "str", "overlap_m": "float64"})


def _refuse_bound(registry: Registry) -> None:
    if registry.acting.is_bound:
        raise RightsError("live_pairs_of_all", organisation=registry.acting.organisation)
