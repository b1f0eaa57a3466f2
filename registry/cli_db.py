"""Verbs of the database: start, stop, look, migrate."""

from __future__ import annotations

import typer

from registry.console import Session, command

db = typer.Typer(help="The database: start, stop, look, migrate.", no_args_is_help=True)


@command(db, "up")
def db_up(session: Session) -> None:
    """Start the embedded PostGIS server; the first start makes it.

    Example: digonce db up
    """
    status = _cluster(session, "up")
    session.tell("db_is_up", version=status["version"], folder=status["data_folder"])
    session.result(status)


@command(db, "down")
def db_down(session: Session) -> None:
    """Stop the embedded PostGIS server; the data stay.

    Example: digonce db down
    """
    status = _cluster(session, "down")
    session.tell("db_is_down", folder=status["data_folder"])
    session.result(status)


def _cluster(session: Session, verb: str) -> dict[str, object]:
    from dataclasses import asdict

    from registry.cluster import Cluster
    from registry.errors import SettingsError

    if session.settings.dsn:
        raise SettingsError("db_is_yours", verb=verb)
    cluster = Cluster(session.settings.home)
    if verb == "up":
        cluster.up()
    elif verb == "down":
        cluster.down()
    return asdict(cluster.status())


@command(db, "status")
def db_status(session: Session) -> None:
    """Show the server, the rows of every table, and one hash over what is true now.

    Starts nothing: where the server is down, only that is said.

    Example: digonce db status --json
    """
    import pandas as pd

    server: dict[str, object] = {} if session.settings.dsn else _cluster(session, "status")
    if server and not server["is_running"]:
        session.tell("db_is_down", folder=server["data_folder"])
        session.result({"server": server, "registry": None})
        return
    with session.open() as registry:
        counts = registry.row_counts()
        state_hash = registry.state_hash()
        session.tell("db_holds", name=registry.name, city=registry.city, srid=registry.srid, version=registry.version)
        rows = pd.DataFrame({"table": list(counts), "rows": list(counts.values())})
        session.table(rows, {"table": session.say("heading_table"), "rows": session.say("heading_rows")})
        session.tell("db_state_hash", state_hash=state_hash)
        session.result(
            {
                "server": server or None,
                "registry": registry.name,
                "city": registry.city,
                "srid": registry.srid,
                "version": registry.version,
                "rows": counts,
                "state_hash": state_hash,
            }
        )


@command(db, "migrate")
def db_migrate(session: Session) -> None:
    """Bring a registry to the schema of this version and rebuild its views.

    Example: digonce db migrate --registry main
    """
    from registry.lifecycle import upgrade

    ran = upgrade(session.settings)
    session.tell("db_migrated", count=len(ran), names=", ".join(ran) or "—")
    session.result({"migrations": ran})
