"""The extent of a project that was delivered as a table: its compound, or all roads of its street."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import psycopg
import shapely

from registry.db import query
from registry.intake.findings import Findings, Mask

Geometries = npt.NDArray[Any]

# below this two names have little more in common than “road” or “garden”
_LIKENESS: Final = 70


def _named_shapes(connection: psycopg.Connection, statement: str) -> pd.Series:
    """Return name -> one geometry, united from all current objects of that name."""
    rows = connection.execute(query(statement)).fetchall()
    if not rows:
        return pd.Series(dtype=object)
    names = [row[0] for row in rows]
    return pd.Series(list(shapely.from_wkb([bytes(row[1]) for row in rows])), index=names, dtype=object)


def fill_extents(
    connection: psycopg.Connection, rows: pd.DataFrame, geometry: Geometries, findings: Findings
) -> Geometries:
    """Return the geometries with missing project extents filled by compound name, else by street name.

    A renovation is looked for among compounds first (also by its own name), anything else among roads. What is found
    nowhere is noted with the nearest name that exists.
    """
    missing = shapely.is_missing(geometry) & ~findings.held
    if not missing.any():
        return geometry
    compounds = _named_shapes(connection, "compound_shapes")
    roads = _named_shapes(connection, "road_shapes")
    filled = geometry.copy()
    empty = pd.Series(pd.NA, index=rows.index, dtype="str")
    compound_name = rows.get("compound_name", empty)
    street_name = rows.get("street_name", empty)
    is_renovation = (rows["kind"] == "old_residential").fillna(False).to_numpy(dtype=bool)
    by_name = compound_name.fillna(rows["name"].where(is_renovation))
    for names, shapes, wanted in ((by_name, compounds, is_renovation), (street_name, roads, ~is_renovation)):
        found = names.map(shapes).to_numpy() if len(shapes) else np.full(len(rows), None, dtype=object)
        here = missing & wanted & ~pd.isna(found)
        filled[here] = found[here]
    absent = missing & shapely.is_missing(filled)
    asked = np.where(is_renovation, by_name.to_numpy(dtype=object), street_name.to_numpy(dtype=object))
    _note_absent(absent, asked, is_renovation, list(compounds.index), list(roads.index), findings)
    return filled


def _note_absent(
    absent: Mask, asked: Geometries, is_renovation: Mask, compounds: list[str], roads: list[str], findings: Findings
) -> None:
    from rapidfuzz import fuzz, process

    offered = np.full(len(asked), None, dtype=object)
    for position in np.flatnonzero(absent):
        if isinstance(asked[position], str):
            choices = compounds if is_renovation[position] else roads
            found = process.extractOne(asked[position], choices, scorer=fuzz.ratio, score_cutoff=_LIKENESS)
            offered[position] = found[0] if found else None
    named = np.array([isinstance(name, str) for name in asked])
    findings.add(absent & named, "geometry", "project_place_unknown", values=asked, offered=offered)
    findings.add(absent & ~named, "geometry", "project_without_extent")
