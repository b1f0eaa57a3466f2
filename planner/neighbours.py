"""Segments close to a project that share no length with it: what a meeting misses when it looks at overlaps alone."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planner.extents import project_extents
from planner.factors import Flags, text_column
from planner.policy import Policy
from planner.polylines import Floats, Geometries, Rows
from registry.fields import check_frame, columns_of


def find_neighbours(
    segments: gpd.GeoDataFrame,
    projects: gpd.GeoDataFrame,
    pairs: pd.DataFrame,
    policy: Policy,
    *,
    roads: gpd.GeoDataFrame | None = None,
    street_links: pd.DataFrame | None = None,
    pavements: gpd.GeoDataFrame | None = None,
) -> pd.DataFrame:
    """Find the segments within `overlap.adjacent_m` of the extent of a project that are no pair of it.

    A segment that touches an extent in a point is a neighbour at distance 0. `is_same_street` compares the street of
    the project with that of the segment: the delivered name, else the name of its street link; names must be equal.
    `is_same_block` tells that the shortest way between them crosses no centreline of `roads`: a road that the way
    only touches, because the pipe lies exactly under its line, is not crossed.

    Misleads where centrelines are missing or broken between crossings: both sides of such a street are one block.

    Returns
    -------
    The frame `neighbours`, in the order of segments, then of projects.

    Raises
    ------
    FrameError
        If a frame does not keep its contract.
    """
    check_frame(segments, "segments", ["geometry"])
    check_frame(projects, "projects", ["kind", "geometry"])
    check_frame(pairs, "pairs")
    lines: Geometries = np.asarray(segments.geometry.array)
    extents: Geometries = np.asarray(project_extents(projects, policy, pavements).array)
    project, line = shapely.STRtree(lines).query(extents, predicate="dwithin", distance=policy.overlap.adjacent_m.value)
    known = pd.MultiIndex.from_frame(pairs[["segment_id", "project_id"]])
    found = pd.MultiIndex.from_arrays([segments.index[line], projects.index[project]])
    is_new = ~np.asarray(found.isin(known))
    line, project = line[is_new], project[is_new]
    order = np.lexsort((project, line))
    line, project = line[order], project[order]
    distance_m = np.asarray(shapely.distance(lines[line], extents[project]))
    neighbours = pd.DataFrame(
        {
            "segment_id": segments.index[line].astype("str"),
            "project_id": projects.index[project].astype("str"),
            "distance_m": distance_m,
            "is_same_street": _same_street(segments, projects, line, project, street_links),
            "is_same_block": _same_block(lines[line], extents[project], distance_m, roads),
        }
    )
    return neighbours[columns_of("neighbours")]


def _same_street(
    segments: pd.DataFrame, projects: pd.DataFrame, line: Rows, project: Rows, street_links: pd.DataFrame | None
) -> pd.Series:
    street = text_column(segments, "street_name")
    if street_links is not None:
        check_frame(street_links, "street_links")
        street = street.fillna(street_links.set_index("segment_id")["street_name"].reindex(segments.index))
    ours = street.iloc[line].reset_index(drop=True)
    theirs = text_column(projects, "street_name").iloc[project].reset_index(drop=True)
    return (ours == theirs).astype("boolean").where(ours.notna() & theirs.notna())


def _same_block(
    lines: Geometries, extents: Geometries, distance_m: Floats, roads: gpd.GeoDataFrame | None
) -> pd.Series:
    if roads is None:
        return pd.Series(pd.NA, range(len(lines)), dtype="boolean")
    check_frame(roads, "roads", ["geometry"])
    is_same: Flags = np.ones(len(lines), dtype=bool)
    apart = np.flatnonzero(distance_m > 0)
    ways = shapely.shortest_line(lines[apart], extents[apart])
    way, _ = shapely.STRtree(np.asarray(roads.geometry.array)).query(ways, predicate="crosses")
    is_same[apart[way]] = False
    return pd.Series(is_same, dtype="boolean")
