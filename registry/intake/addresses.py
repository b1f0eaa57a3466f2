"""Positions of leaks and events that come with an address alone: found on the roads we know, or in the queue."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import psycopg
import pyarrow as pa
import shapely

from registry.arrow import compute as pc
from registry.intake.checks import Columns
from registry.intake.extents import read_place_roads
from registry.intake.findings import Findings, Mask
from registry.kinds import Kind
from registry.places.locate import locate
from registry.places.network import Network
from registry.places.reach import reach_m

Geometries = npt.NDArray[Any]

# what a row that was located says besides its geometry
POSITION_COLUMNS: Final = ("located_by", "place_confidence", "position_quality")
_BY_ADDRESS: Final = "address"
_CODES: Final = {
    "street_unknown": "address_street_unknown",
    "crossing_unknown": "place_crossing_unknown",
    "number_unknown": "place_number_unknown",
    "stretch_apart": "address_too_wide",
    "ambiguous": "address_ambiguous",
}


class Addresses:
    """Finds the positions of one delivery of leaks or events; the roads are read once, and only where needed."""

    def __init__(self, connection: psycopg.Connection, kind: Kind) -> None:
        self._connection = connection
        self._kind = kind
        self._found = 0
        self._unfound = 0

    @cached_property
    def _network(self) -> Network:
        return Network.of(read_place_roads(self._connection))

    def fill(self, rows: Columns, geometry: Geometries, findings: Findings) -> Geometries:
        """Return the geometries with missing ones found from the address, and say in `rows` how each was found.

        A house number and a crossing are positions, and so is a stretch so short that its middle will do. What cannot
        be found, names a long street only, or can mean several places is noted with what may have been meant; an event
        that names its segment needs no place and goes in without one.
        """
        asked = shapely.is_missing(geometry) & ~findings.held
        if "address" in rows:
            asked &= rows["address"].is_valid().to_numpy(zero_copy_only=False)
        if "address" not in rows or not asked.any():
            return geometry
        address = pd.Series(rows["address"].to_pylist(), dtype=object)
        places = locate(pd.DataFrame({"address": address[asked]}), self._network).reindex(address.index)
        shapes = places["geometry"].where(places["geometry"].notna(), None).to_numpy(dtype=object)
        is_located = asked & ~shapely.is_missing(shapes)
        is_wide = is_located & ~(shapely.minimum_bounding_radius(shapes) <= reach_m()[self._kind.name])
        found = is_located & ~is_wide
        filled = geometry.copy()
        filled[found] = _middles(shapes[found])
        self._say(rows, places, found)
        is_named = rows["segment_id"].is_valid().to_numpy(zero_copy_only=False) if "segment_id" in rows else False
        needs = asked & ~(is_named & np.bool_(self._kind.name == "events"))
        self._found += int(found.sum())
        self._unfound += int((asked & ~found & ~needs).sum())
        values, offered = (places[name].to_numpy(dtype=object) for name in ("asked", "offered"))
        for problem, code in _CODES.items():
            is_faulty = needs & (places["problem"] == problem).to_numpy(dtype=bool)
            findings.add(is_faulty, "geometry", code, values=values, offered=offered)
        findings.add(needs & is_wide, "geometry", "address_too_wide", values=address.to_numpy(dtype=object))
        return filled

    def notes(self) -> list[dict[str, object]]:
        """Return how many positions were found, and of how many events only the segment is known."""
        counts = {"note_address_found": self._found, "note_address_unfound": self._unfound}
        return [{"code": code, "count": count} for code, count in counts.items() if count]

    @staticmethod
    def _say(rows: Columns, places: pd.DataFrame, found: Mask) -> None:
        """Put into the rows that were located by which method, how surely, and that the position is an address."""
        is_found = pa.array(found)
        said = {
            "located_by": pa.array(
                places["located_by"].where(found, None).astype(object), pa.string(), from_pandas=True
            ),
            "place_confidence": pa.array(places["confidence"].where(found), pa.float64(), from_pandas=True),
            "position_quality": pc.if_else(is_found, _BY_ADDRESS, pa.scalar(None, pa.string())),
        }
        for name, column in said.items():
            rows[name] = pc.if_else(is_found, column, rows[name]) if name in rows else column


def _middles(shapes: Geometries) -> Geometries:
    """Return the point of each geometry that is nearest to its middle."""
    return np.asarray(shapely.get_point(shapely.shortest_line(shapes, shapely.centroid(shapes)), 0))
