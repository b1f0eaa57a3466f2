"""The 29,125 pavement moratoria that Chicago publishes: dates as they are, and the arithmetic of terms against them."""

from __future__ import annotations

import time
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from planner.bans import bans_on, find_bans
from planner.days import last_day_of_term
from planner.policy import read_policy
from registry.fields import check_frame
from tests.conftest import real_data
from tests.planner.frames import CRS, projects_of, roads_of

pytestmark = pytest.mark.real_data
FILE = ("chicago_capital", "raw", "Roadway_Construction_Moratoriums_20231109.csv")
CAUSES = {
    "Street Resurfacing": "road_overlay",
    "Planned Street Resurfacing": "road_overlay",
    "Street Construction": "road_building",
    "Median Landscaped": "greenery",
    "Traffic Restriction": "traffic",
}
AS_OF = date(2023, 11, 9)


@pytest.fixture(scope="module")
def published() -> pd.DataFrame:
    """The list as it is published, all text."""
    return pd.read_csv(real_data(*FILE), dtype="str")


@pytest.fixture(scope="module")
def moratoria(published: pd.DataFrame) -> gpd.GeoDataFrame:
    """The list as a frame of the registry; it has addresses and no geometry."""
    days = {
        ours: pd.to_datetime(published[theirs], format="%m/%d/%Y").astype("datetime64[s]")
        for ours, theirs in (("starts_on", "START DATE"), ("ends_on", "EXPIRATION DATE"))
    }
    name = published["STREET ADDRESS PREFIX"] + " " + published["STREET NAME"]
    table = pd.DataFrame(
        {"cause": published["MORATORIUM TYPE"].map(CAUSES).fillna("other"), "street_name": name, **days}
    )
    table.index = pd.Index([f"CH-{number}" for number in range(len(table))], dtype="str", name="moratorium_id")
    return gpd.GeoDataFrame(table, geometry=np.full(len(table), None), crs=CRS)


def made(moratoria: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    bans = find_bans(roads_of(), projects_of(), moratoria, read_policy(), AS_OF)
    check_frame(bans, "bans")
    return bans


def as_written(text: object) -> date | None:
    """Read one day by its parts: the slow way."""
    if not isinstance(text, str):
        return None
    month, day, year = (int(part) for part in text.split("/"))
    return date(year, month, day)


def test_every_row_becomes_a_ban_with_the_days_of_the_list(
    published: pd.DataFrame, moratoria: gpd.GeoDataFrame
) -> None:
    bans = made(moratoria)
    assert len(bans) == len(published) == 29_125
    for ours, theirs in (("starts_on", "START DATE"), ("ends_on", "EXPIRATION DATE")):
        slow = [as_written(text) for text in published[theirs]]
        assert [None if pd.isna(found) else found.date() for found in bans[ours]] == slow
    assert int(bans["ends_on"].isna().sum()) == 1
    assert bans.geometry.isna().all()


def test_bans_in_force_are_those_that_a_loop_finds(published: pd.DataFrame, moratoria: gpd.GeoDataFrame) -> None:
    """On days that some ban starts or ends, the day before and the day after, and on ordinary days."""
    bans = made(moratoria)
    spans = [
        (as_written(start), as_written(end))
        for start, end in zip(published["START DATE"], published["EXPIRATION DATE"], strict=True)
    ]
    days = [date(1998, 11, 29), date(1998, 11, 30), date(2019, 9, 2), date(2019, 9, 3), date(2020, 2, 29), AS_OF]
    days += [date(2024, 2, 29), date(2030, 1, 1), date(2207, 5, 12), date(2207, 5, 13)]
    counts = [len(bans_on(bans, day)) for day in days]
    assert counts == [
        sum(start is not None and start <= day and (end is None or day <= end) for start, end in spans) for day in days
    ]
    assert counts[0] == 0
    assert counts[-2:] == [2, 1]
    assert counts[5] > 10_000


def test_rows_turned_round_forbid_nothing(moratoria: gpd.GeoDataFrame) -> None:
    """The published list has none; a delivered one may."""
    turned = moratoria.rename(columns={"starts_on": "ends_on", "ends_on": "starts_on"})
    turned = turned[turned["starts_on"].notna()]
    is_one_day = turned["starts_on"] == turned["ends_on"]
    assert (turned["starts_on"] >= turned["ends_on"]).all()
    assert len(made(turned)) == int(is_one_day.sum()) < 100


def test_five_years_is_the_commonest_term_and_counted_without_its_first_day(moratoria: gpd.GeoDataFrame) -> None:
    """What the set `us-example` says of its counting."""
    resurfaced = moratoria[moratoria["cause"] == "road_overlay"]
    start, end = (resurfaced[name].to_numpy(dtype="datetime64[D]") for name in ("starts_on", "ends_on"))
    off = pd.Series((end - last_day_of_term(start, 5, counts_first_day=False)).astype("timedelta64[D]").astype("float"))
    commonest = off.value_counts()
    assert commonest.index[0] == 0.0
    assert commonest.iloc[0] > 8_000
    assert commonest.iloc[0] > 10 * commonest[-1.0]


def test_a_city_of_bans_is_a_matter_of_a_second(moratoria: gpd.GeoDataFrame) -> None:
    before = time.perf_counter()
    bans = made(moratoria)
    assert len(bans_on(bans, AS_OF)) > 10_000
    assert time.perf_counter() - before < 5.0
