"""Connections to a registry's database, its SQL files, and PostgreSQL's faults in our words."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from registry.cluster import Cluster
from registry.errors import DatabaseError
from registry.settings import Settings


@cache
def query(name: str) -> bytes:
    """Read one statement of `registry/sql/query/`; bytes, so that it never mixes with text of the caller."""
    return files("registry").joinpath("sql", "query", f"{name}.sql").read_bytes()


def conninfo(settings: Settings) -> str:
    """Return the libpq connection string of the registry, starting the embedded server where one is used."""
    if settings.dsn:
        return settings.dsn
    cluster = Cluster(settings.home)
    cluster.up()
    return cluster.conninfo(settings.registry)


_OPTIONS: Final = "-c timezone=UTC -c jit=off -c client_min_messages=warning"


def connect(info: str, *, is_autocommit: bool = False) -> psycopg.Connection:
    """Connect, with times in UTC and the settings that our queries are written for.

    Raises
    ------
    DatabaseError
        Where the database does not exist or refuses; the message says what to do.
    """
    options = str(conninfo_to_dict(info).get("options") or "")
    try:
        return psycopg.connect(info, autocommit=is_autocommit, options=f"{_OPTIONS} {options}".strip())
    except psycopg.OperationalError as fault:
        text = str(fault).strip()
        if "does not exist" in text and "database" in text:
            raise DatabaseError("database_absent", name=conninfo_to_dict(info).get("dbname", "")) from fault
        raise DatabaseError("database_refuses", detail=text.rstrip(".")) from fault


# a clock that was set back by less than this is waited for
_LONGEST_WAIT_S: Final = 2.0


# how long a server that mends itself after a crash is waited for, to ask what became of a commit
_RECOVERY_PATIENCE_S: Final = 60.0
_MENDS_ITSELF: Final = "the database system is"
_TURN: Final = b"SELECT pg_advisory_lock(hashtext('digonce.write'))"


@contextmanager
def writing(connection: psycopg.Connection, delivery_id: str | None = None) -> Generator[psycopg.Connection]:
    """Run one writing transaction: all of it or nothing, and the version of the registry rises by one.

    Writers take turns from before their transaction begins, so that its instant, now(), is later than that of every
    delivery before it: what is recorded has one order. Where the connection is lost while a delivery is committed, the
    server is asked over a new one whether it was; if so, the work goes on with the old connection closed.

    Raises
    ------
    DatabaseError
        Where the server's clock is behind the last delivery.
    """
    info = make_conninfo(connection.info.dsn, password=connection.info.password or None)
    instant: datetime | None = None
    is_whole = False
    connection.execute(_TURN)
    try:
        if delivery_id is not None:
            _wait_for_clock(connection)
        with connection.transaction():
            if delivery_id is not None:
                instant = _begin(connection, delivery_id)
            yield connection
            connection.execute("UPDATE registry.info SET version = version + 1")
            is_whole = True
    except psycopg.OperationalError:
        if not (is_whole and delivery_id and instant and _is_written(info, delivery_id, instant)):
            raise
    finally:
        # a connection that is lost has given its turn back already
        if not connection.closed:
            with suppress(psycopg.OperationalError):
                connection.execute("SELECT pg_advisory_unlock(hashtext('digonce.write'))")


def _begin(connection: psycopg.Connection, delivery_id: str) -> datetime | None:
    """Name the delivery that writes from here on and return the instant of its transaction."""
    row = connection.execute("SELECT now(), set_config('digonce.delivery', %s, true)", [delivery_id]).fetchone()
    return row[0] if row else None


def _is_written(info: str, delivery_id: str, instant: datetime) -> bool:
    """Tell over a new connection whether a delivery was committed at an instant; False where nobody can say."""
    deadline = time.monotonic() + _RECOVERY_PATIENCE_S
    while True:
        try:
            with psycopg.connect(info, autocommit=True) as again:
                # the lost session may still be committing: it keeps its turn until it has ended
                again.execute(_TURN)
                row = again.execute(query("delivery_is_written"), [delivery_id, instant]).fetchone()
                return row is not None and bool(row[0])
        except psycopg.OperationalError as fault:
            if _MENDS_ITSELF not in str(fault) or time.monotonic() > deadline:
                return False
        time.sleep(0.05)


def _wait_for_clock(connection: psycopg.Connection) -> None:
    row = connection.execute(query("seconds_behind")).fetchone()
    behind = float(row[0]) if row else 0.0
    if behind > _LONGEST_WAIT_S:
        raise DatabaseError("clock_behind", seconds=round(behind))
    if behind >= 0:
        connection.execute("SELECT pg_sleep(%s)", [behind + 0.001])
