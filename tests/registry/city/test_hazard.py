from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely

from registry.city import City, make_city
from registry.city.hazard import rate_at


def within_poisson(count: float, expected: float, deviations: float = 4.0) -> bool:
    return bool(abs(count - expected) <= deviations * np.sqrt(max(expected, 1.0)))


@pytest.fixture(scope="module")
def large() -> City:
    return make_city(30_000, 4)


def test_leaks_follow_the_known_hazard(large: City) -> None:
    segments = large.truth["segments"].set_index("segment_id")
    leaks = large.truth["leaks"]
    own = leaks[~leaks["is_predecessor"]].groupby("segment_id").size().reindex(segments.index, fill_value=0)
    assert segments["expected_leaks"].sum() > 1500
    assert within_poisson(own.sum(), segments["expected_leaks"].sum())
    for material, group in segments.groupby("material"):
        assert within_poisson(own[group.index].sum(), group["expected_leaks"].sum()), material
    # the worst tenth by expectation, and the rest
    is_worst = segments["expected_leaks"] > segments["expected_leaks"].quantile(0.9)
    for mine in (is_worst, ~is_worst):
        assert within_poisson(own[mine].sum(), segments.loc[mine, "expected_leaks"].sum())
    before = leaks["is_predecessor"].sum()
    assert before > 0
    assert within_poisson(before, segments["expected_predecessor_leaks"].sum())


def test_leaks_scatter_more_than_poisson_over_equal_pipes(large: City) -> None:
    effects = large.truth["segments"][["street_effect", "segment_effect"]]
    assert effects["segment_effect"].mean() == pytest.approx(1.0, abs=0.03)
    assert effects["segment_effect"].var() == pytest.approx(1 / 1.4, rel=0.08)
    assert effects["street_effect"].var() > 0.2


def test_old_iron_leaks_more_than_young_plastic(large: City) -> None:
    rate = large.truth["segments"].groupby("material")["hazard_per_km_year"].mean()
    assert rate["grey_iron"] > 5 * rate["pe80"] > 0
    assert rate["pe100"] < rate["pe80"]


def test_the_rate_grows_with_age_as_stated() -> None:
    ages = np.array([25.0, 50.0, 0.0])
    assert rate_at(np.full(3, 0.2), np.full(3, 1.5), ages)[:2] == pytest.approx([0.2, 0.2 * 2**1.5])
    assert rate_at(np.full(3, 0.2), np.full(3, 1.5), ages)[2] > 0


def test_records_miss_leaks_and_some_years_more_than_others(large: City) -> None:
    leaks = large.truth["leaks"]
    assert len(large.leaks) == leaks["is_found"].sum() < len(leaks)
    by_year = leaks.groupby(leaks["leaked_on"].dt.year)["is_found"].mean()
    assert by_year.loc[2020:].mean() > by_year.loc[:2013].mean()


def test_positions_have_heavy_tails_and_addresses_lie_off_the_pipe(large: City) -> None:
    truth = large.truth["leaks"].dropna(subset=["leak_id"]).set_index("leak_id")
    records = large.leaks.set_index("漏点编号")
    off = pd.Series(np.hypot(records["Y"] - truth["east_m"], records["X"] - truth["north_m"]), index=records.index)
    surveyed = off[~truth["is_address_position"]]
    assert surveyed.median() < 5
    assert surveyed.quantile(0.995) > 6 * surveyed.median()
    assert off[truth["is_address_position"]].median() > 8


def test_true_positions_lie_on_the_true_segment(town: City) -> None:
    leaks = town.truth["leaks"]
    faults = town.truth["faults"]
    rows = faults.loc[faults["file"] == "segments.gpkg", "row"] - 1
    sound = town.segments[~town.segments.index.isin(rows)]
    lines = sound.set_index("管段编号").geometry
    leaks = leaks[leaks["segment_id"].isin(lines.index)]
    away = shapely.distance(
        shapely.points(leaks["east_m"], leaks["north_m"]),
        np.asarray(lines.loc[leaks["segment_id"].to_numpy()], dtype=object),
    )
    assert away.max() < 0.01


def test_predecessor_leaks_are_older_than_the_pipe(large: City) -> None:
    leaks = large.truth["leaks"].merge(large.truth["segments"], on="segment_id")
    year = leaks["leaked_on"].dt.year
    before = leaks["is_predecessor"]
    assert (year[before] <= leaks.loc[before, "installed_year"]).all()
    assert (year[~before] >= leaks.loc[~before, "installed_year"]).all()


def test_crews_state_what_lay_in_the_pit_on_part_of_the_records_and_not_always_right(large: City) -> None:
    truth = large.truth["leaks"].dropna(subset=["leak_id"]).merge(large.truth["segments"], on="segment_id")
    record = large.leaks.set_index("漏点编号").loc[truth["leak_id"].to_numpy()]
    said = record["泄漏管径"].notna().to_numpy()
    right = record["泄漏管径"].to_numpy()[said] == truth["diameter_mm"].astype("str").to_numpy()[said]
    assert 0.3 < said.mean() < 0.6
    assert 0.9 < right.mean() < 1
    before = truth["is_predecessor"].to_numpy() & record["泄漏管材"].notna().to_numpy()
    plastic = record["泄漏管材"].str.contains("PE|聚乙烯").fillna(value=False).to_numpy(dtype=bool)
    # what lay there before was hardly ever plastic, whatever lies there now
    assert truth["material"].str.startswith("pe")[before].mean() > 0.5
    assert plastic[before].mean() < 0.2
