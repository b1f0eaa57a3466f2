"""Conditions by which a part of a kind is read: what is named, what lies near."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import shapely
from numpy.typing import NDArray
from psycopg import sql

# how other packages name a condition: they know no SQL
Condition = sql.Composable


def named(column: str, values: Iterable[object]) -> sql.Composed:
    """Ask for the rows that have one of these values in a column."""
    listed = sorted({str(value) for value in values})
    return sql.SQL("{} = ANY({}::text[])").format(sql.Identifier(column), sql.Literal(listed))


def absent(column: str) -> sql.Composed:
    """Ask for the rows that have nothing in a column."""
    return sql.SQL("{} IS NULL").format(sql.Identifier(column))


def within(shapes: NDArray[Any], reach_m: float, srid: int) -> sql.Composed:
    """Ask for the rows that lie within reach of one of these geometries in the working CRS; none for no geometry."""
    wkb = shapely.to_wkb(shapely.force_2d(shapely.union_all(shapes)), hex=True)
    return sql.SQL("ST_DWithin(geom, ST_SetSRID({}::geometry, {}), {})").format(
        sql.Literal(wkb), sql.Literal(srid), sql.Literal(reach_m)
    )


def all_of(*conditions: sql.Composable) -> sql.Composed:
    """Ask for the rows that meet every condition."""
    return sql.SQL("({})").format(sql.SQL(" AND ").join(conditions))


def any_of(*conditions: sql.Composable) -> sql.Composed:
    """Ask for the rows that meet one of the conditions."""
    return sql.SQL("({})").format(sql.SQL(" OR ").join(conditions))
