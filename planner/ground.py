"""What lies about each segment and acts on it: corrosive soil, stray current, the traffic of its road."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from planner.factors import text_column
from planner.policy_likelihood import Likelihood
from planner.polylines import Geometries
from registry.fields import check_frame

_CHUNK: Final = 100_000


@dataclass(frozen=True)
class Ground:
    """Codes of the weights by segment, missing where nothing is told; index as `segments`."""

    soil: pd.Series
    stray_current: pd.Series
    road_class: pd.Series


def untold_ground(segments: pd.DataFrame) -> Ground:
    """Return the ground of which nothing is told."""
    nothing = pd.Series(np.nan, segments.index, dtype="str")
    return Ground(nothing, nothing, nothing)


def find_ground(
    segments: gpd.GeoDataFrame,
    context: gpd.GeoDataFrame | None,
    roads: pd.DataFrame | None,
    street_links: pd.DataFrame | None,
    weights: Likelihood,
) -> Ground:
    """Find the soil, the stray current and the class of road of each segment.

    The most corrosive area of the kind `soil` that a segment meets counts; outside all of them it has code `none`.
    Stray current counts within the reach of the weights of an object of that kind. Where the context holds nothing of
    a kind, nothing is known of it: missing, not `none`. The class of road is that of the road that the segment is
    linked to, else the commonest of the roads with its street name.

    Misleads where a layer covers a part of the city only: outside it, ground reads as harmless.
    """
    ground = untold_ground(segments)
    soil, stray = ground.soil, ground.stray_current
    if context is not None:
        check_frame(context, "context", ["kind", "level", "geometry"])
        soil = _soil(segments, context[context["kind"] == "soil"], weights)
        stray = _stray_current(segments, context[context["kind"] == "stray_current"], weights)
    road = ground.road_class if roads is None else _road_class(segments, roads, street_links)
    return Ground(soil, stray, road)


def road_classes(segments: pd.DataFrame, roads: pd.DataFrame) -> pd.Series:
    """Return the class of the street of each segment: the most frequent one among the roads of its name."""
    known = pd.DataFrame({"name": text_column(roads, "name"), "road_class": text_column(roads, "road_class")}).dropna()
    counted = known.value_counts().reset_index().sort_values(["count", "road_class"], ascending=[False, True])
    by_name = counted.drop_duplicates("name").set_index("name")["road_class"]
    # without any road nothing tells that the column holds text
    return text_column(segments, "street_name").map(by_name).astype("str")


def _road_class(segments: pd.DataFrame, roads: pd.DataFrame, street_links: pd.DataFrame | None) -> pd.Series:
    by_name = road_classes(segments, roads)
    if street_links is None:
        return by_name
    linked = pd.Series(street_links["road_id"].to_numpy(), pd.Index(street_links["segment_id"]))
    by_link = linked.map(text_column(roads, "road_class")).reindex(segments.index)
    return by_link.fillna(by_name).astype("str")


def _soil(segments: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, weights: Likelihood) -> pd.Series:
    if areas.empty:
        return pd.Series(np.nan, segments.index, dtype="str")
    # from harmless to harmful, so that the greatest rank is the worst
    factor = {entry.code: entry.factor for entry in weights.soil.factors}
    ranked = sorted((code for code in factor if code != "unknown"), key=lambda code: (factor[code], code != "none"))
    by_word = {word: level.code for level in weights.soil_levels for word in level.words}
    code = areas["level"].str.strip().str.lower().map(by_word).fillna("moderate")
    rank = code.map({name: place for place, name in enumerate(ranked)}).to_numpy(dtype="int64")
    worst = np.full(len(segments), ranked.index("none"), dtype=np.int64)
    for line, area in _meetings(segments, areas, 0.0):
        np.maximum.at(worst, line, rank[area])
    return pd.Series(np.array(ranked, dtype=object)[worst], segments.index, dtype="str")


def _stray_current(segments: gpd.GeoDataFrame, sources: gpd.GeoDataFrame, weights: Likelihood) -> pd.Series:
    if sources.empty:
        return pd.Series(np.nan, segments.index, dtype="str")
    is_near = np.zeros(len(segments), dtype=bool)
    for line, _ in _meetings(segments, sources, weights.stray_current_reach_m.value):
        is_near[line] = True
    return pd.Series(np.where(is_near, "near", "none"), segments.index, dtype="str")


def _meetings(
    segments: gpd.GeoDataFrame, objects: gpd.GeoDataFrame, reach_m: float
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Give the rows of segments and objects within reach of one another, in pieces that keep the memory small."""
    lines: Geometries = np.asarray(segments.geometry.array)
    tree = shapely.STRtree(np.asarray(objects.geometry.array))
    for first in range(0, len(lines), _CHUNK):
        line, thing = tree.query(lines[first : first + _CHUNK], predicate="dwithin", distance=reach_m)
        yield first + line, thing
