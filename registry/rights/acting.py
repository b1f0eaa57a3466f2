"""Who acts in a session: its login decides the role and the organisation; only an admin says who else it is."""

from __future__ import annotations

import getpass
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from registry.db import query
from registry.errors import RightsError
from registry.rights.roles import ROLES

_OWNER_SUFFIX: Final = "_admin"


@dataclass(frozen=True)
class Acting:
    """The login of a session, the role that it took, for which organisation (None: all), and in whose name.

    Without roles on the server `role` is None: the registry belongs to its owner alone.
    """

    login: str
    role: str | None
    group: str | None
    actor: str
    is_trusted: bool
    organisation: str | None = None

    @property
    def is_bound(self) -> bool:
        """Tell whether it acts for one organisation."""
        return self.organisation is not None


def enter(connection: psycopg.Connection, name: str, actor: str) -> Acting:
    """Take the highest role that the login has in the registry, for the rest of the session.

    Raises
    ------
    RightsError
        Where the login has no role in the registry, or somebody but an admin names another actor.
    """
    row = connection.execute(query("acting")).fetchone()
    if row is None:
        # no registry here yet: whoever opens it is told so
        return Acting("", None, None, actor, is_trusted=True)
    login, is_trusted, owner, held = row
    stem = owner.removesuffix(_OWNER_SUFFIX)
    groups = {role: f"{stem}_{role}" for role in ROLES} if owner != stem else {}
    role = next((role for role in reversed(ROLES) if groups.get(role) in held), None)
    if role is None and not is_trusted:
        raise RightsError("no_role_here", login=login, registry=name)
    acting = Acting(login, role, groups.get(role or ""), actor if is_trusted else login, is_trusted)
    if not is_trusted and actor not in {login, getpass.getuser()}:
        raise RightsError("actor_is_not_you", actor=actor, login=login)
    connection.execute(
        "SELECT set_config('role', %s, false), set_config('digonce.actor', %s, false)",
        [acting.group or "none", acting.actor],
    )
    return acting


def settle_organisation(connection: psycopg.Connection, acting: Acting) -> Acting:
    """Return who acts with the organisation for which, as the registry knows it, and say it to the session."""
    organisation = connection.execute("SELECT registry_app.organisation()").fetchall()[0][0]
    connection.execute("SELECT set_config('digonce.organisation', %s, false)", [organisation or ""])
    return replace(acting, organisation=organisation)


def info_of(info: str, acting: Acting) -> str:
    """Return the connection string by which further connections of the same command take the same role."""
    if acting.group is None:
        return info
    given = str(conninfo_to_dict(info).get("options") or "")
    # in options a blank ends a word
    group = acting.group.replace("\\", "\\\\").replace(" ", "\\ ")
    return make_conninfo(info, options=f"{given} -c role={group}".strip())


@contextmanager
def refusals(acting: Acting) -> Generator[None]:
    """Say in our words what the database refuses to the one who acts.

    Raises
    ------
    RightsError
        For anything that the role may not do, or a row that is not of the organisation.
    """
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as fault:
        role = acting.role or "—"
        raise RightsError(
            "right_lacking", login=acting.login, role=role, detail=str(fault.diag.message_primary)
        ) from fault


def is_owner(connection: psycopg.Connection, table: str) -> bool:
    """Tell whether this session owns a table of ours: may truncate it, drop its indexes, and COPY past its policies."""
    row = connection.execute(
        "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass(%s)", [f"registry.{table}"]
    ).fetchone()
    return bool(row and row[0])


def organisation_in_force(connection: psycopg.Connection) -> str | None:
    """Return the organisation for which this session acts; None for all."""
    found: str | None = connection.execute("SELECT registry_app.organisation()").fetchall()[0][0]
    return found


def refuse_foreign_delivery(connection: psycopg.Connection, record: Mapping[Any, Any]) -> None:
    """Refuse to act on a delivery that was made for another organisation, or for all by somebody who acts for one.

    Raises
    ------
    RightsError
        With the delivery and both organisations.
    """
    mine = organisation_in_force(connection)
    if mine is not None and record["organisation"] != mine:
        raise RightsError("delivery_of_others", delivery=record["delivery_id"], organisation=mine or "—")


def refuse_deeds_of_others(connection: psycopg.Connection, deliveries: Sequence[Mapping[Any, Any]]) -> None:
    """Refuse to undo what somebody else delivered; only an admin may.

    Raises
    ------
    RightsError
        With the first such delivery and who made it.
    """
    login, is_trusted = connection.execute("SELECT session_user::text, registry_app.is_trusted()").fetchall()[0]
    if is_trusted:
        return
    for record in deliveries:
        refuse_foreign_delivery(connection, record)
        if record["actor"] != login:
            raise RightsError("undo_of_others", delivery=record["delivery_id"], actor=record["actor"])
