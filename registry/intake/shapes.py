"""Geometry of a delivery: into the working CRS, of the right type, sound; what is not is noted by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely
from shapely import GeometryType

from registry.crs import axes_are_swapped, parse_crs, swap_axes, to_working_crs
from registry.errors import FileFaultError
from registry.intake.findings import Findings
from registry.intake.mapping import Mapping
from registry.intake.readers import RawTable
from registry.kinds import Kind

Geometries = npt.NDArray[Any]
# shorter than the survey can tell two points apart
SHORTEST_M: Final = 0.01
_POLYGONS: Final = (GeometryType.POLYGON, GeometryType.MULTIPOLYGON)
_LINES: Final = (GeometryType.LINESTRING, GeometryType.MULTILINESTRING)
_ALLOWED: Final[dict[str, tuple[GeometryType, ...]]] = {
    "linestring": _LINES,
    "point": (GeometryType.POINT, GeometryType.MULTIPOINT),
    "multipolygon": _POLYGONS,
    "geometry": (GeometryType.POINT, *_LINES, *_POLYGONS),
}


@dataclass(frozen=True)
class Shapes:
    """Geometry of all rows in the working CRS (None where missing or faulty) and what was noticed about the file."""

    geometry: Geometries
    crs: str
    notes: list[dict[str, object]]


@dataclass(frozen=True)
class Place:
    """Where a delivery is said to lie and where it is to go."""

    kind: Kind
    mapping: Mapping
    crs: str | None
    srid: int
    file_name: str


def settle_shapes(
    raw: RawTable, points: tuple[pd.Series, pd.Series] | None, place: Place, findings: Findings
) -> Shapes:
    """Settle the geometry of every row.

    The CRS is that of the option, else of the mapping, else of the file; a table of coordinates without any is taken
    to be in the working CRS, with a note.

    Raises
    ------
    FileFaultError
        Where the CRS is missing, in conflict with the coordinates, or where the axes of a GIS file are swapped.
    """
    notes: list[dict[str, object]] = []
    named = place.crs or place.mapping.source.crs or raw.crs
    if raw.geometry is None and points is None:
        return Shapes(np.full(len(raw.rows), None, dtype=object), "", notes)
    if named is None:
        if raw.geometry is not None:
            raise FileFaultError("crs_missing", file=place.file_name)
        named = f"EPSG:{place.srid}"
        notes.append({"code": "note_crs_assumed", "crs": named})
    crs = parse_crs(named)
    geometry = raw.geometry if raw.geometry is not None else _points(points)
    geometry = _settle_axes(geometry, crs, place, notes, is_table=raw.geometry is None)
    _note_broken(geometry, raw, findings)
    geometry = to_working_crs(_without(geometry, findings.held), crs, place.srid)
    authority = crs.to_authority()
    return Shapes(_of_type(geometry, place.kind, findings), ":".join(authority) if authority else crs.name, notes)


def _points(points: tuple[pd.Series, pd.Series] | None) -> Geometries:
    if points is None:
        return np.empty(0, dtype=object)
    x, y = (column.to_numpy(dtype="float64") for column in points)
    there = np.isfinite(x) & np.isfinite(y)
    geometry = np.full(len(x), None, dtype=object)
    geometry[there] = shapely.points(x[there], y[there])
    return geometry


def _settle_axes(
    geometry: Geometries, crs: pyproj.CRS, place: Place, notes: list[dict[str, object]], *, is_table: bool
) -> Geometries:
    declared = place.mapping.source.axis
    if declared == "northing-easting":
        geometry = swap_axes(geometry)
    sample = geometry[:: max(1, len(geometry) // 20_000)]
    coordinates = shapely.get_coordinates(sample)
    if not axes_are_swapped(coordinates[:, 0], coordinates[:, 1], crs, place.file_name):
        return geometry
    if declared is not None or not is_table:
        raise FileFaultError("axes_swapped", file=place.file_name, x=coordinates[0, 0], y=coordinates[0, 1])
    notes.append({"code": "note_axes_swapped"})
    return swap_axes(geometry)


def _note_broken(geometry: Geometries, raw: RawTable, findings: Findings) -> None:
    """Note rows whose coordinates are not numbers: nothing can be computed with them."""
    flat = shapely.get_coordinates(geometry, return_index=True)
    bad = np.zeros(len(geometry), dtype=bool)
    bad[flat[1][~np.isfinite(flat[0]).all(axis=1)]] = True
    findings.add(bad, "geometry", "geometry_not_finite")
    if raw.geometry is not None:
        empty = shapely.is_missing(geometry) | shapely.is_empty(geometry)
        findings.add(empty, "geometry", "geometry_empty")


def _without(geometry: Geometries, rows: npt.NDArray[np.bool_]) -> Geometries:
    """Return a copy in which the geometries of these rows are missing."""
    kept = geometry.copy()
    kept[rows] = None
    return kept


def _of_type(geometry: Geometries, kind: Kind, findings: Findings) -> Geometries:
    """Bring every geometry to the type of its kind and note those that cannot be."""
    dtype = kind.geometry_dtype or "geometry"
    there = ~shapely.is_missing(geometry)
    types = shapely.get_type_id(geometry)
    wrong = there & ~np.isin(types, [int(entry) for entry in _ALLOWED[dtype]])
    if wrong.any():
        names = np.full(len(geometry), "", dtype=object)
        names[wrong] = [GeometryType(entry).name.lower() for entry in types[wrong]]
        findings.add(wrong, "geometry", "geometry_of_wrong_type", values=names, wanted=dtype)
        geometry = _without(geometry, wrong)
    there &= ~wrong
    if dtype == "linestring":
        return _lines(geometry, there, findings)
    if dtype == "point":
        is_multi = there & (types == GeometryType.MULTIPOINT)
        many = is_multi & (shapely.get_num_geometries(geometry) > 1)
        findings.add(many, "geometry", "geometry_of_many_parts", values=shapely.get_num_geometries(geometry))
        return np.asarray(np.where(is_multi, shapely.get_geometry(geometry, 0), geometry))
    unsound = there & ~shapely.is_valid(geometry)
    if unsound.any():
        reasons = np.full(len(geometry), None, dtype=object)
        reasons[unsound] = shapely.is_valid_reason(geometry[unsound])
        findings.add(unsound, "geometry", "geometry_unsound", values=reasons)
        geometry = _without(geometry, unsound)
    geometry = np.asarray(shapely.force_2d(geometry))
    return _multipolygons(geometry) if dtype == "multipolygon" else geometry


def _multipolygons(geometry: Geometries) -> Geometries:
    single = shapely.get_type_id(geometry) == GeometryType.POLYGON
    wrapped = geometry.copy()
    if single.any():
        wrapped[single] = shapely.multipolygons(geometry[single], indices=np.arange(int(single.sum())))
    return wrapped


def _lines(geometry: Geometries, there: npt.NDArray[np.bool_], findings: Findings) -> Geometries:
    """Join the parts of a multi-part line where they touch; parts that stay apart are two pipes and held back."""
    multi = there & (shapely.get_type_id(geometry) == GeometryType.MULTILINESTRING)
    if multi.any():
        geometry = geometry.copy()
        geometry[multi] = shapely.line_merge(geometry[multi])
        apart = multi & (shapely.get_type_id(geometry) == GeometryType.MULTILINESTRING)
        findings.add(apart, "geometry", "geometry_of_many_parts", values=shapely.get_num_geometries(geometry))
        geometry[apart] = None
        there = there & ~apart
    short = there & ~(shapely.length(geometry) >= SHORTEST_M)
    findings.add(short, "geometry", "geometry_too_short", values=shapely.length(geometry), shortest_m=SHORTEST_M)
    return _without(geometry, short)
