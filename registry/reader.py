"""A kept connection for whole frames: what it reads comes as Arrow."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pyarrow as pa


class Reader:
    """Reads whole frames as Arrow over a connection of its own: each SELECT sees what is committed by then.

    The connection is made when it is first needed and kept, since to make it takes longer than to read a small frame.
    """

    def __init__(self, info: str) -> None:
        self._info: Final = info
        self._lock: Final = Lock()
        self._connection: Any = None

    def read(self, statement: str) -> pa.Table:
        """Run one SELECT."""
        from adbc_driver_postgresql import dbapi

        with self._lock:
            if self._connection is None:
                # no transaction stays open between two reads: it would keep others from changing the schema
                self._connection = dbapi.connect(self._info, autocommit=True)
            with self._connection.cursor() as cursor:
                cursor.execute(statement)
                table: pa.Table = cursor.fetch_arrow_table()
        return table

    def close(self) -> None:
        """End the connection, if there is one."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()
