"""Points get the ground of their kind; collections are their parts of highest dimension."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from registry.fields import value_list
from registry.places.reach import reach_m, top_dimension, widened

POINT, LINE, AREA = shapely.Point(9, 9), shapely.LineString([(0, 0), (5, 0)]), shapely.box(0, 0, 1, 1)


def test_every_kind_has_a_reach_but_the_renovation() -> None:
    assert set(reach_m()) - {"moratorium", "leaks", "events"} == set(value_list("project_kind")) - {"old_residential"}


def test_a_point_becomes_the_ground_within_reach() -> None:
    points = np.array([POINT, shapely.MultiPoint([(0, 0), (100, 0)]), POINT], dtype=object)
    ground = widened(points, np.array(["utility", "road_overlay", "old_residential"], dtype=object))
    assert ground[0].area == pytest.approx(np.pi * 10**2, rel=0.02)
    assert ground[1].area == pytest.approx(2 * np.pi * 15**2, rel=0.02)
    assert ground[2] is None


def test_a_collection_is_its_areas_else_lines_else_points() -> None:
    nested = shapely.GeometryCollection([shapely.GeometryCollection([LINE, AREA]), POINT])
    shapes = np.array([nested, shapely.GeometryCollection([POINT, LINE]), shapely.GeometryCollection([POINT])], object)
    areas, lines, points = top_dimension(shapes)
    assert areas.equals(AREA)
    assert lines.equals(LINE)
    assert points.equals(POINT)


def test_what_is_no_collection_stays_as_it_is() -> None:
    shapes = np.array([POINT, None, LINE, shapely.GeometryCollection()], dtype=object)
    found = top_dimension(shapes)
    assert found.tolist() == [POINT, None, LINE, None]
