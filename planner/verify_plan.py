"""A finished plan laid out for checking: what is placed when, and where the ends of pipes meet."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import networkx as nx
import pandas as pd
import shapely


@dataclass(frozen=True)
class Placed:
    """A batch with a year."""

    batch_id: str
    year: int
    kind: str
    segments: tuple[str, ...]
    stated_cost_cny: float
    household_count: float
    risk_per_year: float


class PlanView:
    """The placed batches of a plan and what is known of their segments."""

    def __init__(self, segments: gpd.GeoDataFrame, batches: pd.DataFrame, batch_segments: pd.DataFrame) -> None:
        """Lay out frames that `check_frames` found to fit together."""
        self.segments = segments
        self.length_m: dict[str, float] = {str(name): float(m) for name, m in segments["length_m"].items()}
        self._pairs: dict[str, list[dict[str, Any]]] | None = None
        self._junctions: dict[float, dict[str, tuple[int, int]]] = {}
        self._meeting: dict[float, dict[int, list[str]]] = {}
        self._texts: dict[str, dict[str, str | None]] = {}
        members: defaultdict[str, list[str]] = defaultdict(list)
        for segment, batch in batch_segments["batch_id"].items():
            members[str(batch)].append(str(segment))
        self.placed: list[Placed] = []
        for batch, row in batches.iterrows():
            if pd.isna(row["year"]):
                continue
            count = row["household_count"]
            self.placed.append(
                Placed(
                    batch_id=str(batch),
                    year=int(row["year"]),
                    kind=str(row["kind"]),
                    segments=tuple(sorted(members[str(batch)])),
                    stated_cost_cny=float(row["cost_cny"]),
                    household_count=0.0 if pd.isna(count) else float(count),
                    risk_per_year=float(row["risk_per_year"]),
                )
            )

    def batches_of(self) -> dict[str, list[Placed]]:
        """Return the placed batches of each segment."""
        held: defaultdict[str, list[Placed]] = defaultdict(list)
        for placed in self.placed:
            for segment in placed.segments:
                held[segment].append(placed)
        return held

    def year_of(self) -> dict[str, int]:
        """Return the year of each placed segment, the first where it is placed twice."""
        return {segment: min(placed.year for placed in held) for segment, held in self.batches_of().items()}

    def length_of(self, placed: Placed) -> float:
        """Return the metres of a batch."""
        return sum(self.length_m[segment] for segment in placed.segments)

    def pairs_of(self, pairs: pd.DataFrame | None) -> dict[str, list[dict[str, Any]]]:
        """Return the pairs of each segment."""
        if self._pairs is None:
            found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
            for pair in [] if pairs is None else pairs.to_dict("records"):
                found[str(pair["segment_id"])].append({str(name): value for name, value in pair.items()})
            self._pairs = found
        return self._pairs

    def text(self, column: str) -> dict[str, str | None]:
        """Return a column of the segments, None where it is missing."""
        if column not in self._texts:
            cells = zip(self.length_m, self.segments[column], strict=True)
            self._texts[column] = {name: None if pd.isna(cell) else str(cell) for name, cell in cells}
        return self._texts[column]

    def junctions(self, tolerance_m: float) -> dict[str, tuple[int, int]]:
        """Return the junction at the first and the last end of each segment: ends within the tolerance are one."""
        if tolerance_m not in self._junctions:
            self._junctions[tolerance_m] = self._find_junctions(tolerance_m)
        return self._junctions[tolerance_m]

    def _find_junctions(self, tolerance_m: float) -> dict[str, tuple[int, int]]:
        points: list[shapely.Point] = []
        for shape in self.segments.geometry:
            points += [shapely.Point(shape.coords[0]), shapely.Point(shape.coords[-1])]
        near: nx.Graph[int] = nx.Graph()
        near.add_nodes_from(range(len(points)))
        first, second = shapely.STRtree(points).query(points, predicate="dwithin", distance=tolerance_m)
        near.add_edges_from(zip(first.tolist(), second.tolist(), strict=True))
        junction = {end: number for number, ends in enumerate(nx.connected_components(near)) for end in ends}
        return {name: (junction[2 * place], junction[2 * place + 1]) for place, name in enumerate(self.length_m)}

    def meeting(self, tolerance_m: float) -> dict[int, list[str]]:
        """Return the segments that end at each junction."""
        if tolerance_m not in self._meeting:
            found: defaultdict[int, list[str]] = defaultdict(list)
            for name, ends in self.junctions(tolerance_m).items():
                for end in set(ends):
                    found[end].append(name)
            self._meeting[tolerance_m] = found
        return self._meeting[tolerance_m]
