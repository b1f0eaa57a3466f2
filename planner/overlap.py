"""Overlap of segments with projects in space and time: the frame that renewal and road works meet on."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from planner.clip import Engine, inside_lengths
from planner.extents import project_extents
from planner.policy import Policy
from planner.windows import project_windows
from registry.errors import PlanningError
from registry.fields import check_frame, columns_of


def find_overlaps(
    segments: gpd.GeoDataFrame,
    projects: gpd.GeoDataFrame,
    years: range,
    policy: Policy,
    *,
    engine: Engine = "auto",
) -> pd.DataFrame:
    """Find the metres of each segment inside each project, and whether the project meets the planning years.

    A compound counts as it is drawn, a road as the corridor of its half width and the margin of the policy; a pipe
    on the boundary counts as inside. Every pair that shares length is returned, also of projects outside the years
    (`meets_years` is false then). Cutting a segment in two leaves the total unchanged.

    Misleads where a delivered centreline or compound boundary is off by more than the margin.

    Parameters
    ----------
    engine
        `auto` takes the compiled kernel where numba is installed, else shapely; they agree within 1e-6 m a pair.

    Returns
    -------
    The frame `pairs`, in the order of segments, then of projects.

    Raises
    ------
    FrameError
        If a frame does not keep its contract.
    PlanningError
        If there are no years or the frames have different coordinate systems.
    """
    check_frame(segments, "segments", ["geometry"])
    check_frame(projects, "projects", ["kind", "geometry"])
    if not len(years):
        raise PlanningError("plan_no_years")
    if segments.crs is not None and projects.crs is not None and segments.crs != projects.crs:
        raise PlanningError("plan_crs_differ", segments=str(segments.crs), projects=str(projects.crs))
    lines: NDArray[Any] = np.asarray(segments.geometry.array)
    extents: NDArray[Any] = np.asarray(project_extents(projects, policy).array)
    insides = inside_lengths(lines, extents, engine)
    line, project = insides.line, insides.area
    pairs = pd.DataFrame(
        {
            "segment_id": segments.index.astype("str")[line],
            "project_id": projects.index.astype("str")[project],
            "project_kind": projects["kind"].astype("str").array[project],
            "overlap_m": insides.length_m,
            "overlap_share": np.minimum(insides.length_m / shapely.length(lines[line]), 1.0),
        }
    )
    for column in ("starts_on", "ends_on"):
        days = projects[column] if column in projects.columns else pd.Series(pd.NaT, projects.index)
        pairs[column] = days.astype("datetime64[s]").array[project]
    windows = project_windows(projects, years, policy)
    for column in windows.columns:
        pairs[column] = windows[column].array[project]
    return pairs[columns_of("pairs")]
