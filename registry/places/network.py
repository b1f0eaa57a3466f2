"""The streets that places are looked up on: roads by name, house numbers by side, lines in one piece."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from registry.places.street_names import name_parts

Geometries = npt.NDArray[Any]
# two streets whose lines do not quite touch meet all the same: half a wide carriageway
MEETING_M: Final = 25.0
# what lies closer together than this is one crossing of two divided streets
ONE_CROSSING_M: Final = 60.0
_SIDES: Final = ("left", "right")


@dataclass(frozen=True)
class Network:
    """Roads with their names taken apart. `streets` are the distinct names, numbered; all else names that number.

    `roads`: street and geometry of each road that has a name. `streets`: name as first written, stem, type, direction.
    """

    roads: pd.DataFrame
    streets: pd.DataFrame

    @classmethod
    def of(cls, roads: gpd.GeoDataFrame) -> Network:
        """Take roads (name, left_ and right_number_from and _to where known, geometry in metres) as a network.

        Roads without name or geometry are left out: nobody can name them.
        """
        there = roads["name"].notna().to_numpy(dtype=bool) & ~roads.geometry.isna().to_numpy(dtype=bool)
        named = pd.DataFrame(roads[there]).reset_index(drop=True)
        parts = street_parts(named["name"])
        street = parts.groupby(["stem", "type", "direction"], sort=False).ngroup().to_numpy(dtype=np.int64)
        named = named.assign(street=street)
        first = ~pd.Series(street).duplicated().to_numpy()
        streets = parts[first].assign(name=named["name"][first].astype(object)).set_axis(street[first])
        return cls(named, streets.rename_axis("street"))

    def __len__(self) -> int:
        return len(self.streets)

    @cached_property
    def sides(self) -> pd.DataFrame:
        """House numbers by side of road: road (position), street, number_from, number_to, low, high, parity (or -1)."""
        tables = []
        for side in _SIDES:
            ends = [f"{side}_number_from", f"{side}_number_to"]
            if not set(ends) <= set(self.roads.columns):
                continue
            numbers = self.roads[ends].apply(pd.to_numeric).set_axis(["number_from", "number_to"], axis=1)
            # a number at one end only stands for the whole side
            numbers = numbers.bfill(axis=1).ffill(axis=1).dropna().astype("int64")
            tables.append(numbers.assign(road=numbers.index, street=self.roads["street"][numbers.index]))
        if not tables:
            columns = ["number_from", "number_to", "road", "street", "low", "high", "parity"]
            return pd.DataFrame(columns=columns, dtype="int64")
        sides = pd.concat(tables, ignore_index=True)
        ends = sides[["number_from", "number_to"]]
        remainder = ends["number_from"] % 2
        parity = remainder.where(remainder == ends["number_to"] % 2, -1)
        return pd.DataFrame(sides.assign(low=ends.min(axis=1), high=ends.max(axis=1), parity=parity))

    @cached_property
    def lines(self) -> Geometries:
        """All roads of each street as one geometry, in the order of its number."""
        order = np.argsort(self.roads["street"].to_numpy(), kind="stable")
        return np.asarray(
            shapely.multilinestrings(
                self.roads["geometry"].to_numpy(dtype=object)[order], indices=self.roads["street"].to_numpy()[order]
            ),
            dtype=object,
        )

    @cached_property
    def pieces(self) -> pd.DataFrame:
        """Lines of each street joined where they go on: street and geometry; rings, without beginning, are left out."""
        merged, street = shapely.get_parts(shapely.line_merge(self.lines), return_index=True)
        is_open = ~shapely.is_closed(merged)
        return pd.DataFrame({"street": street[is_open], "geometry": merged[is_open]})

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Index of `lines`."""
        return shapely.STRtree(self.lines)

    @cached_property
    def loose_ends(self) -> pd.DataFrame:
        """Ends of streets at which no other street is: street and geometry."""
        lines = self.pieces["geometry"].to_numpy(dtype=object)
        ends = np.concatenate([shapely.get_point(lines, 0), shapely.get_point(lines, -1)])
        street = np.tile(self.pieces["street"].to_numpy(), 2)
        at, near = self.tree.query(ends, predicate="dwithin", distance=1.0)
        is_met = np.isin(np.arange(len(ends)), at[street[at] != near])
        return pd.DataFrame({"street": street[~is_met], "geometry": ends[~is_met]})

    def candidates(self, names: pd.Series) -> pd.DataFrame:
        """Return the streets that each name may mean: ask (label of the name), street, doubt.

        Doubt counts what the name leaves open or the register does: 1 for a direction, 2 for a type of street. Only the
        least doubtful stay; a direction or type that contradicts is never taken.
        """
        asked = street_parts(names).rename_axis("ask").reset_index().dropna(subset=["stem"])
        known = self.streets.drop(columns="name").reset_index()
        pairs = asked.merge(known, on="stem", suffixes=("", "_known"))
        doubt = np.zeros(len(pairs), dtype=np.int64)
        fits = np.ones(len(pairs), dtype=bool)
        for part, weight in (("direction", 1), ("type", 2)):
            said, has = pairs[part].to_numpy(dtype=object), pairs[f"{part}_known"].to_numpy(dtype=object)
            differs = said != has
            fits &= ~differs | (said == "") | (has == "")
            doubt += weight * differs
        pairs = pairs.assign(doubt=doubt)[fits]
        least = pairs.groupby("ask")["doubt"].transform("min")
        return pairs.loc[pairs["doubt"] == least, ["ask", "street", "doubt"]].reset_index(drop=True)

    def crossings(self, pairs: pd.DataFrame) -> pd.DataFrame:
        """Return where two streets meet: `street`, `other` and `geometry`, a point on the line of the first.

        `pairs` has the columns street and other; pairs that do not meet are left out, those that meet at several
        places have a row for each.
        """
        distinct = pairs[["street", "other"]].drop_duplicates()
        distinct = distinct[distinct["street"] != distinct["other"]]
        ours, theirs = self.lines[distinct["street"]], self.lines[distinct["other"]]
        is_near = shapely.dwithin(ours, theirs, MEETING_M)
        distinct, ours, theirs = distinct[is_near], ours[is_near], theirs[is_near]
        met = shapely.intersection(ours, theirs)
        apart = shapely.is_empty(met)
        met[apart] = shapely.get_point(shapely.shortest_line(ours[apart], theirs[apart]), 0)
        points, at = shapely.get_coordinates(met, return_index=True)
        # one crossing of divided streets is a cluster of points: the one nearest to its middle stands for it
        clouds = np.asarray(shapely.multipoints(points, indices=at) if len(points) else met, dtype=object)
        middles, of = shapely.get_parts(shapely.buffer(clouds, ONE_CROSSING_M / 2), return_index=True)
        nearest = shapely.get_point(shapely.shortest_line(clouds[of], shapely.centroid(middles)), 0)
        return distinct.iloc[of].reset_index(drop=True).assign(geometry=nearest)


def street_parts(names: pd.Series) -> pd.DataFrame:
    """Return stem, type and direction of names; before or behind, a direction is the same."""
    parts = name_parts(names)
    direction = (parts["prefix"] + " " + parts["suffix"]).str.strip().astype(object)
    return pd.DataFrame({"stem": parts["stem"], "type": parts["type"], "direction": direction}, index=names.index)
