"""Overlap of segments with projects in space and time: the frame that renewal and road works meet on."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.clip import Engine, Insides, inside_lengths
from planner.course import course_names, project_axes
from planner.extents import project_extents
from planner.factors import day_column
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
    pavements: gpd.GeoDataFrame | None = None,
    engine: Engine = "auto",
) -> pd.DataFrame:
    """Find the metres of each segment inside each project, and whether the project meets the planning years.

    A compound counts as it is drawn, a road as the corridor of its half width and the margin of the policy, or as the
    pavement of its street where one is known; a pipe on the boundary counts as inside. Every pair that shares length
    is returned, also of projects outside the years (`meets_years` is false then). Cutting a segment in two leaves the
    total unchanged. `course` and `side` are against the centreline (see `planner.course`); `distance_m` is 0.

    Misleads where a delivered centreline or compound boundary is off by more than the margin.

    Parameters
    ----------
    pavements
        Which ground of them counts is said in `planner.extents.project_extents`.
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
    extents: NDArray[Any] = np.asarray(project_extents(projects, policy, pavements).array)
    insides = inside_lengths(lines, extents, engine, project_axes(projects))
    pairs = pd.DataFrame(
        {
            "segment_id": segments.index[insides.line].astype("str"),
            "project_id": projects.index[insides.area].astype("str"),
            "project_kind": projects["kind"].astype("str").array[insides.area],
            **measured_columns(insides, len(projects)),
        }
    )
    windows = project_windows(projects, years, policy)
    for column in ("starts_on", "ends_on"):
        windows[column] = day_column(projects, column).astype("datetime64[s]")
    for column in windows.columns:
        pairs[column] = windows[column].array[insides.area]
    return pairs[columns_of("pairs")]


def measured_columns(insides: Insides, project_count: int) -> dict[str, Any]:
    """Return the columns of `pairs` that follow from the ground alone."""
    total_m = np.bincount(insides.area, weights=insides.length_m, minlength=project_count)
    course, side = course_names(insides.length_m, insides.course)
    return {
        "overlap_m": insides.length_m,
        "overlap_share": np.minimum(insides.length_m / insides.line_m, 1.0),
        "distance_m": 0.0,
        "project_share": np.minimum(insides.length_m / total_m[insides.area], 1.0),
        "course": course,
        "side": side,
    }
