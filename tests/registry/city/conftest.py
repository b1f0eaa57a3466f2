from __future__ import annotations

from pathlib import Path

import pytest

from registry.city import City, make_city, write_city


@pytest.fixture(scope="session")
def town() -> City:
    """A small town; nobody may change it."""
    return make_city(3000, 11)


@pytest.fixture(scope="session")
def folder(town: City, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The delivery files of the small town."""
    place = tmp_path_factory.mktemp("town")
    write_city(town, place)
    return place
