"""The ground that a project takes up: a compound as it is, a road as a corridor about its centreline."""

from __future__ import annotations

from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from planner.factors import Flags, Floats, code_factors, number_column, text_column
from planner.policy import Policy
from planner.threads import row_slices, side_by_side
from registry.fields import check_frame

Rows = NDArray[np.int64]
Shapes = NDArray[Any]

# the number of segments per quarter circle that PostGIS uses too; geopandas' own default differs by 0.01 % of area
QUAD_SEGMENTS: Final = 8
_SHAPES_AT_ONCE: Final = 256
_LINES: Final = (shapely.GeometryType.LINESTRING, shapely.GeometryType.MULTILINESTRING)
_AREAS: Final = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


def project_extents(
    projects: gpd.GeoDataFrame, policy: Policy, pavements: gpd.GeoDataFrame | None = None
) -> gpd.GeoSeries:
    """Return the extent of every project as a valid polygon or multipolygon, index as `projects`.

    A polygon is taken as it is. A centreline becomes a corridor: its half width, or the default of the policy for
    the kind of project, plus the margin. Invalid polygons are mended; a project without usable geometry has an
    empty extent.

    With `pavements`, a centreline project that names its street takes the pavements of that street (equal names) as
    far as they lie within `pavement_reach_m` of the centreline, plus the margin; the corridor stays where the
    centreline has no pavement under it. Misleads where pavements are drawn without the footway that pipes lie under.
    """
    shapes: NDArray[Any] = np.asarray(projects.geometry.array)
    kind = shapely.get_type_id(shapes)
    stated = number_column(projects, "half_width_m")
    # the table is by kind of project; projects have no medium
    default, _ = code_factors(projects["kind"], projects["kind"], policy.overlap.half_width_m)
    reach = np.where(np.isnan(stated), default, stated) + policy.overlap.margin_m.value
    extents = np.full(len(shapes), shapely.Polygon(), dtype=object)
    is_line = np.isin(kind, _LINES)
    extents[is_line] = _corridors(shapes[is_line], reach[is_line])
    if pavements is not None:
        _lay_pavements(extents, projects, np.flatnonzero(is_line), reach, pavements, policy)
    is_other = (kind >= 0) & ~is_line
    extents[is_other] = shapes[is_other]
    other = np.flatnonzero(is_other)
    # a buffer is a valid area, whatever the line
    spoilt = other[~_are_valid(extents[other]) | ~np.isin(kind[other], _AREAS)]
    extents[spoilt] = [_areas_of(shapely.make_valid(extent)) for extent in extents[spoilt]]
    return gpd.GeoSeries(extents, index=projects.index, crs=projects.crs)


def _corridors(lines: Shapes, reach_m: Floats) -> Shapes:
    def widen(rows: slice) -> Shapes:
        return np.asarray(shapely.buffer(lines[rows], reach_m[rows], quad_segs=QUAD_SEGMENTS), dtype=object)

    return np.concatenate([lines[:0], *side_by_side(widen, row_slices(len(lines), _SHAPES_AT_ONCE))])


def _are_valid(shapes: Shapes) -> Flags:
    parts = side_by_side(lambda rows: shapely.is_valid(shapes[rows]), row_slices(len(shapes), _SHAPES_AT_ONCE))
    return np.concatenate([np.empty(0, bool), *parts])


def _areas_of(shape: shapely.Geometry) -> shapely.Geometry:
    """Keep the areas of a shape that mending may have turned into a collection."""
    parts = shapely.get_parts(shapely.get_parts(shape))
    areas = parts[np.isin(shapely.get_type_id(parts), _AREAS)]
    return shapely.union_all(areas) if len(areas) else shapely.Polygon()


def _lay_pavements(
    extents: Shapes,
    projects: gpd.GeoDataFrame,
    rows: Rows,
    reach_m: Floats,
    pavements: gpd.GeoDataFrame,
    policy: Policy,
) -> None:
    """Put the pavement of its street in the place of the corridor of some projects, where there is any."""
    check_frame(pavements, "pavements", ["street_name", "geometry"])
    grounds = pavements[["street_name", "geometry"]].dissolve("street_name").geometry
    street = grounds.index.get_indexer(pd.Index(text_column(projects, "street_name").iloc[rows]))
    rows, street = rows[street >= 0], street[street >= 0]
    lines: Shapes = np.asarray(projects.geometry.array)[rows]
    near = shapely.buffer(lines, policy.overlap.pavement_reach_m.value, quad_segs=QUAD_SEGMENTS)
    paved: Shapes = shapely.intersection(np.asarray(grounds.array)[street], near)
    # where both touch along an edge or at a corner, the intersection has lines and points as well
    is_mixed = shapely.get_type_id(paved) == shapely.GeometryType.GEOMETRYCOLLECTION
    paved[is_mixed] = [_areas_of(shape) for shape in paved[is_mixed]]
    # a buffer depends a little on where its rings begin; the database computes the same ground
    paved = shapely.normalize(paved)
    # where the drawing of the pavement leaves gaps under the line, the corridor stays
    bare = shapely.buffer(shapely.difference(lines, paved), reach_m[rows], quad_segs=QUAD_SEGMENTS)
    margin_m = policy.overlap.margin_m.value
    laid = shapely.union(shapely.buffer(paved, margin_m, quad_segs=QUAD_SEGMENTS), bare)
    has_pavement = shapely.area(paved) > 0
    extents[rows[has_pavement]] = laid[has_pavement]
