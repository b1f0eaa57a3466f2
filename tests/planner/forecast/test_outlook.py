"""Leaks to expect: against loops and exact distributions, and a plan that never makes it worse."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom

from planner.emissions import find_emissions
from planner.forecast.outlook import Outlook, leak_interval, leak_outlook, network_draws, posterior_draws
from planner.forecast.outlook_frames import leak_forecast, network_forecast
from planner.leaks import link_leaks
from planner.policy import read_policy
from planner.score import score_segments
from planner.table_rates import steady_rates
from registry.errors import PlanningError
from registry.fields import check_frame
from tests.planner.frames import leaks_of, segments_of

POLICY = read_policy()
AS_OF = date(2026, 11, 1)
YEARS = range(2027, 2032)
OWN = POLICY.weights.likelihood.history.strengths.own.value


def town() -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Old iron and steel that leaked, new plastic, water, and a pipe that others dug into."""
    segments = segments_of(
        {"material": "grey_iron", "installed_year_min": 1975, "installed_year_max": 1985, "diameter_mm": 100.0},
        {"material": "steel", "installed_year_min": 1990, "installed_year_max": 1990, "cathodic_protection": "none"},
        {"material": "pe100", "installed_year_min": 2020, "installed_year_max": 2020, "joint": "fusion"},
        {"medium": "water", "material": "ductile_iron"},
        {"material": "steel", "installed_year_min": None, "installed_year_max": None},
    )
    rows: list[dict[str, Any]] = [
        {"segment_id": "S0000", "leaked_on": f"{year}-03-01", "medium": "gas"} for year in (2008, 2012, 2019, 2024)
    ]
    rows += [{"segment_id": "S0001", "leaked_on": "2021-05-01", "medium": "gas"}]
    rows += [{"segment_id": "S0004", "leaked_on": "2020-05-01", "medium": "gas", "cause": "third_party"}]
    leaks = leaks_of(*rows)
    leaks["geometry"] = [segments.geometry[row["segment_id"]].interpolate(50.0) for row in rows]
    leaks = leaks.set_geometry("geometry", crs=segments.crs)
    links = link_leaks(leaks, segments, POLICY)
    return segments, score_segments(segments, links, leaks, None, POLICY, AS_OF)


SEGMENTS, SCORES = town()
RENEWED = pd.Series([2028, 2030, 2027], index=["S0000", "S0001", "S0002"], dtype="Int64")


def outlook_of(renewed: pd.Series | None = RENEWED, order: Any = slice(None)) -> Outlook:
    return leak_outlook(SEGMENTS.iloc[order], SCORES, POLICY, YEARS, AS_OF, renewed)


def plain(leaks: Any, shape: Any, planned: Any = None) -> Outlook:
    """An outlook of gas pipes by its expectations alone."""
    expected = np.array(leaks, dtype="float64")
    names = pd.Index([f"S{row:06d}" for row in range(len(expected))], name="segment_id")
    there = planned is not None
    return Outlook(
        names,
        pd.Series("gas", names),
        range(2027, 2027 + expected.shape[1]),
        expected,
        np.array(planned, dtype="float64") if there else expected,
        np.full(len(expected), np.nan),
        np.array(shape, dtype="float64"),
        np.full(len(expected), 2027.0 if there else np.inf),
    )


def test_the_outlook_goes_on_from_the_score_by_a_loop() -> None:
    found = outlook_of()
    weights = POLICY.weights.likelihood
    offset = weights.age_offset_years.value
    exponent = {entry.code: entry.factor for entry in weights.age_exponent.factors}
    default_age = {entry.code: entry.factor for entry in weights.unknown_age_years.factors}
    for row, name in enumerate(SEGMENTS.index):
        score, segment = SCORES.loc[name], SEGMENTS.loc[name]
        power = exponent.get(segment["material"], exponent["unknown"])
        age = score["age_years"]
        for column, year in enumerate(YEARS):
            then = age + year + 0.5 - (2026 + 304 / 365)
            if np.isnan(age):
                age_now = age_then = default_age.get(segment["medium"], default_age["unknown"])
            else:
                age_now, age_then = age, then
            factor = ((age_then + offset) / (age_now + offset)) ** power
            expected = score["likelihood_per_km_year"] * 0.1 * factor
            assert found.leaks[row, column] == pytest.approx(expected, rel=1e-4), (name, year)
        assert found.shape[row] == pytest.approx(OWN + score["leak_count"])
    np.testing.assert_allclose(found.third_party_leaks, SCORES["third_party_per_km_year"] * 0.1)


def test_a_renewed_pipe_has_the_rate_of_a_new_one_from_its_year_on() -> None:
    found = outlook_of()
    iron, steel = found.planned_leaks[0], found.planned_leaks[1]
    np.testing.assert_array_equal(iron[:1], found.leaks[0, :1])
    np.testing.assert_array_equal(steel[:3], found.leaks[1, :3])
    assert (iron[1:] < found.leaks[0, 1:]).all()
    assert (steel[3:] < found.leaks[1, 3:]).all()
    # by hand: a pipe of plastic laid in 2028, at the level of the record of gas
    new = SEGMENTS.loc[["S0000"]].assign(
        material="pe100", joint="fusion", coating="not_applicable", installed_year_min=2028, installed_year_max=2028
    )
    weights = POLICY.weights.likelihood
    reference, offset = weights.age_reference_years.value, weights.age_offset_years.value
    power = {entry.code: entry.factor for entry in weights.age_exponent.factors}["pe100"]
    ages = np.array([0.5, 1.5, 2.5, 3.5])
    rate = steady_rates(new, POLICY.weights)[0] * np.exp(SCORES["ln_likelihood_level"].iloc[0])
    np.testing.assert_allclose(iron[1:], rate * ((ages + offset) / (reference + offset)) ** power * 0.1)
    np.testing.assert_array_equal(found.planned_leaks[3:], found.leaks[3:])


def test_without_a_plan_both_scenarios_are_one() -> None:
    found = outlook_of(None)
    assert not found.has_plan
    np.testing.assert_array_equal(found.planned_leaks, found.leaks)
    later = outlook_of(RENEWED + 100)
    assert not later.has_plan


@settings(deadline=None, max_examples=20)
@given(order=st.permutations(range(5)), seed=st.integers(0, 3))
def test_the_order_of_rows_changes_nothing(order: list[int], seed: int) -> None:
    emissions = find_emissions(SEGMENTS, POLICY.emissions) if POLICY.emissions else None
    same, other = outlook_of(), outlook_of(order=order)
    pd.testing.assert_frame_equal(leak_forecast(same), leak_forecast(other))
    pd.testing.assert_frame_equal(
        network_forecast(same, SCORES, emissions, 50, seed), network_forecast(other, SCORES, emissions, 50, seed)
    )


def test_frames_keep_their_contracts_add_up_and_the_plan_is_never_worse() -> None:
    assert POLICY.emissions is not None
    found = outlook_of()
    emissions = find_emissions(SEGMENTS, POLICY.emissions)
    rows, network = leak_forecast(found), network_forecast(found, SCORES, emissions, 200, 1)
    check_frame(rows, "leak_forecast")
    check_frame(network, "network_forecast")
    for name in ("", "_low", "_high"):
        assert (rows[f"planned_leaks{name}"] <= rows[f"leaks{name}"]).all()
    assert (rows["leaks_low"] <= rows["leaks"]).all()
    assert (rows["leaks"] <= rows["leaks_high"]).all()
    medium = SEGMENTS["medium"].reindex(rows["segment_id"]).to_numpy()
    for (code, year, scenario), table in network.groupby(["medium", "year", "scenario"]):
        own = rows[(medium == code) & (rows["year"] == year)]
        expected = own["leaks" if scenario == "nothing" else "planned_leaks"].sum()
        row = table.iloc[0]
        assert row["leaks"] == pytest.approx(expected)
        assert row["avoided"] == pytest.approx(own["leaks"].sum() - expected)
        assert row["leaks_low"] <= row["leaks"] <= row["leaks_high"]
        assert row["avoided_low"] <= row["avoided"] <= row["avoided_high"]
    by = network.set_index(["medium", "scenario", "year"])
    # renewal does not remove what others dig into
    damage = by["third_party_leaks"].loc["gas"]
    np.testing.assert_array_equal(damage["plan"], damage["nothing"])
    assert damage["plan"].iloc[0] > 0
    assert by["third_party_leaks"].loc["water"].isna().all()
    assert by["methane_t"].loc["water"].isna().all()
    harm = SCORES["harm_cny_per_year"] / (SCORES["likelihood_per_km_year"] * 0.1)
    nothing = rows[rows["year"] == 2029].set_index("segment_id")["leaks"]
    gas = SEGMENTS.index[SEGMENTS["medium"] == "gas"]
    assert by.loc[("gas", "nothing", 2029), "harm_cny"] == pytest.approx((nothing * harm)[gas].sum())
    saved = emissions["methane_saved_t_per_year"]
    methane = by["methane_t"].loc["gas"]
    np.testing.assert_allclose(methane["nothing"], emissions["methane_t_per_year"].sum())
    iron, both = saved["S0000"], saved["S0000"] + saved["S0001"]
    np.testing.assert_allclose(methane["nothing"] - methane["plan"], [0.0, iron, iron, both, both], atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(
    leaks=st.lists(st.floats(0.0, 30.0), min_size=1, max_size=6),
    shape=st.floats(0.05, 40.0),
)
def test_the_interval_of_a_segment_is_that_of_the_negative_binomial(leaks: list[float], shape: float) -> None:
    expected = np.array(leaks)[:, None]
    low, high = leak_interval(expected, np.full(len(leaks), shape))
    for mean, bottom, top in zip(leaks, low[:, 0], high[:, 0], strict=True):
        exact = [nbinom.ppf(share, shape, shape / (shape + mean)) if mean > 0 else 0.0 for share in (0.1, 0.9)]
        assert bottom == min(exact[0], np.floor(mean))
        assert top == max(exact[1], np.ceil(mean))
        assert bottom <= mean <= top


def test_more_draws_come_near_the_exact_distribution() -> None:
    """One segment of 4 leaks a year whose rate has the shape 2.9: the share of draws at or below each count."""
    found = plain([[4.0]], [2.9])
    exact = nbinom.cdf(np.arange(15), 2.9, 2.9 / 6.9)
    away = []
    for draws in (100, 100_000):
        nothing, _ = network_draws(found, np.array([0]), draws, 5)
        shares = (nothing[0, 0][:, None] <= np.arange(15)).mean(axis=0)
        away.append(np.abs(shares - exact).max())
    assert away[1] < 0.006 < away[0]


def test_draws_have_mean_one_and_the_variance_of_their_shape_and_are_seeded() -> None:
    shape = np.array([0.9, 3.9, 20.9])
    drawn = posterior_draws(shape, 100_000, 7)
    np.testing.assert_allclose(drawn.mean(axis=1), 1.0, atol=0.02)
    np.testing.assert_allclose(drawn.var(axis=1), 1.0 / shape, rtol=0.05)
    np.testing.assert_array_equal(drawn, posterior_draws(shape, 100_000, 7))
    assert (drawn != posterior_draws(shape, 100_000, 8)).any()
    assert posterior_draws(np.empty(0), 5, 0).shape == (0, 5)


def test_segments_of_all_blocks_are_drawn_on_their_own() -> None:
    drawn = posterior_draws(np.full(9000, 0.9), 20, 1)
    assert len(np.unique(drawn)) == drawn.size


def test_segments_of_all_blocks_are_drawn_and_years_of_one_draw_go_together() -> None:
    """9,000 segments lie in three blocks; their own rates are the same in all years, so that totals go together."""
    rng = np.random.default_rng(3)
    leaks = np.repeat(rng.gamma(1.0, 1.0, 9000)[:, None], 2, axis=1)
    found = plain(leaks, np.full(9000, 0.9))
    rows = rng.random(9000) < 0.5
    drawn, kept = network_draws(found, np.where(rows, 1, 0) - 1, 400, 2)
    np.testing.assert_array_equal(drawn, kept)
    nothing = drawn[0]
    total = leaks[rows, 0].sum()
    deviation = np.sqrt(total + (leaks[rows, 0] ** 2 / 0.9).sum())
    assert abs(nothing[0].mean() - total) < 5 * deviation / np.sqrt(400)
    np.testing.assert_allclose(nothing[0].std(), deviation, rtol=0.15)
    by_segment = (leaks[rows].T @ posterior_draws(found.shape, 400, 2)[rows])[0]
    assert np.corrcoef(nothing[0], by_segment)[0, 1] > 0.5


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 1000), count=st.integers(1, 30))
def test_no_draw_of_the_plan_lies_above_that_of_doing_nothing(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    leaks = rng.gamma(0.5, 2.0, (count, 3))
    found = plain(leaks, rng.uniform(0.2, 5.0, count), leaks * rng.random((count, 3)))
    nothing, kept = network_draws(found, rng.integers(0, 3, count), 60, seed)
    assert (kept <= nothing).all()


def test_a_pipe_that_is_better_than_a_new_one_is_not_made_worse() -> None:
    scores = SCORES.assign(likelihood_per_km_year=1e-6)
    found = leak_outlook(SEGMENTS, scores, POLICY, YEARS, AS_OF, RENEWED)
    np.testing.assert_array_equal(found.planned_leaks, found.leaks)


def test_faults_are_told() -> None:
    with pytest.raises(PlanningError, match="score"):
        leak_outlook(SEGMENTS, SCORES.iloc[1:], POLICY, YEARS, AS_OF)
    with pytest.raises(PlanningError, match="draws"):
        network_forecast(outlook_of(), SCORES, None, 3, 0)
    assert replace(outlook_of(), renewed_from=np.full(5, np.inf)).has_plan is False
