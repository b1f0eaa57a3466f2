from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from planner.costs import unit_costs
from planner.policy import Policy, read_policy
from registry.errors import FrameError, PlanningError, PolicyError
from registry.fields import check_frame, columns_of, value_list
from tests.planner.priced import AS_OF, Site, policy_with, price_keys, site_of
from tests.planner.value_oracle import Pair, value_of

NOW = AS_OF.year
AMOUNTS = [column for column in columns_of("pair_values") if column.endswith(("_cny", "_per_year", "_kg"))]
OPENED = {"road_overhaul": "paving", "road_building": "full_trench", "other": "none"}
PRICE_KEYS = list(price_keys(read_policy().to_dict()["prices"]))
TRAFFIC_SURFACES = {"carriageway", "pavement"}
SHARED = ("prices", "value", "shared")


def rate() -> float:
    return 1.04 / 1.01 - 1.0


def only(values: pd.DataFrame) -> Any:
    assert len(values) == 1
    return values.iloc[0]


# --- by hand -----------------------------------------------------------------------------------------------------


def test_an_overhaul_saves_paving_traffic_and_site() -> None:
    """100 m of DN 200 under a carriageway of a secondary road; the overhaul covers 60 m of it."""
    found = only(site_of({"overlap_m": 60.0}, S0000="secondary").values())
    assert found["cost_alone_cny"] == pytest.approx(100 * (1000 + 1.2 * 220 + 100) + 30000)
    assert found["trench_saving_cny"] == 0.0
    assert found["paving_saving_cny"] == pytest.approx(60 * 1.2 * 220)
    assert found["traffic_saving_cny"] == pytest.approx(60 * 100)
    assert found["mobilisation_saving_cny"] == pytest.approx(30000)
    assert found["saving_cny"] == pytest.approx(60 * (1.2 * 220 + 100) + 30000)
    assert found["saving_low_cny"] == pytest.approx(60 * (1.2 * 140 + 50) + 10000)
    assert found["saving_high_cny"] == pytest.approx(60 * (1.2 * 300 + 200) + 60000)
    assert found["cost_together_cny"] == pytest.approx(found["cost_alone_cny"] - found["saving_cny"])
    assert found["co2_saving_kg"] == pytest.approx(60 * 1.2 * 40)


def test_a_new_road_saves_the_trench_too() -> None:
    found = only(site_of({}, projects=[{"kind": "road_building"}]).values())
    assert found["trench_saving_cny"] == pytest.approx(100 * 300)
    assert found["co2_saving_kg"] == pytest.approx(100 * 1.2 * (40 + 1.2 * 10))


def test_pulling_forward_loses_the_annuity_of_the_renewal() -> None:
    """Due in 2030, on site in 2028: two years of life are lost, no leak is avoided."""
    found = only(site_of({"due": (2030, 2032), "likelihood": 0.0}).values())
    alone, saving = 100 * (1000 + 264 + 50) + 30000, 100 * (264 + 50) + 30000
    annuity = alone * rate() / (1 - (1 + rate()) ** -50)
    lost = annuity * (1 / (1 + rate()) + 1 / (1 + rate()) ** 2)
    assert found["life_lost_cny_per_year"] == pytest.approx(annuity)
    assert found["best_year"] == 2028
    assert found["at_stake_cny"] == pytest.approx((saving - lost) / (1 + rate()) ** 2)


def test_life_is_lost_until_the_saving_is_used_up() -> None:
    """The closed form: saving = annuity (1 - v^k) / rate, solved for k, years before the due year."""
    found = only(site_of({"due": (2050, 2051), "on_site": (2045, 2046), "likelihood": 0.0}).values())
    years = -np.log(1 - found["saving_cny"] * rate() / found["life_lost_cny_per_year"]) / np.log1p(rate())
    assert found["joining_from_year"] == 2050 - int(years)
    assert found["break_even_year"] == found["joining_from_year"]
    assert found["best_year"] == 2046


def test_waiting_costs_leaks_and_the_later_price() -> None:
    """Due now, on site in 2028: leaks of two years with their repair and harm, and the works cost 2.01 % more."""
    row = {"due": (2026, 2026), "likelihood": 2.0, "consequence": 3.0, "age_years": 40.0}
    found = only(site_of(row).values())
    alone, saving = 100 * (1000 + 264 + 50) + 30000, 100 * (264 + 50) + 30000
    leaks = 2.0 * 0.1 * 0.95
    first = leaks * (12000 + 3.0 * 6000)
    assert found["waiting_cny_per_year"] == pytest.approx(first + 0.01 * alone)
    offset = read_policy().weights.likelihood.age_offset_years.value
    second = first * (41 + offset) / (40 + offset)  # the power of steel is 1
    waiting = first * (1 + rate()) + second + alone * (1.01**2 - 1)
    assert found["at_stake_cny"] == pytest.approx((saving - waiting) / (1 + rate()) ** 2)


def test_within_the_due_window_the_whole_saving_is_at_stake() -> None:
    found = only(site_of({"due": (2027, 2030), "on_site": (2027, 2031)}).values())
    assert found["best_year"] == 2027
    assert found["at_stake_cny"] == pytest.approx(found["saving_cny"] / (1 + rate()))


def test_pulling_forward_is_never_a_gain_of_joining() -> None:
    """A pipe that leaks more than its renewal costs a year could be renewed now, project or not."""
    found = only(site_of({"due": (2031, 2032), "on_site": (2026, 2026), "likelihood": 50.0}).values())
    assert found["at_stake_cny"] == pytest.approx(found["saving_cny"])


def test_a_window_that_only_touches_has_the_shared_year() -> None:
    assert only(site_of({"due": (2028, 2030), "on_site": (2026, 2028)}).values())["best_year"] == 2028
    assert only(site_of({"due": (2026, 2028), "on_site": (2028, 2030)}).values())["best_year"] == 2028


def test_a_site_is_set_up_once_for_a_project() -> None:
    values = site_of({"overlap_m": 30.0}, {"overlap_m": 10.0}, {"project": 1}, projects=[{}, {}]).values()
    assert values["mobilisation_saving_cny"].tolist() == pytest.approx([22500, 7500, 30000])


def test_a_price_list_without_trench_prices_cannot_price_pairs() -> None:
    content = read_policy().to_dict()
    content["prices"]["value"] = None
    with pytest.raises(PolicyError, match="assumed-2026"):
        site_of({}).values(Policy.from_dict(content))


# --- what is missing ---------------------------------------------------------------------------------------------

YEARS = ["joining_from_year", "joining_until_year", "break_even_year", "best_year"]


def test_without_a_due_window_there_are_no_years_but_a_saving() -> None:
    found = only(site_of({"due": None}).values())
    assert found[[*YEARS, "at_stake_cny"]].isna().all()
    assert found["saving_cny"] > 0


def test_without_dates_of_the_project_there_is_a_window_but_nothing_at_stake() -> None:
    found = only(site_of({"on_site": None}).values())
    assert found[["break_even_year", "best_year", "at_stake_cny"]].isna().all()
    assert found["joining_from_year"] <= 2028 <= found["joining_until_year"]


def test_pairs_without_times_have_no_years() -> None:
    site = site_of({}, {})
    for times in (site.pair_times.iloc[:1], site.pair_times.iloc[:0]):
        values = replace(site, pair_times=times).values()
        assert values["joining_from_year"].notna().tolist() == [len(times) == 1, False]
        assert values["best_year"].notna().tolist() == [len(times) == 1, False]


def test_an_open_end_is_open() -> None:
    early = only(site_of({"due": (None, 2030), "on_site": (2026, 2026), "likelihood": 0.0}).values())
    assert early["at_stake_cny"] == pytest.approx(early["saving_cny"])
    late = only(site_of({"due": (2027, None), "on_site": (2050, None), "likelihood": 0.0}).values())
    assert late["at_stake_cny"] == pytest.approx(late["saving_cny"] / (1 + rate()) ** 24)


@pytest.mark.parametrize("row", [{"relation": "too_late"}, {"on_site": (2020, 2025)}])
def test_what_is_over_puts_nothing_at_stake(row: dict[str, Any]) -> None:
    found = only(site_of(row).values())
    assert found["at_stake_cny"] == 0.0
    assert pd.isna(found["best_year"])


@pytest.mark.parametrize("state", read_policy().overlap.inactive_states)
def test_nobody_joins_a_project_that_is_done_or_cancelled(state: str) -> None:
    values = site_of({}, {"project": 1}, projects=[{"state": state}, {"state": "planned"}]).values()
    assert values["at_stake_cny"].gt(0).tolist() == [False, True]
    assert values["best_year"].isna().tolist() == [True, False]
    assert values["joining_from_year"].notna().all()


def test_what_is_overdue_waits_from_now_on() -> None:
    past, now = (only(site_of({"due": due}).values()) for due in ((2001, 2005), (2026, 2026)))
    assert past["at_stake_cny"] == now["at_stake_cny"]


def test_a_range_that_is_not_known_is_not_invented() -> None:
    content = read_policy().to_dict()
    for entry in content["prices"]["surface"]:
        if entry["code"] == "soil":
            entry["low"] = entry["high"] = None
    values = site_of({"surface": "soil"}, {"surface": "green"}).values(Policy.from_dict(content))
    assert values["saving_low_cny"].isna().tolist() == [True, False]
    assert values["saving_high_cny"].isna().tolist() == [True, False]
    assert values["saving_cny"].notna().all()


def test_carbon_is_not_invented() -> None:
    content = read_policy().to_dict()
    content["prices"]["value"]["carbon"] = None
    assert site_of({}).values(Policy.from_dict(content))["co2_saving_kg"].isna().all()


def test_strange_pairs_and_repeated_times_are_refused() -> None:
    site = site_of({}, {})
    with pytest.raises(PlanningError, match="S0001–P0000"):
        replace(site, segments=site.segments.iloc[:1]).values()
    with pytest.raises(PlanningError, match="S0000–P0000"):
        replace(site, scores=site.scores.iloc[1:]).values()
    with pytest.raises(PlanningError, match="S0001–P0000"):
        replace(site, pair_times=pd.concat([site.pair_times, site.pair_times.iloc[1:]])).values()
    with pytest.raises(FrameError, match="overlap_m"):
        replace(site, pairs=site.pairs.drop(columns="overlap_m")).values()


# --- every term is read from the price list ----------------------------------------------------------------------


def every_kind() -> tuple[Site, pd.DataFrame]:
    """Pairs that use every price of the list, each other price by some and not by others."""
    diameters = [63.0, 110.0, 200.0, 300.0, 500.0, 800.0, None]
    surfaces = sorted(value_list("surface"))
    classes = sorted(value_list("road_class"))
    media = ["gas", "water", "heat", "sewage"]
    facts = pd.DataFrame(
        [
            {
                "diameter_mm": diameters[number % 7],
                "surface": surfaces[(number * 5 + number // 6) % 6],
                "road_class": classes[number // 2 % 6],
                "medium": media[number % 4],
                "project": number // 7 % 3,
            }
            for number in range(84)
        ]
    )
    rows = facts.drop(columns="road_class").to_dict("records")
    site = site_of(
        *({str(k): (None if pd.isna(v) else v) for k, v in row.items()} for row in rows),
        projects=[{"kind": kind} for kind in OPENED],
        **{f"S{number:04d}": name for number, name in enumerate(facts["road_class"])},
    )
    facts["opens"] = [list(OPENED.values())[place] for place in facts["project"]]
    return site, facts


EVERY_KIND, FACTS = every_kind()
BEFORE = EVERY_KIND.values()


def users(name: str) -> pd.Series:
    """Whether each pair uses a price, by the facts of the pair alone."""
    table, _, code = name.rstrip("]").partition("[")
    everybody, nobody = pd.Series(True, FACTS.index), pd.Series(False, FACTS.index)
    diameter = FACTS["diameter_mm"].fillna(110.0)
    band = pd.cut(diameter, [0, 90, 160, 250, 400, 630, np.inf], labels=["90", "160", "250", "400", "630", "above"])
    medium = FACTS["medium"].replace("sewage", "unknown")
    opens_trench, opens_paving = FACTS["opens"].eq("full_trench"), FACTS["opens"].ne("none")
    found = {
        "prices.pipe": band.eq(code),
        "prices.unknown_diameter_mm": FACTS["diameter_mm"].isna(),
        "prices.surface": FACTS["surface"].eq(code),
        "prices.mobilisation_cny_per_batch": everybody,
        "prices.trench_share": nobody,
        "prices.value.trench": band.eq(code) & opens_trench,
        "prices.value.traffic_cny_per_m": FACTS["road_class"].eq(code) & FACTS["surface"].isin(TRAFFIC_SURFACES),
        "prices.value.repair_cny_per_leak": medium.eq(code),
        "prices.value.harm_cny_per_leak": medium.eq(code),
        "prices.value.design_life_years": everybody,
        "prices.value.price_rise_share_per_year": everybody,
        "prices.value.carbon.paving_kg_per_m2": FACTS["surface"].eq(code) & opens_paving,
        "prices.value.carbon.trench_kg_per_m3": opens_trench,
        "prices.value.carbon.trench_depth_m": opens_trench,
    }
    return found[table]


@pytest.mark.parametrize(("name", "key", "path"), PRICE_KEYS, ids=lambda part: part if isinstance(part, str) else "")
def test_doubling_a_price_changes_exactly_the_pairs_that_use_it(name: str, key: str, path: tuple[Any, ...]) -> None:
    part: Any = read_policy().to_dict()
    for step in path:
        part = part[step]
    after = EVERY_KIND.values(policy_with(path))
    changed = (after[AMOUNTS].fillna(-1) != BEFORE[AMOUNTS].fillna(-1)).any(axis=1)
    wanted = users(name) if part > 0 else users(name) & False
    assert changed.tolist() == wanted.tolist(), key
    if name != "prices.trench_share" and part > 0:
        assert wanted.any()


def test_every_price_of_the_list_is_tried() -> None:
    assert len(PRICE_KEYS) > 50
    assert {name for name, key, _ in PRICE_KEYS if key != "trench_width_m"} >= {
        name for name in read_policy().unverified() if name.startswith("prices") and "shared" not in name
    } - {f"prices.value.project_surface[{entry.code}]" for entry in _value().project_surface}


def test_plan_and_pairs_save_the_same_trench() -> None:
    """By its own price where the list has one, else by the share of the pipe."""
    place = [entry.maximum_mm for entry in _value().trench].index(250)
    dearer = policy_with(("prices", "value", "trench", place, "price_cny_per_m"), value=321.0)
    segments = site_of({}).segments
    assert unit_costs(segments, dearer.prices).trench_cny_per_m.tolist() == [321.0]
    content = dearer.to_dict()
    content["prices"]["value"] = None
    content["prices"]["trench_share"]["value"] = 0.5
    assert unit_costs(segments, Policy.from_dict(content).prices).trench_cny_per_m.tolist() == [500.0]


def _value() -> Any:
    return read_policy().prices.value


@given(factor=st.floats(1.0, 5.0), surface=st.sampled_from(["carriageway", "courtyard", "soil"]))
@settings(max_examples=8, deadline=None)
def test_a_dearer_paving_never_saves_less(factor: float, surface: str) -> None:
    place = [entry.code for entry in read_policy().prices.surface].index(surface)
    after = EVERY_KIND.values(policy_with(("prices", "surface", place, "price_cny_per_m2"), factor))
    assert (after["saving_cny"] >= BEFORE["saving_cny"]).all()
    assert (after["paving_saving_cny"] >= BEFORE["paving_saving_cny"]).all()
    covered = BEFORE["saving_cny"] > 0
    assert (after["cost_alone_cny"] >= BEFORE["cost_alone_cny"]).all()
    assert (after.loc[covered, "saving_high_cny"] >= BEFORE.loc[covered, "saving_high_cny"]).all()


def test_a_project_that_opens_nothing_saves_the_site_only_if_the_policy_says_so() -> None:
    site = site_of({}, projects=[{"opens_ground": "none"}])
    assert only(site.values())["saving_cny"] == 0.0
    content = read_policy().to_dict()
    entry = next(entry for entry in content["prices"]["value"]["shared"] if entry["code"] == "none")
    entry["terms"] = ["mobilisation"]
    found = only(site.values(Policy.from_dict(content)))
    assert found["saving_cny"] == found["mobilisation_saving_cny"] == 30000


def test_no_overlap_saves_nothing() -> None:
    values = site_of({"overlap_m": 0.0}, {"overlap_m": 0.0, "project": 1}, {}, projects=[{}, {}]).values()
    assert values.loc[:1, "saving_high_cny"].tolist() == [0.0, 0.0]
    assert values.loc[:1, YEARS].isna().all(axis=None)
    assert values.loc[:1, "at_stake_cny"].tolist() == [0.0, 0.0]


# --- laws --------------------------------------------------------------------------------------------------------

facts_of_a_row = st.fixed_dictionaries(
    {
        "length_m": st.floats(1.0, 400.0),
        "share": st.floats(0.0, 1.0),
        "diameter_mm": st.sampled_from([50.0, 90.0, 110.0, 250.0, 400.0, 1000.0]),
        "surface": st.sampled_from(sorted(value_list("surface"))),
        "medium": st.sampled_from(["gas", "water", "heat", "storm"]),
        "material": st.sampled_from(["steel", "grey_iron", "pe100", "ductile_iron"]),
        "project": st.integers(0, 2),
        "likelihood": st.floats(0.0, 8.0),
        "consequence": st.floats(0.1, 30.0),
        "age_years": st.floats(0.0, 90.0),
        "due": st.none() | st.tuples(st.integers(2015, 2070), st.integers(0, 10)),
        "on_site": st.none() | st.tuples(st.integers(2020, 2060), st.integers(0, 4)),
        "road_class": st.sampled_from(sorted(value_list("road_class"))),
    }
)
ROWS = st.lists(facts_of_a_row, min_size=1, max_size=6)


def window(found: tuple[int, int] | None) -> tuple[int, int] | None:
    return None if found is None else (found[0], found[0] + found[1])


def site_from(rows: list[dict[str, Any]]) -> Site:
    told = [
        {k: v for k, v in row.items() if k not in {"share", "road_class"}}
        | {"overlap_m": row["length_m"] * row["share"], "due": window(row["due"]), "on_site": window(row["on_site"])}
        for row in rows
    ]
    classes = {f"S{number:04d}": row["road_class"] for number, row in enumerate(rows)}
    return site_of(*told, projects=[{"kind": kind} for kind in OPENED], **classes)


@given(rows=ROWS)
@settings(max_examples=40, deadline=None)
def test_the_slow_and_obvious_way_finds_the_same(rows: list[dict[str, Any]]) -> None:
    values = site_from(rows).values()
    check_frame(values, "pair_values")
    for number, row in enumerate(rows):
        project_m = sum(other["length_m"] * other["share"] for other in rows if other["project"] == row["project"])
        pair = Pair(
            overlap_m=row["length_m"] * row["share"],
            project_m=project_m,
            opens=list(OPENED.values())[row["project"]],
            due=window(row["due"]),
            on_site=window(row["on_site"]),
            **{k: v for k, v in row.items() if k not in {"share", "project", "due", "on_site"}},
        )
        for column, wanted in value_of(pair, read_policy(), NOW).items():
            found: Any = values.loc[number, column]
            if wanted is None:
                assert pd.isna(found), column
            else:
                assert float(found) == pytest.approx(wanted, rel=1e-9, abs=1e-6), column


@given(rows=ROWS)
@settings(max_examples=20, deadline=None)
def test_the_laws_of_every_pair(rows: list[dict[str, Any]]) -> None:
    values = site_from(rows).values()
    terms = values[[f"{term}_saving_cny" for term in ("trench", "paving", "traffic", "mobilisation")]]
    assert terms.sum(axis=1).tolist() == pytest.approx(values["saving_cny"].tolist())
    assert (values["saving_low_cny"] <= values["saving_cny"] + 1e-9).all()
    assert (values["saving_cny"] <= values["saving_high_cny"] + 1e-9).all()
    staked = values["at_stake_cny"].dropna()
    assert (staked >= 0).all()
    assert (staked <= values.loc[staked.index, "saving_cny"] + 1e-6).all()
    best = values.dropna(subset=["best_year"])
    assert ((best["at_stake_cny"] > 0) & (best["best_year"] >= NOW)).all()
    framed = values.dropna(subset=["joining_from_year"])
    assert (framed["joining_from_year"] <= framed["joining_until_year"]).all()
    assert values["at_stake_cny"].isna().tolist() == [row["due"] is None or row["on_site"] is None for row in rows]


@given(row=facts_of_a_row, cut=st.floats(0.05, 0.95), seed=st.integers(0, 1))
@settings(max_examples=15, deadline=None)
def test_cutting_a_segment_in_two_changes_no_sum(row: dict[str, Any], cut: float, seed: int) -> None:
    """Also where the project covers its ends unequally."""
    left, right = row | {"length_m": row["length_m"] * cut}, row | {"length_m": row["length_m"] * (1 - cut)}
    inside = row["length_m"] * row["share"]
    longest = (left, right)[seed]
    longest["share"] = min(inside / longest["length_m"], 1.0)
    other = (right, left)[seed]
    other["share"] = (inside - longest["share"] * longest["length_m"]) / other["length_m"]
    other["share"] = min(max(other["share"], 0.0), 1.0)
    whole, parts = site_from([row]).values(), site_from([left, right]).values()
    summed = [c for c in AMOUNTS if c != "at_stake_cny"]
    for column in summed:
        assert parts[column].sum() == pytest.approx(whole[column].sum(), rel=1e-6, abs=1e-3), column


def test_order_and_index_are_those_of_the_pairs_and_nothing_is_changed() -> None:
    kept = {
        name: getattr(EVERY_KIND, name).copy() for name in ("segments", "scores", "pairs", "pair_times", "projects")
    }
    order = np.random.default_rng(5).permutation(len(EVERY_KIND.pairs))
    shuffled = replace(
        EVERY_KIND,
        pairs=EVERY_KIND.pairs.iloc[order],
        pair_times=EVERY_KIND.pair_times.iloc[::-1],
        scores=EVERY_KIND.scores.iloc[::-1],
        segments=EVERY_KIND.segments.iloc[::-1],
        projects=EVERY_KIND.projects.iloc[::-1],
    )
    assert_frame_equal(shuffled.values(), BEFORE.iloc[order])
    for name, before in kept.items():
        assert_frame_equal(pd.DataFrame(before), pd.DataFrame(getattr(EVERY_KIND, name)))
    assert list(BEFORE.columns) == columns_of("pair_values")


def test_no_pairs_give_an_empty_frame() -> None:
    site = site_of({})
    empty = replace(site, pairs=site.pairs.iloc[:0], pair_times=site.pair_times.iloc[:0]).values()
    assert list(empty.columns) == columns_of("pair_values")
    assert empty.empty


def test_many_pairs_are_the_same_as_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pairs are worked through in blocks; the seams must not show."""
    monkeypatch.setattr("planner.value_years._BLOCK", 5)
    assert_frame_equal(EVERY_KIND.values(), BEFORE)


# --- the steps ---------------------------------------------------------------------------------------------------


@given(rows=ROWS)
@settings(max_examples=10, deadline=None)
def test_the_steps_add_up_to_the_figures(rows: list[dict[str, Any]]) -> None:
    site = site_from(rows)
    values, steps = site.values(), site.steps()
    check_frame(steps, "value_steps")
    told = steps[steps["figure"] != "inputs"]
    assert (told["quantity"] * told["price"]).tolist() == pytest.approx(told["amount_cny"].tolist())
    sums = told.groupby(["segment_id", "project_id", "figure"])["amount_cny"].sum()
    for pair in values.to_dict("records"):
        for figure in ("cost_alone_cny", "saving_cny", "life_lost_cny_per_year", "waiting_cny_per_year"):
            assert sums[pair["segment_id"], pair["project_id"], figure] == pytest.approx(pair[figure])
        staked = sums.get((pair["segment_id"], pair["project_id"], "at_stake_cny"), 0.0)
        assert staked == pytest.approx(0.0 if pd.isna(pair["best_year"]) else pair["at_stake_cny"], abs=1e-6)


def test_the_steps_of_some_pairs_are_those_of_all() -> None:
    chosen = EVERY_KIND.pairs.index[[3, 40]]
    every = EVERY_KIND.steps()
    keys = pd.MultiIndex.from_frame(EVERY_KIND.pairs.loc[chosen, ["segment_id", "project_id"]])
    wanted = every[pd.MultiIndex.from_frame(every[["segment_id", "project_id"]]).isin(keys)]
    assert_frame_equal(EVERY_KIND.steps(only=chosen), wanted.reset_index(drop=True))


def test_the_steps_name_prices_of_the_policy_and_words_of_the_catalogue() -> None:
    from registry.catalogue import catalogue

    steps = EVERY_KIND.steps()
    known = {name for name, _, _ in PRICE_KEYS} | {"planning.removed_share", "planning.discount_share_per_year"}
    assert set(steps["price_id"].dropna()) <= known
    assert set(steps["formula"]) <= set(catalogue())
    assert set(steps["step"]) == set(value_list("value_step"))
    assert {f"value_formula_{step}" for step in value_list("value_step")} <= set(catalogue())
    unverified = read_policy().unverified()
    priced = steps.dropna(subset=["price_id"])
    assert (priced["is_verified"] == ~priced["price_id"].isin(unverified)).all()
    assert priced["is_verified"].nunique() == 2


def test_years_count_from_the_as_of_day() -> None:
    later = only(site_of({"due": (2026, 2026)}).values(as_of=date(2028, 1, 1)))
    assert later["best_year"] == 2028
    assert later["at_stake_cny"] == pytest.approx(later["saving_cny"])
