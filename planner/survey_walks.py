"""Which pipes leak surveys walked in which year: by segment, area, street, compound, district or kilometres alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from planner.days import calendar_years
from planner.factors import Flags, Floats, day_column, number_column, text_column

Rows = NDArray[np.int64]
_SEPARATOR: Final = "/"


@dataclass(frozen=True)
class Network:
    """The segments as arrays: the number of the area of each, the medium of each area, lengths."""

    segments: gpd.GeoDataFrame
    areas: list[str]
    area: Rows
    medium_of_area: NDArray[Any]
    length_m: Floats

    @classmethod
    def of(cls, segments: gpd.GeoDataFrame, area: pd.Series) -> Network:
        """Number the areas of some segments."""
        codes, names = pd.factorize(area)
        media = np.array([str(name).split(_SEPARATOR, 1)[0] for name in names], dtype=object)
        length_m = shapely.length(np.asarray(segments.geometry.array))
        return cls(segments, [str(name) for name in names], codes.astype(np.int64), media, length_m)

    @property
    def media(self) -> list[str]:
        """The media there are."""
        return sorted(set(self.medium_of_area))

    @property
    def area_m(self) -> Floats:
        """Metres of pipe of each area."""
        return np.bincount(self.area, self.length_m, len(self.areas)).astype("float64")


def years_of(frame: pd.DataFrame, column: str) -> Rows:
    """Return the calendar years of the days of a column, without those that are missing."""
    day = day_column(frame, column)
    return calendar_years(day[~np.isnat(day)])


def areas_of(segments: gpd.GeoDataFrame, districts: gpd.GeoDataFrame) -> pd.Series:
    """Return the area of each segment: its medium, and the first district by id in which its middle lies."""
    medium = segments["medium"].astype("str")
    if districts.empty:
        return medium.rename("area")
    ordered = districts.sort_index()
    middle = shapely.line_interpolate_point(np.asarray(segments.geometry.array), 0.5, normalized=True)
    line, place = shapely.STRtree(np.asarray(ordered.geometry.array)).query(middle, predicate="intersects")
    nearest = pd.Series(place).groupby(line).min()
    district = np.full(len(segments), "", dtype=object)
    names = np.array([f"{_SEPARATOR}{name}" for name in ordered.index], dtype=object)
    district[nearest.index.to_numpy()] = names[nearest.to_numpy()]
    return (medium + pd.Series(district, segments.index, dtype="str")).rename("area")


def walked_shares(network: Network, surveys: gpd.GeoDataFrame, districts: gpd.GeoDataFrame, years: range) -> Floats:
    """Return the share of the length of each area (rows) that was walked in each year (columns)."""
    column = years_of(surveys, "surveyed_on") - years.start
    limit_m = 1000.0 * number_column(surveys, "surveyed_km")
    by_area = np.zeros((len(network.areas), len(years)))
    survey, area = _area_matches(network, surveys, districts)
    part = _parts(survey, network.area_m[area], limit_m)
    np.add.at(by_area, (area, column[survey]), part)
    survey, row, share = _segment_matches(network, surveys)
    if not len(survey):
        return np.minimum(by_area, 1.0)
    share = share * _parts(survey, share * network.length_m[row], limit_m)
    own = pd.Series(share).groupby([row, column[survey]]).sum()
    at, when = (own.index.get_level_values(level).to_numpy(dtype=np.int64) for level in (0, 1))
    before = by_area[network.area[at], when]
    more = np.clip(own.to_numpy() + before, None, 1.0) - np.minimum(before, 1.0)
    whole = np.minimum(by_area, 1.0)
    area_m = network.area_m
    np.add.at(whole, (network.area[at], when), more * network.length_m[at] / area_m[network.area[at]])
    return np.minimum(whole, 1.0)


def _parts(survey: Rows, place_m: Floats, limit_m: Floats) -> Floats:
    """Return which part of its place each survey walked, by match: all of it, or its kilometres over those there."""
    there = np.bincount(survey, place_m, len(limit_m))
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.where(np.isnan(limit_m) | (there <= 0.0), 1.0, np.minimum(limit_m / there, 1.0))
    chosen: Floats = part[survey]
    return chosen


def _area_matches(network: Network, surveys: gpd.GeoDataFrame, districts: gpd.GeoDataFrame) -> tuple[Rows, Rows]:
    """Return the pairs of surveys and areas: of those that name a district, and of those that name no place at all."""
    asked = pd.DataFrame({"survey": np.arange(len(surveys)), "medium": text_column(surveys, "medium").to_numpy()})
    asked["district"] = text_column(surveys, "district").str.strip().to_numpy()
    asked = asked[~_has_place(surveys)]
    names = pd.Series(districts.index.to_numpy(dtype=object), districts.index.astype("str"))
    names = pd.concat([names, pd.Series(names.to_numpy(), pd.Index(text_column(districts, "name")))])
    names = names[~names.index.duplicated()]
    is_wide = asked["district"].isna()
    asked["district"] = asked["district"].map(names)
    areas = pd.DataFrame({"area": np.arange(len(network.areas)), "medium": network.medium_of_area})
    areas["district"] = [name.partition(_SEPARATOR)[2] or None for name in network.areas]
    found = [
        asked[is_wide][["survey", "medium"]].merge(areas, how="cross", suffixes=("", "_area")),
        asked[~is_wide].dropna(subset="district").merge(areas, on="district", suffixes=("", "_area")),
    ]
    pairs = pd.concat([part[["survey", "area", "medium", "medium_area"]] for part in found], ignore_index=True)
    pairs = pairs[pairs["medium"].isna() | (pairs["medium"] == pairs["medium_area"])]
    return pairs["survey"].to_numpy(dtype=np.int64), pairs["area"].to_numpy(dtype=np.int64)


def _segment_matches(network: Network, surveys: gpd.GeoDataFrame) -> tuple[Rows, Rows, Floats]:
    """Return the pairs of surveys and segments with the share of the segment: by id, area, street or compound."""
    segments = network.segments
    named = segments.index.get_indexer(pd.Index(text_column(surveys, "segment_id"))).astype(np.int64)
    is_named = text_column(surveys, "segment_id").notna().to_numpy(dtype=bool)
    is_drawn = ~is_named & _is_drawn(surveys)
    by_name = np.flatnonzero(named >= 0)
    found = [
        (by_name, named[by_name], np.ones(len(by_name))),
        _drawn(network, surveys, np.flatnonzero(is_drawn)),
        _by_street(segments, surveys, np.flatnonzero(~is_named & ~is_drawn)),
    ]
    survey, row = (np.concatenate([part[place] for part in found]).astype(np.int64) for place in (0, 1))
    share = np.concatenate([part[2] for part in found])
    medium = text_column(surveys, "medium").to_numpy(dtype=object)[survey]
    is_own = pd.isna(medium) | (medium == segments["medium"].to_numpy(dtype=object)[row])
    return survey[is_own], row[is_own], share[is_own]


def _drawn(network: Network, surveys: gpd.GeoDataFrame, chosen: Rows) -> tuple[Rows, Rows, Floats]:
    """Return the pairs of surveys that draw an area and of segments, with the share of the segment inside."""
    lines = np.asarray(network.segments.geometry.array)
    shapes = np.asarray(surveys.geometry.array)[chosen]
    shape, row = shapely.STRtree(lines).query(shapes, predicate="intersects")
    inside = shapely.length(shapely.intersection(lines[row], shapes[shape]))
    whole = np.maximum(network.length_m[row], np.finfo(np.float64).tiny)
    return chosen[shape], row.astype(np.int64), np.minimum(inside / whole, 1.0)


def _by_street(segments: pd.DataFrame, surveys: gpd.GeoDataFrame, chosen: Rows) -> tuple[Rows, Rows, Floats]:
    """Return the pairs of surveys that name a street or a compound and of its segments."""
    street = text_column(surveys, "street_name").str.strip()
    asked = pd.DataFrame({"survey": chosen, "street": street.to_numpy()[chosen]}).dropna()
    numbers = np.arange(len(segments))
    pairs = pd.concat(
        asked.merge(pd.DataFrame({"street": text_column(segments, name).to_numpy(), "row": numbers}))
        for name in ("street_name", "compound_name")
    ).drop_duplicates()
    return pairs["survey"].to_numpy(dtype=np.int64), pairs["row"].to_numpy(dtype=np.int64), np.ones(len(pairs))


def _is_drawn(surveys: gpd.GeoDataFrame) -> Flags:
    shapes = np.asarray(surveys.geometry.array)
    drawn: Flags = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    return drawn


def _has_place(surveys: gpd.GeoDataFrame) -> Flags:
    """Tell which surveys name a segment, an area or a street."""
    named = [text_column(surveys, name).notna().to_numpy(dtype=bool) for name in ("segment_id", "street_name")]
    placed: Flags = named[0] | named[1] | _is_drawn(surveys)
    return placed
