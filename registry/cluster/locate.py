"""Find the PostgreSQL programs of this machine, and the PostGIS that belongs to them."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from registry.errors import ClusterError

OLDEST_MAJOR: Final = 15
PACKAGED: Final = Path("/usr/lib/postgresql")
PROGRAMS: Final = ("initdb", "pg_ctl", "postgres")
CLIENT_PROGRAMS: Final = ("pg_dump", "pg_restore")


@dataclass(frozen=True)
class Binaries:
    """The folder of one PostgreSQL installation and what it says of itself."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        """Return the major version, which decides whether a data folder can be opened."""
        return int(re.split(r"\D", self.version, maxsplit=1)[0])

    def program(self, name: str) -> Path:
        """Return the path of `pg_ctl`, `pg_dump` and the like.

        Raises
        ------
        ClusterError
            If that program is not installed: pg_dump and psql are in the client package.
        """
        path = self.folder / name
        if not os.access(path, os.X_OK):
            raise ClusterError("cluster_program_missing", program=name, folder=self.folder, major=self.major)
        return path


def find_binaries(major: int | None = None) -> Binaries:
    """Return the PostgreSQL to use: DIGONCE_PG_BIN, else the packaged ones, else the PATH.

    With `major` the installation of that major wins where there is one, since only it can open the data
    folder; otherwise the highest that has PostGIS. The result may be of another major: compare.

    Raises
    ------
    ClusterError
        If there is none, only one older than 15, or none with PostGIS; the message names the packages.
    """
    found = installations()
    fitting = [binaries for binaries in found if binaries.major >= OLDEST_MAJOR]
    if not fitting:
        if found:
            versions = ", ".join(binaries.version for binaries in found)
            raise ClusterError("cluster_postgres_too_old", versions=versions, oldest=OLDEST_MAJOR)
        raise ClusterError("cluster_postgres_missing", oldest=OLDEST_MAJOR)
    complete = [binaries for binaries in fitting if has_postgis(binaries)]
    if not complete:
        best = fitting[0]
        raise ClusterError("cluster_postgis_missing", version=best.version, folder=best.folder, major=best.major)
    return next((binaries for binaries in complete if binaries.major == major), complete[0])


def find_client(major: int) -> Path:
    """Return the folder of pg_dump and pg_restore of that major, else of the next higher one.

    A server refuses the pg_dump of an older major. Server programs and PostGIS are not asked for: on a machine that
    uses a city's own server only the client package is installed.

    Raises
    ------
    ClusterError
        If there is none; the message names the package.
    """
    folders = [Path(named)] if (named := os.environ.get("DIGONCE_PG_BIN")) else list(PACKAGED.glob("*/bin"))
    if on_path := shutil.which("pg_dump"):
        folders.append(Path(on_path).parent)
    found: list[Binaries] = []
    for folder in folders:
        is_complete = all(os.access(folder / program, os.X_OK) for program in CLIENT_PROGRAMS)
        if is_complete and (version := _read_version(folder / "pg_dump")):
            found.append(Binaries(folder, version))
    fitting = [binaries for binaries in found if binaries.major >= major]
    if not fitting:
        raise ClusterError("client_missing", major=major, programs=", ".join(CLIENT_PROGRAMS))
    return min(fitting, key=lambda binaries: binaries.major).folder


def installations() -> list[Binaries]:
    """List the usable PostgreSQL installations, best first; those with a missing program are left out."""
    if named := os.environ.get("DIGONCE_PG_BIN"):
        binaries = _read_installation(Path(named))
        if binaries is None:
            raise ClusterError(
                "cluster_pg_bin_unusable", folder=named, programs=", ".join(PROGRAMS), oldest=OLDEST_MAJOR
            )
        return [binaries]
    majors = [folder for folder in PACKAGED.glob("*/bin") if folder.parent.name.isdecimal()]
    folders = sorted(majors, key=lambda folder: int(folder.parent.name), reverse=True)
    if on_path := shutil.which("pg_ctl"):
        folders.append(Path(on_path).parent)
    found = [binaries for folder in folders if (binaries := _read_installation(folder)) is not None]
    return list(dict.fromkeys(found))


def has_postgis(binaries: Binaries) -> bool:
    """Tell whether `CREATE EXTENSION postgis` would find its control file."""
    return any((folder / "extension" / "postgis.control").is_file() for folder in _share_folders(binaries))


def _share_folders(binaries: Binaries) -> list[Path]:
    # pg_config may be missing (it is in the client package of Debian) and PostgreSQL finds its share folder
    # from where the real postgres program lies, so the usual places are tried too.
    real = (binaries.folder / "postgres").resolve().parent
    folders = [
        Path("/usr/share/postgresql") / str(binaries.major) if real.is_relative_to(PACKAGED) else real,
        real.parent / "share" / "postgresql",
        real.parent / "share",
    ]
    pg_config = binaries.folder / "pg_config"
    if os.access(pg_config, os.X_OK):
        answer = subprocess.run([pg_config, "--sharedir"], capture_output=True, text=True, check=False)
        folders.insert(0, Path(answer.stdout.strip() or "/nonexistent"))
    return folders


def _read_installation(folder: Path) -> Binaries | None:
    if not _is_complete(folder):
        return None
    # Links to a few programs are common (/usr/local/bin); the folder they point to has all of them.
    real = (folder / "pg_ctl").resolve().parent
    version = _read_version(folder / "postgres")
    return None if version is None else Binaries(real if _is_complete(real) else folder, version)


def _is_complete(folder: Path) -> bool:
    return all(os.access(folder / program, os.X_OK) for program in PROGRAMS)


@functools.cache
def _read_version(postgres: Path) -> str | None:
    answer = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=False)
    match = re.search(r"\d+\.\d+|\d+\w*", answer.stdout.removeprefix("postgres (PostgreSQL)"))
    return match.group() if answer.returncode == 0 and match else None
