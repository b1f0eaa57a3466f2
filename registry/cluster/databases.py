"""Create, drop and list the databases of the embedded server."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import errors, sql

from registry.errors import ClusterError
from registry.settings import check_registry_name

MAINTENANCE: Final = "postgres"
# No registry can have such a name: registry.upkeep.scratch makes databases for the length of one command.
SCRATCH_PREFIX: Final = "_scratch_"
OF_THE_SERVER: Final = frozenset({"postgres", "template0", "template1"})


def list_databases(conninfo: str) -> list[str]:
    """Return the names of the databases that are neither the server's own nor scratch, in order."""
    statement = "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> %s ORDER BY datname"
    with _connected(conninfo) as connection:
        names = [name for (name,) in connection.execute(statement, [MAINTENANCE])]
    return [name for name in names if not name.startswith(SCRATCH_PREFIX)]


def create_database(conninfo: str, name: str, template: str | None, *, is_throwaway: bool) -> None:
    """Create a database, empty or as a copy of a template that nobody is connected to."""
    statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_own_name(name)))
    if template is not None:
        statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(check_registry_name(template)))
        if is_throwaway:
            # Copying files beats writing them to the log where nothing waits for the disk.
            statement += sql.SQL(" STRATEGY file_copy")
    with _connected(conninfo) as connection:
        try:
            connection.execute(statement)
        except errors.DuplicateDatabase as fault:
            raise ClusterError("cluster_database_exists", name=name) from fault
        except errors.InvalidCatalogName as fault:
            raise ClusterError("cluster_template_missing", template=template, name=name) from fault
        except errors.ObjectInUse as fault:
            raise ClusterError("cluster_template_in_use", template=template, name=name) from fault


def drop_database(conninfo: str, name: str) -> None:
    """Drop a database with whoever is connected to it, and the roles of its registry; nothing where there is none."""
    from registry.rights.roles import drop_roles

    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(_own_name(name)))
    with _connected(conninfo) as connection:
        connection.execute(statement)
        drop_roles(connection, name)


def _own_name(name: str) -> str:
    if name in OF_THE_SERVER:
        raise ClusterError("cluster_database_reserved", name=name)
    return check_registry_name(name)


@contextmanager
def _connected(conninfo: str) -> Generator[psycopg.Connection[Any]]:
    try:
        connection = psycopg.connect(conninfo, autocommit=True)
    except psycopg.OperationalError as fault:
        raise ClusterError("cluster_unreachable", detail=str(fault).strip()) from fault
    with connection:
        yield connection
