"""Verbs of the members of a registry: who may use it, as what and for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from registry.console import Session, command

if TYPE_CHECKING:
    from registry.cluster import Cluster

member = typer.Typer(help="Who may use the registry, as what and for which organisation.", no_args_is_help=True)
Login = Annotated[str, typer.Argument(help="Login of the database; on the embedded server a user of this machine.")]


@command(member, "list")
def member_list(session: Session) -> None:
    """List who may use the registry: login, role, organisation, who gave the right and when.

    Example: digonce member list
    """
    from registry.exports import in_words

    with session.open() as registry:
        rows = registry.members()
        acting = registry.acting
    if rows.empty:
        session.tell("members_none")
    else:
        told = in_words(rows, "members", session.language)
        session.table(told, {name: name for name in told.columns})
    you = {"login": acting.login, "role": acting.role, "organisation": acting.organisation, "actor": acting.actor}
    session.result({"you": you, "members": rows.to_dict("records")})


@command(member, "add")
def member_add(
    session: Session,
    login: Login,
    role: Annotated[str, typer.Option("--role", help="reader, planner, editor or admin.")],
    organisation: Annotated[
        str | None,
        typer.Option("--organisation", help="Owner whose rows it sees and writes, with those of nobody; else all."),
    ] = None,
) -> None:
    """Let a login use the registry; a member gets the new role and organisation instead of the old.

    On the embedded server the login is a user of this machine, whom the server knows by asking the system.

    Example: digonce member add li --role editor --organisation 城东燃气
    """
    from registry.errors import UsageError
    from registry.fields import value_list
    from registry.rights.members import add_member
    from registry.rights.roles import ROLES

    if role not in ROLES:
        raise UsageError("role_unknown", role=role, roles=", ".join(ROLES))
    embedded = _embedded(session)
    if embedded is not None:
        _check_system_user(login)
    with session.open() as registry:
        add_member(
            registry.connection,
            registry.acting,
            login,
            role,
            organisation,
            is_making_logins=embedded is not None,
        )
    session.tell(
        "member_added",
        login=login,
        role=value_list("member_role")[role].label(session.language),
        registry=session.settings.registry,
        organisation=organisation or session.say("all_organisations"),
    )
    if embedded is not None:
        embedded.open_door()
        session.tell("member_way_in", home=embedded.home, registry=session.settings.registry)
    session.result({"login": login, "role": role, "organisation": organisation})


@command(member, "remove")
def member_remove(session: Session, login: Login) -> None:
    """Take all rights in the registry from a login; what it wrote stays in its name.

    Example: digonce member remove li
    """
    from registry.rights.members import remove_member

    with session.open() as registry:
        is_embedded = _embedded(session) is not None
        remove_member(registry.connection, registry.acting, login, is_making_logins=is_embedded)
    session.tell("member_removed", login=login, registry=session.settings.registry)
    session.result({"login": login, "role": None, "organisation": None})


def _embedded(session: Session) -> Cluster | None:
    from registry.cluster import Cluster

    return None if session.settings.dsn else Cluster(session.settings.home)


def _check_system_user(login: str) -> None:
    import pwd

    from registry.errors import NotFoundError

    try:
        pwd.getpwnam(login)
    except KeyError:
        raise NotFoundError("system_user_absent", login=login) from None
