"""Keep the rows of a delivery that waits as they were compared, so that accepting it reads and compares nothing anew.

They are good for as long as no other delivery counts: what is known is then what they were compared with.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import psycopg
import pyarrow as pa
from psycopg import sql

from registry.db import query
from registry.history.slices import listed, make_tables, statement, stored_columns
from registry.kinds import Kind

_CHUNK: Final = 4_000_000
# the fastest level: they are read once, soon
_LEVEL: Final = 1
_VERDICT: Final = ["object_id", "class", "known_valid"]


def keep_waiting(connection: psycopg.Connection, kind: Kind, delivery_id: str, ids: list[pa.Array]) -> None:
    """Keep the rows in `incoming` that differ, their classes in `verdict`, and all delivered ids."""
    forget_waiting(connection, delivery_id)
    names = _columns(kind)
    rows = statement("waiting_rows", kind, incoming_columns=listed(stored_columns(kind), "i"))
    _keep(connection, delivery_id, "rows", names, list(_packed(_copied(connection, rows))))
    verdicts = list(_packed(_copied(connection, statement("waiting_verdicts", kind))))
    _keep(connection, delivery_id, "verdicts", _VERDICT, verdicts)
    _keep(connection, delivery_id, "ids", [kind.id_column], list(_packed([_serialised(ids)])))


def is_fresh(connection: psycopg.Connection, kind: Kind, delivery_id: str) -> bool:
    """Tell whether the rows were kept in the columns of today and nothing else has counted since."""
    parameters = {"delivery_id": delivery_id, "columns": _columns(kind)}
    row = connection.execute(query("waiting_is_fresh"), parameters).fetchone()
    return row is not None and bool(row[0])


def restore_waiting(connection: psycopg.Connection, kind: Kind, delivery_id: str) -> dict[str, int]:
    """Fill `incoming` and `verdict` as they were and return how many rows there are of each class."""
    make_tables(connection, kind)
    connection.execute("DROP TABLE IF EXISTS pg_temp.verdict")
    connection.execute(query("waiting_verdicts_make"))
    for target, part, names in (("incoming", "rows", _columns(kind)), ("verdict", "verdicts", _VERDICT)):
        into = sql.SQL("COPY {} ({}) FROM STDIN WITH (FORMAT BINARY)").format(sql.Identifier(target), listed(names))
        kept = list(_kept(connection, delivery_id, part))
        with connection.cursor() as cursor, cursor.copy(into) as copy:
            for block in kept:
                copy.write(block)
    connection.execute(statement("waiting_analyze", kind))
    return dict(connection.execute("SELECT class, count(*) FROM verdict GROUP BY class").fetchall())


def waiting_ids(connection: psycopg.Connection, delivery_id: str) -> list[pa.Array]:
    """Return all ids that a waiting delivery has brought."""
    with pa.ipc.open_stream(b"".join(_kept(connection, delivery_id, "ids"))) as reader:
        chunks: list[pa.Array] = reader.read_all()["id"].chunks
    return chunks


def confirm_waiting(connection: psycopg.Connection, delivery_id: str) -> None:
    """Keep which objects a restored delivery says again as they are known: those of its ids that have no verdict."""
    ids = [name for chunk in waiting_ids(connection, delivery_id) for name in chunk.to_pylist()]
    connection.execute(query("waiting_confirm"), {"delivery_id": delivery_id, "ids": ids})


def forget_waiting(connection: psycopg.Connection, delivery_id: str) -> None:
    """Remove the rows of a delivery that waits no more."""
    connection.execute("DELETE FROM registry.waiting_part WHERE delivery_id = %s", [delivery_id])


def _columns(kind: Kind) -> list[str]:
    return [kind.id_column, *stored_columns(kind)]


def _copied(connection: psycopg.Connection, rows: sql.Composable) -> Iterator[bytes]:
    out = sql.SQL("COPY ({}) TO STDOUT WITH (FORMAT BINARY)").format(rows)
    with connection.cursor() as cursor, cursor.copy(out) as copy:
        for block in copy:
            yield bytes(block)


def _packed(blocks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Compress blocks in chunks of some size; yield the size before and the chunk."""
    codec = pa.Codec("zstd", compression_level=_LEVEL)
    pending = bytearray()
    for block in blocks:
        pending += block
        if len(pending) >= _CHUNK:
            yield len(pending), codec.compress(bytes(pending), asbytes=True)
            pending.clear()
    if pending:
        yield len(pending), codec.compress(bytes(pending), asbytes=True)


def _keep(
    connection: psycopg.Connection, delivery_id: str, part: str, names: list[str], chunks: list[tuple[int, bytes]]
) -> None:
    with connection.cursor() as cursor:
        for number, (size, packed) in enumerate(chunks):
            cursor.execute(query("insert_waiting_part"), [delivery_id, part, number, size, packed, names])


def _kept(connection: psycopg.Connection, delivery_id: str, part: str) -> Iterator[bytes]:
    codec = pa.Codec("zstd")
    for size, packed in connection.execute(query("waiting_part"), [delivery_id, part], binary=True).fetchall():
        yield codec.decompress(packed, size, asbytes=True)


def _serialised(ids: list[pa.Array]) -> bytes:
    sink = pa.BufferOutputStream()
    table = pa.table({"id": pa.chunked_array(ids, type=pa.string())})
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    written: bytes = sink.getvalue().to_pybytes()
    return written
