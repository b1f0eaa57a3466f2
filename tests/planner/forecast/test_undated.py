"""Attributes without a date: refused by name, found out by the leaks, and honest ones left in peace."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from planner.factors import Floats
from planner.forecast.backtest import Window, walk_forward
from planner.forecast.panel import Panel
from planner.forecast.undated import refuse_undated, undated_evidence
from registry.errors import PlanningError
from registry.fields import check_frame
from tests.conftest import real_data
from tests.planner.forecast.towns import ByMaterial, make_town

PLANTED = ("lifetime leaks", "score", "dim score", "late flag", "late leaks")


def told_of(panel: Panel, seed: int) -> pd.DataFrame:
    """Attributes that know the future, and honest ones: noise, and measurements of the true rate known all along."""
    rng = np.random.default_rng(seed)
    count = len(panel.segments)
    leaks, later = panel.leaks.sum(axis=1), panel.leaks[:, 10:].sum(axis=1)
    return pd.DataFrame(
        {
            "lifetime leaks": leaks,
            "score": np.round(10.0 - 1.5 * leaks - panel.age_years[:, -1] / 50.0, 1),
            "dim score": leaks + 0.3 * rng.normal(size=count),
            "late flag": later > 0,
            "late leaks": later + 0.5 * rng.normal(size=count),
            "noise": rng.normal(size=count),
            "zone": rng.choice(list("abcdefgh"), count),
            "material": panel.segments["material"],
            "diameter": panel.segments["diameter_mm"].where(rng.random(count) > 0.1),
            "year": panel.segments["installed_year_min"],
            "street": panel.segments["street_name"],
            "length": panel.segments["length_m"],
            "id": panel.segments.index,
            "nothing": np.nan,
        },
        index=panel.segments.index,
    )


def soil(segments: pd.DataFrame, seed: int) -> pd.Series:
    return pd.Series(np.random.default_rng(seed).normal(size=len(segments)), segments.index)


def town_on_soil(seed: int) -> tuple[Panel, pd.Series]:
    """A town in which a hidden factor drives the leaks and a survey measured it, with some error.

    Leaks are rare, as they are: every fifth segment has one on record.
    """

    def hazard(segments: pd.DataFrame) -> Floats:
        base = np.where(segments["material"] == "pvc", 0.03, 0.12)
        rate: Floats = np.exp(0.7 * soil(segments, seed).to_numpy()) * base
        return rate

    panel = make_town(seed, 4000, hazard=hazard, spread=0.7)
    measured = soil(panel.segments, seed) + 0.3 * soil(panel.segments, seed + 1000)
    return panel, measured


@pytest.mark.parametrize("seed", range(3))
def test_attributes_that_know_the_future_are_found_out_and_honest_ones_not(seed: int) -> None:
    panel, measured = town_on_soil(seed)
    table = undated_evidence(panel, told_of(panel, seed).assign(soil=measured), 2010)
    check_frame(table, "undated_evidence")
    verdict = table.set_index("attribute")["verdict"]
    assert set(verdict[list(PLANTED[:3])]) == {"knows_leaks"}
    assert set(verdict[list(PLANTED[3:])]) == {"later_only"}
    assert set(verdict.drop(list(PLANTED))) == {"no_sign"}


def test_the_soil_is_strong_enough_to_tempt_the_detector() -> None:
    panel, measured = town_on_soil(0)
    row = undated_evidence(panel, measured.to_frame("soil"), 2010).iloc[0]
    assert row["later_effect"] > 0.5
    assert row["earlier_effect"] > 0.5


def test_honest_attributes_raise_hardly_any_false_alarm() -> None:
    """Also where all pipes of a material are alike, so that leaks before and after have nothing in common."""
    alarms = tried = 0
    for seed in range(20):
        for spread in (0.0, 1.0):
            panel = make_town(seed, 600, spread=spread)
            honest = told_of(panel, seed).drop(columns=list(PLANTED))
            verdict = undated_evidence(panel, honest)["verdict"]
            alarms += int(verdict.isin(["knows_leaks", "later_only"]).sum())
            tried += len(verdict)
    assert tried == 20 * 2 * 9
    assert alarms <= 4


def test_the_order_of_rows_changes_no_verdict() -> None:
    panel, _ = town_on_soil(1)
    told = told_of(panel, 1)
    rows = np.random.default_rng(0).permutation(len(told))
    turned = Panel(
        panel.segments.iloc[rows], panel.years, *(a[rows] for a in (panel.km_years, panel.leaks, panel.age_years))
    )
    pd.testing.assert_frame_equal(undated_evidence(panel, told), undated_evidence(turned, told.iloc[::-1]))


def test_a_rising_transform_changes_no_verdict() -> None:
    panel, _ = town_on_soil(2)
    told = told_of(panel, 2)[["score", "late leaks", "noise"]]
    one, other = (
        undated_evidence(panel, table).drop(columns="attribute")
        for table in (told, told.transform(lambda values: np.exp(values / 5) - 3))
    )
    pd.testing.assert_frame_equal(one, other)


def test_with_few_leaks_nothing_is_claimed() -> None:
    panel = make_town(count=30)
    table = undated_evidence(panel, told_of(panel, 0))
    assert set(table["verdict"]) == {"too_few_leaks"}
    check_frame(table, "undated_evidence")


def test_columns_that_may_have_changed_with_a_leak_are_refused_by_name() -> None:
    refuse_undated(["medium", "material", "installed_year_min", "street_name", "length_m", "district", "is_undated"])
    with pytest.raises(PlanningError) as refused:
        refuse_undated(["material", "condition_score", "assessment", "status"])
    for name in ("condition_score", "assessment", "status"):
        assert name in str(refused.value)
    assert "material" not in str(refused.value)


def test_the_walk_forward_refuses_them_unless_the_registry_recorded_when_it_learned_them() -> None:
    panel = make_town(count=100)
    scored = Panel(
        panel.segments.assign(condition_score=1.0), panel.years, panel.km_years, panel.leaks, panel.age_years
    )
    with pytest.raises(PlanningError, match="condition_score"):
        walk_forward(scored, [ByMaterial()], [Window(2008)])
    walk_forward(scored, [ByMaterial()], [Window(2008)], panel_at=lambda _: scored)


@pytest.mark.real_data
def test_the_condition_score_of_a_real_city_is_found_out_and_what_its_pipes_were_laid_with_is_not() -> None:
    from bench.kitchener import DATA, read_kitchener

    folder = real_data("kitchener").parent
    panel = read_kitchener(folder).panel()
    mains = pd.read_parquet(DATA / "kitchener" / "tidy" / "mains_2023-05.parquet")
    mains = mains.set_index(mains["watmainid"].astype("str"))
    columns = ["condition_score", "pressure_zone", "ownership", "criticality", "category", "undersized"]
    told = mains[columns].assign(street=panel.segments["street_name"], diameter=panel.segments["diameter_mm"])
    for year in (None, 2007, 2012, 2017):
        verdict = undated_evidence(panel, told, year).set_index("attribute")["verdict"]
        assert verdict["condition_score"] == "knows_leaks"
        assert set(verdict.drop("condition_score")) == {"no_sign"}
