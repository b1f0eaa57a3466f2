"""An empty registry on the embedded server for the length of one benchmark."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from registry.cluster import Cluster
from registry.lifecycle import initialise, remove
from registry.settings import Settings, home_folder


def bench_settings(home: Path, database: str) -> Settings:
    """Return the settings of a benchmark's registry."""
    return Settings(home=home, registry=database, dsn=None, actor="bench", language="en")


@contextmanager
def empty_registry(database: str) -> Generator[Settings]:
    """Make the registry of a benchmark anew and remove it in the end."""
    home = home_folder()
    Cluster(home).up()
    settings = bench_settings(home, database)
    remove(settings)
    initialise(settings, crs="EPSG:4549", city="bench")
    try:
        yield settings
    finally:
        remove(settings)
