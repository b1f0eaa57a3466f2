"""Coordinate systems of deliveries: what they are in, whether that can be true, and the way into the working CRS.

Storage is in one projected CRS in metres. PostGIS and geopandas keep x = easting; Chinese survey tables call the
northing X and the easting Y, so tables of points are settled by the size of the numbers.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyproj
import shapely
from pyproj.exceptions import CRSError

from registry.errors import FileFaultError, SettingsError

Coordinates = npt.NDArray[np.float64]
# west, south, east, north
Bounds = tuple[float, float, float, float]
# how far outside the area of use of a CRS a city may still lie, in metres
_MARGIN_M: Final = 200_000.0

# zones of transverse mercator stay within 0.1 %, conic projections of a country within 2 %
_WORST_LENGTH_ERROR: Final = 0.02


@cache
def parse_crs(text: str) -> pyproj.CRS:
    """Return the CRS that a text names.

    Raises
    ------
    SettingsError
        Where no CRS of that name exists.
    """
    try:
        return pyproj.CRS.from_user_input(text)
    except CRSError as fault:
        raise SettingsError("crs_unknown", text=text[:80]) from fault


def working_srid(text: str) -> int:
    """Return the EPSG code of a CRS that a registry may be kept in: projected, in metres.

    Raises
    ------
    SettingsError
        For degrees, feet, a CRS without an EPSG code, or one in which lengths are wrong by more than 2 %.
    """
    crs = parse_crs(text)
    code = crs.to_epsg()
    if crs.is_geographic:
        raise SettingsError("crs_in_degrees", text=text)
    if not crs.is_projected or crs.axis_info[0].unit_name not in {"metre", "meter"}:
        raise SettingsError("crs_not_in_metres", text=text)
    if code is None:
        raise SettingsError("crs_without_epsg", text=text)
    error = length_error(crs)
    if error > _WORST_LENGTH_ERROR:
        raise SettingsError("crs_stretches", text=f"{text} ({crs.name})", share=error)
    return code


def length_error(crs: pyproj.CRS) -> float:
    """Return the largest relative error of lengths along the middle of the area of use of a projected CRS.

    The scales along meridian and parallel are looked at in the middle and at a quarter and three quarters of the
    height: web mercator is true at the equator and a third too long at 42 degrees. Zero where the area is unknown.
    """
    area = crs.area_of_use
    if area is None:
        return 0.0
    latitudes = area.south + (area.north - area.south) * np.array([0.25, 0.5, 0.75])
    longitudes = np.full(3, (area.west + area.east) / 2)
    factors = pyproj.Proj(crs).get_factors(longitudes, latitudes)
    scales = np.concatenate([np.asarray(factors.meridional_scale), np.asarray(factors.parallel_scale)])
    return float(np.abs(scales - 1.0).max())


def easting_northing_bounds(crs: pyproj.CRS) -> Bounds | None:
    """Return the area of use in the CRS's own units as (west, south, east, north), with a margin; None if unknown."""
    area = crs.area_of_use
    if area is None:
        return None
    if crs.is_geographic:
        return (area.west - 2, area.south - 2, area.east + 2, area.north + 2)
    transformer = pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True)
    west, south, east, north = transformer.transform_bounds(area.west, area.south, area.east, area.north)
    if not all(map(np.isfinite, (west, south, east, north))):
        return None
    return (west - _MARGIN_M, south - _MARGIN_M, east + _MARGIN_M, north + _MARGIN_M)


@cache
def working_bounds(srid: int) -> Bounds:
    """Return within which coordinates of a registry can lie; everything finite where the area of use is unknown."""
    known = easting_northing_bounds(parse_crs(f"EPSG:{srid}"))
    farthest = float(np.finfo(np.float64).max)
    return (-farthest, -farthest, farthest, farthest) if known is None else known


def are_inside(x: Coordinates, y: Coordinates, bounds: Bounds) -> npt.NDArray[np.bool_]:
    """Tell which coordinates lie within bounds; what is not a number lies outside."""
    west, south, east, north = bounds
    return (x >= west) & (x <= east) & (y >= south) & (y <= north)


def _share_inside(x: Coordinates, y: Coordinates, bounds: Bounds) -> float:
    return float(are_inside(x, y, bounds).mean())


def _looks_like_degrees(x: Coordinates, y: Coordinates) -> bool:
    return bool((np.abs(x) <= 180).all() and (np.abs(y) <= 180).all())


def axes_are_swapped(x: Coordinates, y: Coordinates, crs: pyproj.CRS, file_name: str) -> bool:
    """Tell whether x and y have changed places, or raise where the coordinates cannot be in this CRS at all.

    Raises
    ------
    FileFaultError
        For degrees in a projected CRS, and for coordinates outside the area of the CRS in either order.
    """
    fine = np.isfinite(x) & np.isfinite(y)
    x, y = x[fine], y[fine]
    if x.size == 0:
        return False
    name = crs_label(crs)
    if crs.is_projected and _looks_like_degrees(x, y):
        raise FileFaultError("coordinates_in_degrees", file=file_name, crs=name, x=x[0], y=y[0])
    bounds = easting_northing_bounds(crs)
    if bounds is None or _share_inside(x, y, bounds) >= 0.5:
        return False
    if _share_inside(y, x, bounds) >= 0.5:
        return True
    raise FileFaultError(
        "coordinates_outside_crs", file=file_name, crs=name, x=float(np.median(x)), y=float(np.median(y))
    )


def crs_label(crs: pyproj.CRS) -> str:
    """Return the name of a CRS with its code."""
    authority = crs.to_authority()
    return f"{crs.name} ({authority[1]})" if authority else str(crs.name)


def is_working_crs(crs: pyproj.CRS, srid: int) -> bool:
    """Tell whether coordinates in this CRS are in the working CRS already."""
    return crs.to_epsg() == srid or crs.equals(parse_crs(f"EPSG:{srid}"), ignore_axis_order=True)


def to_working_crs(geometry: npt.NDArray[Any], crs: pyproj.CRS, srid: int) -> npt.NDArray[Any]:
    """Return geometries transformed to the working CRS."""
    transformer = pyproj.Transformer.from_crs(crs, parse_crs(f"EPSG:{srid}"), always_xy=True)

    def transform(coordinates: Coordinates) -> Coordinates:
        moved = transformer.transform(*coordinates.T)
        return np.column_stack(moved)

    has_z = bool(shapely.has_z(geometry).any())
    return np.asarray(shapely.transform(geometry, transform, include_z=has_z))


def swap_axes(geometry: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return geometries with x and y exchanged; the third dimension stays."""
    has_z = bool(shapely.has_z(geometry).any())
    order = [1, 0, 2] if has_z else [1, 0]
    return np.asarray(shapely.transform(geometry, lambda c: c[:, order], include_z=has_z))
