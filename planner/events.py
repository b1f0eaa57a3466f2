"""Which segment an inspection, repair, hazard or other event belongs to: by the id it states, else by its place."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from planner.clip import Engine
from planner.leaks import link_leaks
from planner.policy import Policy
from registry.fields import check_frame

# an event is no likelier at a pipe that leaks more
_IGNORED = {"value": 0.0}


def link_events(
    events: gpd.GeoDataFrame, segments: gpd.GeoDataFrame, policy: Policy, *, engine: Engine = "auto"
) -> pd.DataFrame:
    """Link every event to the segments it may have been at, with a probability each.

    A stated segment has probability 1, if it lay there on the day. Else place, medium and install interval decide, as
    for leaks (`planner.leaks.link_leaks`), but how often a pipe leaks has no say. A line counts from its middle, an
    area from a point inside it. An event without place and without a segment that is held is linked to nothing.

    Misleads for an event that concerns many segments at once, such as a patrol along a street: it is shared out.

    Returns
    -------
    The frame `event_links`, in the order of events, then of segments.
    """
    check_frame(events, "events", ["happened_on", "geometry"])
    taken = [name for name in ("happened_on", "medium", "position_quality", "segment_id") if name in events.columns]
    as_leaks = gpd.GeoDataFrame(
        events[taken].rename(columns={"happened_on": "leaked_on"}), geometry=_places(events), crs=segments.crs
    ).rename_axis("leak_id")
    power = policy.links.hazard_power.model_copy(update=_IGNORED)
    calm = policy.model_copy(update={"links": policy.links.model_copy(update={"hazard_power": power})})
    return link_leaks(as_leaks, segments, calm, engine=engine).rename(columns={"leak_id": "event_id"})


def _places(events: gpd.GeoDataFrame) -> NDArray[Any]:
    """Return one point for each event: itself, the middle of a line, a point inside an area."""
    shapes: NDArray[Any] = np.asarray(events.geometry.array).copy()
    dimension = shapely.get_dimensions(shapes)
    is_line, is_area = dimension == 1, dimension == 2
    shapes[is_line] = shapely.line_interpolate_point(
        shapely.get_geometry(shapely.line_merge(shapes[is_line]), 0), 0.5, normalized=True
    )
    shapes[is_area] = shapely.point_on_surface(shapes[is_area])
    return shapes
