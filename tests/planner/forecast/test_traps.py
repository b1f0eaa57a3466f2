"""Six ways to know the future or to count wrong: each is planted here, and caught by a guard of the package."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from planner.factors import Floats
from planner.forecast.backtest import Window, walk_forward
from planner.forecast.guards import (
    changed_since,
    check_blind_to_future,
    check_leaks_have_pipes,
    check_rates_per_km,
    check_retired_kept,
    with_other_future,
)
from planner.forecast.history import make_history
from planner.forecast.panel import Panel
from planner.forecast.summary import summarise
from planner.forecast.undated import refuse_undated, undated_evidence
from planner.policy import read_policy
from registry.errors import PlanningError
from tests.planner.forecast.towns import ByMaterial, FromSegments, Told, make_segments, make_town, material_hazard

WINDOWS = [Window(year) for year in range(2008, 2016)]
NEXT = range(2010, 2013)


def captures(panel: Panel, *models: FromSegments) -> dict[str, float]:
    table = summarise(walk_forward(panel, [ByMaterial(), *models], WINDOWS).windows)
    chosen = table[table["measure"] == "capture_at_10"]
    return dict(zip(chosen["model"], chosen["weighted_mean"], strict=True))


def lifetime_model(record: Panel) -> FromSegments:
    """Cheats: looks up how many leaks a segment has in the whole record."""
    per_km = (record.leaks.sum(axis=1) + 0.01) / record.km_years.sum(axis=1).clip(0.01)
    lifetime = pd.Series(per_km, record.segments.index)
    return FromSegments("lifetime", lambda past: lifetime[past.segments.index].to_numpy())


def prior_model(_: Panel) -> FromSegments:
    """Honest: leaks per kilometre before the cut-off."""
    return FromSegments("prior", lambda past: (past.leaks.sum(axis=1) + 0.01) / past.km_years.sum(axis=1).clip(0.01))


def test_lifetime_counts_are_caught_because_the_forecast_moves_with_the_future() -> None:
    panel = make_town(spread=1.0)
    with pytest.raises(PlanningError, match="lifetime"):
        check_blind_to_future(lifetime_model, panel, NEXT)
    check_blind_to_future(prior_model, panel, NEXT)
    check_blind_to_future(lambda _: ByMaterial(), panel, NEXT)
    # and this is what the cheat would have claimed
    found = captures(panel, lifetime_model(panel), prior_model(panel))
    assert found["lifetime"] > found["prior"] + 0.1


def test_another_future_has_the_same_past() -> None:
    panel = make_town(spread=1.0)
    other = with_other_future(panel, 2010, 3)
    for name in ("leaks", "km_years", "age_years"):
        np.testing.assert_array_equal(getattr(panel.until(2010), name), getattr(other.until(2010), name))
    for name in ("leaks", "km_years"):
        assert (getattr(panel, name)[:, 10:] != getattr(other, name)[:, 10:]).mean() > 0.5
    assert panel.leaks.sum() == make_town(spread=1.0).leaks.sum()


def test_a_forecast_of_other_segments_than_known_is_caught_too() -> None:
    @dataclass(frozen=True)
    class Whole:
        record: Panel
        name: str = "whole"

        def fit(self, past: Panel) -> Told:
            return Told(np.ones(int((self.record.km_years[:, 12] > 1.0).sum()) + len(past.segments)))

    with pytest.raises(PlanningError, match="whole"):
        check_blind_to_future(Whole, make_town(), NEXT)


def test_a_later_condition_score_is_refused_and_found_out() -> None:
    panel = make_town(3, 3000, hazard=lambda s: 0.2 * material_hazard(s), spread=0.7)
    score = (10.0 - 2.0 * panel.leaks.sum(axis=1)).clip(1.0)
    scored = replace(panel, segments=panel.segments.assign(condition_score=score))
    with pytest.raises(PlanningError, match="condition_score"):
        walk_forward(scored, [ByMaterial()], WINDOWS)
    told = scored.segments[["condition_score", "diameter_mm"]]
    verdict = undated_evidence(panel, told).set_index("attribute")["verdict"]
    assert verdict.to_dict() == {"condition_score": "knows_leaks", "diameter_mm": "no_sign"}
    # the same score as it stood at a cut-off, on which the later leaks were not yet known, raises no alarm
    dated = (10.0 - 2.0 * panel.until(2008).leaks.sum(axis=1)).clip(1.0)
    then = pd.DataFrame({"score_of_2008": dated}, index=panel.until(2008).segments.index)
    assert undated_evidence(panel, then, 2008)["verdict"].tolist() == ["no_sign"]


def long_and_short(seed: int) -> Panel:
    """A town where long pipes have the more leaks, and short ones are the worse."""
    panel = make_town(seed, 600)
    length = np.where(np.arange(600) % 4 == 0, 400.0, 40.0)
    rate = np.where(length < 100, 1.5, 0.3) * np.where(panel.segments["material"] == "pvc", 0.5, 1.0)
    km_years = panel.km_years / (panel.segments["length_m"].to_numpy() / 1000)[:, None] * (length / 1000)[:, None]
    leaks = np.random.default_rng(seed).poisson(rate[:, None] * km_years).astype(float)
    return replace(panel, segments=panel.segments.assign(length_m=length), km_years=km_years, leaks=leaks)


def count_model(past: Panel) -> Floats:
    """Cheats: the number of leaks expected of the segment, in place of the rate."""
    counts: Floats = ByMaterial(own=0.5).fit(past).rate * past.segments["length_m"].to_numpy("float64")
    return counts


def test_ranking_by_count_is_caught_by_a_probe_and_by_the_capture() -> None:
    segment = make_segments(np.random.default_rng(0), 1)
    years = range(2000, 2015)
    with pytest.raises(PlanningError, match="count"):
        check_rates_per_km(FromSegments("count", count_model), segment, years)
    for honest in (ByMaterial(), prior_model(make_town(count=5))):
        check_rates_per_km(honest, segment, years)
    rate = FromSegments("rate", lambda past: ByMaterial(own=0.5).fit(past).rate)
    found = captures(long_and_short(0), FromSegments("count", count_model), rate)
    assert found["count"] < found["rate"] - 0.05


def test_half_way_between_rate_and_count_is_caught_too() -> None:
    segment = make_segments(np.random.default_rng(0), 1)
    half = FromSegments("half", lambda past: np.sqrt(past.segments["length_m"].to_numpy()))
    with pytest.raises(PlanningError, match=r"half.*0\.50"):
        check_rates_per_km(half, segment, range(2000, 2015))


def renewed_town() -> tuple[Panel, Panel]:
    """The honest record of a town, and one in which leaks of replaced pipes stand with those that lie there now."""
    honest = make_town(1, 3000)
    installed = honest.segments["installed_year_min"].to_numpy(dtype="int64")
    renewed = installed >= 2003
    before = np.array(honest.years)[None, :] < installed[:, None]
    of_predecessor = np.random.default_rng(1).poisson(0.2, honest.leaks.shape) * (before & renewed[:, None])
    return honest, replace(honest, leaks=honest.leaks + of_predecessor)


def test_leaks_of_predecessors_are_caught_because_their_pipe_was_not_there() -> None:
    honest, mixed = renewed_town()
    check_leaks_have_pipes(honest)
    with pytest.raises(PlanningError) as caught:
        check_leaks_have_pipes(mixed)
    strays = ((mixed.leaks > 0) & (mixed.km_years == 0)).any(axis=1)
    assert f"{strays.sum()} segments" in str(caught.value)
    assert mixed.segments.index[strays][0] in str(caught.value)
    # the harm: renewed places look worst
    installed = honest.segments["installed_year_min"].to_numpy(dtype="int64")
    new = installed >= 2003
    for panel, is_wrong in ((honest, False), (mixed, True)):
        ratio = [panel.leaks[rows].sum() / panel.km_years[rows].sum() for rows in (new, ~new)]
        assert bool(ratio[0] > 1.5 * ratio[1]) is is_wrong


def test_a_panel_made_from_linked_predecessor_leaks_keeps_them_out() -> None:
    """The maker of panels itself: leaks linked to a pipe laid later are left out, so that the check finds nothing."""
    segments = make_segments(np.random.default_rng(2), 40)
    segments.loc[segments.index[0], ["installed_year_min", "installed_year_max"]] = 2010
    leaks = pd.DataFrame(
        {
            "leaked_on": pd.to_datetime(["2005-06-01", "2012-06-01", "2001-01-01"]).astype("datetime64[s]"),
            "medium": "water",
        },
        index=pd.Index(["before", "after", "first"], name="leak_id"),
    )
    ids = [segments.index[0], segments.index[0], segments.index[1]]
    links = pd.DataFrame({"leak_id": leaks.index, "segment_id": ids, "probability": 1.0})
    panel = make_history(segments, links, leaks, read_policy(), range(2000, 2015), date(2014, 12, 31)).panel
    check_leaks_have_pipes(panel)
    assert panel.leaks[0].sum() == 1.0
    assert panel.leaks[0, 12] == 1.0


def test_missing_retired_pipes_are_caught_by_the_leaks_that_nobody_holds() -> None:
    panel = make_town(2, 1500, retires=True)
    on_record = pd.Series(panel.leaks.sum(axis=0), index=list(panel.years))
    check_retired_kept(panel, on_record)
    alive = panel.km_years[:, -1] > 0
    assert not alive.all()
    survivors = Panel(
        panel.segments[alive], panel.years, panel.km_years[alive], panel.leaks[alive], panel.age_years[alive]
    )
    with pytest.raises(PlanningError, match="retired"):
        check_retired_kept(survivors, on_record)


def test_leaks_missing_in_all_years_alike_are_no_sign_of_missing_pipes() -> None:
    alarms = 0
    for seed in range(20):
        panel = make_town(seed, 800)
        lost = np.random.default_rng(seed).poisson(0.15 * panel.leaks.sum() / 16, 16)
        on_record = pd.Series(panel.leaks.sum(axis=0) + lost, index=list(panel.years))
        try:
            check_retired_kept(panel, on_record)
        except PlanningError:
            alarms += 1
    # two standard errors on one side
    assert alarms <= 2


def test_without_leaks_no_pipe_is_missed() -> None:
    panel = make_town(count=20, hazard=lambda segments: np.zeros(len(segments)))
    check_retired_kept(panel, pd.Series(dtype="float64"))


def test_an_attribute_changed_after_the_cut_off_is_caught_by_what_was_known_then() -> None:
    """Pipes that leaked were looked at, and their material corrected: today's census tells who leaked."""
    known = make_town(4, 4000, hazard=lambda s: 0.2 * material_hazard(s), spread=0.7)
    leaked = known.leaks[:, 8:].sum(axis=1) > 0
    material = known.segments["material"].where(~leaked, "cast_iron")
    today = replace(known, segments=known.segments.assign(material=material))
    changes = changed_since(known.until(2008), today)
    known_then = known.segments.index.isin(known.until(2008).segments.index)
    changed_material = (known.segments["material"] != material).to_numpy() & known_then
    assert changes["material"] == changed_material.sum() > 0
    assert changes.drop("material").eq(0).all()
    assert changed_since(known.until(2008), known).eq(0).all()
    # the leaks tell it as well, where a table without dates is put beside a census that has some
    told = pd.DataFrame({"now": material, "then": known.segments["material"]})
    verdict = undated_evidence(known, told, 2008).set_index("attribute")["verdict"]
    assert verdict["now"] == "later_only"
    assert verdict["then"] == "no_sign"
    # and asked for what was known, the walk-forward does not fall for it
    flattered = walk_forward(today, [ByMaterial()], WINDOWS).windows
    honest = walk_forward(today, [ByMaterial()], WINDOWS, panel_at=lambda _: known).windows
    assert set(honest["knowledge"]) == {"recorded"}
    gain = flattered["capture_at_10"] - honest["capture_at_10"]
    assert gain.mean() > 0.01
    pure = walk_forward(known, [ByMaterial()], WINDOWS).windows
    np.testing.assert_allclose(honest["capture_at_10"], pure["capture_at_10"])


def test_missing_values_are_compared_as_values() -> None:
    panel = make_town(count=6)
    then = panel.segments.assign(diameter_mm=[100.0, np.nan, np.nan, 100.0, 100.0, 100.0])
    now = panel.segments.assign(diameter_mm=[np.nan, 100.0, np.nan, 150.0, 100.0, 100.0])
    changes = changed_since(replace(panel, segments=then), replace(panel, segments=now))
    assert changes["diameter_mm"] == 3
    assert changes.drop("diameter_mm").eq(0).all()


@pytest.mark.parametrize(
    "name", ["assessment", "assessed_on", "is_encroached", "leak_count", "remark", "retired_on", "status"]
)
def test_whatever_may_change_with_a_leak_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(PlanningError, match=name):
        refuse_undated(["material", name])
