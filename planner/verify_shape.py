"""Checks of what batches are: frames that fit together, packing, one site each, and lengths."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

import geopandas as gpd
import networkx as nx
import pandas as pd

from planner.verify_findings import Finding
from planner.verify_plan import Placed, PlanView

_COMPOUND: Final = "compound"
# figures that are added up twice differ by rounding
_ROUNDING: Final = 1e-6


def check_frames(
    segments: gpd.GeoDataFrame, batches: pd.DataFrame, batch_segments: pd.DataFrame, years: range
) -> Iterator[Finding]:
    """Find rows that name what is not there, years outside the plan, and years and lengths that disagree."""
    length_m = {str(name): float(value) for name, value in segments["length_m"].items()}
    year_of = {str(name): _year(value) for name, value in batches["year"].items()}
    members: defaultdict[str, list[str]] = defaultdict(list)
    rows = zip(batch_segments.index, batch_segments["batch_id"], batch_segments["year"], strict=True)
    for segment, batch, cell in rows:
        members[str(batch)].append(str(segment))
        if segment not in length_m:
            yield Finding("segment_unknown", batch, segment)
        if batch not in year_of:
            yield Finding("batch_unknown", batch, segment)
        elif _year(cell) != year_of[batch]:
            yield Finding("year_differs", batch, segment, year=_year(cell))
    for batch, stated in zip(batches.index, batches["length_m"], strict=True):
        year = year_of[batch]
        if year is not None and year not in years:
            yield Finding("year_outside", batch, year=year, value=years[0], limit=years[-1])
        if year is not None and batch not in members:
            yield Finding("batch_empty", batch, year=year)
        elif batch in members and all(segment in length_m for segment in members[batch]):
            total_m = sum(length_m[segment] for segment in members[batch])
            if abs(total_m - stated) > _ROUNDING * max(total_m, 1.0):
                yield Finding("length_differs", batch, year=year, value=float(stated), limit=total_m)


def _year(value: Any) -> int | None:  # noqa: ANN401 - a cell of a frame
    return None if pd.isna(value) else int(value)


def check_packing(plan: PlanView) -> Iterator[Finding]:
    """Find segments that are renewed twice."""
    for segment, held in sorted(plan.batches_of().items()):
        if len(held) > 1:
            for placed in held:
                yield Finding("packing", placed.batch_id, segment, year=placed.year, value=len(held), limit=1)


def check_batches(plan: PlanView, tolerance_m: float, apart: pd.Series | None) -> Iterator[Finding]:
    """Find batches of two media or two labels, runs that do not hang together, compounds that are not one compound."""
    junctions = plan.junctions(tolerance_m)
    medium, compound = plan.text("medium"), plan.text("compound_name")
    label = {} if apart is None else {str(name): value for name, value in apart.items()}
    for placed in plan.placed:
        media = {medium[segment] for segment in placed.segments}
        if len(media) > 1:
            yield Finding("media_mixed", placed.batch_id, year=placed.year, value=len(media), limit=1)
        if len(labels := {label.get(segment) for segment in placed.segments}) > 1:
            yield Finding("labels_mixed", placed.batch_id, year=placed.year, value=len(labels), limit=1)
        if placed.kind == _COMPOUND:
            names = {compound[segment] for segment in placed.segments}
            if len(names) > 1 or None in names:
                yield Finding("compound_mixed", placed.batch_id, year=placed.year, value=len(names), limit=1)
            continue
        parts = _part_count(placed, junctions)
        if parts > 1:
            yield Finding("parts_apart", placed.batch_id, year=placed.year, value=parts, limit=1)


def _part_count(placed: Placed, junctions: dict[str, tuple[int, int]]) -> int:
    hanging: nx.Graph[int] = nx.Graph()
    hanging.add_edges_from(junctions[segment] for segment in placed.segments)
    return nx.number_connected_components(hanging)


def check_isolation(plan: PlanView, isolation: pd.Series | None) -> Iterator[Finding]:
    """Find runs over several isolation sections, or over one and what has none. Compounds are one site and may."""
    section = _sections(isolation)
    for placed in plan.placed:
        held = {section.get(segment) for segment in placed.segments}
        if placed.kind != _COMPOUND and len(held) > 1:
            yield Finding("isolation_mixed", placed.batch_id, year=placed.year, value=len(held), limit=1)


def _sections(isolation: pd.Series | None) -> dict[str, str]:
    return {} if isolation is None else {str(name): str(value) for name, value in isolation.dropna().items()}


def check_lengths(
    plan: PlanView,
    shortest_m: float,
    longest_m: float,
    tolerance_m: float,
    apart: pd.Series | None,
    isolation: pd.Series | None = None,
) -> Iterator[Finding]:
    """Find runs that are too long, and too short ones that a neighbour could join within the longest.

    Compounds have no length to keep. A single segment may be longer than the longest run.
    """
    section = _sections(isolation)
    for placed in plan.placed:
        length_m, own = plan.length_of(placed), section.get(placed.segments[0])
        if placed.kind == _COMPOUND:
            continue
        if length_m > longest_m * (1 + _ROUNDING) and len(placed.segments) > 1:
            yield Finding("too_long", placed.batch_id, year=placed.year, value=length_m, limit=longest_m)
        if length_m < shortest_m * (1 - _ROUNDING):
            for neighbour in _neighbours(plan, placed, tolerance_m, apart):
                if section.get(neighbour) == own and length_m + plan.length_m[neighbour] <= longest_m:
                    yield Finding(
                        "too_short", placed.batch_id, neighbour, year=placed.year, value=length_m, limit=shortest_m
                    )
                    break


def _neighbours(plan: PlanView, placed: Placed, tolerance_m: float, apart: pd.Series | None) -> list[str]:
    """Return the segments of no compound that touch a batch and are of its medium and label."""
    junctions, meeting = plan.junctions(tolerance_m), plan.meeting(tolerance_m)
    medium, compound = plan.text("medium"), plan.text("compound_name")
    one = placed.segments[0]
    touched = {other for segment in placed.segments for end in junctions[segment] for other in meeting[end]}
    return [
        segment
        for segment in sorted(touched - set(placed.segments))
        if medium[segment] == medium[one]
        and compound[segment] is None
        and (apart is None or apart[segment] == apart[one])
    ]
