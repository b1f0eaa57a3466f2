"""Registries as they were released: one small dump with data for each version whose schema is frozen."""

from __future__ import annotations

import gzip
import re
import subprocess
from pathlib import Path
from typing import Final

from registry.upkeep.programs import Database

FOLDER: Final = Path(__file__).parent
# Newer minor versions of pg_dump write these, older ones of psql do not know them.
_RESTRICTION: Final = re.compile(r"^\\(un)?restrict .*\n", re.MULTILINE)


def released_versions() -> list[str]:
    """The versions of digonce whose registries are kept, in order."""
    return sorted(path.name.removesuffix(".sql.gz") for path in FOLDER.glob("*.sql.gz"))


def write_released(database: Database, version: str) -> Path:
    """Keep a registry as the one of a released version: plain SQL, which any later PostgreSQL reads."""
    options = ["--format=plain", "--no-owner", "--no-privileges", database.argument]
    command: list[str | Path] = [database.folder / "pg_dump", *options]
    dumped = subprocess.run(
        command, capture_output=True, check=True, env=database.environment, pass_fds=database.descriptors
    ).stdout.decode()
    path = FOLDER / f"{version}.sql.gz"
    path.write_bytes(gzip.compress(_RESTRICTION.sub("", dumped).encode(), 9, mtime=0))
    return path


def load_released(database: Database, version: str) -> None:
    """Bring the registry of a released version into an empty database."""
    script = gzip.decompress((FOLDER / f"{version}.sql.gz").read_bytes())
    options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction", "--output=/dev/null"]
    subprocess.run(
        [database.folder / "psql", *options, database.argument],
        input=script,
        capture_output=True,
        check=True,
        env=database.environment,
        pass_fds=database.descriptors,
    )
