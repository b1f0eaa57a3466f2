"""Geometry of a delivery: into the working CRS, of the right type, sound; what is not is noted by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyproj
import shapely
from shapely import GeometryType

from registry.arrow import compute as pc
from registry.crs import (
    are_inside,
    axes_are_swapped,
    crs_label,
    is_working_crs,
    parse_crs,
    swap_axes,
    to_working_crs,
    working_bounds,
)
from registry.errors import FileFaultError
from registry.fields import fields
from registry.intake.findings import Findings, Mask
from registry.intake.mapping import Mapping
from registry.intake.placed import Placed, pack_plain_lines, plain_lines
from registry.kinds import Kind
from registry.places.reach import top_dimension

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

# points of works become areas once their kind is known
_EXTENTS: Final = (GeometryType.POINT, GeometryType.MULTIPOINT, *_LINES, *_POLYGONS)


@dataclass(frozen=True)
class Place:
    """Where a delivery is said to lie and where it is to go."""

    kind: Kind
    mapping: Mapping
    crs: str | None
    srid: int
    file_name: str


@dataclass(frozen=True)
class Source:
    """Geometry of a delivery as it came: WKB of a GIS file, or points made from two columns of a table."""

    wkb: Any
    points: Geometries | None

    @property
    def is_table(self) -> bool:
        """Whether the geometry was made from columns of coordinates."""
        return self.points is not None

    def __len__(self) -> int:
        return len(self.wkb) if self.points is None else len(self.points)

    def part(self, start: int, stop: int) -> Source:
        """Return some rows of it."""
        if self.points is not None:
            return Source(None, self.points[start:stop])
        return Source(self.wkb.slice(start, stop - start), None)

    def bytes_of_rows(self) -> pa.Array:
        """Return the WKB of a part of a GIS file as one array."""
        wkb = self.wkb.combine_chunks() if isinstance(self.wkb, pa.ChunkedArray) else self.wkb
        return wkb.cast(pa.binary())

    def shapes(self, rows: Mask | None = None) -> Geometries:
        """Return the geometries of all rows, or of these; what is no geometry at all comes as None."""
        if self.points is not None:
            return self.points if rows is None else self.points[rows]
        return _decoded(self.wkb if rows is None else self.wkb.filter(pa.array(rows)))

    def sample(self) -> Geometries:
        """Return at most some five thousand geometries from the whole file."""
        step = max(1, len(self) // 5_000)
        return (
            self.points[::step] if self.points is not None else _decoded(self.wkb.take(np.arange(0, len(self), step)))
        )


def _decoded(wkb: Any) -> Geometries:  # noqa: ANN401 - pyarrow has no complete types
    # coordinates that are not numbers are noted by row, not said to whoever imports
    with np.errstate(invalid="ignore"):
        return np.asarray(shapely.from_wkb(wkb.to_numpy(zero_copy_only=False), on_invalid="ignore"))


@dataclass(frozen=True)
class Settled:
    """In which CRS a delivery is, whether its axes are to be exchanged, and what was noticed on the way."""

    crs: pyproj.CRS
    is_swapped: bool
    is_working: bool
    notes: list[dict[str, object]]

    @property
    def name(self) -> str:
        """The CRS as authority and code where it has them."""
        authority = self.crs.to_authority()
        return ":".join(authority) if authority else self.crs.name


def make_points(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> Geometries:
    """Return points from two columns of numbers, None where either is missing."""
    there = np.isfinite(x) & np.isfinite(y)
    geometry = np.full(len(x), None, dtype=object)
    geometry[there] = shapely.points(x[there], y[there])
    return geometry


def settle(source: Source, raw_crs: str | None, place: Place) -> Settled:
    """Settle the CRS and the order of the axes of a whole delivery.

    The CRS is that of the option, else of the mapping, else of the file; a table of coordinates without any is taken
    to be in the working CRS, with a note.

    Raises
    ------
    FileFaultError
        Where the CRS is missing, in conflict with the coordinates, or where the axes of a GIS file are swapped.
    """
    notes: list[dict[str, object]] = []
    named = place.crs or place.mapping.source.crs or raw_crs
    if named is None:
        if not source.is_table:
            raise FileFaultError("crs_missing", file=place.file_name)
        named = f"EPSG:{place.srid}"
        notes.append({"code": "note_crs_assumed", "crs": named})
    crs = parse_crs(named)
    declared = place.mapping.source.axis
    is_swapped = declared == "northing-easting"
    sample = source.sample()
    coordinates = shapely.get_coordinates(swap_axes(sample) if is_swapped else sample)
    if axes_are_swapped(coordinates[:, 0], coordinates[:, 1], crs, place.file_name):
        if declared is not None or not source.is_table:
            raise FileFaultError("axes_swapped", file=place.file_name, x=coordinates[0, 0], y=coordinates[0, 1])
        notes.append({"code": "note_axes_swapped"})
        is_swapped = True
    return Settled(crs, is_swapped, is_working_crs(crs, place.srid), notes)


def place_shapes(source: Source, settled: Settled, place: Place, findings: Findings) -> Placed:
    """Return the geometries of a part in the working CRS and of the right type; faulty ones are noted and missing."""
    if source.is_table or settled.is_swapped or not settled.is_working or place.kind.geometry_dtype != "linestring":
        every = np.ones(len(source), dtype=bool)
        return Placed.of(shape_rows(source, every, settled, place, findings), place.srid)
    wkb = source.bytes_of_rows()
    is_plain = plain_lines(wkb, SHORTEST_M, working_bounds(place.srid))
    packed = pack_plain_lines(wkb, place.srid)
    if is_plain.all():
        return Placed(packed, pa.nulls(len(wkb), pa.list_(pa.float64())))
    others = Placed.of(shape_rows(source, ~is_plain, settled, place, findings), place.srid)
    return Placed(pc.if_else(pa.array(is_plain), packed, others.packed), others.heights)


def shape_rows(source: Source, rows: Mask, settled: Settled, place: Place, findings: Findings) -> Geometries:
    """Return the geometries of these rows in the working CRS and of the right type; all others are missing."""
    geometry = np.full(len(source), None, dtype=object)
    geometry[rows] = source.shapes(rows)
    if settled.is_swapped:
        geometry = swap_axes(geometry)
    field = fields()[place.kind.name].get("geometry")
    if place.kind.is_placed_by_words or place.kind.takes_addresses or (field is not None and field.is_nullable):
        # a row without a place, or with one in words, says so by an empty one too
        geometry = _without(geometry, shapely.is_empty(geometry))
    else:
        _note_empty(geometry, rows, findings, is_table=source.is_table)
    _note_broken(geometry, findings)
    geometry = _without(geometry, findings.held)
    said = geometry
    if not settled.is_working:
        geometry = to_working_crs(geometry, settled.crs, place.srid)
    outside = _note_outside(geometry, said, place.srid, findings)
    if outside.any():
        geometry = _without(geometry, outside)
    return _of_type(top_dimension(geometry) if place.kind.is_placed_by_words else geometry, place.kind, findings)


def _note_broken(geometry: Geometries, findings: Findings) -> None:
    """Note rows whose coordinates are not numbers: nothing can be computed with them."""
    coordinates, row = shapely.get_coordinates(geometry, return_index=True)
    bad = np.zeros(len(geometry), dtype=bool)
    bad[row[~np.isfinite(coordinates).all(axis=1)]] = True
    findings.add(bad, "geometry", "geometry_not_finite")


def _note_empty(geometry: Geometries, rows: Mask, findings: Findings, *, is_table: bool) -> None:
    """Note rows of a GIS file that have no geometry."""
    if not is_table:
        empty = rows & (shapely.is_missing(geometry) | shapely.is_empty(geometry))
        findings.add(empty, "geometry", "geometry_empty")


def _note_outside(geometry: Geometries, said: Geometries, srid: int, findings: Findings) -> Mask:
    """Note rows with a vertex outside the area of the working CRS, each with the first such vertex as it was said."""
    coordinates, row = shapely.get_coordinates(geometry, return_index=True)
    is_outside = ~are_inside(coordinates[:, 0], coordinates[:, 1], working_bounds(srid))
    rows, first = np.unique(row[is_outside], return_index=True)
    outside = np.zeros(len(geometry), dtype=bool)
    outside[rows] = True
    if rows.size:
        values = np.full(len(geometry), None, dtype=object)
        values[rows] = [f"{x:.10g}, {y:.10g}" for x, y in shapely.get_coordinates(said)[is_outside][first]]
        crs = crs_label(parse_crs(f"EPSG:{srid}"))
        findings.add(outside, "geometry", "geometry_outside_crs", values=values, crs=crs)
    return outside


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
    allowed = _EXTENTS if kind.is_placed_by_words else _ALLOWED[dtype]
    wrong = there & ~np.isin(types, [int(entry) for entry in allowed])
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
