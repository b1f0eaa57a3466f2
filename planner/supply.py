"""Which segments supply which households: by connection, building and compound, with a probability each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from planner.factors import Floats, number_column, text_column
from planner.near import Near, find_near
from planner.policy import Policy
from planner.policy_links import Supply
from registry.fields import check_frame, columns_of

Rows = NDArray[np.int64]
# the word of whom to believe where several tell of the same households: the first that counts any
_RANKS: Final = ("customers", "risers", "buildings", "compounds")
_HOLDER_COLUMNS: Final = ("holder_kind", "holder_id", "building_id", "compound_id", "segment_id", "household_count")


@dataclass(frozen=True)
class Homes:
    """What the census tells of households; each frame as its contract in fields.csv, or None."""

    customers: gpd.GeoDataFrame | None = None
    risers: pd.DataFrame | None = None
    buildings: gpd.GeoDataFrame | None = None
    compounds: gpd.GeoDataFrame | None = None


def link_households(homes: Homes, segments: gpd.GeoDataFrame, policy: Policy) -> pd.DataFrame:
    """Link all households to the segments that may supply them; the probabilities of one holder add up to 1.

    A holder is a customer, a riser group, a building or a compound. Where several tell of the same site (a compound,
    or a building outside of any), the first of these that counts any household is believed. A holder is linked to the
    segment that it names; else to segments near its own place, near its building, or in its compound: nearer ones are
    likelier, of a compound those that name it share by length. Only segments of the media of the policy supply.
    What none of these reaches is listed with no segment: the frame has one row of it, without a probability.

    Misleads where a building stands beside a main and is supplied from behind, and where a compound has no supply.

    Returns
    -------
    The frame `household_links`, in the order of holders, then of segments.
    """
    check_frame(segments, "segments", ["medium", "geometry"])
    settings = policy.supply
    supplying = segments[segments["medium"].isin(list(settings.media)).to_numpy(dtype=bool)]
    holders = _holders(homes)
    named = supplying.index.get_indexer(pd.Index(holders["segment_id"])).astype(np.int64)
    is_open = named < 0
    parts = [_rows(np.flatnonzero(~is_open), named[~is_open], np.ones(int((~is_open).sum())), "connection")]
    for basis, find in (("place", _near_own), ("building", _near_building), ("compound", _in_compound)):
        found = find(np.flatnonzero(is_open), holders, homes, supplying, settings)
        parts.append(found.assign(basis=basis))
        is_open[found["holder"].to_numpy(dtype=np.int64)] = False
    left = np.flatnonzero(is_open)
    parts.append(_rows(left, np.full(len(left), -1), np.full(len(left), np.nan), "unassigned"))
    links = pd.concat(parts, ignore_index=True).sort_values(["holder", "segment"], kind="stable", ignore_index=True)
    return _told(links, holders, supplying)


def expected_households(household_links: pd.DataFrame, segments: pd.DataFrame) -> Floats:
    """Return the households that each segment may be expected to supply; NaN where no household is known at all."""
    check_frame(household_links, "household_links", ["segment_id", "household_count", "probability"])
    if household_links.empty:
        return np.full(len(segments), np.nan)
    row = segments.index.get_indexer(pd.Index(household_links["segment_id"]))
    there = row >= 0
    counted = (household_links["household_count"] * household_links["probability"]).to_numpy(dtype="float64")
    return np.bincount(row[there], weights=counted[there], minlength=len(segments)).astype("float64")


def _holders(homes: Homes) -> pd.DataFrame:
    """Return one row for each holder that is believed, with the ids that it states."""
    frames = {kind: getattr(homes, kind) for kind in _RANKS}
    tables = [_holder_table(kind, frame) for kind, frame in frames.items() if frame is not None and not frame.empty]
    if not tables:
        return pd.DataFrame({name: pd.Series(dtype="str") for name in (*_HOLDER_COLUMNS[:-1],)}).assign(
            household_count=pd.Series(dtype="float64")
        )
    holders = pd.concat(tables, ignore_index=True)
    if homes.buildings is not None and "compound_id" in homes.buildings:
        of_building = homes.buildings["compound_id"]
        holders["compound_id"] = holders["compound_id"].fillna(holders["building_id"].map(of_building)).astype("str")
    site = holders["compound_id"].where(holders["compound_id"].notna(), holders["building_id"])
    rank = holders["holder_kind"].map({kind: place for place, kind in enumerate(_RANKS)})
    # a holder without a site stands for itself
    is_believed = site.isna() | (rank == rank.groupby(site).transform("min"))
    return holders[is_believed.to_numpy(dtype=bool)].reset_index(drop=True)


def _holder_table(kind: str, frame: pd.DataFrame) -> pd.DataFrame:
    own = pd.Series(frame.index.astype("str"), index=frame.index)
    table = pd.DataFrame(
        {
            "holder_kind": kind,
            "holder_id": own,
            "building_id": own if kind == "buildings" else text_column(frame, "building_id"),
            "compound_id": own if kind == "compounds" else text_column(frame, "compound_id"),
            "segment_id": text_column(frame, "segment_id"),
            "household_count": number_column(frame, "household_count"),
        }
    )
    return table[(table["household_count"] > 0).to_numpy(dtype=bool)]


def _near_own(
    rows: Rows, holders: pd.DataFrame, homes: Homes, segments: gpd.GeoDataFrame, settings: Supply
) -> pd.DataFrame:
    """Link holders by their own place: a customer by its connection."""
    if homes.customers is None or "geometry" not in homes.customers:
        return _nothing()
    ids = holders["holder_id"].where(holders["holder_kind"] == "customers")
    return _near(
        rows,
        ids.to_numpy(dtype=object)[rows],
        homes.customers.geometry,
        segments,
        (settings.connection, settings.least_share.value),
    )


def _near_building(
    rows: Rows, holders: pd.DataFrame, homes: Homes, segments: gpd.GeoDataFrame, settings: Supply
) -> pd.DataFrame:
    """Link holders by the middle of their building."""
    if homes.buildings is None or homes.buildings.empty:
        return _nothing()
    places = gpd.GeoSeries(shapely.point_on_surface(np.asarray(homes.buildings.geometry.array)), homes.buildings.index)
    at = holders["building_id"].to_numpy(dtype=object)[rows]
    return _near(rows, at, places, segments, (settings.building, settings.least_share.value))


def _near(
    rows: Rows,
    at: NDArray[np.object_],
    places: gpd.GeoSeries,
    segments: gpd.GeoDataFrame,
    limits: tuple[Any, float],
) -> pd.DataFrame:
    reach, least_share = limits
    place = places.index.get_indexer(pd.Index(at, dtype="object"))
    is_placed = place >= 0
    used, number = np.unique(place[is_placed], return_inverse=True)
    points = np.asarray(places.array)[used]
    count = len(points)
    found: Near = find_near(
        points,
        np.asarray(segments.geometry.array),
        np.full(count, float(reach.radius_m)),
        np.full(count, float(reach.scatter_m)),
    )
    pairs = pd.DataFrame({"place": found.place, "segment": found.line, "weight": found.nearness_per_m})
    holders = pd.DataFrame({"place": number, "holder": rows[is_placed]})
    joined = holders.merge(pairs, on="place")
    share = joined["weight"] / joined["weight"].groupby(joined["holder"]).transform("sum")
    kept = joined[(share >= least_share).to_numpy(dtype=bool)]
    return _normalised(kept["holder"], kept["segment"], kept["weight"])


def _in_compound(
    rows: Rows, holders: pd.DataFrame, homes: Homes, segments: gpd.GeoDataFrame, _settings: Supply
) -> pd.DataFrame:
    """Share holders out over the segments that name their compound, by length."""
    names = text_column(segments, "compound_name")
    if homes.compounds is None or homes.compounds.empty or names.isna().all():
        return _nothing()
    compound = pd.Series(holders["compound_id"].to_numpy(dtype=object)[rows]).map(homes.compounds["name"])
    lengths = shapely.length(np.asarray(segments.geometry.array))
    pipes = pd.DataFrame({"name": names.to_numpy(dtype=object), "segment": np.arange(len(segments)), "weight": lengths})
    homes_of = pd.DataFrame({"name": compound.to_numpy(dtype=object), "holder": rows}).dropna()
    joined = homes_of.merge(pipes.dropna(), on="name")
    return _normalised(joined["holder"], joined["segment"], joined["weight"])


def _normalised(holder: pd.Series, segment: pd.Series, weight: pd.Series) -> pd.DataFrame:
    share = weight / weight.groupby(holder).transform("sum")
    return pd.DataFrame({"holder": holder, "segment": segment, "probability": share}).astype(
        {"holder": "int64", "segment": "int64", "probability": "float64"}
    )


def _rows(holder: Rows, segment: Rows, probability: Floats, basis: str) -> pd.DataFrame:
    return pd.DataFrame({"holder": holder, "segment": segment, "probability": probability}).assign(basis=basis)


def _nothing() -> pd.DataFrame:
    none = np.empty(0, dtype=np.int64)
    return pd.DataFrame({"holder": none, "segment": none, "probability": np.empty(0)})


def _told(links: pd.DataFrame, holders: pd.DataFrame, segments: pd.DataFrame) -> pd.DataFrame:
    """Return the links with ids in place of row numbers."""
    holder, segment = links["holder"].to_numpy(dtype=np.int64), links["segment"].to_numpy(dtype=np.int64)
    ids = np.append(segments.index.to_numpy(dtype=object), np.array([None], dtype=object))
    columns = {
        "holder_kind": pd.Series(holders["holder_kind"].to_numpy(dtype=object)[holder], dtype="str"),
        "holder_id": pd.Series(holders["holder_id"].to_numpy(dtype=object)[holder], dtype="str"),
        "segment_id": pd.Series(ids[segment], dtype="str"),
        "household_count": pd.Series(holders["household_count"].to_numpy(dtype="float64")[holder]),
        "probability": links["probability"],
        "basis": links["basis"].astype("str"),
    }
    return pd.DataFrame(columns)[columns_of("household_links")]
