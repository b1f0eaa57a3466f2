"""Programmes and dig bans of Chicago: no ids, places as texts, broken geometry, American days; no row is lost.

The data lie outside the repository; without them these tests are skipped.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from registry.cluster import Cluster
from registry.lifecycle import initialise
from registry.settings import Settings
from registry.store import Registry, open_registry
from tests.conftest import TODAY, real_data

pytestmark = pytest.mark.real_data
MAPPINGS = Path(__file__).parent
PROJECTS, BANS = 9_939, 29_125


@pytest.fixture
def chicago(settings: Settings, home: Path) -> Generator[Registry]:
    """An empty registry in Chicago's CRS, open."""
    own = replace(settings, registry=f"{settings.registry}_c")
    initialise(own, crs="EPSG:26916", city="Chicago", timezone="America/Chicago")
    with open_registry(own) as opened:
        yield opened
    Cluster(home).drop_database(own.registry)


def test_every_project_is_in_or_in_the_queue(chicago: Registry) -> None:
    path = real_data("chicago_capital", "tidy", "menu_projects_2019_2022.parquet")
    receipt = chicago.import_file("projects", path, map_path=MAPPINGS / "projects.toml", today=TODAY)
    assert (receipt.rows_read, receipt.accepted + receipt.held) == (PROJECTS, PROJECTS)
    assert receipt.faults["code"].value_counts().to_dict() == {
        # no roads of Chicago are known here
        "project_place_unknown": 1_526,
        "geometry_unsound": 70,
        # neither geometry nor a text
        "project_without_extent": 17,
        "out_of_range": 2,
    }
    notes = {note["code"]: note["count"] for note in receipt.notes}
    assert notes == {"note_ids_made": PROJECTS, "note_place_collections": 272, "note_place_point": 3_768}
    projects = chicago.frame("projects", as_of=TODAY)
    assert len(projects) == receipt.accepted == 8_324
    assert set(projects.geom_type) == {"Polygon", "MultiPolygon", "LineString", "MultiLineString"}
    assert (projects["located_by"] == "point").sum() == 3_768
    assert set(projects["starts_on"].dt.year) == {2019, 2020, 2021, 2022}
    assert len(chicago.held(receipt.delivery_id)["row_number"].unique()) == receipt.held


def test_every_dig_ban_is_in_or_in_the_queue(chicago: Registry) -> None:
    path = real_data("chicago_capital", "raw", "Roadway_Construction_Moratoriums_20231109.csv")
    receipt = chicago.import_file("moratoria", path, map_path=MAPPINGS / "moratoria.toml", today=TODAY)
    assert (receipt.rows_read, receipt.accepted, receipt.held) == (BANS, BANS - 1, 1)
    # 05/12/2207
    assert receipt.faults["code"].tolist() == ["day_out_of_range"]
    bans = chicago.frame("moratoria", as_of=TODAY)
    assert len(bans) == BANS - 1
    armitage = bans[(bans["street_name"] == "W ARMITAGE AVE") & (bans["number_from"] == 2000)]
    assert (armitage["starts_on"].dt.date == date(2014, 9, 3)).any()
    # a ban that is said twice stands twice
    assert bans.index.str.contains("-").sum() == 204
    # they stay although no road tells where they are
    assert bans.geometry.isna().all()
    assert {"code": "note_place_without_place", "count": BANS - 1} in receipt.notes
