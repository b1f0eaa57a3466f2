"""Layers as compact binary: columns of small integers, deflated, base64 in one script element per layer."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pandas as pd
import pyproj
import shapely

from registry.errors import DrawingError

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

STEPS_PER_DEGREE: Final = 1_000_000
_LARGEST_DEGREES: Final = np.array([180.0, 90.0])
_BYTE: Final = 256
_LEVEL: Final = 9

Shape = Literal["line", "polygon", "point"]
Integers = "NDArray[np.int64]"


@dataclass
class Blob:
    """A bag of named integer arrays and one JSON header, as the page's codec reads it.

    Arrays are stored as byte planes (all low bytes first), which deflate far better than whole integers.
    """

    header: dict[str, Any] = field(default_factory=dict)
    _arrays: list[dict[str, Any]] = field(default_factory=list)
    _bytes: list[bytes] = field(default_factory=list)

    def add(self, name: str, values: NDArray[np.int64], *, is_delta: bool = False) -> None:
        """Add one array of whole numbers; `is_delta` stores differences, for sorted values and coordinates."""
        stored = np.diff(values, prepend=np.int64(0)) if is_delta else values
        is_signed = bool(stored.size and stored.min() < 0)
        unsigned = (stored << 1) ^ (stored >> 63) if is_signed else stored
        top = int(unsigned.max()) if unsigned.size else 0
        if top >= _BYTE**4:
            raise DrawingError("maps_number_too_large", column=name, value=top)
        planes = max(1, (top.bit_length() + 7) // 8)
        self._bytes.extend(((unsigned >> (8 * plane)) & 0xFF).astype(np.uint8).tobytes() for plane in range(planes))
        self._arrays.append(
            {"name": name, "length": int(values.size), "planes": planes, "signed": is_signed, "delta": is_delta}
        )

    def text(self) -> str:
        """Return the blob as base64 of deflated bytes: header length, header, arrays."""
        header = json.dumps(self.header | {"arrays": self._arrays}, ensure_ascii=False, separators=(",", ":"))
        packed = header.encode("utf-8")
        whole = len(packed).to_bytes(4, "little") + packed + b"".join(self._bytes)
        return base64.b64encode(zlib.compress(whole, _LEVEL)).decode("ascii")


def add_geometry(blob: Blob, layer: gpd.GeoSeries, shape: Shape) -> None:
    """Add the geometry of a layer in degrees (WGS 84, longitude first), in steps of a millionth of a degree (0.1 m).

    A feature is a number of parts and a part a number of vertices; the rings of a polygon are its parts and are
    filled by the even-odd rule. The turn to degrees is for display only.

    Raises
    ------
    DrawingError
        If the layer has no CRS, a shape of another kind, or a position that is nowhere on the earth.
    """
    parts, feature_of_part = _parts(np.asarray(layer.array), shape)
    points, part_of_point = shapely.get_coordinates(parts, return_index=True)
    degrees = to_degrees(points, layer.crs)
    # written so that what is no number counts as outside
    is_outside = ~(np.abs(degrees) <= _LARGEST_DEGREES).all(axis=1)
    if is_outside.any():
        first = feature_of_part[part_of_point[np.argmax(is_outside)]]
        raise DrawingError("maps_position_unusable", id=layer.index[first])
    steps = np.rint(degrees * STEPS_PER_DEGREE).astype(np.int64)
    blob.add("parts", np.bincount(feature_of_part, minlength=len(layer)).astype(np.int64))
    blob.add("vertices", np.bincount(part_of_point, minlength=len(parts)).astype(np.int64))
    blob.add("lon", steps[:, 0], is_delta=True)
    blob.add("lat", steps[:, 1], is_delta=True)


def to_degrees(points: NDArray[np.float64], crs: object) -> NDArray[np.float64]:
    """Return points of the working CRS as longitude and latitude."""
    if crs is None:
        raise DrawingError("maps_crs_missing")
    transformer = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    longitude, latitude = transformer.transform(points[:, 0], points[:, 1])
    return np.column_stack([longitude, latitude])


def _parts(shapes: NDArray[np.object_], shape: Shape) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    single, owner = shapely.get_parts(shapes, return_index=True)
    kinds = set(np.unique(shapely.get_type_id(single)).tolist())
    wanted = {"point": {0}, "line": {1, 2}, "polygon": {3}}[shape]
    if not kinds <= wanted:
        raise DrawingError("maps_shape_unexpected", shape=shape, found=", ".join(map(str, sorted(kinds - wanted))))
    if shape != "polygon":
        return single, owner.astype(np.int64)
    rings, polygon_of_ring = shapely.get_rings(single, return_index=True)
    return rings, owner[polygon_of_ring].astype(np.int64)


def add_listed(blob: Blob, name: str, values: pd.Series) -> list[str]:
    """Add a text column as codes into the sorted list of its values, which is returned; 0 stands for missing."""
    codes, uniques = pd.factorize(values, sort=True)
    blob.add(name, np.asarray(codes, dtype=np.int64) + 1)
    return [str(value) for value in uniques]


def add_number(blob: Blob, name: str, values: pd.Series, decimals: int) -> None:
    """Add a numeric column rounded to `decimals`; 0 stands for missing, all else is shifted off zero."""
    numbers = values.to_numpy(dtype="float64", na_value=np.nan)
    is_there = np.isfinite(numbers)
    scaled = np.rint(np.where(is_there, numbers, 0) * 10**decimals).astype(np.int64)
    shifted = np.where(scaled >= 0, scaled + 1, scaled)
    blob.add(name, np.where(is_there, shifted, 0))


def add_day(blob: Blob, name: str, values: pd.Series) -> None:
    """Add a date column as days since 1970, with the same shift as numbers."""
    days = (values - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)
    add_number(blob, name, days, 0)
