"""Rows to frames and back: Arrow in and out of PostgreSQL; the only place that knows how geometry travels."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import psycopg
import pyarrow as pa
import shapely
from psycopg import sql
from psycopg.copy import QueuedLibpqWriter

from registry.fields import Field, fields
from registry.rights.acting import is_owner

if TYPE_CHECKING:
    import geopandas as gpd

BATCH_ROWS: Final = 32_768
_SEND_BUFFER: Final = 8 * 1024**2
ARROW_TYPES: Final[dict[str, pa.DataType]] = {
    "text": pa.string(),
    "double": pa.float64(),
    "integer": pa.int32(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "double[]": pa.list_(pa.float64()),
}
EWKB_LINE_2D: Final = 0x20000002


def ewkb(geometry: npt.NDArray[Any], srid: int) -> pa.Array:
    """Return geometries as PostGIS's extended WKB, two-dimensional, with the SRID; None stays null.

    Lines, the bulk of a census, are packed as one buffer; anything else goes through shapely.
    """
    flat = np.asarray(shapely.force_2d(geometry)) if shapely.has_z(geometry).any() else geometry
    if len(flat) and (shapely.get_type_id(flat) == shapely.GeometryType.LINESTRING).all():
        return _ewkb_lines(flat, srid)
    return pa.array(shapely.to_wkb(shapely.set_srid(flat, srid), include_srid=True), type=pa.binary())


def _ewkb_lines(lines: npt.NDArray[Any], srid: int) -> pa.Array:
    counts = shapely.get_num_coordinates(lines).astype(np.int64)
    header = np.zeros(len(lines), dtype=[("order", "u1"), ("type", "<u4"), ("srid", "<u4"), ("count", "<u4")])
    header["order"], header["type"], header["srid"], header["count"] = 1, EWKB_LINE_2D, srid, counts
    head = header.dtype.itemsize
    sizes = head + 16 * counts
    offsets = np.concatenate(([0], np.cumsum(sizes)))
    if offsets[-1] >= 2**31:
        return pa.array(shapely.to_wkb(shapely.set_srid(lines, srid), include_srid=True), type=pa.binary())
    buffer = np.empty(int(offsets[-1]), dtype=np.uint8)
    starts = offsets[:-1]
    buffer[(starts[:, None] + np.arange(head)).ravel()] = header.view(np.uint8).reshape(len(lines), head).ravel()
    body = np.ones(len(buffer), dtype=bool)
    body[(starts[:, None] + np.arange(head)).ravel()] = False
    buffer[body] = np.ascontiguousarray(shapely.get_coordinates(lines), dtype="<f8").view(np.uint8).ravel()
    return pa.Array.from_buffers(
        pa.binary(), len(lines), [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(buffer)]
    )


def elevations(geometry: npt.NDArray[Any]) -> pa.Array:
    """Return the third dimension of each line as a list, null where a row has none."""
    has_z = shapely.has_z(geometry)
    if not has_z.any():
        return pa.nulls(len(geometry), pa.list_(pa.float64()))
    heights, row = shapely.get_coordinates(geometry, include_z=True, return_index=True)
    counts = np.where(has_z, np.bincount(row, minlength=len(geometry)), 0)
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    values = heights[has_z[row], 2]
    return pa.ListArray.from_arrays(offsets, values, mask=pa.array(~has_z))


def to_arrow(frame: pd.DataFrame, contract: dict[str, Field]) -> pa.Table:
    """Return the attributes of a frame, and its index where it has a name, as Arrow in the types of our tables."""
    table = frame.reset_index() if frame.index.name else frame
    columns: dict[str, Any] = {}
    for name in table.columns:
        if name not in contract or contract[name].role == "geometry":
            continue
        wanted = ARROW_TYPES[contract[name].dtype]
        columns[str(name)] = pa.Array.from_pandas(table[name]).cast(wanted)
    return pa.table(columns)


def copy_in(
    connection: psycopg.Connection, target: sql.Composable, batches: Iterable[pa.Table], *, is_frozen: bool = False
) -> Iterator[int]:
    """Write Arrow tables of one schema by binary COPY inside the transaction, yielding rows sent so far.

    A thread of its own sends, so that the next batch is prepared while the server is busy with the one before.
    `is_frozen` spares the server later passes over the rows; it takes a table that this very transaction has truncated.
    """
    from pgpq import ArrowToPostgresBinaryEncoder

    remaining = iter(batches)
    first = next(remaining)
    encoder = ArrowToPostgresBinaryEncoder(first.schema)
    names = sql.SQL(", ").join(sql.Identifier(name) for name in first.column_names)
    options = sql.SQL("FORMAT BINARY, FREEZE") if is_frozen else sql.SQL("FORMAT BINARY")
    statement = sql.SQL("COPY {} ({}) FROM STDIN WITH ({})").format(target, names, options)
    sent = 0
    _widen_send_buffer(connection)
    with connection.cursor() as cursor, cursor.copy(statement, writer=QueuedLibpqWriter(cursor)) as copy:
        copy.write(encoder.write_header())
        for table in chain([first], remaining):
            for batch in table.combine_chunks().to_batches(max_chunksize=BATCH_ROWS):
                copy.write(encoder.write_batch(batch))
            sent += table.num_rows
            yield sent
        copy.write(encoder.finish())


def fill(connection: psycopg.Connection, table: str, rows: pa.Table) -> None:
    """Add rows to a table of the registry: by COPY for its owner, else through a temporary table.

    PostgreSQL refuses COPY into a table for those who are subject to its policies.
    """
    target: sql.Composable = sql.Identifier("registry", table)
    is_direct = is_owner(connection, table)
    names = sql.SQL(", ").join(map(sql.Identifier, rows.column_names))
    if not is_direct:
        connection.execute("DROP TABLE IF EXISTS pg_temp.filling")
        text = sql.SQL("CREATE TEMP TABLE filling ON COMMIT DROP AS SELECT {} FROM {} LIMIT 0")
        connection.execute(text.format(names, target))
    for _sent in copy_in(connection, target if is_direct else sql.Identifier("filling"), [rows]):
        pass
    if not is_direct:
        connection.execute(sql.SQL("INSERT INTO {0} ({1}) SELECT {1} FROM filling").format(target, names))


def _widen_send_buffer(connection: psycopg.Connection) -> None:
    """Let the system hold more bytes on their way, so that the server works on while Python is busy with other rows."""
    with socket.socket(fileno=os.dup(connection.fileno())) as same:
        # the system gives as much of it as it allows
        same.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)


def line_vertices(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return the vertices of two-dimensional lines in (extended) WKB, and where each line starts among them.

    Plain lines of one byte order and SRID, which is what the database sends, are read as one block; anything else goes
    through shapely.
    """
    found = [_chunk_vertices(chunk) for chunk in column.chunks]
    vertices = np.concatenate([np.empty((0, 2)), *(some for some, _ in found)])
    counts = np.concatenate([np.empty(0, np.int64), *(count for _, count in found)])
    return vertices, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _chunk_vertices(chunk: pa.Array) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    _, offset_buffer, body_buffer = chunk.buffers()
    if len(chunk) and not chunk.null_count and pa.types.is_binary(chunk.type):
        first = chunk.offset
        offsets = np.frombuffer(offset_buffer, dtype=np.int32)[first : first + len(chunk) + 1].astype(np.int64)
        starts = offsets[:-1]
        head = 13 if np.frombuffer(body_buffer, dtype=np.uint8)[starts[0] + 4] & 0x20 else 9
        if (np.diff(offsets) >= head).all():
            heads = _items_at(body_buffer, starts, head - 4).view(np.uint8).reshape(len(chunk), head - 4)
            counts = _items_at(body_buffer, starts + head - 4, 4).view("<u4").astype(np.int64)
            is_line = heads[0, 0] == 1 and heads[0, 1] == 2 and not heads[0, 4] & 0xC0
            if is_line and (heads == heads[0]).all() and (np.diff(offsets) == head + 16 * counts).all():
                # where the first vertex of each line would lie if all vertices before it came without a header
                shift = starts + head - 16 * (np.cumsum(counts) - counts)
                places = np.repeat(shift, counts) + 16 * np.arange(counts.sum())
                vertices = _items_at(body_buffer, places, 16).view("<f8").reshape(-1, 2)
                return vertices.astype(np.float64, copy=False), counts
    lines = shapely.from_wkb(chunk.to_numpy(zero_copy_only=False))
    return shapely.get_coordinates(lines), shapely.get_num_coordinates(lines).astype(np.int64)


def _items_at(buffer: pa.Buffer, places: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.void]:
    """Return the items of so many bytes that begin at some places of a buffer, aligned or not."""
    if not len(places):
        return np.empty(0, dtype=f"V{size}")
    items = np.ndarray((buffer.size - size + 1,), dtype=f"V{size}", buffer=buffer, strides=(1,))
    return items[places]


def to_frame(table: pa.Table, contract_name: str, srid: int) -> pd.DataFrame | gpd.GeoDataFrame:
    """Return Arrow from the database as the frame of a contract: index, dtypes and geometry as fields.csv says."""
    contract = fields()[contract_name]
    columns: dict[str, pd.Series] = {}
    for name in table.column_names:
        if name != "geometry":
            columns[name] = _series(table.column(name), contract[name])
    frame = pd.DataFrame(columns)
    if "geometry" in table.column_names:
        import geopandas as gpd

        shapes = shapely.from_wkb(table.column("geometry").to_numpy(zero_copy_only=False))
        frame = gpd.GeoDataFrame(frame, geometry=shapes, crs=f"EPSG:{srid}")
    index = next((field.column for field in contract.values() if field.role == "index"), None)
    return frame.set_index(index) if index in frame.columns else frame


def _series(column: Any, field: Field) -> pd.Series:  # noqa: ANN401 - pyarrow has no complete types
    series: pd.Series
    match field.dtype:
        case "text":
            series = column.cast(pa.string()).to_pandas().astype("str")
        case "date":
            series = column.cast(pa.timestamp("s")).to_pandas().astype("datetime64[s]")
        case "integer":
            series = column.cast(pa.int64()).to_pandas(integer_object_nulls=True).astype("Int64")
        case "boolean":
            series = column.to_pandas().astype("boolean")
        case "double":
            series = column.cast(pa.float64()).to_pandas().astype("float64")
        case _:
            series = column.to_pandas()
    return series
