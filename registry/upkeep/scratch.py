"""Databases for the length of one command: to restore into before anything is replaced, to compare a schema with."""

from __future__ import annotations

import re
import uuid
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Final

import psycopg
from psycopg import sql

from registry.cluster.databases import SCRATCH_PREFIX
from registry.db import connect, query
from registry.upkeep.programs import Database, server_of

_NAME: Final = re.compile(rf"{SCRATCH_PREFIX}(\d+)_[0-9a-f]{{8}}")


@contextmanager
def scratch_database(database: Database) -> Generator[Database]:
    """Make an empty database on the same server and drop it at the end, unless it was renamed meanwhile.

    Its name holds the number of the server process of this session. So one that a killed command left behind is
    known: that process is gone, and the next command sweeps it.

    Raises
    ------
    psycopg.errors.InsufficientPrivilege
        On a city's own server that does not let us make databases.
    """
    server = server_of(database)
    with connect(server.info, is_autocommit=True) as connection:
        _sweep(connection)
        name = scratch_name(connection)
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield server.named(name)
        finally:
            # where the server is gone the next command sweeps
            with suppress(psycopg.OperationalError):
                _drop(connection, name)


def scratch_name(connection: psycopg.Connection) -> str:
    """Return a name that no registry can have and that tells which session it belongs to."""
    return f"{SCRATCH_PREFIX}{connection.info.backend_pid}_{uuid.uuid4().hex[:8]}"


def put_in_place(database: Database, scratch: Database) -> None:
    """Give the scratch database the name of the registry; one that has it already is set aside first, then dropped.

    Both names change in one transaction, so that at every instant one whole registry has the name.

    Raises
    ------
    psycopg.errors.ObjectInUse
        Where somebody keeps connecting to the old one.
    """
    with connect(server_of(database).info, is_autocommit=True) as connection:
        aside = scratch_name(connection)
        is_there = connection.execute("SELECT FROM pg_database WHERE datname = %s", [database.name]).fetchone()
        with connection.transaction():
            if is_there is not None:
                connection.execute(query("end_connections"), [database.name])
                _rename(connection, database.name, aside)
            _rename(connection, scratch.name, database.name)
        _drop(connection, aside)


def _sweep(connection: psycopg.Connection) -> None:
    rows = connection.execute(query("databases_and_sessions")).fetchall()
    for name, pids in rows:
        found = _NAME.fullmatch(name)
        if found and int(found[1]) not in pids:
            with suppress(psycopg.errors.InsufficientPrivilege):
                _drop(connection, name)


def _rename(connection: psycopg.Connection, name: str, new_name: str) -> None:
    connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(new_name)))


def _drop(connection: psycopg.Connection, name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
