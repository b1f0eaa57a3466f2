"""House numbers and cross streets of a real city: floors under what `bench.places` prints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely

from bench.places import measure_breaks, measure_plain_join, measure_stretches, read_breaks, read_roads
from registry.settings import Settings
from registry.store import open_registry
from tests.conftest import SHARED_DATA, TODAY, real_data

pytestmark = pytest.mark.real_data


def test_house_numbers_are_found_no_worse_than_by_a_plain_join() -> None:
    real_data("kitchener")
    ours, plain = measure_breaks(SHARED_DATA), measure_plain_join(SHARED_DATA)
    assert ours.asked == plain.asked == 2_666
    assert ours.located >= 0.99 > plain.located
    assert ours.median_m <= 24.0 < plain.median_m
    assert ours.near >= 0.81 > plain.near
    # a number within a known range is surer than one beyond, and the confidence says so
    assert ours.sure_located >= 0.98
    assert ours.sure_near > ours.near


def test_cross_streets_are_right_where_they_have_one_answer() -> None:
    real_data("kitchener")
    stretches = measure_stretches(SHARED_DATA)
    assert stretches.located >= 0.74
    assert stretches.right >= 0.99


def test_breaks_with_an_address_alone_become_leaks(kitchener_settings: Settings, tmp_path: Path) -> None:
    """As a hotline hands them on, without coordinates or segment: none vanishes, and the bench holds end to end."""
    real_data("kitchener")
    roads, breaks = read_roads(SHARED_DATA), read_breaks(SHARED_DATA)
    names = ["name", *(f"{side}_number_{end}" for side in ("left", "right") for end in ("from", "to")), "geometry"]
    drawn = roads[roads.geometry.length > 0].assign(road_id=roads["roadsegmentid"].astype("str"))
    drawn.drop_duplicates("road_id")[["road_id", *names]].to_parquet(tmp_path / "roads.parquet")
    calls = pd.DataFrame({"leak_id": breaks["break_id"].astype("str")})
    calls["leaked_on"] = pd.to_datetime(breaks["incident_ts"]).dt.date
    calls["address"] = breaks["number"].astype("str") + " " + breaks["street"]
    calls.to_csv(tmp_path / "calls.csv", index=False)
    with open_registry(kitchener_settings) as registry:
        registry.import_file("roads", tmp_path / "roads.parquet", today=TODAY)
        receipt = registry.import_file("leaks", tmp_path / "calls.csv", today=TODAY)
        leaks = registry.frame("leaks", as_of=TODAY)
    assert receipt.rows_read == receipt.accepted + receipt.held == len(breaks) == 2_666
    assert receipt.accepted >= 0.99 * len(breaks)
    assert set(receipt.faults["code"]) <= {"address_street_unknown", "address_ambiguous", "place_number_unknown"}
    assert set(leaks["position_quality"]) == {"address"}
    assert set(leaks["located_by"]) == {"number"}
    truth = breaks.set_index(calls["leak_id"]).geometry.reindex(leaks.index)
    points = (np.asarray(leaks.geometry.array), np.asarray(truth.array))
    away = pd.Series(shapely.distance(*points), leaks.index)
    assert away.median() <= 24.0
    # a pipe is looked for within 80 m of an address
    assert (away <= 80.0).mean() >= 0.85
    # and the confidence says which of them are surer
    sure = leaks["place_confidence"] > 0.7
    assert (away[sure] <= 58.0).mean() > 0.8 > 0.6 > (away[~sure] <= 58.0).mean()
