"""The ground that a project takes up: a compound as it is, a road as a corridor about its centreline."""

from __future__ import annotations

from typing import Any, Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from planner.factors import code_factors, number_column
from planner.policy import Policy

# the number of segments per quarter circle that PostGIS uses too; geopandas' own default differs by 0.01 % of area
QUAD_SEGMENTS: Final = 8
_LINES: Final = (shapely.GeometryType.LINESTRING, shapely.GeometryType.MULTILINESTRING)
_AREAS: Final = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


def project_extents(projects: gpd.GeoDataFrame, policy: Policy) -> gpd.GeoSeries:
    """Return the extent of every project as a valid polygon or multipolygon, index as `projects`.

    A polygon is taken as it is. A centreline becomes a corridor: its half width, or the default of the policy for
    the kind of project, plus the margin. Invalid polygons are mended; a project without usable geometry has an
    empty extent.
    """
    shapes: NDArray[Any] = np.asarray(projects.geometry.array)
    kind = shapely.get_type_id(shapes)
    stated = number_column(projects, "half_width_m")
    # the table is by kind of project; projects have no medium
    default, _ = code_factors(projects["kind"], projects["kind"], policy.overlap.half_width_m)
    reach = np.where(np.isnan(stated), default, stated) + policy.overlap.margin_m.value
    extents = np.full(len(shapes), shapely.Polygon(), dtype=object)
    is_line = np.isin(kind, _LINES)
    extents[is_line] = shapely.buffer(shapes[is_line], reach[is_line], quad_segs=QUAD_SEGMENTS)
    is_other = (kind >= 0) & ~is_line
    extents[is_other] = shapes[is_other]
    spoilt = np.flatnonzero(~shapely.is_valid(extents) | ~np.isin(shapely.get_type_id(extents), _AREAS))
    extents[spoilt] = [_areas_of(shapely.make_valid(extent)) for extent in extents[spoilt]]
    return gpd.GeoSeries(extents, index=projects.index, crs=projects.crs)


def _areas_of(shape: shapely.Geometry) -> shapely.Geometry:
    """Keep the areas of a shape that mending may have turned into a collection."""
    parts = shapely.get_parts(shapely.get_parts(shape))
    areas = parts[np.isin(shapely.get_type_id(parts), _AREAS)]
    return shapely.union_all(areas) if len(areas) else shapely.Polygon()
