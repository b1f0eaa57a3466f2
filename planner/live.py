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


def live_pairs(
    segment_ids: pd.Index,
    lines: Polylines | Geometries,
    projects: gpd.GeoDataFrame,
    policy: Policy,
    pavements: gpd.GeoDataFrame | None = None,
    *,
    engine: Engine = "auto",
) -> pd.DataFrame:
    """Find the metres of each segment inside each project, from bare coordinates.

    The same ground as `planner.find_overlaps`, for rows that need nothing but their length.

    Returns
    -------
    `segment_id`, `project_id`, `overlap_m`, in the order of projects, then of segments, as the table keeps them.
    """
    check_frame(projects, "projects", ["kind", "geometry"])
    extents: Geometries = project_extents(projects, policy, pavements).to_numpy()
    insides = inside_lengths(lines, extents, engine)
    order = insides.area.argsort(kind="stable")
    return pd.DataFrame(
        {
            "segment_id": segment_ids[insides.line[order]],
            "project_id": projects.index[insides.area[order]],
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
