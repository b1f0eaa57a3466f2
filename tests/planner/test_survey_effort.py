"""Surveys as exposure: which pipes were walked by a slow loop, and the share of leaks that could be found."""

from __future__ import annotations

from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.exposure import find_exposure
from planner.forecast.history import make_history
from planner.policy import read_policy
from planner.survey_effort import find_effort, panel_effort
from registry.fields import check_frame
from tests.planner.frames import CRS, EAST, NORTH, frame_of, leaks_of, line, named_links, segments_of

AS_OF = date(2026, 11, 1)
STREETS = ("金城路", "初山路")


def town(media: tuple[str, ...] = ("gas",)) -> gpd.GeoDataFrame:
    """Eight pipes of 100 m for each medium, in two streets and two districts."""
    rows: list[dict[str, Any]] = [
        {
            "medium": medium,
            "street_name": STREETS[number % 2],
            "installed_year_min": 1990,
            "installed_year_max": 1990,
            "geometry": line((200.0 * number, 20.0 * place), (200.0 * number + 100.0, 20.0 * place)),
        }
        for place, medium in enumerate(media)
        for number in range(8)
    ]
    return segments_of(*rows)


def districts() -> gpd.GeoDataFrame:
    west = shapely.MultiPolygon([shapely.box(EAST - 50, NORTH - 50, EAST + 790, NORTH + 100)])
    east = shapely.MultiPolygon([shapely.box(EAST + 790, NORTH - 50, EAST + 1700, NORTH + 100)])
    return frame_of(
        "districts",
        [
            {"district_id": "D1", "name": "西区", "geometry": west},
            {"district_id": "D2", "name": "东区", "geometry": east},
        ],
    )


def surveys_of(*rows: dict[str, Any]) -> gpd.GeoDataFrame:
    filled = [{"survey_id": f"V{number}", "surveyed_on": "2020-05-01"} | row for number, row in enumerate(rows)]
    columns = ("medium", "surveyed_km", "district", "street_name", "segment_id")
    frame = frame_of("surveys", filled, columns)
    return frame.assign(surveyed_on=pd.to_datetime(frame["surveyed_on"]))


def no_districts() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"name": pd.Series([], dtype="str")}, geometry=[], crs=CRS).rename_axis("district_id")


def area(number: int) -> shapely.MultiPolygon:
    """The western half of a pipe."""
    return shapely.MultiPolygon([shapely.box(EAST + 200 * number - 10, NORTH - 5, EAST + 200 * number + 50, NORTH + 5)])


ROWS = st.lists(
    st.fixed_dictionaries(
        {"surveyed_on": st.sampled_from(["2020-05-01", "2021-05-01"])},
        optional={
            "surveyed_km": st.sampled_from([0.05, 0.2, 9.0]),
            "medium": st.sampled_from(["gas", "water"]),
            "segment_id": st.sampled_from(["S0000", "S0003", "S0009"]),
            "street_name": st.sampled_from([*STREETS, "无名路"]),
            "district": st.sampled_from(["D1", "东区", "北区"]),
            "geometry": st.builds(area, st.integers(0, 7)),
        },
    ),
    min_size=1,
    max_size=6,
)


def covers(row: Any, segment_id: str, segment: Any) -> float:
    """The share of a pipe in the place of a survey, the slow way."""
    if not pd.isna(row["medium"]) and row["medium"] != segment["medium"]:
        return 0.0
    if not pd.isna(row["segment_id"]):
        return float(row["segment_id"] == segment_id)
    if row["geometry"] is not None:
        return float(segment["geometry"].intersection(row["geometry"]).length / segment["geometry"].length)
    if not pd.isna(row["street_name"]):
        return float(row["street_name"] == segment["street_name"])
    if not pd.isna(row["district"]):
        district = "D1" if segment["geometry"].centroid.x < EAST + 790 else "D2"
        return float(row["district"] in {district, {"D1": "西区", "D2": "东区"}[district]})
    return 1.0


@settings(max_examples=60)
@given(rows=ROWS)
def test_what_was_walked_is_what_a_loop_finds(rows: list[dict[str, Any]]) -> None:
    segments, surveys = town(("gas", "water")), surveys_of(*rows)
    effort = find_effort(segments, surveys, districts(), leaks_of(), AS_OF)
    assert effort is not None
    check_frame(effort.surveyed, "surveyed")
    assert effort.surveyed["share"].between(0.0, 1.0).all()
    for year in (2020, 2021):
        walked = dict.fromkeys(segments.index, 0.0)
        for row in surveys.to_dict("records"):
            if row["surveyed_on"].year != year:
                continue
            shares = {str(name): covers(row, str(name), segment) for name, segment in segments.iterrows()}
            metres = 100.0 * sum(shares.values())
            part = 1.0 if pd.isna(row["surveyed_km"]) or not metres else min(1.0, 1000 * row["surveyed_km"] / metres)
            for name, share in shares.items():
                walked[name] += share * part
        found = pd.Series({name: min(share, 1.0) for name, share in walked.items()})
        wanted = found.groupby(effort.area_of).mean()
        known = effort.walked[year].dropna() if year in effort.walked else pd.Series(dtype="float64")
        # a medium that nobody walked in these years says nothing
        np.testing.assert_allclose(known, wanted.reindex(known.index), atol=1e-9)


def test_years_without_a_word_have_the_mean_and_a_gap_has_what_is_noticed_anyway() -> None:
    rows = [{"surveyed_on": f"{year}-03-01", "district": "D1"} for year in (2018, 2020)]
    leaks = leaks_of(
        *({"leaked_on": "2015-05-01"} for _ in range(3)),
        *({"leaked_on": "2018-05-01", "source": source} for source in ["survey"] * 5 + ["hotline"] * 2 + ["unknown"]),
    )
    effort = find_effort(town(), surveys_of(*rows), districts(), leaks, AS_OF)
    assert effort is not None
    # q = (2 + 1) / (7 + 2), walked 1/3 of the length in the years 2018 to 2020
    q, walked = 3 / 9, 1 / 3
    chance = q * walked / (1 - q + q * walked)
    assert effort.unasked == {"gas": pytest.approx(chance)}
    share = effort.surveyed.set_index(["district_id", "year"])["share"]
    assert share["gas/D1", 2018] == 1.0
    assert share["gas/D1", 2019] == pytest.approx(chance)
    assert share["gas/D2", 2020] == pytest.approx(chance)
    assert share["gas/D1", 2015] == share["gas/D1", 2026] == pytest.approx(chance + (1 - chance) * 2 / 3)
    known = effort.walked.columns[effort.walked.notna().any()]
    assert known.equals(pd.Index([2018, 2019, 2020]))


def test_all_walked_every_year_changes_nothing_and_half_walked_halves_at_most() -> None:
    segments = town()
    every = surveys_of(*({"surveyed_on": f"{year}-03-01", "surveyed_km": 99.0} for year in range(2012, 2027)))
    leaks = leaks_of(*({"leaked_on": f"{year}-05-01", "source": "survey"} for year in range(2012, 2026)))
    links = named_links(leaks, "S0001")
    policy = read_policy()
    told = find_effort(segments, every, no_districts(), leaks, AS_OF)
    assert told is not None
    assert (told.surveyed["share"] == 1.0).all()
    plain = find_exposure(segments, AS_OF)
    seen = find_exposure(segments, AS_OF, told.surveyed, told.area_of)
    assert set(plain.looked_at) == set()
    assert all((share == 1.0).all() for share in seen.looked_at.values())
    years = range(2012, 2027)
    half = find_effort(segments, every.assign(surveyed_km=0.4), no_districts(), leaks, AS_OF)
    assert half is not None
    pasts = [
        make_history(
            segments,
            links,
            leaks,
            policy,
            years,
            AS_OF,
            effort=panel_effort(effort.surveyed, effort.area_of, years),
            districts=effort.area_of,
        ).panel
        for effort in (told, half)
    ]
    unaware = make_history(segments, links, leaks, policy, years, AS_OF).panel
    np.testing.assert_allclose(pasts[0].km_years, unaware.km_years)
    share = half.unasked["gas"] + (1 - half.unasked["gas"]) * 0.5
    np.testing.assert_allclose(pasts[1].km_years, share * unaware.km_years)
    np.testing.assert_array_equal(pasts[1].leaks, unaware.leaks)


def test_the_order_of_rows_and_what_comes_later_change_nothing() -> None:
    rows: list[dict[str, Any]] = [
        {"district": "D1"},
        {"street_name": "初山路", "surveyed_km": 0.1},
        {"surveyed_on": "2026-12-01"},
    ]
    leaks = leaks_of({"leaked_on": "2020-06-01", "source": "survey"})
    whole = find_effort(town(), surveys_of(*rows), districts(), leaks, AS_OF)
    turned = find_effort(town().iloc[::-1], surveys_of(*rows[:2]).iloc[::-1], districts(), leaks, AS_OF)
    assert whole is not None
    assert turned is not None
    keys = ["district_id", "year"]
    pd.testing.assert_frame_equal(
        whole.surveyed.sort_values(keys, ignore_index=True), turned.surveyed.sort_values(keys, ignore_index=True)
    )
    assert find_effort(town(), surveys_of(rows[2]), districts(), leaks, AS_OF) is None


def test_a_test_on_the_past_does_not_learn_from_its_years() -> None:
    rows: list[dict[str, Any]] = [{"surveyed_on": f"{year}-03-01", "district": "D1"} for year in (2016, 2017, 2018)]
    rows.append({"surveyed_on": "2020-03-01", "surveyed_km": 99.0})
    past = [{"leaked_on": "2016-05-01", "source": "survey"}, {"leaked_on": "2017-05-01", "source": "hotline"}]
    shares = []
    for later in ("survey", "hotline"):
        leaks = leaks_of(*past, *({"leaked_on": "2020-05-01", "source": later} for _ in range(20)))
        effort = find_effort(town(), surveys_of(*rows), districts(), leaks, AS_OF, date(2019, 1, 1))
        assert effort is not None
        shares.append(effort.surveyed[effort.surveyed["year"] < 2019])
        rows[-1]["surveyed_km"] = 0.1
    pd.testing.assert_frame_equal(shares[0], shares[1])
