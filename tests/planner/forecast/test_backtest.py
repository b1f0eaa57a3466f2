"""The walk-forward: nothing of the future, everybody known ranked, the same figures as a slow plain loop."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from planner.forecast.backtest import Window, hold_out, walk_forward, windows_between
from planner.forecast.heirs import find_heirs
from planner.forecast.panel import Panel
from planner.forecast.rate_tables import RateTable
from planner.forecast.summary import by_material, pool_lift, summarise
from registry.errors import PlanningError
from registry.fields import check_frame
from tests.planner.forecast.towns import ByMaterial, FromSegments, Told, make_town

WINDOWS = [Window(year) for year in range(2008, 2014)]


@dataclass
class Watcher:
    """Keeps every past that it was given."""

    name: str = "default"
    pasts: list[Panel] = field(default_factory=list)

    def fit(self, past: Panel) -> Told:
        self.pasts.append(past)
        return Told(np.ones(len(past.segments)))


def random_model() -> FromSegments:
    return FromSegments("random", lambda past: np.random.default_rng(1).random(len(past.segments)) + 0.1)


def changed(panel: Panel, rows: NDArray[np.int64]) -> Panel:
    return Panel(
        panel.segments.iloc[rows],
        panel.years,
        *(values[rows] for values in (panel.km_years, panel.leaks, panel.age_years)),
    )


def test_frames_keep_their_contracts() -> None:
    tested = walk_forward(make_town(), [ByMaterial(), random_model()], [*WINDOWS, Window(2008, 3)])
    for name, frame in (("windows", tested.windows), ("materials", tested.materials), ("lift", tested.lift)):
        check_frame(frame, f"backtest_{name}")
    check_frame(summarise(tested.windows), "backtest_summary")
    assert len(tested.windows) == 2 * 7
    assert not tested.windows.duplicated(["model", "year", "horizon_years"]).any()
    assert set(tested.windows["knowledge"]) == {"event_dates"}


def test_a_model_is_given_the_past_only_and_once_for_each_first_year() -> None:
    panel, watcher = make_town(retires=True), Watcher()
    walk_forward(panel, [watcher], [Window(2010, 3), Window(2008), Window(2010)])
    assert [past.years for past in watcher.pasts] == [range(2000, 2008), range(2000, 2010)]
    for past in watcher.pasts:
        assert past.leaks.shape[1] == len(past.years)
        assert not any(np.shares_memory(getattr(past, name), getattr(panel, name)) for name in ("leaks", "km_years"))


def test_pipes_not_yet_known_are_left_out_and_counted_and_retired_ones_taught_but_not_ranked() -> None:
    panel, watcher = make_town(count=600, retires=True), Watcher()
    row = walk_forward(panel, [watcher], [Window(2009, 2)]).windows.iloc[0]
    in_ground = panel.km_years[:, 9:11].sum(axis=1) > 0
    known = panel.km_years[:, :9].sum(axis=1) > 0
    assert row["new_count"] == (in_ground & ~known).sum() > 0
    assert row["new_km"] == pytest.approx(panel.segments["length_m"][in_ground & ~known].sum() / 1000)
    assert row["new_leaks"] == panel.leaks[in_ground & ~known, 9:11].sum()
    assert row["segment_count"] == (in_ground & known).sum()
    assert row["leaks"] == panel.leaks[in_ground & known, 9:11].sum()
    retired = known & (panel.km_years[:, 9:11].sum(axis=1) == 0)
    assert retired.any()
    assert set(panel.segments.index[retired]) <= set(watcher.pasts[0].segments.index)
    assert row["history_leaks"] == panel.leaks[known, :9].sum()


def test_what_comes_after_a_window_changes_nothing_of_it() -> None:
    panel = make_town(spread=1.0)
    later = replace(panel, leaks=panel.leaks.copy(), km_years=panel.km_years.copy())
    later.leaks[:, 10:] = later.leaks[::-1, 10:] + 1
    later.km_years[:, 10:] *= 2.0
    tested = [walk_forward(record, [ByMaterial()], [Window(2008), Window(2009)]) for record in (panel, later)]
    pd.testing.assert_frame_equal(tested[0].windows, tested[1].windows)


def test_the_order_of_rows_changes_nothing() -> None:
    panel = make_town(spread=1.0)
    turned = changed(panel, np.random.default_rng(5).permutation(len(panel.segments)))
    tested = [walk_forward(record, [ByMaterial()], WINDOWS).windows for record in (panel, turned)]
    pd.testing.assert_frame_equal(tested[0], tested[1], rtol=1e-12)


def diameters(past: Panel) -> NDArray[np.float64]:
    return past.segments["diameter_mm"].to_numpy("float64")


def slow_window(panel: Panel, year: int, horizon: int, rate: dict[str, list[float]]) -> dict[str, float]:
    """One window by hand: dictionaries and loops, sorting by a plain key, nothing shared with the package."""
    first = year - panel.years.start
    worst = []
    for row, name in enumerate(panel.segments.index):
        in_window = sum(panel.km_years[row, first : first + horizon].tolist())
        if sum(panel.km_years[row, :first].tolist()) == 0 or in_window == 0:
            continue
        leaks = sum(panel.leaks[row, first : first + horizon].tolist())
        yearly = rate[name]
        predicted = sum(yearly[later] * float(panel.km_years[row, first + later]) for later in range(horizon))
        length = float(panel.segments["length_m"].iloc[row]) / 1000
        is_new = sum(panel.leaks[row, :first].tolist()) < 0.5
        worst.append((sum(yearly) / horizon, length, leaks, predicted, is_new, panel.segments["material"].iloc[row]))
    worst.sort(key=lambda entry: -entry[0])
    result: dict[str, float] = {
        "leaks": sum(entry[2] for entry in worst),
        "predicted_leaks": sum(entry[3] for entry in worst),
    }
    for prefix, chosen in (("", worst), ("never_leaked_", [entry for entry in worst if entry[4]])):
        for percent in (1, 5, 10, 20):
            result[f"{prefix}capture_at_{percent}"] = slow_capture(chosen, percent / 100)
    result["deviance"] = 0.0
    for _, _, leaks, predicted, _, _ in worst:
        if leaks > 0:
            result["deviance"] += 2 * leaks * float(np.log(leaks / predicted))
        result["deviance"] -= 2 * (leaks - predicted)
    for entry in worst:
        result[f"predicted {entry[5]}"] = result.get(f"predicted {entry[5]}", 0.0) + entry[3]
    return result


def slow_capture(worst: list[tuple[float, float, float, float, bool, str]], share: float) -> float:
    budget, found, row = share * sum(entry[1] for entry in worst), 0.0, 0
    while row < len(worst):
        tied = [entry for entry in worst if entry[0] == worst[row][0]]
        length = sum(entry[1] for entry in tied)
        found += sum(entry[2] for entry in tied) * min(max(budget, 0.0) / length, 1.0)
        budget -= length
        row += len(tied)
    return found / sum(entry[2] for entry in worst)


@pytest.mark.parametrize("own", [2.0, np.inf], ids=["own history", "ties"])
def test_the_windows_are_those_of_a_slow_plain_loop(own: float) -> None:
    panel = make_town(count=300, spread=1.0, retires=True)
    model = ByMaterial(own=own) if np.isfinite(own) else FromSegments("default", diameters)
    tested = walk_forward(panel, [model], [Window(2008), Window(2010, 3)])
    for window, (_, row) in zip((Window(2008), Window(2010, 3)), tested.windows.iterrows(), strict=True):
        past = panel.until(window.year)
        rates = dict(zip(past.segments.index, model.fit(past).rates(window.years).tolist(), strict=True))
        slow = slow_window(panel, window.year, window.horizon_years, rates)
        for name, value in slow.items():
            if name.startswith("predicted "):
                parts = tested.materials[tested.materials["year"] == window.year].set_index("material")
                assert parts["predicted_leaks"][name.removeprefix("predicted ")] == pytest.approx(value, rel=1e-9)
            else:
                assert row[name] == pytest.approx(value, rel=1e-9), name


def test_a_held_out_district_teaches_nothing_of_itself() -> None:
    panel, watcher = make_town(spread=1.0), Watcher()
    district = pd.Series(np.where(np.arange(400) % 3 == 0, "north", "south"), panel.segments.index)
    district.iloc[5] = None
    tested = hold_out(panel, [watcher, ByMaterial("material")], [Window(2008)], district)
    for name, past in zip(("north", "south"), watcher.pasts, strict=True):
        hidden = (district.reindex(past.segments.index) == name).to_numpy()
        assert hidden.any()
        assert past.leaks[hidden].sum() == past.km_years[hidden].sum() == 0
        assert past.leaks[~hidden].sum() > 0
    assert tested.windows["district"].tolist() == ["north", "north", "south", "south"]
    # leaks of the district itself may be anything: its forecast does not move
    other = replace(panel, leaks=panel.leaks.copy())
    other.leaks[(district == "north").to_numpy(), :8] += 3.0
    again = hold_out(other, [ByMaterial("material")], [Window(2008)], district).windows
    both = [table.set_index(["model", "district"])["predicted_leaks"] for table in (tested.windows, again)]
    assert both[0].loc[("material", "north")] == both[1].loc[("material", "north")]
    assert both[0].loc[("material", "south")] != both[1].loc[("material", "south")]
    # what was known of a segment decides who had never leaked, not what the model saw
    north = (district.reindex(panel.segments.index) == "north").to_numpy() & (panel.km_years[:, 8] > 0)
    known = panel.km_years[:, :8].sum(axis=1) > 0
    never = panel.leaks[:, :8].sum(axis=1) == 0
    row = tested.windows.iloc[0]
    assert row["never_leaked_leaks"] == panel.leaks[north & known & never, 8].sum()
    assert tested.windows["new_count"].sum() == 2 * (~known & (panel.km_years[:, 8] > 0)).sum()


def test_what_lies_only_in_the_hidden_district_gets_the_rate_of_the_wider_group() -> None:
    panel = make_town()
    # factorised last, and found nowhere but in the north
    segments = panel.segments.sort_values("material", kind="stable")
    panel = changed(panel, panel.segments.index.get_indexer(segments.index))
    segments = panel.segments.assign(material=[*panel.segments["material"][:-40], *["steel"] * 40])
    district = pd.Series(["south"] * 360 + ["north"] * 40, segments.index)
    tested = hold_out(replace(panel, segments=segments), [RateTable()], [Window(2008)], district)
    north = tested.materials[(tested.materials["district"] == "north") & (tested.materials["material"] == "steel")]
    south = panel.until(2008)
    rate = south.leaks[:-40].sum() / south.km_years[:-40].sum()
    assert north["predicted_leaks"].item() == pytest.approx(rate * panel.km_years[-40:, 8].sum(), rel=0.05)


def test_one_district_leaves_nothing_to_learn_from() -> None:
    panel = make_town(count=20)
    with pytest.raises(PlanningError, match="centre"):
        hold_out(panel, [ByMaterial()], [Window(2008)], pd.Series("centre", panel.segments.index))


def test_a_registry_that_recorded_what_it_knew_is_asked_for_each_cut_off() -> None:
    panel = make_town(spread=1.0)
    asked = []

    def known_at(year: int) -> Panel:
        asked.append(year)
        rows = np.arange(len(panel.segments) - 10)
        wrong = changed(panel, rows)
        return replace(wrong, segments=wrong.segments.assign(material="pvc"))

    watcher = Watcher()
    tested = walk_forward(panel, [watcher], [Window(2008), Window(2009)], known_at)
    assert asked == [2008, 2009]
    assert set(tested.windows["knowledge"]) == {"recorded"}
    assert set(watcher.pasts[0].segments["material"]) == set(tested.materials["material"]) == {"pvc"}
    plain = walk_forward(panel, [Watcher()], [Window(2008), Window(2009)]).windows
    assert (tested.windows["new_count"] > plain["new_count"]).all()
    # ids that the registry no longer has cannot be tested and are counted
    ids = panel.segments.rename(index={"S0000": "gone"})
    row = walk_forward(panel, [Watcher()], [Window(2011)], lambda _: replace(panel, segments=ids)).windows.iloc[0]
    assert row["gone_count"] == 1
    assert row["segment_count"] == (panel.km_years[1:, 11] > 0).sum()


def test_the_leaks_of_a_pipe_are_found_on_what_it_became() -> None:
    panel = make_town(spread=1.0)
    # what today is S0000 and S0001 was one pipe when it was known; what today is S0002 were two
    length = panel.segments["length_m"]
    whole = replace(changed(panel, np.arange(1, 400)), segments=panel.segments.iloc[1:].rename(index={"S0001": "one"}))
    double = changed(whole, np.array([0, 1, 1, *range(2, 399)]))
    ids = ["one", "left", "right", *double.segments.index[3:]]
    segments = double.segments.set_axis(pd.Index(ids, name="segment_id"), axis=0)
    segments["length_m"] = [1.0, 30.0, 10.0, *segments["length_m"].iloc[3:]]
    then = replace(double, segments=segments)
    rows = [
        ("one", "S0000", "split"),
        ("one", "S0001", "split"),
        ("left", "S0002", "merge"),
        ("right", "S0002", "merge"),
    ]
    columns = ["parent_from_m", "parent_to_m", "child_from_m", "child_to_m"]
    told = pd.DataFrame(rows, columns=["parent_id", "child_id", "relation"]).assign(**dict.fromkeys(columns, 0.0))
    heirs = find_heirs(then.segments, panel.segments, told)
    sums = heirs.inherit(panel.leaks, len(then.segments))
    np.testing.assert_array_equal(sums[0], panel.leaks[0] + panel.leaks[1])
    np.testing.assert_allclose(sums[1:3], panel.leaks[2] * np.array([[0.75], [0.25]]))
    np.testing.assert_array_equal(sums[3:], panel.leaks[3:])
    assert sums.sum() == pytest.approx(panel.leaks.sum())
    assert heirs.inherit(length.to_numpy("float64"), len(ids)).sum() == pytest.approx(length.sum())
    windows = [Window(2012)]
    asked = [
        walk_forward(panel, [Watcher()], windows, lambda _: then, successions=s).windows.iloc[0] for s in (None, told)
    ]
    assert [row["gone_count"] for row in asked] == [3, 0]
    assert [row["new_count"] for row in asked] == [3, 0]
    # nothing is lost with the successions: all leaks of the window are on tested pipes
    assert asked[1]["leaks"] == pytest.approx(panel.leaks[:, 12].sum())
    # another pipe in the same place is no heir
    replaced = told.assign(relation="replace")
    again = walk_forward(panel, [Watcher()], windows, lambda _: then, successions=replaced).windows.iloc[0]
    assert again["gone_count"] == 3


def test_windows_do_not_overlap_and_end_with_the_last_year() -> None:
    assert windows_between(2012, 2015) == [Window(2012), Window(2013), Window(2014), Window(2015)]
    three = windows_between(2012, 2022, 3)
    assert three == [Window(2014, 3), Window(2017, 3), Window(2020, 3)]
    assert [year for window in three for year in window.years] == list(range(2014, 2023))


@pytest.mark.parametrize("window", [Window(2002), Window(2015, 2), Window(2016), Window(1999)])
def test_a_window_outside_the_record_is_refused(window: Window) -> None:
    with pytest.raises(PlanningError, match=str(window.year)):
        walk_forward(make_town(count=20), [ByMaterial()], [Window(2008), window])


def test_the_first_and_the_last_window_that_fit_are_taken() -> None:
    tested = walk_forward(make_town(count=50), [ByMaterial()], [Window(2003), Window(2015), Window(2014, 2)])
    assert tested.windows["year"].tolist() == [2003, 2014, 2015]
    with pytest.raises(PlanningError):
        walk_forward(make_town(count=50), [ByMaterial()], [])


@pytest.mark.parametrize("rate", [np.nan, -0.1, np.inf])
def test_rates_that_are_none_are_refused(rate: float) -> None:
    @dataclass(frozen=True)
    class Broken:
        name: str = "broken"

        def fit(self, past: Panel) -> Told:
            return Told(np.append(np.ones(len(past.segments) - 1), rate))

    with pytest.raises(PlanningError, match="broken"):
        walk_forward(make_town(count=50), [Broken()], [Window(2008)])


def test_models_of_one_name_are_refused() -> None:
    with pytest.raises(PlanningError, match="default"):
        walk_forward(make_town(count=50), [ByMaterial(), ByMaterial()], [Window(2008)])


def told(table: pd.DataFrame, model: str, measure: str) -> pd.Series:
    return table[(table["model"] == model) & (table["measure"] == measure)].iloc[0]


def test_the_summary_pairs_each_model_with_the_default() -> None:
    tested = walk_forward(make_town(spread=1.0), [ByMaterial(), random_model()], WINDOWS)
    table = summarise(tested.windows)
    own, other = (tested.windows[tested.windows["model"] == name].reset_index() for name in ("random", "default"))
    gain = [a - b for a, b in zip(own["capture_at_10"], other["capture_at_10"], strict=True)]
    row = told(table, "random", "capture_at_10")
    mean = sum(gain) / 6
    assert row["difference"] == pytest.approx(mean)
    assert row["difference_standard_error"] == pytest.approx((sum((g - mean) ** 2 for g in gain) / 5 / 6) ** 0.5)
    assert row["better_count"] == sum(g > 0 for g in gain)
    assert row["window_count"] == 6
    weighted = sum(c * n for c, n in zip(own["capture_at_10"], own["leaks"], strict=True)) / own["leaks"].sum()
    assert row["weighted_mean"] == pytest.approx(weighted)
    assert row["mean"] == pytest.approx(own["capture_at_10"].mean())
    pooled = told(table, "random", "calibration")
    assert pooled["weighted_mean"] == pytest.approx(own["predicted_leaks"].sum() / own["leaks"].sum())
    assert pd.isna(pooled["better_count"])
    # the less deviance the better
    deviance = other["deviance"] - own["deviance"]
    assert told(table, "random", "deviance")["better_count"] == (deviance > 0).sum()
    assert told(table, "default", "capture_at_10")["difference"] == 0


def test_the_summary_needs_the_default() -> None:
    tested = walk_forward(make_town(count=50), [random_model()], [Window(2008)])
    with pytest.raises(PlanningError, match="default"):
        summarise(tested.windows)
    one = summarise(tested.windows, "random")
    assert one["difference_standard_error"].isna().all()


def test_the_lift_of_all_windows_goes_through_the_weighted_captures() -> None:
    tested = walk_forward(make_town(spread=1.0), [ByMaterial()], WINDOWS)
    lift = pool_lift(tested.lift)["leak_share"].xs(("default", 1))
    means = summarise(tested.windows).set_index("measure")["weighted_mean"]
    for percent in (1, 5, 10, 20):
        assert lift[percent / 100] == pytest.approx(means[f"capture_at_{percent}"])
    assert (lift[0.0], lift[1.0]) == (0.0, 1.0)


def test_a_window_without_leaks_has_no_part_in_the_lift_of_all() -> None:
    lift = pd.DataFrame(
        {"length_share": [0.0, 0.5, 1.0] * 3, "leak_share": [0.0, 1.0, 1.0, 0.0, 0.0, 1.0, np.nan, np.nan, np.nan]}
    ).assign(leaks=[30.0] * 3 + [10.0] * 3 + [0.0] * 3, model="default", horizon_years=1)
    assert pool_lift(lift)["leak_share"].tolist() == [0.0, 0.75, 1.0]


def test_materials_add_up_to_the_city() -> None:
    tested = walk_forward(make_town(), [ByMaterial()], WINDOWS)
    table = by_material(tested.materials)
    assert table["leaks"].sum() == tested.windows["leaks"].sum()
    assert table["predicted_leaks"].sum() == pytest.approx(tested.windows["predicted_leaks"].sum())
    assert table["calibration"].between(0.5, 2.0).all()


def test_a_town_without_leaks_says_so_and_breaks_nothing() -> None:
    panel = make_town(count=50, hazard=lambda segments: np.zeros(len(segments)))
    row = walk_forward(panel, [ByMaterial()], [Window(2008)]).windows.iloc[0]
    assert row["leaks"] == 0
    assert np.isnan(row[["capture_at_10", "calibration", "secondary_auc"]].astype(float)).all()
    assert row["deviance"] > 0
