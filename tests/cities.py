"""A whole synthetic city in a registry, for tests that need every kind at once."""

from __future__ import annotations

from pathlib import Path

from maps.demo import DELIVERIES
from registry.city import make_city, write_city
from registry.intake.importer import Receipt
from registry.store import Registry
from tests.conftest import TODAY


def write_small_city(folder: Path, segment_count: int = 600, seed: int = 1) -> Path:
    """Write the delivery files of a small city and return their folder."""
    write_city(make_city(segment_count, seed), folder)
    return folder


def import_city(registry: Registry, folder: Path) -> list[Receipt]:
    """Take every delivery of a city in, in the order that the demo takes them, and return the receipts."""
    return [registry.import_file(kind, folder / name, today=TODAY) for kind, name in DELIVERIES]
