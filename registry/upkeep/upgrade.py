"""Move the embedded server's data to the newest PostgreSQL that is installed: by dump and restore, nothing in place."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from registry.cluster import Cluster, find_binaries
from registry.cluster.configure import free_bytes
from registry.cluster.moving import MOVED_NAME, aside_name
from registry.db import connect
from registry.errors import ClusterError
from registry.migrate import applied
from registry.upkeep.backup import make_backup
from registry.upkeep.programs import Database, Report, embedded_database
from registry.upkeep.restore import restore_backup

_GROWING_NAME: Final = "upgrading"


@dataclass(frozen=True)
class Upgraded:
    """What was moved: from and to which major, which registries, and where the old data are kept."""

    from_major: int
    to_major: int
    registries: list[str]
    left_out: list[str]
    kept_in: Path | None


def newer_major(cluster: Cluster) -> int | None:
    """Return the major of the newest installed PostgreSQL with PostGIS where the data are of an older one."""
    on_disk = cluster.status().major_on_disk
    newest = find_binaries().major
    return newest if on_disk is not None and newest > on_disk else None


def upgrade_cluster(home: Path, *, is_forced: bool, report: Report, is_throwaway: bool = False) -> Upgraded:
    """Dump every registry, restore it into a new cluster of the newest major, prove it equal, then change places.

    The old data folder is kept beside the new one. Databases that hold no registry are left out and named. With
    `is_forced` it is done within the same major as well, which writes all tables and indexes anew.

    Raises
    ------
    ClusterError
        Where there is nothing to move, the PostgreSQL that made the data is not installed, or disk space is short.
    FileFaultError, DatabaseError
        Where a registry cannot be dumped or is not restored equal; the old data stay in use.
    """
    old = Cluster(home, is_throwaway=is_throwaway)
    majors = _majors(old)
    if majors[0] == majors[1] and not is_forced:
        return Upgraded(*majors, [], [], None)
    old.up()
    _check_space(old)
    shutil.rmtree(home / MOVED_NAME, ignore_errors=True)
    shutil.rmtree(home / _GROWING_NAME, ignore_errors=True)
    new = Cluster(home / _GROWING_NAME, is_throwaway=is_throwaway)
    try:
        new.up()
        moved, left_out = _move(old, new, report)
        new.down()
        kept_in = _change_places(old, new)
    finally:
        new.down()
        shutil.rmtree(new.home, ignore_errors=True)
    old.up()
    return Upgraded(*majors, moved, left_out, kept_in)


def _majors(old: Cluster) -> tuple[int, int]:
    on_disk = old.status().major_on_disk
    if on_disk is None:
        raise ClusterError("cluster_absent", folder=old.data_folder)
    newest = find_binaries()
    if find_binaries(on_disk).major != on_disk:
        raise ClusterError("upgrade_old_missing", on_disk=on_disk, installed=newest.version, folder=old.data_folder)
    return on_disk, newest.major


def _check_space(old: Cluster) -> None:
    # the dumps are a fraction of the tables, the new tables at most as large as the old ones
    needed = 2 * _bytes_in(old.data_folder)
    free = free_bytes(old.home)
    if free < needed:
        raise ClusterError("upgrade_space_short", folder=old.home, free_mb=free // 1024**2, needed_mb=needed // 1024**2)


def _bytes_in(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        # a running server makes and removes files
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def _move(old: Cluster, new: Cluster, report: Report) -> tuple[list[str], list[str]]:
    """Restore every registry of the old cluster into the new one; return those moved and those left out."""
    versions: dict[str, int] = {}
    left_out: list[str] = []
    with tempfile.TemporaryDirectory(prefix="dumps-", dir=new.home) as folder:
        for name in old.databases():
            database = embedded_database(old, name)
            version = _version(database)
            if version is None:
                left_out.append(name)
                continue
            versions[name] = version
            path = Path(folder) / f"{name}.backup"
            make_backup(database, path, is_forced=False, report=report)
            restore_backup(embedded_database(new, name), path, is_forced=False, report=report)
            path.unlink()
    written = [name for name, version in versions.items() if _version(embedded_database(old, name)) != version]
    if written:
        raise ClusterError("upgrade_disturbed", names=", ".join(written))
    return list(versions), left_out


def _version(database: Database) -> int | None:
    """Return the counter that rises with every writing transaction, or None where there is no registry."""
    with connect(database.info) as connection:
        if not applied(connection):
            return None
        return int(connection.execute("SELECT version FROM registry.info").fetchall()[0][0])


def _change_places(old: Cluster, new: Cluster) -> Path:
    """Put the new data folder in the place of the old one; a kill between the steps is mended by the next start."""
    old.down()
    kept_in = aside_name(old.data_folder)
    new.data_folder.rename(old.home / MOVED_NAME)
    old.data_folder.rename(kept_in)
    (old.home / MOVED_NAME).rename(old.data_folder)
    return kept_in
