"""Parts of saved runs: what a run says of some segments, without reading the rest of a city."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any

from psycopg import sql

from registry.conditions import named
from registry.db import query
from registry.fields import fields
from registry.frames import to_frame
from registry.store import SavedRun

if TYPE_CHECKING:
    import pandas as pd

    from registry.store import Registry


def latest_scores(
    registry: Registry,
    segment_id: str,
    known_at: datetime | None = None,
    name: str | None = None,
    *,
    with_forced: bool = False,
) -> SavedRun | None:
    """Return the latest run that kept a score of a segment and what is usual of its network; its frames are not read.

    Runs in which a learned model ranks that did not pass the gate do not count, unless one is asked for by its name.

    Parameters
    ----------
    known_at
        Only runs that were made by then.
    name
        Only runs of that name.
    with_forced
        Count also the runs whose model was forced.
    """
    wanted = {"segment": segment_id, "known_at": known_at, "name": name, "with_forced": with_forced}
    row = registry.connection.execute(query("latest_scores"), wanted).fetchone()
    if row is None:
        return None
    names = [attribute.name for attribute in dataclasses.fields(SavedRun)]
    facts: dict[str, Any] = dict(zip(names, row, strict=False))
    return SavedRun(**facts, frames={})


def forecast_since(registry: Registry, name: str, made_at: datetime) -> pd.DataFrame | None:
    """Return the frame `network_forecast` of the forecast kept under a name, None where none was made since then."""
    row = registry.connection.execute(query("find_run"), {"kind": "forecast", "name": name}).fetchone()
    if row is None or row[3] < made_at:
        return None
    frame = "network_forecast"
    statement = sql.SQL("SELECT {} FROM {} WHERE run_id = {} ORDER BY medium, scenario, year").format(
        sql.SQL(", ").join(map(sql.Identifier, fields()[frame])),
        sql.Identifier("registry", f"run_{frame}"),
        sql.Literal(row[0]),
    )
    return to_frame(registry.read(statement), frame, registry.srid)


def run_rows(
    registry: Registry, run_id: str, frame: str, segment_ids: Collection[str], columns: list[str] | None = None
) -> pd.DataFrame:
    """Return the rows of a frame of a run that are about these segments, in the order of the frame.

    `columns` are those wanted, the index among them; all by default.
    """
    statement = sql.SQL("SELECT {} FROM {} WHERE run_id = {} AND {} ORDER BY 1, 2").format(
        sql.SQL(", ").join(map(sql.Identifier, columns or fields()[frame])),
        sql.Identifier("registry", f"run_{frame}"),
        sql.Literal(run_id),
        named("segment_id", segment_ids),
    )
    return to_frame(registry.read(statement), frame, registry.srid)
