"""Make, migrate and remove registries: one registry is one database."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psycopg

from registry.cluster import Cluster
from registry.crs import working_srid
from registry.db import connect
from registry.errors import DatabaseError, RightsError, SettingsError
from registry.migrate import RegistryInfo, applied, migrate
from registry.rights.acting import enter
from registry.rights.roles import statements
from registry.settings import Settings, select_registry, selected_registry


@dataclass(frozen=True)
class NewRegistry:
    """What `init` made."""

    name: str
    city: str
    srid: int
    timezone: str
    is_selected: bool


def initialise(settings: Settings, *, crs: str, city: str, timezone: str = "Asia/Shanghai") -> NewRegistry:
    """Make a new registry and select it if none is selected.

    Raises
    ------
    SettingsError
        For a city without a name, a CRS that cannot be worked in, or an unknown time zone.
    DatabaseError
        Where the registry exists already.
    """
    if not city.strip():
        raise SettingsError("city_name_empty")
    srid = working_srid(crs)
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as fault:
        raise SettingsError("timezone_unknown", text=timezone) from fault
    info = _database(settings)
    with connect(info, is_autocommit=True) as connection:
        if applied(connection):
            raise DatabaseError("registry_exists", name=settings.registry)
        migrate(connection, RegistryInfo(city.strip(), srid, timezone))
    is_selected = settings.dsn is None and selected_registry(settings.home) is None
    if is_selected:
        select_registry(settings.home, settings.registry)
    return NewRegistry(settings.registry, city.strip(), srid, timezone, is_selected)


def _database(settings: Settings) -> str:
    """Return the connection string of the registry's database, making the database on the embedded server."""
    if settings.dsn:
        return settings.dsn
    cluster = Cluster(settings.home)
    cluster.up()
    if settings.registry not in cluster.databases():
        cluster.create_database(settings.registry)
    return cluster.conninfo(settings.registry)


def remove(settings: Settings) -> None:
    """Drop the database of a registry on the embedded server; nothing where it does not exist."""
    cluster = Cluster(settings.home)
    cluster.up()
    if settings.registry in cluster.databases():
        cluster.drop_database(settings.registry)


def upgrade(settings: Settings) -> list[str]:
    """Run the migrations that a registry lacks, rebuild its views and give its rights; return the files that ran.

    Raises
    ------
    RightsError
        Where the login is no admin of the registry.
    """
    from registry.db import conninfo

    with connect(conninfo(settings), is_autocommit=True) as connection:
        try:
            return migrate(connection)
        except psycopg.errors.InsufficientPrivilege as fault:
            login = connection.info.user
            detail = fault.diag.message_primary
            raise RightsError("migrate_needs_admin", login=login, registry=settings.registry, detail=detail) from fault


def missing_roles(settings: Settings) -> list[str]:
    """Return what a database administrator has to run so that the registry has roles; nothing where it has them."""
    from registry.db import conninfo

    with connect(conninfo(settings), is_autocommit=True) as connection:
        acting = enter(connection, settings.registry, settings.actor)
        return [] if acting.role else statements(connection.info.dbname, acting.login)
