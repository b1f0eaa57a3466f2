"""Look at the installation: what is there, what is missing, what clashes, and how to mend it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from typing import Final, Literal

from registry.cluster import Cluster
from registry.errors import DigonceError
from registry.settings import Settings

OUR_PACKAGES: Final = ("digonce", "registry", "planner", "maps")
_LIBRARIES: Final = ("geopandas", "shapely", "psycopg", "pyogrio", "folium", "pgpq", "adbc-driver-postgresql")


@dataclass(frozen=True)
class Finding:
    """One thing the doctor saw."""

    state: Literal["good", "bad", "note"]
    code: str
    parameters: dict[str, object] = field(default_factory=dict)


def examine(settings: Settings) -> list[Finding]:
    """Return what was found, the sound things too."""
    return [*_python(), *_names(), *_database(settings), *_fonts(), *_numba()]


def _python() -> list[Finding]:
    found = [Finding("good", "doctor_python", {"version": sys.version.split()[0]})]
    for name in _LIBRARIES:
        try:
            found.append(Finding("good", "doctor_library", {"name": name, "version": version(name)}))
        except PackageNotFoundError:
            found.append(Finding("bad", "doctor_library_absent", {"name": name}))
    return found


def _names() -> list[Finding]:
    """Our import names are common words: another wheel may lie over them without a word from pip."""
    owners = packages_distributions()
    strangers = {name: sorted(set(owners.get(name, [])) - {"digonce"}) for name in OUR_PACKAGES}
    return [
        Finding("bad", "doctor_name_clash", {"name": name, "others": ", ".join(others)})
        for name, others in strangers.items()
        if others
    ] or [Finding("good", "doctor_names_free")]


def _database(settings: Settings) -> list[Finding]:
    from registry.db import connect, conninfo

    found = (
        [Finding("note", "doctor_server_yours")]
        if settings.dsn
        else [Finding("note", "doctor_home", {"folder": settings.home})]
    )
    try:
        if not settings.dsn:
            cluster = Cluster(settings.home)
            cluster.up()
            found.append(Finding("good", "doctor_server", {"version": cluster.status().version}))
            if settings.registry not in cluster.databases():
                return [*found, Finding("note", "doctor_registry_absent", {"name": settings.registry})]
        with connect(conninfo(settings), is_autocommit=True) as connection:
            row = connection.execute(
                "SELECT name, default_version FROM pg_available_extensions WHERE name IN ('postgis', 'btree_gist')"
            ).fetchall()
            missing = {"postgis", "btree_gist"} - {entry[0] for entry in row}
            found += [Finding("bad", "doctor_extension_absent", {"name": name}) for name in sorted(missing)]
            found += [Finding("good", "doctor_extension", {"name": name, "version": number}) for name, number in row]
    except DigonceError as fault:
        found.append(Finding("bad", "doctor_database_bad", {"fault": fault.message(settings.language)}))
    return found


def _fonts() -> list[Finding]:
    """Maps are drawn by the browser of the reader; screenshots and tests need a Chinese font here."""
    lister = shutil.which("fc-list")
    if lister is None:
        return [Finding("note", "doctor_fonts_unknown")]
    listed = subprocess.run([lister, ":lang=zh", "family"], capture_output=True, text=True, check=False).stdout
    names = sorted({line.split(",")[0].strip() for line in listed.splitlines() if line.strip()})
    return [Finding("good", "doctor_font", {"name": names[0]})] if names else [Finding("note", "doctor_font_absent")]


def _numba() -> list[Finding]:
    try:
        return [Finding("good", "doctor_library", {"name": "numba", "version": version("numba")})]
    except PackageNotFoundError:
        return [Finding("note", "doctor_numba_absent")]
