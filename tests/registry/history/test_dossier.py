"""The dossier of a pipe that was split, corrected and merged: who said what, and where its leaks lie."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import shapely

from registry.history.dossier import Dossier, read_dossier
from registry.history.edit import Warrant, correct
from registry.history.lineage import merge, replace, split
from registry.kinds import KINDS
from registry.store import Registry
from tests.conftest import TODAY
from tests.registry.deliveries import EAST, NORTH, leaks_csv, segments, write

SPLIT_ON, MERGED_ON = date(2022, 6, 1), date(2024, 6, 1)
PIT = Warrant("tester", source="trial pit 3")
DESK = Warrant("tester", source="new valve")


@pytest.fixture
def pipe(registry: Registry, tmp_path: Path) -> Registry:
    """One pipe of 100 m with a leak at either end, both named."""
    shape = shapely.LineString([(EAST, NORTH), (EAST + 100, NORTH)])
    registry.import_file(
        "segments", write(segments(1, geometry=[shape]), tmp_path / "census.gpkg"), today=TODAY, source="2020 census"
    )
    leaks = [
        {"漏点编号": f"L{x}", "发现日期": "2021-01-01", "X": NORTH + 1, "Y": EAST + x, "管段编号": "GAS-0"}
        for x in (10, 90)
    ]
    registry.import_file("leaks", leaks_csv(tmp_path / "leaks.csv", leaks), today=TODAY)
    return registry


def sources(dossier: Dossier) -> dict[str, str]:
    return {str(row["column_name"]): str(row["source"]) for row in dossier.facts.to_dict("records")}


def leaks(dossier: Dossier) -> dict[str, float]:
    told = dossier.timeline[dossier.timeline["event"] == "event_leak"]
    return {str(row["object_id"]): round(float(row["measure_m"]), 3) for row in told.to_dict("records")}


def test_parts_of_a_pipe_have_their_facts_from_who_said_them_of_the_whole(pipe: Registry) -> None:
    split(pipe.connection, "GAS-0", [40.0], SPLIT_ON, DESK)
    correct(pipe.connection, KINDS["segments"], "GAS-0-2", {"cover_depth_m": "1.4"}, PIT)
    whole = sources(read_dossier(pipe.connection, "GAS-0", date(2022, 1, 1)))
    assert set(whole.values()) == {"2020 census"}
    assert sources(read_dossier(pipe.connection, "GAS-0-1", TODAY)) == whole
    assert sources(read_dossier(pipe.connection, "GAS-0-2", TODAY)) == whole | {"cover_depth_m": "trial pit 3"}
    merge(pipe.connection, ["GAS-0-1", "GAS-0-2"], "ONE", MERGED_ON, DESK)
    # of what its parents differ in the longest decides
    assert sources(read_dossier(pipe.connection, "ONE", TODAY)) == whole | {"cover_depth_m": "trial pit 3"}


def test_a_new_pipe_has_nothing_from_the_one_that_it_replaced(pipe: Registry) -> None:
    replace(pipe.connection, "GAS-0", "NEW", {"material": "pe100"}, SPLIT_ON, DESK)
    assert "2020 census" not in sources(read_dossier(pipe.connection, "NEW", TODAY)).values()


def test_a_split_pipe_and_its_parts_tell_the_leaks_each_along_itself(pipe: Registry) -> None:
    split(pipe.connection, "GAS-0", [40.0], SPLIT_ON, DESK)
    assert leaks(read_dossier(pipe.connection, "GAS-0", TODAY)) == {"L10": 10.0, "L90": 90.0}
    assert leaks(read_dossier(pipe.connection, "GAS-0-1", TODAY)) == {"L10": 10.0}
    assert leaks(read_dossier(pipe.connection, "GAS-0-2", TODAY)) == {"L90": 50.0}
    # the crew's word for all days takes the leak away from the whole as well
    correct(pipe.connection, KINDS["leaks"], "L10", {"segment_id": "GAS-0-2"}, PIT)
    told = read_dossier(pipe.connection, "GAS-0-1", TODAY)
    assert leaks(told) == {}
    assert not pd.isna(told.length_m)
