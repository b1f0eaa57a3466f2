"""Live pairs are kept by planners of all organisations; a member of one sees those of the segments that it sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import psycopg
import pytest
import shapely

from registry.errors import RightsError
from registry.pairs import Refreshed, read_live_pairs, refresh_live_pairs, write_live_pairs
from registry.settings import Settings
from registry.store import open_registry
from tests.conftest import TODAY
from tests.registry.deliveries import EAST, NORTH, write
from tests.registry.rights.conftest import as_login

REACH: dict[str, Any] = {"half_width_m": {"unknown": 5.0}, "margin_m": 1.0}


@pytest.fixture
def meeting(city: Settings, tmp_path: Path) -> Settings:
    """One compound over all segments, followed by a planner of all organisations."""
    area = shapely.box(EAST - 100, NORTH - 100, EAST + 900, NORTH + 900)
    rows = {"工程编号": ["P-1"], "工程名称": ["一期"], "工程类别": ["老旧小区改造"]}
    with open_registry(as_login(city, "t_planner")) as registry:
        write_live_pairs(registry, read_live_pairs(registry).iloc[:0], TODAY, None, REACH)
    with open_registry(city) as registry:
        works = gpd.GeoDataFrame(pd.DataFrame(rows), geometry=[area], crs="EPSG:4549")
        registry.import_file("projects", write(works, tmp_path / "works.gpkg"), today=TODAY)
    with open_registry(as_login(city, "t_planner")) as registry:
        assert refresh_live_pairs(registry, TODAY, REACH) == Refreshed(1, 6, 0)
        pairs = read_live_pairs(registry)
        # what a planner writes in full is what was followed
        write_live_pairs(registry, pairs, TODAY, None, REACH)
        assert read_live_pairs(registry).equals(pairs)
    return city


def test_members_see_the_pairs_of_their_segments(meeting: Settings) -> None:
    seen: dict[str, set[str]] = {}
    for login in ("t_reader", "t_east_reader", "t_west_editor"):
        with open_registry(as_login(meeting, login)) as registry:
            seen[login] = set(read_live_pairs(registry)["segment_id"].str.slice(0, 4))
    assert seen == {
        "t_reader": {"EAST", "WEST", "OPEN"},
        "t_east_reader": {"EAST", "OPEN"},
        "t_west_editor": {"WEST", "OPEN"},
    }


def test_members_of_one_organisation_do_not_compute_them(meeting: Settings) -> None:
    with open_registry(as_login(meeting, "t_east_planner")) as registry:
        with pytest.raises(RightsError, match="all organisations"):
            refresh_live_pairs(registry, TODAY, REACH)
        with pytest.raises(RightsError, match="all organisations"):
            write_live_pairs(registry, read_live_pairs(registry), TODAY, None, REACH)
        # nor past our own code
        with pytest.raises(psycopg.Error, match="all organisations"):
            registry.connection.execute("SELECT registry_app.refresh_live_pairs('2026-11-01', '{}')")
        with pytest.raises(psycopg.Error, match="policy"):
            registry.connection.execute("INSERT INTO registry.live_pair VALUES ('EAST-0', 'P-2', 1.0)")


def test_a_reader_does_not_write_them(meeting: Settings) -> None:
    with pytest.raises(RightsError), open_registry(as_login(meeting, "t_reader")) as registry:
        refresh_live_pairs(registry, TODAY, REACH)
