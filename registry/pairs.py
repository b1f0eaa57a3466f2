"""Live pairs in the database: written whole by a full computation, then followed by what was recorded since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import psycopg
import pyarrow as pa
from numpy.typing import NDArray
from psycopg import sql
from psycopg.types.json import Jsonb

from registry.db import query, writing
from registry.errors import RightsError
from registry.frames import copy_in, fill, line_vertices
from registry.rights.acting import is_owner

if TYPE_CHECKING:
    import pandas as pd

    from registry.store import Registry

# the index fetches a segment in about twice the time that it takes to read one of all
_SPARSE_SHARE: Final = 0.5


@dataclass(frozen=True)
class Network:
    """The segments of a day as bare columns: ids, vertices one after another, and where each segment starts."""

    segment_ids: pd.Index
    vertices: NDArray[np.float64]
    start: NDArray[np.int64]


@dataclass(frozen=True)
class Refreshed:
    """How much had changed since the live pairs were computed; projects count also where their pavement had."""

    project_count: int
    segment_count: int
    pavement_count: int


def last_delivery(registry: Registry) -> datetime | None:
    """Return the instant of the last delivery, which is certainly in whatever is read afterwards."""
    row = registry.connection.execute("SELECT max(applied_at) FROM registry.delivery").fetchone()
    return row[0] if row else None


def read_network(registry: Registry, as_of: date, near: dict[str, Any] | None = None) -> Network:
    """Read ids and courses of the segments of a day, without an object for each.

    With `near`, the widths in the form of `planner.live.reach_figures`, segments that are clear of all projects may be
    left out: they are where the spatial index finds the others faster than all can be read, which takes an owner of
    the table (policies switch the index off for anybody else) and projects over a small part of the ground.
    """
    import pandas as pd

    is_near = (
        near is not None and is_owner(registry.connection, "segment_version") and _are_sparse(registry, as_of, near)
    )
    text: Any = query("network_near_projects" if is_near else "network").decode()
    statement = sql.SQL(text).format(as_of=sql.Literal(as_of), reach=sql.Literal(Jsonb(near)))
    rows = registry.read(statement)
    if is_near:
        rows = _named_once(rows)
    vertices, start = line_vertices(rows["geometry"])
    ids = pd.Index(rows["segment_id"].cast(pa.string()).to_pandas().astype("str"), name="segment_id")
    return Network(ids, vertices, start)


def _are_sparse(registry: Registry, as_of: date, near: dict[str, Any]) -> bool:
    """Tell whether the index may be asked, and projects lie over so little ground that asking it is worth it."""
    if not is_owner(registry.connection, "segment_version"):
        return False
    figures = {"as_of": as_of, "reach": Jsonb(near)}
    row = registry.connection.execute(query("near_projects_share"), figures).fetchone()
    return row is not None and row[0] is not None and bool(row[0] < _SPARSE_SHARE)


def _named_once(rows: pa.Table) -> pa.Table:
    """Keep the first row of each segment."""
    codes = rows["segment_id"].combine_chunks().dictionary_encode().indices
    _, first = np.unique(codes.to_numpy(), return_index=True)
    return rows if len(first) == len(rows) else rows.take(pa.array(np.sort(first)))


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
            _fill_anew(connection, target, table)
        else:
            connection.execute(sql.SQL("DELETE FROM {}").format(target))
            fill(connection, "live_pair", table)
        connection.execute(query("stamp_live_pairs"), {"as_of": as_of, "known_at": known_at, "reach": Jsonb(reach)})


def _fill_anew(connection: psycopg.Connection, target: sql.Identifier, rows: pa.Table) -> None:
    """Put rows in the place of all rows of a table that the session owns; its indexes are built afterwards, at once."""
    connection.execute(sql.SQL("TRUNCATE {}").format(target))
    off = connection.execute(query("take_indexes_off"), {"table": target.as_string(connection)}).fetchone()
    for _sent in copy_in(connection, target, [rows], is_frozen=True):
        pass
    for definition in off[0] if off else []:
        connection.execute(definition.encode())


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
    rows = registry.read(
        sql.SQL("SELECT segment_id, project_id, overlap_m FROM registry.live_pair ORDER BY project_id, segment_id")
    )
    frame: pd.DataFrame = rows.to_pandas()
    return frame.astype({"segment_id": "str", "project_id": "str", "overlap_m": "float64"})


def _refuse_bound(registry: Registry) -> None:
    if registry.acting.is_bound:
        raise RightsError("live_pairs_of_all", organisation=registry.acting.organisation)
