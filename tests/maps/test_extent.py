from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from maps.extent import bulk_bounds, far_away
from tests.maps.frames import CRS, line

FAR_M = 4_000_000.0


def table_of(*shapes: shapely.Geometry | None) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=np.array(shapes, dtype=object), crs=CRS)


@given(st.lists(st.tuples(st.floats(0, 60_000), st.floats(0, 60_000)), min_size=1, max_size=60))
def test_a_city_of_60_km_opens_whole_or_names_what_it_leaves_out(corners: list[tuple[float, float]]) -> None:
    table = table_of(*(line((x, y), (x + 50, y)) for x, y in corners))
    box = bulk_bounds(table)
    assert box is not None
    kept = table[~far_away(table)]
    assert box.tolist() == kept.total_bounds.tolist()
    assert len(kept) > len(table) / 2


@pytest.mark.parametrize("count", [2, 3, 40, 500])
def test_one_stray_segment_does_not_move_the_view(count: int) -> None:
    city = [line((50.0 * i, 10.0 * (i % 7)), (50.0 * i + 40, 0)) for i in range(count)]
    whole = table_of(*city)
    for stray in (line((FAR_M, 0), (FAR_M + 10, 0)), line((0, 0), (0, -FAR_M))):
        table = table_of(*city, stray)
        assert far_away(table).tolist() == [False] * count + [True]
        box = bulk_bounds(table)
        assert box is not None
        assert box.tolist() == whole.total_bounds.tolist()


def test_what_has_no_geometry_is_nowhere() -> None:
    assert bulk_bounds(table_of(None, shapely.LineString())) is None
    assert far_away(table_of(None, shapely.LineString())).tolist() == [False, False]
    assert far_away(table_of(None, line((0, 0), (1, 1)))).tolist() == [False, False]
