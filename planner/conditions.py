"""What bears on the years of a segment: closed streets, days by which the law wants it done, street and district."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planner.costs import Rows
from planner.days import as_day, calendar_years
from planner.due import due_windows
from planner.factors import Flags, text_column
from planner.locks import Locks
from planner.policy import Policy
from planner.streets import link_streets

NONE: Final = -1


@dataclass(frozen=True)
class Conditions:
    """Conditions of segments, in their order.

    Parameters
    ----------
    is_open
        Segments x years: whether any day of the year is open for a dig, by the bans that are there.
    stays_open
        The same, with the bans that projects will bring besides.
    deadline
        Place of the last planning year by which the law wants the segment done; -1 where it asks for no year of these.
    section, district
        Codes of the stretch of street (inside compounds: the compound) and of the district; -1 where it has none.
    """

    is_open: Flags
    stays_open: Flags
    deadline: Rows
    section: Rows
    district: Rows
    section_names: pd.Index
    district_names: pd.Index

    def take(self, rows: Rows) -> Conditions:
        """Return the conditions of some segments, in their order."""
        return replace(
            self,
            is_open=self.is_open[rows],
            stays_open=self.stays_open[rows],
            deadline=self.deadline[rows],
            section=self.section[rows],
            district=self.district[rows],
        )


def no_conditions(policy_class: pd.Series, years: range) -> Conditions:
    """Return conditions that forbid nothing, and ask for mandatory segments within the planning years only."""
    count = len(policy_class)
    nothing = np.full(count, NONE, dtype=np.int64)
    free = np.ones((count, len(years)), dtype=bool)
    deadline = np.where((policy_class == "mandatory").to_numpy(dtype=bool), len(years) - 1, NONE)
    names = pd.Index([], dtype="str")
    return Conditions(free, free, deadline, nothing, nothing, names, names)


def find_conditions(  # noqa: PLR0913 - all that bears on a segment
    segments: gpd.GeoDataFrame,
    policy_class: pd.Series,
    bans: gpd.GeoDataFrame,
    roads: gpd.GeoDataFrame,
    districts: gpd.GeoDataFrame | None,
    years: range,
    policy: Policy,
    as_of: date,
) -> Conditions:
    """Return what bears on each segment in each planning year.

    A year is closed where bans leave no day of it from `as_of` on; a ban that leaves some days leaves the year open.
    A mandatory or due segment has its deadline in the year in which its due window ends; one that ends after the
    plan has none in it. The section is the road that the segment most likely lies in, of pipes inside a compound the
    compound, where it has a name and one batch can hold it; the district is that of its middle.

    Misleads where a ban leaves a few days only, which a renewal cannot use, and where roads are drawn as lines of
    several kilometres: the whole line is then one section.
    """
    is_open, stays_open = _open_years(segments, bans, years, policy, as_of)
    section, section_names = _sections(segments, roads, policy)
    district, district_names = _districts(segments, districts)
    return Conditions(
        is_open=is_open,
        stays_open=stays_open,
        deadline=_deadlines(segments, policy_class, years, policy, as_of),
        section=section,
        district=district,
        section_names=section_names,
        district_names=district_names,
    )


def _open_years(
    segments: gpd.GeoDataFrame, bans: gpd.GeoDataFrame, years: range, policy: Policy, as_of: date
) -> tuple[Flags, Flags]:
    """Tell in which years a dig is possible: by what is banned now, and by what projects will ban besides."""
    found = []
    for locks in (Locks.of_ground(segments, bans, policy), Locks.of_ground(segments, bans, policy, with_planned=True)):
        is_open = np.ones((len(segments), len(years)), dtype=bool)
        for place, year in enumerate(years):
            first = max(as_day(date(year, 1, 1)), as_day(as_of))
            window = [np.full(len(segments), day) for day in (first, as_day(date(year, 12, 31)))]
            is_open[:, place] = ~locks.within(window[0], window[1]).closes_all
        found.append(is_open)
    return found[0], found[1]


def _deadlines(segments: gpd.GeoDataFrame, policy_class: pd.Series, years: range, policy: Policy, as_of: date) -> Rows:
    until = due_windows(segments, policy_class, policy, as_of).due_until
    is_bound = policy_class.isin(["mandatory", "due"]).to_numpy(dtype=bool) & ~np.isnat(until)
    year = calendar_years(until)
    place = np.maximum(year - years.start, 0)
    return np.where(is_bound & (place < len(years)), place, NONE)


def _sections(segments: gpd.GeoDataFrame, roads: gpd.GeoDataFrame, policy: Policy) -> tuple[Rows, pd.Index]:
    """Return the road of each segment that lies in a street, and the compound of each that lies in one."""
    is_inside = text_column(segments, "tier").isin(["courtyard", "riser"]).to_numpy(dtype=bool)
    compound = text_column(segments, "compound_name").where(is_inside)
    length_m = segments["length_m"].groupby(compound).transform("sum")
    codes, names = pd.factorize(compound.where(length_m <= policy.groups.maximum_run_m.value), sort=True)
    codes = codes.astype(np.int64)
    outside = np.flatnonzero(~is_inside)
    if roads.empty or not len(outside):
        return codes, pd.Index(names)
    links = link_streets(segments.iloc[outside], roads, policy)
    road = pd.Series(links["road_id"].to_numpy(), pd.Index(links["segment_id"])).reindex(segments.index)
    of_road, roads_found = pd.factorize(road, sort=True)
    codes = np.where(of_road == NONE, codes, of_road + len(names))
    return codes, pd.Index(names).append(pd.Index(roads_found))


def _districts(segments: gpd.GeoDataFrame, districts: gpd.GeoDataFrame | None) -> tuple[Rows, pd.Index]:
    """Return the district that holds the middle of each segment; the first by id where several do."""
    codes = np.full(len(segments), NONE, dtype=np.int64)
    if districts is None or districts.empty:
        return codes, pd.Index([], dtype="str")
    ordered = districts.sort_index()
    middle = shapely.line_interpolate_point(np.asarray(segments.geometry.array), 0.5, normalized=True)
    point, area = shapely.STRtree(np.asarray(ordered.geometry.array)).query(middle, predicate="intersects")
    order = np.lexsort((area, point))[::-1]
    codes[point[order]] = area[order]
    return codes, text_column(ordered, "name").fillna(pd.Series(ordered.index, ordered.index)).pipe(pd.Index)
