"""Methane: a factor for each pipe, what renewal saves, and that nothing counts twice."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import planner
from planner.emissions import METHANE_COLUMNS, SAVED_COLUMNS, batch_methane, find_emissions, main_kinds, methane_facts
from planner.policy import Policy, read_policy
from planner.policy_emissions import EmissionFactors
from registry.errors import PolicyError
from registry.fields import check_frame, value_list
from tests.planner.frames import line, segments_of

POLICY = read_policy()
assert POLICY.emissions is not None
POLICY_FILE = Path(planner.__file__).parent / "policies" / "default.toml"
FACTORS: EmissionFactors = POLICY.emissions
PIPES = st.fixed_dictionaries(
    {
        "medium": st.sampled_from(["gas", "gas", "gas", "water", "heat"]),
        "material": st.sampled_from([*value_list("material"), None]),
        "cathodic_protection": st.sampled_from([*value_list("cathodic_protection"), None]),
        "status": st.sampled_from([*value_list("status"), None]),
    }
)


def changed(**emissions: Any) -> Policy:
    content = POLICY.to_dict()
    content["emissions"] |= emissions
    return Policy.from_dict(content)


def by_loop(pipe: dict[str, Any], length_m: float) -> tuple[float, float, float] | None:
    """Figure, low and high of one pipe, in tonnes, the slow way."""
    if pipe["medium"] != "gas" or pipe["status"] in {"abandoned", "empty", "planned"}:
        return None
    material = pipe["material"] or "unknown"
    told = {"sacrificial": "protected", "impressed": "protected", "none": "unprotected"}
    protection = told.get(pipe["cathodic_protection"], "unknown")
    for main in FACTORS.mains:
        if material in main.materials and main.protection in {None, protection}:
            return tuple(kg * length_m / 1000 / 1000 for kg in main.range)  # type: ignore[return-value]
    return tuple(kg * length_m / 1000 / 1000 for kg in FACTORS.main("unknown").range)  # type: ignore[return-value]


@settings(deadline=None, max_examples=60)
@given(pipes=st.lists(PIPES, min_size=1, max_size=12))
def test_each_pipe_has_the_factor_of_its_kind_by_a_loop(pipes: list[dict[str, Any]]) -> None:
    segments = segments_of(*pipes)
    emissions = find_emissions(segments, FACTORS)
    check_frame(emissions, "emissions")
    assert emissions.index.equals(segments.index)
    for pipe, (_, row) in zip(pipes, emissions.iterrows(), strict=True):
        expected = by_loop(pipe, 100.0)
        found = row[list(METHANE_COLUMNS)].to_numpy(dtype="float64")
        if expected is None:
            assert np.isnan(found).all(), "not applicable is not 0"
            assert pd.isna(row["factor_code"])
        else:
            np.testing.assert_allclose(found, expected)


@settings(deadline=None, max_examples=30)
@given(pipes=st.lists(PIPES, min_size=2, max_size=12), seed=st.integers(0, 9))
def test_the_order_of_rows_changes_nothing_and_ranges_hold_their_figures(
    pipes: list[dict[str, Any]], seed: int
) -> None:
    segments = segments_of(*pipes)
    before = segments.copy()
    emissions = find_emissions(segments, FACTORS)
    assert segments.equals(before)
    order = np.random.default_rng(seed).permutation(len(segments))
    pd.testing.assert_frame_equal(find_emissions(segments.iloc[order], FACTORS), emissions.iloc[order])
    for figure, low, high in (METHANE_COLUMNS, SAVED_COLUMNS):
        there = emissions[emissions[figure].notna()]
        assert (there[low] <= there[figure]).all()
        assert (there[figure] <= there[high]).all()


@settings(deadline=None, max_examples=40)
@given(pipes=st.lists(PIPES, min_size=1, max_size=12), seed=st.integers(0, 99))
def test_batches_and_the_rest_add_up_to_the_network(pipes: list[dict[str, Any]], seed: int) -> None:
    emissions = find_emissions(segments_of(*pipes), FACTORS)
    rng = np.random.default_rng(seed)
    member = rng.random(len(pipes)) < 0.7
    ids = emissions.index[member]
    members = pd.DataFrame({"batch_id": rng.choice(["B-1", "B-2", "B-3"], len(ids))}, ids, dtype="str")
    found = batch_methane(emissions, members)
    check_frame(found, "batch_methane")
    assert set(found.index) == set(members["batch_id"])
    for name in (*METHANE_COLUMNS, *SAVED_COLUMNS):
        rest = emissions.loc[~member, name].sum()
        assert found[name].sum() + rest == pytest.approx(emissions[name].sum())
        for batch, value in found[name].to_dict().items():
            own = emissions[name].reindex(members.index[members["batch_id"] == batch]).tolist()
            known = [figure for figure in own if not math.isnan(figure)]
            assert (sum(known) == pytest.approx(value)) if known else math.isnan(value)


def test_a_kilometre_of_cast_iron_saves_what_the_factors_say() -> None:
    """719 - 18 kg a year, 327 - 118 at the least and 2,850 - 8 at the most."""
    segments = segments_of({"material": "grey_iron", "geometry": line((0, 0), (1000, 0))})
    row = find_emissions(segments, FACTORS).iloc[0]
    np.testing.assert_allclose(row[list(SAVED_COLUMNS)].to_numpy(dtype="float64"), [0.701, 0.209, 2.842])


def test_a_new_kind_of_pipe_saves_nothing() -> None:
    row = find_emissions(segments_of({"material": "pe100"}), FACTORS).iloc[0]
    assert row[list(SAVED_COLUMNS)].tolist() == [0.0, 0.0, 0.0]


def test_a_saving_below_nothing_is_shown_and_counted() -> None:
    emissions = find_emissions(segments_of({"material": "steel"}, {"material": "grey_iron"}), FACTORS)
    assert emissions["methane_saved_low_t_per_year"].iloc[0] == pytest.approx((27 - 118) * 1e-4)
    assert methane_facts(emissions, FACTORS)["uncertain_count"] == 1


def test_a_measured_flow_stands_for_the_factor_and_is_not_counted_besides() -> None:
    segments = segments_of(
        {"material": "grey_iron"}, {"material": "grey_iron"}, {"material": "pe"}, {"medium": "water"}
    )
    measured = pd.Series({"S0001": 40.0, "S0002": 1.0, "S0003": 9.0, "elsewhere": 5.0})
    emissions = find_emissions(segments, FACTORS, measured)
    plain = find_emissions(segments, FACTORS)
    assert emissions["is_measured"].tolist() == [False, True, True, False]
    np.testing.assert_allclose(emissions["methane_t_per_year"], [0.0719, 0.040, 0.001, np.nan])
    np.testing.assert_allclose(emissions["methane_low_t_per_year"].iloc[1:3], [0.040, 0.001])
    # the new pipe of 100 m lets go 1.8 kg
    np.testing.assert_allclose(emissions["methane_saved_t_per_year"].iloc[1:3], [0.0382, -0.0008])
    pd.testing.assert_frame_equal(emissions.iloc[[0, 3]], plain.iloc[[0, 3]])


def test_the_facts_add_up_and_turn_into_carbon_dioxide() -> None:
    segments = segments_of({"material": "grey_iron"}, {"material": "steel"}, {"medium": "water"})
    facts = methane_facts(find_emissions(segments, FACTORS), FACTORS)
    assert facts["segment_count"] == 2
    assert facts["methane_t_per_year"] == pytest.approx(0.0719 + 0.0060)
    assert facts["co2e100_t_per_year"] == pytest.approx(29.8 * 0.0779)
    assert facts["co2e20_t_per_year"] == pytest.approx(82.5 * 0.0779)
    water = methane_facts(find_emissions(segments_of({"medium": "water"}), FACTORS), FACTORS)
    assert water["methane_t_per_year"] is None
    assert water["co2e100_t_per_year"] is None


def test_every_material_has_a_kind() -> None:
    materials = list(value_list("material"))
    segments = segments_of(*({"material": material} for material in materials))
    kinds = main_kinds(segments, FACTORS)
    assert kinds.notna().all()
    assert set(kinds) <= {main.code for main in FACTORS.mains}
    listed = {material for main in FACTORS.mains for material in main.materials}
    assert listed <= set(materials)


def test_the_packaged_sets_can_be_chosen_and_say_how_far_they_are_verified(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    text = POLICY_FILE.read_text(encoding="utf-8")
    path.write_text(text.replace('id = "us-ghgi"', 'id = "us-subpart-w"'), encoding="utf-8")
    chosen = read_policy(path).emissions
    assert chosen is not None
    assert chosen.main("cast_iron").kg_per_km_year == 2850
    for main in FACTORS.mains:
        # the older set lies within the range of the newer one
        assert main.low <= chosen.main(main.code).kg_per_km_year <= main.high
    assert "emissions.mains[plastic]" in POLICY.unverified()


def test_a_policy_without_factors_says_nothing_of_methane() -> None:
    content = POLICY.to_dict()
    del content["emissions"]
    assert Policy.from_dict(content).emissions is None


@pytest.mark.parametrize(
    "emissions",
    [
        {"new_pipe": "none of these"},
        {"mains": [main for main in POLICY.to_dict()["emissions"]["mains"] if main["code"] != "steel_unknown"]},
        {"mains": POLICY.to_dict()["emissions"]["mains"] * 2},
    ],
)
def test_factors_that_leave_a_pipe_in_doubt_are_refused(emissions: dict[str, Any]) -> None:
    with pytest.raises(PolicyError, match="mains"):
        changed(**emissions)
