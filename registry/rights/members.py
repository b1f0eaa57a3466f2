"""Members of a registry: a login of the database, its role, and the organisation for which it acts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import psycopg
from psycopg import sql

from registry.errors import NotFoundError, RightsError
from registry.rights.roles import ROLES, RoleNames, drop_idle_login, statements

if TYPE_CHECKING:
    from registry.rights.acting import Acting

_LONGEST_NAME_BYTES: Final = 63
# of the server and of ourselves
_RESERVED: Final = ("digonce", "pg_")


def add_member(
    connection: psycopg.Connection,
    acting: Acting,
    login: str,
    role: str,
    organisation: str | None,
    *,
    is_making_logins: bool,
) -> None:
    """Let a login use this registry in a role, for one organisation or for all; whatever it was before ends.

    Parameters
    ----------
    is_making_logins
        Make the login where it is absent: on the embedded server, which asks the system who is calling. On a city's
        own server logins and their passwords are the matter of its administrator.

    Raises
    ------
    RightsError
        Where the one who acts is no admin, the server has no roles, or the login is absent.
    """
    groups = _groups(connection, acting)
    _check_login(login)
    if role == "admin" and organisation is not None:
        raise RightsError("admin_is_of_all")
    with connection.transaction():
        # making logins is a right of the login, not of the role that it took
        connection.execute("SET LOCAL ROLE NONE")
        _settle_login(connection, login, is_making_logins=is_making_logins)
        _leave(connection, login, groups)
        _join(connection, login, role, groups)
        connection.execute(
            "INSERT INTO registry.member (login, role, organisation, added_by) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT (login) DO UPDATE SET role = excluded.role, organisation = excluded.organisation, "
            "added_by = excluded.added_by, added_at = now()",
            [login, role, organisation, acting.actor],
        )


def remove_member(connection: psycopg.Connection, acting: Acting, login: str, *, is_making_logins: bool) -> None:
    """Take all rights in this registry from a login; what it wrote stays in its name.

    Raises
    ------
    NotFoundError
        Where it is no member.
    """
    groups = _groups(connection, acting)
    with connection.transaction():
        connection.execute("SET LOCAL ROLE NONE")
        gone = connection.execute("DELETE FROM registry.member WHERE login = %s", [login]).rowcount
        if not gone:
            raise NotFoundError("member_unknown", login=login)
        if _exists(connection, login):
            _leave(connection, login, groups)
            if is_making_logins:
                drop_idle_login(connection, login, groups)


def join_again(connection: psycopg.Connection, groups: RoleNames) -> None:
    """Give every member its role on this server: after a migrate, a restore, a copy.

    Where we are superuser, as on the embedded server, an absent login is made; elsewhere it is left out.
    """
    is_super = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchall()[0][0]
    for login, role in connection.execute("SELECT login, role FROM registry.member ORDER BY login").fetchall():
        if is_super and not _exists(connection, login):
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(login)))
        if _exists(connection, login):
            _join(connection, login, role, groups)


def _groups(connection: psycopg.Connection, acting: Acting) -> RoleNames:
    """Return the roles of the registry on this server, for an admin."""
    if acting.group is None:
        made = statements(connection.info.dbname, acting.login)
        raise RightsError("roles_absent", statements=" ".join(made))
    if acting.role != "admin":
        raise RightsError("member_needs_admin", login=acting.login, role=acting.role)
    stem = acting.group.removesuffix("admin")
    return {role: f"{stem}{role}" for role in ROLES}


def _check_login(login: str) -> None:
    if not login or len(login.encode()) > _LONGEST_NAME_BYTES or login.startswith(_RESERVED):
        raise RightsError("login_unusable", login=login)


def _exists(connection: psycopg.Connection, login: str) -> bool:
    return bool(connection.execute("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", [login]).fetchall()[0][0])


def _settle_login(connection: psycopg.Connection, login: str, *, is_making_logins: bool) -> None:
    if _exists(connection, login):
        return
    made = sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(login))
    can_make = connection.execute(
        "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = session_user"
    ).fetchall()[0][0]
    if not (is_making_logins and can_make):
        raise RightsError("login_absent", login=login, statement=made.as_string(connection))
    connection.execute(made)


def _join(connection: psycopg.Connection, login: str, role: str, groups: RoleNames) -> None:
    # an admin may make others admin
    text = sql.SQL("GRANT {} TO {} WITH ADMIN OPTION" if role == "admin" else "GRANT {} TO {}")
    connection.execute(text.format(sql.Identifier(groups[role]), sql.Identifier(login)))


def _leave(connection: psycopg.Connection, login: str, groups: RoleNames) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, groups.values()))
    connection.execute(sql.SQL("REVOKE {} FROM {}").format(names, sql.Identifier(login)))
