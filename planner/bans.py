"""Dig bans: which ground is closed from which day to which, by which rule, and which exceptions that rule knows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from planner.days import FOREVER, Days, as_day, first_day_of_term, last_day_of_term
from planner.extents import project_extents
from planner.factors import Flags, day_column, number_column, text_column
from planner.policy import Policy
from planner.policy_bans import BanRule
from registry.errors import PlanningError
from registry.fields import check_frame, columns_of

PUBLISHED: Final = "published"
_DONE: Final = "done"
_CANCELLED: Final = "cancelled"
_POINTS: Final = (shapely.GeometryType.POINT, shapely.GeometryType.MULTIPOINT)


def find_bans(
    roads: gpd.GeoDataFrame, projects: gpd.GeoDataFrame, moratoria: gpd.GeoDataFrame, policy: Policy, as_of: date
) -> gpd.GeoDataFrame:
    """Return every dig ban that the rules of the policy give, past, present and to come, and every published one.

    The clock of a rule is a day of the road (`opened_on`, `overhauled_on`, `overlaid_on`), and of projects
    `completed_on`, else `ends_on`: of a project that is done it is the truth, else the ban is one that the project
    will bring (`is_planned`), as is every ban whose clock lies after `as_of`. Cancelled projects bring none, and what
    has no clock has no ban: finished works without a day are not listed here.

    The first and the last forbidden day are both included; the ban set says whether the day of the clock counts. A
    published ban whose end is not said stays open; one that ends before it starts forbids no day and is left out.

    Misleads where a list of roads keeps only the last overhaul of a street of which a part was overhauled, and where
    a project named here is the one after which the road was delivered too: both bans are listed then.

    Parameters
    ----------
    roads, projects, moratoria
        Frames of the registry in one coordinate system. A moratorium without geometry takes the ground of its road.

    Returns
    -------
    The frame `bans`: roads, then projects, then moratoria, each by rule. The geometry is the closed ground, empty
    where a published ban has no place.

    Raises
    ------
    FrameError
        If a frame does not keep its contract.
    PlanningError
        If the frames have different coordinate systems.
    """
    check_frame(roads, "roads", ["geometry"])
    check_frame(projects, "projects", ["kind", "geometry"])
    check_frame(moratoria, "moratoria", ["starts_on"])
    systems = [frame.crs for frame in (roads, projects, moratoria) if frame.crs is not None]
    if any(system != systems[0] for system in systems):
        raise PlanningError("plan_ban_crs_differ", systems=", ".join(sorted({str(system) for system in systems})))
    grounds = _road_grounds(roads, policy)
    parts = [
        *_of_roads(roads, grounds, policy, as_of),
        *_of_projects(projects, policy, as_of),
        _of_moratoria(moratoria, roads, grounds, policy),
    ]
    table = pd.concat([part for part in parts if len(part)] or parts[-1:])
    bans = gpd.GeoDataFrame(table, geometry="geometry", crs=systems[0] if systems else None)
    return bans.set_index("ban_id")[[*columns_of("bans"), "geometry"]]


def bans_on(bans: gpd.GeoDataFrame, day: date) -> gpd.GeoDataFrame:
    """Return the bans in force on a day, first and last forbidden day included, planned ones too."""
    return bans[is_in_force(bans, day)]


def is_in_force(bans: pd.DataFrame, day: date) -> Flags:
    """Tell which bans forbid a day; both ends are forbidden, an end that is not said is open."""
    start, end = day_column(bans, "starts_on"), open_ends(bans)
    return np.asarray((start <= as_day(day)) & (as_day(day) <= end), dtype=bool)


def open_ends(bans: pd.DataFrame) -> Days:
    """Return the last forbidden days, far in the future where none is said."""
    end = day_column(bans, "ends_on")
    return np.where(np.isnat(end), FOREVER, end)


def _of_roads(roads: gpd.GeoDataFrame, grounds: NDArray[Any], policy: Policy, as_of: date) -> Iterator[pd.DataFrame]:
    name = text_column(roads, "name")
    for rule in policy.bans.rules:
        if rule.road_clock is not None:
            clock = day_column(roads, rule.road_clock)
            yield _bans("road", roads.index, name, rule, clock, clock > as_day(as_of), grounds, policy)


def _of_projects(projects: gpd.GeoDataFrame, policy: Policy, as_of: date) -> Iterator[pd.DataFrame]:
    state = text_column(projects, "state").fillna("unknown").to_numpy(dtype=object)
    completed = day_column(projects, "completed_on")
    clock = np.where(np.isnat(completed), day_column(projects, "ends_on"), completed)
    is_open = np.isnat(completed) & (state != _DONE)
    is_planned = is_open | (clock > as_day(as_of))
    grounds: NDArray[Any] = np.asarray(project_extents(projects, policy).array)
    street = text_column(projects, "street_name")
    kind = projects["kind"].astype("str")
    for rule in policy.bans.rules:
        concerned = kind.isin(list(rule.project_kinds)).to_numpy(dtype=bool) & (state != _CANCELLED)
        mine = np.where(concerned, clock, np.datetime64("NaT"))
        yield _bans("project", projects.index, street, rule, mine, is_planned, grounds, policy)


def _bans(  # noqa: PLR0913 - the parts of one rule's bans
    source_kind: str,
    ids: pd.Index,
    street: pd.Series,
    rule: BanRule,
    clock: Days,
    is_planned: Flags,
    grounds: NDArray[Any],
    policy: Policy,
) -> pd.DataFrame:
    """Make the bans of one rule, for every row with a clock."""
    rows = np.flatnonzero(~np.isnat(clock))
    counts = policy.bans.counting.counts_first_day
    source = ids.astype("str")[rows]
    return pd.DataFrame(
        {
            "ban_id": source_kind + ":" + source + ":" + rule.code,
            "source_kind": _same(source_kind, rows),
            "source_id": source,
            "street_name": street.array[rows],
            "cause": _same(rule.cause, rows),
            "rule_code": _same(rule.code, rows),
            "starts_on": first_day_of_term(clock[rows], counts_first_day=counts).astype("datetime64[s]"),
            "ends_on": last_day_of_term(clock[rows], rule.years, counts_first_day=counts).astype("datetime64[s]"),
            "is_planned": pd.array(is_planned[rows], dtype="boolean"),
            "is_verified": pd.array(np.full(len(rows), rule.confidence == "sourced"), dtype="boolean"),
            "exceptions": _same("|".join(rule.exceptions), rows),
            "geometry": grounds[rows],
        }
    )


def _of_moratoria(
    moratoria: gpd.GeoDataFrame, roads: gpd.GeoDataFrame, road_grounds: NDArray[Any], policy: Policy
) -> pd.DataFrame:
    start, end = day_column(moratoria, "starts_on"), day_column(moratoria, "ends_on")
    rows = np.flatnonzero(np.isnat(end) | (start <= end))
    kept = moratoria.iloc[rows]
    source = kept.index.astype("str")
    return pd.DataFrame(
        {
            "ban_id": "moratorium:" + source,
            "source_kind": _same("moratorium", rows),
            "source_id": source,
            "street_name": text_column(kept, "street_name").array,
            "cause": text_column(kept, "cause").fillna("unknown").array,
            "rule_code": _same(PUBLISHED, rows),
            "starts_on": start[rows].astype("datetime64[s]"),
            "ends_on": end[rows].astype("datetime64[s]"),
            "is_planned": pd.array(np.zeros(len(rows), dtype=bool), dtype="boolean"),
            "is_verified": pd.array(np.ones(len(rows), dtype=bool), dtype="boolean"),
            "exceptions": _same("|".join(policy.bans.published_exceptions), rows),
            "geometry": _published_grounds(kept, roads.index, road_grounds, policy),
        }
    )


def _road_grounds(roads: gpd.GeoDataFrame, policy: Policy) -> NDArray[Any]:
    """Return the ground of each street: its width, or the default of an overhaul, with the margin of projects."""
    as_projects = gpd.GeoDataFrame(
        {"kind": _same("road_overhaul", np.arange(len(roads))), "half_width_m": number_column(roads, "width_m") / 2.0},
        geometry=np.asarray(roads.geometry.array),
        crs=roads.crs,
    )
    return np.asarray(project_extents(as_projects, policy).array)


def _published_grounds(
    moratoria: gpd.GeoDataFrame, road_ids: pd.Index, road_grounds: NDArray[Any], policy: Policy
) -> NDArray[Any]:
    """Return areas as they are, lines and points with the width of a street, else the ground of the named road."""
    shapes: NDArray[Any] = np.asarray(moratoria.geometry.array).copy()
    is_point = np.isin(shapely.get_type_id(shapes), _POINTS)
    is_nowhere = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    points = shapes[is_point]
    shapes[is_point] = None
    as_roads = gpd.GeoDataFrame(geometry=shapes, crs=moratoria.crs)
    grounds = _road_grounds(as_roads, policy)
    width = next(f.factor for f in policy.overlap.half_width_m.factors if f.code == "road_overhaul")
    grounds[is_point] = shapely.buffer(points, width + policy.overlap.margin_m.value)
    named = pd.Series(road_grounds, road_ids.astype("str"), dtype=object)
    grounds[is_nowhere] = named.reindex(text_column(moratoria, "road_id")[is_nowhere]).to_numpy(dtype=object)
    # a road that is not known leaves NaN
    grounds[pd.isna(grounds)] = None
    return grounds


def _same(text: str, rows: NDArray[np.int64]) -> pd.Series:
    """Return one text for all rows."""
    return pd.Series([text] * len(rows), dtype="str")
