"""Places of projects and dig bans: as they were drawn, of their compound, or found from words on the roads we know."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import psycopg
import shapely

from registry.db import query
from registry.intake.findings import Findings, Mask
from registry.kinds import Kind
from registry.places.locate import locate
from registry.places.network import Network
from registry.places.reach import widened

Geometries = npt.NDArray[Any]

# below this two names have little more in common than “road” or “garden”
_LIKENESS: Final = 70
_POINTS: Final = (shapely.GeometryType.POINT, shapely.GeometryType.MULTIPOINT)
_CODES: Final = {
    "crossing_unknown": "place_crossing_unknown",
    "number_unknown": "place_number_unknown",
    "stretch_apart": "place_stretch_apart",
    "ambiguous": "place_ambiguous",
}
_STREET_CODES: Final = {"projects": "project_place_unknown", "moratoria": "ban_place_unknown"}
_ROAD_COLUMNS: Final = ["left_number_from", "left_number_to", "right_number_from", "right_number_to"]


def read_place_roads(connection: psycopg.Connection) -> gpd.GeoDataFrame:
    """Read what the current roads say of places: names, house numbers, lines."""
    rows = connection.execute(query("place_roads")).fetchall()
    frame = pd.DataFrame(rows, columns=["road_id", "name", *_ROAD_COLUMNS, "shape"])
    shapes = shapely.from_wkb([bytes(shape) for shape in frame.pop("shape")])
    return gpd.GeoDataFrame(frame, geometry=np.asarray(shapes, dtype=object))


class Extents:
    """Finds the places of one delivery of projects or dig bans; what they are looked up in is read once."""

    def __init__(self, connection: psycopg.Connection, kind: Kind) -> None:
        self._connection = connection
        self._kind = kind
        self._counts: Counter[str] = Counter()

    @cached_property
    def _roads(self) -> gpd.GeoDataFrame:
        return read_place_roads(self._connection)

    @cached_property
    def _network(self) -> Network:
        return Network.of(self._roads)

    @cached_property
    def _compounds(self) -> pd.Series:
        """Return name -> outline, united from all current compounds of that name."""
        rows = self._connection.execute(query("compound_shapes")).fetchall()
        shapes = shapely.from_wkb([bytes(row[1]) for row in rows])
        return pd.Series(list(shapes), index=[row[0] for row in rows], dtype=object)

    def fill(self, rows: pd.DataFrame, geometry: Geometries, findings: Findings) -> tuple[Geometries, Geometries]:
        """Return the geometries with missing ones found, and how each was found (None: as it was drawn).

        A renovation has its compound's outline, by the compound's name or its own. All others are looked for by cross
        streets, house numbers, address or whole street. A point becomes the ground within reach of it. What cannot be
        found, or can mean several places, is noted with what may have been meant; a dig ban is let in without a place
        where no roads are known at all.
        """
        filled, how = geometry.copy(), np.full(len(rows), None, dtype=object)
        missing = shapely.is_missing(geometry) & ~findings.held
        is_renovation = _is_renovation(rows)
        if (missing & is_renovation).any():
            self._fill_compounds(rows, missing & is_renovation, filled, how, findings)
        if (missing & ~is_renovation).any():
            self._fill_streets(rows, missing & ~is_renovation, filled, how, findings)
        self._widen(rows, is_renovation, filled, how, findings)
        self._counts.update(how[~findings.held & pd.notna(how)])
        self._counts["without_place"] += int((shapely.is_missing(filled) & ~findings.held).sum())
        return filled, how

    def count_collections(self, given: Geometries, findings: Findings) -> None:
        """Count rows of which only the areas, or lines, were taken."""
        mixed = shapely.get_type_id(given) == shapely.GeometryType.GEOMETRYCOLLECTION
        self._counts["collections"] += int((mixed & ~findings.held).sum())

    def notes(self) -> list[dict[str, object]]:
        """Return what was done, counted, as notes of the delivery."""
        ordered = sorted(self._counts.items())
        return [{"code": f"note_place_{name}", "count": count} for name, count in ordered if count]

    def _fill_compounds(
        self, rows: pd.DataFrame, wanted: Mask, filled: Geometries, how: Geometries, findings: Findings
    ) -> None:
        names = rows["compound_name"].fillna(rows["name"]) if "compound_name" in rows else rows["name"]
        found = names.map(self._compounds).to_numpy(dtype=object)
        here = wanted & pd.notna(found)
        filled[here], how[here] = found[here], "compound"
        absent = wanted & ~here
        offered = np.full(len(rows), None, dtype=object)
        offered[absent] = [_nearest(name, list(self._compounds.index)) for name in names[absent]]
        findings.add(absent, "geometry", "project_place_unknown", values=names.to_numpy(dtype=object), offered=offered)

    def _fill_streets(
        self, rows: pd.DataFrame, wanted: Mask, filled: Geometries, how: Geometries, findings: Findings
    ) -> None:
        if self._kind.name == "moratoria" and self._roads.empty:
            return
        asked = rows[wanted]
        places = locate(asked, self._network).reindex(rows.index)
        if "road_id" in rows:
            self._fill_roads(rows, wanted, places)
        found = wanted & places["located_by"].notna().to_numpy()
        filled[found] = places["geometry"].to_numpy(dtype=object)[found]
        how[found] = places["located_by"].to_numpy(dtype=object)[found]
        values, offered = (places[name].to_numpy(dtype=object) for name in ("asked", "offered"))
        codes = _CODES | {"street_unknown": _STREET_CODES[self._kind.name]}
        for problem, code in codes.items():
            is_faulty = wanted & (places["problem"] == problem).to_numpy(dtype=bool)
            findings.add(is_faulty, "geometry", code, values=values, offered=offered)
        if self._kind.name == "projects":
            unnamed = wanted & ~found & places["problem"].isna().to_numpy()
            findings.add(unnamed, "geometry", "project_without_extent")

    def _fill_roads(self, rows: pd.DataFrame, wanted: Mask, places: pd.DataFrame) -> None:
        """Take the road of the id where no words say which part of it; an unknown id is a street not known."""
        lines = pd.Series(self._roads.geometry.to_numpy(), index=self._roads["road_id"], dtype=object)
        parts = ["cross_street_from", "cross_street_to", "number_from", "number_to"]
        is_whole = rows.reindex(columns=parts).isna().all(axis=1).to_numpy()
        named = wanted & is_whole & rows["road_id"].notna().to_numpy()
        known = named & rows["road_id"].isin(lines.index).to_numpy()
        places.loc[known, ["located_by", "problem"]] = ["road", None]
        places.loc[known, "geometry"] = rows.loc[known, "road_id"].map(lines)
        unknown = named & ~known & places["located_by"].isna().to_numpy()
        places.loc[unknown, "problem"] = "street_unknown"
        places.loc[unknown, "asked"] = rows.loc[unknown, "road_id"].astype(object)

    def _widen(
        self, rows: pd.DataFrame, is_renovation: Mask, filled: Geometries, how: Geometries, findings: Findings
    ) -> None:
        """Give points an extent: the compound they lie in, or the ground within reach."""
        points = np.isin(shapely.get_type_id(filled), _POINTS) & ~findings.held
        if not points.any():
            return
        how[points & pd.isna(how)] = "point"
        if (points & is_renovation).any():
            self._widen_renovations(points & is_renovation, filled, how)
        points &= np.isin(shapely.get_type_id(filled), _POINTS)
        kinds = (
            rows["kind"].to_numpy(dtype=object) if "kind" in rows else np.full(len(rows), "moratorium", dtype=object)
        )
        filled[points] = widened(filled[points], kinds[points])
        none = points & shapely.is_missing(filled)
        findings.add(none, "geometry", "point_is_no_extent")

    def _widen_renovations(self, points: Mask, filled: Geometries, how: Geometries) -> None:
        outlines = self._compounds.to_numpy(dtype=object)
        at, inside = shapely.STRtree(outlines).query(filled[points], predicate="intersects")
        once = pd.Series(inside).groupby(at).agg(["first", "size"]).query("size == 1")
        places = np.flatnonzero(points)[once.index.to_numpy(dtype=np.int64)]
        filled[places], how[places] = outlines[once["first"].to_numpy(dtype=np.int64)], "compound"


def _is_renovation(rows: pd.DataFrame) -> Mask:
    if "kind" not in rows:
        return np.zeros(len(rows), dtype=bool)
    return (rows["kind"] == "old_residential").fillna(False).to_numpy(dtype=bool)


def _nearest(name: object, choices: list[str]) -> str | None:
    from rapidfuzz import fuzz, process

    found = process.extractOne(str(name), choices, scorer=fuzz.ratio, score_cutoff=_LIKENESS)
    return str(found[0]) if found else None
