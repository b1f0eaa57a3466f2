"""Live pairs: the overlaps as they stand now, kept in the database and followed there by `registry.pairs`."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd

from planner.clip import Engine, inside_lengths
from planner.extents import project_extents
from planner.factors import entries_for
from planner.policy import Policy
from planner.polylines import Geometries, Polylines
from registry.fields import check_frame


def live_extents(
    projects: gpd.GeoDataFrame, policy: Policy, pavements: gpd.GeoDataFrame | None = None
) -> gpd.GeoSeries:
    """Return the ground of each project, the same as `planner.find_overlaps` takes.

    Raises
    ------
    FrameError
        If the projects do not keep their contract.
    """
    check_frame(projects, "projects", ["kind", "geometry"])
    return project_extents(projects, policy, pavements)


def live_pairs(
    segment_ids: pd.Index, lines: Polylines | Geometries, extents: gpd.GeoSeries, *, engine: Engine = "auto"
) -> pd.DataFrame:
    """Find the metres of each segment inside each extent, from bare coordinates: rows that need nothing but a length.

    Returns
    -------
    `segment_id`, `project_id`, `overlap_m`, in the order of extents, then of segments, as the table keeps them.
    """
    insides = inside_lengths(lines, extents.to_numpy(), engine)
    order = insides.area.argsort(kind="stable")
    return pd.DataFrame(
        {
            "segment_id": segment_ids[insides.line[order]],
            "project_id": extents.index[insides.area[order]],
            "overlap_m": insides.length_m[order],
        }
    )


def reach_figures(policy: Policy) -> dict[str, Any]:
    """Return how far projects reach, in the form that the database computes with.

    Half widths by kind, the margin, and how far from a centreline the pavement of its street counts.
    """
    widths = {entry.code: entry.factor for entry in entries_for(policy.overlap.half_width_m.factors, None)}
    return {
        "half_width_m": widths,
        "margin_m": policy.overlap.margin_m.value,
        "pavement_reach_m": policy.overlap.pavement_reach_m.value,
    }
