"""Verbs of the database: start, stop, look, migrate, check, back up, restore, upgrade."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from registry.console import Session, command

if TYPE_CHECKING:
    from rich.progress import TaskID

db = typer.Typer(
    help="The database: start, stop, look, migrate, check, back up, restore, upgrade.", no_args_is_help=True
)


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
    if server:
        _tell_of_newer_postgres(session)
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


def _tell_of_newer_postgres(session: Session) -> None:
    from registry.cluster import Cluster
    from registry.errors import ClusterError
    from registry.upkeep.upgrade import newer_major

    cluster = Cluster(session.settings.home)
    try:
        newer = newer_major(cluster)
    except ClusterError:
        # status itself says what is missing
        return
    if newer is not None:
        session.tell("db_upgradable", installed=newer, on_disk=cluster.status().major_on_disk)


@command(db, "migrate")
def db_migrate(session: Session) -> None:
    """Bring a registry to the schema of this version and rebuild its views.

    Example: digonce db migrate --registry main
    """
    from registry.lifecycle import missing_roles, upgrade

    ran = upgrade(session.settings)
    session.tell("db_migrated", count=len(ran), names=", ".join(ran) or "—")
    if missing := missing_roles(session.settings):
        session.warn("roles_absent", statements=" ".join(missing))
    session.result({"migrations": ran})


@command(db, "backup")
def db_backup(
    session: Session,
    file: Annotated[Path, typer.Argument(help="File to write.")],
    is_forced: Annotated[bool, typer.Option("--force", help="Replace the file where it exists.")] = False,
) -> None:
    """Write the whole registry into one file, and read it back.

    The file is a dump of PostgreSQL (pg_restore reads it too) that also says what it holds.

    Example: digonce db backup zhaoyuan.backup --registry zhaoyuan
    """
    from dataclasses import asdict

    from registry.upkeep.backup import make_backup
    from registry.upkeep.programs import database_of

    with _reporting(session) as report:
        manifest = make_backup(database_of(session.settings), file, is_forced=is_forced, report=report)
    megabytes = manifest.dump_bytes / 1e6
    session.tell(
        "db_backed_up", name=manifest.registry, file=file, rows=sum(manifest.rows.values()), megabytes=megabytes
    )
    session.result({"file": file, **asdict(manifest)})


@command(db, "restore")
def db_restore(
    session: Session,
    file: Annotated[Path, typer.Argument(help="Backup that `digonce db backup` wrote.")],
    is_forced: Annotated[bool, typer.Option("--force", help="Replace the registry where it exists.")] = False,
) -> None:
    """Bring a registry back from a backup, whole and proved equal, or not at all.

    --registry names the new registry. With --force an existing one stands until the restored one is proved equal.

    Example: digonce db restore zhaoyuan.backup --registry zhaoyuan_restored
    """
    from registry.upkeep.programs import database_of
    from registry.upkeep.restore import restore_backup

    with _reporting(session) as report:
        restored = restore_backup(database_of(session.settings), file, is_forced=is_forced, report=report)
    manifest = restored.manifest
    rows = sum(manifest.rows.values())
    session.tell("db_restored", name=restored.registry, file=file, rows=rows, made_at=manifest.made_at)
    if restored.migrations:
        session.tell("db_migrated", count=len(restored.migrations), names=", ".join(restored.migrations))
    session.result(
        {
            "registry": restored.registry,
            "rows": manifest.rows,
            "state_hash": manifest.state_hash,
            "migrations": restored.migrations,
        }
    )


@command(db, "check")
def db_check(session: Session) -> None:
    """Check schema, value lists, data and pages of a registry; every fault is said with its mend.

    Changes nothing. Exit 1 where anything is wrong.

    Example: digonce db check --registry zhaoyuan
    """
    from registry.upkeep.check import check_registry
    from registry.upkeep.programs import database_of

    with _reporting(session) as report:
        checked = check_registry(database_of(session.settings), report)
    for code, listed in (("check_finding", checked.findings), ("check_note", checked.notes)):
        for finding in listed:
            session.tell(code, message=finding.message(session.language))
    if checked.is_sound:
        session.tell("db_sound", objects=checked.looked_at["objects"], laws=checked.looked_at["laws"])
    else:
        session.tell("db_unsound", count=len(checked.findings))
    said = {
        name: [{"code": f.code, "message": f.message(session.language), **f.parameters} for f in listed]
        for name, listed in (("findings", checked.findings), ("notes", checked.notes))
    }
    session.result({"is_sound": checked.is_sound, **said, "looked_at": checked.looked_at})
    if not checked.is_sound:
        raise typer.Exit(1)


@command(db, "upgrade")
def db_upgrade(
    session: Session,
    is_forced: Annotated[bool, typer.Option("--force", help="Write all data anew within the same major too.")] = False,
) -> None:
    """Move the embedded server's data to the newest installed PostgreSQL, after an upgrade of the distribution.

    Every registry is dumped, restored and proved equal before the new data take the place of the old ones, which are
    kept beside them. Nobody should work on a registry meanwhile.

    Example: digonce db upgrade
    """
    from dataclasses import asdict

    from registry.errors import SettingsError
    from registry.upkeep.upgrade import upgrade_cluster

    if session.settings.dsn:
        raise SettingsError("db_is_yours", verb="upgrade")
    with _reporting(session) as report:
        done = upgrade_cluster(session.settings.home, is_forced=is_forced, report=report)
    for name in done.left_out:
        session.tell("db_left_out", name=name)
    if done.kept_in is None:
        session.tell("db_not_upgraded", major=done.to_major)
    else:
        count = len(done.registries)
        session.tell("db_upgraded", count=count, old=done.from_major, new=done.to_major, folder=done.kept_in)
    session.result(asdict(done))


@contextmanager
def _reporting(session: Session) -> Generator[Callable[[str, int, int], None]]:
    """Show a bar for each step of a long verb."""
    with session.progress() as bars:
        tasks: dict[str, TaskID] = {}

        def report(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(session.say(f"step_{step}"), total=total)
            bars.update(tasks[step], completed=done, total=total)

        yield report
