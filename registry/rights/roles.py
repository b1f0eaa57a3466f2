"""The four roles of a registry: groups of the server without a login, each of which may what the one before it may."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from typing import Final

import psycopg
from psycopg import errors, sql

ROLES: Final = ("reader", "planner", "editor", "admin")
_PREFIX: Final = "digonce_"
_ADMIN: Final = "_admin"
# PostgreSQL cuts longer names without a word
_LONGEST_NAME_BYTES: Final = 63
_DIGEST: Final = 8
RoleNames = dict[str, str]
# group, member, whether the member may put others into the group: only an admin may
_NESTED: Final = (
    ("reader", "planner", False),
    ("planner", "editor", False),
    ("reader", "admin", True),
    ("planner", "admin", True),
    ("editor", "admin", True),
)


def role_names(database: str) -> RoleNames:
    """Return role -> its name on the server; a database with a long name gets a short one with a digest."""
    longest = _LONGEST_NAME_BYTES - len(_PREFIX) - max(len(f"_{role}") for role in ROLES)
    stem = database.encode()
    if len(stem) > longest:
        digest = sha256(stem).hexdigest()[:_DIGEST]
        stem = stem[: longest - _DIGEST - 1].decode(errors="ignore").encode() + f"_{digest}".encode()
    return {role: f"{_PREFIX}{stem.decode()}_{role}" for role in ROLES}


def make_roles(connection: psycopg.Connection, database: str) -> RoleNames:
    """Make the roles of a registry that are absent, and return them; nothing where this login may not.

    Safe to repeat and beside others that do the same. Without the right to make roles those that somebody has made
    are used, provided that this login is a member of the role admin.
    """
    names = role_names(database)
    login = connection.execute(
        "SELECT rolsuper OR rolcreaterole, rolsuper FROM pg_roles WHERE rolname = current_user"
    ).fetchall()[0]
    present = _present(connection, names)
    if login[0]:
        for role in ROLES:
            if names[role] not in present:
                _run(connection, sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(names[role])))
        for group, member, is_giving in _NESTED:
            _make_member(connection, names[group], names[member], is_giving=is_giving)
        if not login[1]:
            _run(connection, sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(names["admin"])))
        present = _present(connection, names)
    if len(present) < len(ROLES):
        return {}
    is_member = connection.execute("SELECT pg_has_role(current_user, %s, 'MEMBER')", [names["admin"]]).fetchall()[0][0]
    return names if is_member else {}


def roles_in_use(connection: psycopg.Connection) -> RoleNames:
    """Return the roles that have their rights in this registry; nothing where it belongs to its owner alone."""
    row = connection.execute(
        "SELECT pg_get_userbyid(nspowner)::text FROM pg_namespace WHERE nspname = 'registry'"
    ).fetchone()
    owner = str(row[0]) if row else ""
    stem = owner.removesuffix(_ADMIN)
    return {role: f"{stem}_{role}" for role in ROLES} if owner != stem and owner.startswith(_PREFIX) else {}


def statements(database: str, login: str) -> list[str]:
    """Return what a database administrator has to run where this login may not make roles."""
    names = {role: sql.Identifier(name).as_string() for role, name in role_names(database).items()}
    made = [f"CREATE ROLE {name} NOLOGIN;" for name in names.values()]
    nested = [
        f"GRANT {names[group]} TO {names[member]}{' WITH ADMIN OPTION' if is_giving else ''};"
        for group, member, is_giving in _NESTED
    ]
    return [*made, *nested, f"GRANT {names['admin']} TO {sql.Identifier(login).as_string()} WITH ADMIN OPTION;"]


def drop_roles(connection: psycopg.Connection, database: str) -> None:
    """Drop the roles of a registry whose database is gone, and logins that were members of nothing else.

    Roles that another database still needs (a copy of the registry that was never migrated) stay.
    """
    names = role_names(database)
    for login in _members(connection, names):
        drop_idle_login(connection, login, names)
    for role in reversed(ROLES):
        with suppress(errors.DependentObjectsStillExist, errors.InsufficientPrivilege):
            _run(connection, sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(names[role])))


def _members(connection: psycopg.Connection, names: RoleNames) -> list[str]:
    rows = connection.execute(
        "SELECT DISTINCT m.rolname FROM pg_auth_members AS a JOIN pg_roles AS g ON g.oid = a.roleid "
        "JOIN pg_roles AS m ON m.oid = a.member WHERE g.rolname = ANY(%s) AND m.rolcanlogin AND NOT m.rolsuper",
        [list(names.values())],
    ).fetchall()
    return [name for (name,) in rows]


def drop_idle_login(connection: psycopg.Connection, login: str, names: RoleNames) -> None:
    """Drop a login that is in no group but those named, as `member add` makes it on the embedded server."""
    idle = connection.execute(
        "SELECT NOT EXISTS (SELECT FROM pg_auth_members AS a JOIN pg_roles AS g ON g.oid = a.roleid "
        "JOIN pg_roles AS m ON m.oid = a.member WHERE m.rolname = %s AND g.rolname <> ALL(%s))",
        [login, list(names.values())],
    ).fetchall()[0][0]
    if idle:
        with suppress(errors.DependentObjectsStillExist, errors.InsufficientPrivilege):
            _run(connection, sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(login)))


def _present(connection: psycopg.Connection, names: RoleNames) -> set[str]:
    rows = connection.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [list(names.values())]).fetchall()
    return {name for (name,) in rows}


def _make_member(connection: psycopg.Connection, group: str, member: str, *, is_giving: bool) -> None:
    """Put a role into a group, with the right to put others in or without; nothing where it is in."""
    found = connection.execute(
        "SELECT EXISTS (SELECT FROM pg_auth_members AS a JOIN pg_roles AS g ON g.oid = a.roleid "
        "JOIN pg_roles AS m ON m.oid = a.member WHERE g.rolname = %s AND m.rolname = %s AND a.admin_option >= %s)",
        [group, member, is_giving],
    ).fetchall()[0][0]
    if not found:
        text = sql.SQL("GRANT {} TO {} WITH ADMIN OPTION" if is_giving else "GRANT {} TO {}")
        _run(connection, text.format(sql.Identifier(group), sql.Identifier(member)))


def _run(connection: psycopg.Connection, text: sql.Composed) -> None:
    # somebody else may be making the same role at this moment
    with suppress(errors.DuplicateObject, errors.UniqueViolation), connection.transaction():
        connection.execute(text)
