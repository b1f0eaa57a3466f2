"""Which segment a leak belongs to: candidates with their probability, never one guess."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from planner.clip import Engine
from planner.evidence import (
    diameter_fit,
    is_possible,
    is_stated,
    laid_share,
    leak_rates,
    material_fit,
    tier_fit,
    unheld_rates,
)
from planner.factors import Flags, Floats, day_column, text_column
from planner.near import Near, find_near
from planner.policy import Policy
from registry.fields import check_frame

Rows = NDArray[np.int64]
Geometries = NDArray[Any]


@dataclass(frozen=True)
class _Weighed:
    """The weight of each pair, and for each leak that of a pipe which the registry does not hold."""

    held: Floats
    unheld: Floats


def link_leaks(
    leaks: gpd.GeoDataFrame,
    segments: gpd.GeoDataFrame,
    policy: Policy,
    *,
    radius_m: float | None = None,
    engine: Engine = "auto",
) -> pd.DataFrame:
    """Link every leak to the segments it may belong to, with a probability each.

    Candidates lie within the radius of the policy for the way the position is known (or `radius_m` for all). The
    weight of one is the product of its nearness (the scatter of the report over all its metres), of the leak rate of
    its cohort at the age it had, to a power, of the share of its install interval before the leak, and of its
    agreement with material, diameter and tier where the record states them. Of another medium, laid after the leak or
    retired before it: no candidate. Two weights belong to no segment and keep the sum of one leak below 1: that of a
    pipe which the registry does not hold, and that of the pipes which lay where there are younger ones now; so the
    leak of a predecessor is not given to its neighbours. Pass retired segments with the others, and they get theirs.

    A segment named by the crew wins with probability 1; where the named segment is younger than the leak or is not in
    the frame, the leak belonged to a pipe that is gone and is linked to nothing.

    Misleads where survey and leak positions are off by more than the radius, or where two pipes share a trench and
    the record states nothing.

    Returns
    -------
    The frame `leak_links`, in the order of leaks, then of segments.
    """
    check_frame(leaks, "leaks", ["leaked_on", "geometry"])
    check_frame(segments, "segments", ["medium", "geometry"])
    is_named = text_column(leaks, "segment_id").notna().to_numpy(dtype=bool)
    near = _near(leaks, segments, ~is_named, policy, radius_m, engine)
    near = near.keep(is_possible(leaks, segments, near.place, near.line))
    weighed = _weigh(near, leaks, segments, policy)
    total = _per_leak(near, weighed.held, leaks) + weighed.unheld
    probability = weighed.held / total[near.place]
    is_kept = (probability > 0.0) & (probability >= policy.links.least_probability.value)
    return _links(_named(leaks, segments), near.keep(is_kept), probability[is_kept], leaks, segments)


def _named(leaks: gpd.GeoDataFrame, segments: gpd.GeoDataFrame) -> tuple[Rows, Rows]:
    """Return the pairs that the crew named and that time and medium allow."""
    segment = segments.index.get_indexer(pd.Index(text_column(leaks, "segment_id"))).astype(np.int64)
    leak = np.flatnonzero(segment >= 0)
    segment = segment[leak]
    allowed = is_possible(leaks, segments, leak, segment)
    allowed &= laid_share(segments, segment, day_column(leaks, "leaked_on")[leak]) > 0.0
    return leak[allowed], segment[allowed]


def _near(
    leaks: gpd.GeoDataFrame,
    segments: gpd.GeoDataFrame,
    wanted: Flags,
    policy: Policy,
    radius_m: float | None,
    engine: Engine,
) -> Near:
    reach = {entry.code: entry for entry in policy.links.reach}
    quality = text_column(leaks, "position_quality")
    quality = quality.where(quality.isin(list(reach)), "unknown")
    number, names = pd.factorize(quality)
    radius = np.array([reach[str(name)].radius_m for name in names])[number]
    scatter = np.array([reach[str(name)].scatter_m for name in names])[number]
    if radius_m is not None:
        radius = np.full(len(leaks), radius_m, dtype="float64")
    row = np.flatnonzero(wanted)
    points: Geometries = np.asarray(leaks.geometry.array)
    lines: Geometries = np.asarray(segments.geometry.array)
    return find_near(points[row], lines, radius[row], scatter[row], engine).of_rows(row)


def _weigh(near: Near, leaks: gpd.GeoDataFrame, segments: gpd.GeoDataFrame, policy: Policy) -> _Weighed:
    """Weigh every pair, and for every leak what belongs to no segment of the registry."""
    links, leak = policy.links, near.place
    # only the candidates: a city has far more segments than lie near a leak
    rows, segment = np.unique(near.line, return_inverse=True)
    candidates = pd.DataFrame(segments.drop(columns=segments.geometry.name)).iloc[rows]
    day = day_column(leaks, "leaked_on")[leak]
    material = material_fit(leaks, candidates, leak, segment, links.material)
    others = diameter_fit(leaks, candidates, leak, segment, links.diameter)
    others *= tier_fit(leaks, candidates, leak, segment, links.tier)
    share = laid_share(candidates, segment, day)
    rate = leak_rates(candidates, segment, day, policy.weights) ** links.hazard_power.value
    # a pipe that nobody registered, and one that lay there before: nothing but the medium is known of either
    unheld_rate = unheld_rates(leaks, policy.weights) ** links.hazard_power.value
    unheld_rate *= np.where(is_stated(leaks, "material"), links.material.unknown.value, 1.0)
    replaced = _per_leak(near, near.nearness_per_m * (1.0 - share) * others, leaks)
    replaced *= links.predecessor_weight.value * _unheld_share(near, share, _is_retired(candidates)[segment], leaks)
    elsewhere = np.where(is_stated(leaks, "diameter_mm"), links.diameter.unknown.value, 1.0)
    elsewhere *= np.where(is_stated(leaks, "tier"), links.tier.unknown.value, 1.0)
    unheld = unheld_rate * (links.elsewhere_m_per_m2.value * elsewhere + replaced)
    return _Weighed(near.nearness_per_m * rate * share * material * others, unheld)


def _per_leak(near: Near, weights: Floats, leaks: pd.DataFrame) -> Floats:
    """Add up the weights of the pairs of each leak."""
    # numpy counts in whole numbers where there is no pair at all
    return np.bincount(near.place, weights=weights, minlength=len(leaks)).astype("float64")


def _is_retired(segments: pd.DataFrame) -> Flags:
    return ~np.isnat(day_column(segments, "retired_on"))


def _unheld_share(near: Near, share: Floats, is_retired: Flags, leaks: pd.DataFrame) -> Floats:
    """Return for each leak what share of the predecessors of younger pipes the registry does not hold.

    A retired pipe that lay there on the day stands for one: where it is held, no other is supposed in its place.
    """
    young = _per_leak(near, near.nearness_per_m * (1.0 - share), leaks)
    retired = _per_leak(near, near.nearness_per_m * share * is_retired, leaks)
    return np.where(young > retired, 1.0 - retired / np.maximum(young, np.finfo(np.float64).tiny), 0.0)


def _links(
    named: tuple[Rows, Rows],
    near: Near,
    probability: Floats,
    leaks: gpd.GeoDataFrame,
    segments: gpd.GeoDataFrame,
) -> pd.DataFrame:
    """Bring named and near pairs into one frame."""
    points: Geometries = np.asarray(leaks.geometry.array)[named[0]]
    lines: Geometries = np.asarray(segments.geometry.array)[named[1]]
    leak = np.concatenate([named[0], near.place])
    segment = np.concatenate([named[1], near.line])
    order = np.lexsort((segment, leak))
    # distance and measure are empty where the crew named the segment and no position was reported
    columns = {
        "probability": np.concatenate([np.ones(len(named[0])), probability]),
        "distance_m": np.concatenate([shapely.distance(points, lines), near.distance_m]),
        "measure_m": np.concatenate([shapely.line_locate_point(lines, points), near.measure_m]),
    }
    ids = {
        "leak_id": leaks.index[leak[order]].astype("str"),
        "segment_id": segments.index[segment[order]].astype("str"),
    }
    return pd.DataFrame(ids | {name: values[order] for name, values in columns.items()})
