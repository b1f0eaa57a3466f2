"""Numbered, forward-only migrations of the data schema, and the rebuild of `registry_app` after them.

Each file of `sql/data/` runs once, in one transaction with its record; an edited, missing or renumbered file is
refused. Files may not hold what PostgreSQL refuses inside a transaction (CREATE INDEX CONCURRENTLY, CREATE DATABASE).
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files

import psycopg

from registry.db import query
from registry.errors import DatabaseError
from registry.fields import value_list, value_list_names
from registry.rights.members import join_again
from registry.rights.roles import ROLES, RoleNames, make_roles


@dataclass(frozen=True)
class RegistryInfo:
    """What a registry is about; fixed at init."""

    city: str
    srid: int
    timezone: str


def sql_files(folder: str) -> dict[str, bytes]:
    """Return the files of one SQL folder of the package, in order of their names."""
    entries = files("registry").joinpath("sql", folder).iterdir()
    return {
        entry.name: entry.read_bytes() for entry in sorted(entries, key=lambda e: e.name) if entry.name.endswith(".sql")
    }


def applied(connection: psycopg.Connection) -> dict[str, str]:
    """Return file name -> sha256 of the migrations that this database has, or nothing where it is new."""
    exists = connection.execute("SELECT to_regclass('registry.migration') IS NOT NULL").fetchone()
    if exists is None or not exists[0]:
        return {}
    return dict(connection.execute("SELECT name, sha256 FROM registry.migration ORDER BY name").fetchall())


def pending(connection: psycopg.Connection) -> list[str]:
    """Return the names of the migrations still to run."""
    done = applied(connection)
    return [name for name in sql_files("data") if name not in done]


def check_history(done: dict[str, str], known: dict[str, bytes]) -> None:
    """Refuse a database whose migrations are not those of this version, as they were released.

    Raises
    ------
    DatabaseError
        For a migration that is unknown, edited or out of order, with its name.
    """
    for name, digest in done.items():
        if name not in known:
            raise DatabaseError("migration_unknown", name=name)
        if sha256(known[name]).hexdigest() != digest:
            raise DatabaseError("migration_edited", name=name)
    names = sorted(known)
    if done and names[: len(done)] != sorted(done):
        raise DatabaseError("migration_out_of_order", name=next(n for n in names if n not in done))


def migrate(
    connection: psycopg.Connection, info: RegistryInfo | None = None, roles: RoleNames | None = None
) -> list[str]:
    """Bring the database to the schema of this version of digonce and return the migrations that ran.

    Parameters
    ----------
    connection
        Open, not in a transaction.
    info
        What the registry is about: needed once, for a new database.
    roles
        The roles of the server to which rights are given; by default those that the name of the database gives, which
        are made where they are absent and this login may.

    Raises
    ------
    DatabaseError
        Where the history of the database and our files disagree, or where a new database is not told its CRS.
    """
    known = sql_files("data")
    ran: list[str] = []
    with _as_login(connection):
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('digonce.migrate'))")
        done = applied(connection)
        check_history(done, known)
        if not done and info is None:
            raise DatabaseError("registry_not_initialised")
        if not done:
            connection.execute(query("create_migration_table"))
    for name, content in known.items():
        if name in done:
            continue
        with _as_login(connection):
            connection.execute(content)
            connection.execute(
                "INSERT INTO registry.migration (name, sha256) VALUES (%s, %s)", [name, sha256(content).hexdigest()]
            )
        ran.append(name)
    with _as_login(connection):
        if info is not None:
            connection.execute(
                "INSERT INTO registry.info (city, srid, timezone) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                [info.city, info.srid, info.timezone],
            )
        names = make_roles(connection, connection.info.dbname) if roles is None else roles
        for role in ROLES:
            connection.execute("SELECT set_config(%s, %s, true)", [f"digonce.role_{role}", names.get(role, "")])
        connection.execute("DROP SCHEMA IF EXISTS registry_app CASCADE")
        connection.execute(query("set_working_srid"))
        connection.execute("CREATE SCHEMA registry_app")
        for content in sql_files("app").values():
            connection.execute(content)
        _refresh_value_lists(connection)
        if names:
            connection.execute(query("give_to_admin"))
            join_again(connection, names)
    return ran


@contextmanager
def _as_login(connection: psycopg.Connection) -> Generator[None]:
    """Run one transaction with the rights of the login: the role that a session took may not make roles."""
    with connection.transaction():
        connection.execute("SET LOCAL ROLE NONE")
        yield


def _refresh_value_lists(connection: psycopg.Connection) -> None:
    rows = [
        (name, value.code, position, value.label_en, value.label_zh)
        for name in value_list_names()
        for position, value in enumerate(value_list(name).values())
    ]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE registry.value_list SET is_active = false")
        cursor.executemany(query("upsert_listed_value"), rows)
