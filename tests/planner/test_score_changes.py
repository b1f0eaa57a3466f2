"""Two runs compared: who moved and why, against loops and against the runs themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from planner.explain import CAUSES, TERMS
from planner.score_changes import causes_by_km, compare_scores, moves_by_km, policy_differences, term_changes
from registry.fields import check_frame, columns_of, value_list
from tests.planner.test_explain import POLICY, town

NO_LINEAGE = pd.DataFrame(
    {name: pd.Series(dtype="float64" if name.endswith("_m") else "str") for name in columns_of("successions")}
)
ORDER = list(value_list("risk_grade"))


def lineage(*pairs: tuple[str, str]) -> pd.DataFrame:
    rows = [
        {
            "parent_id": parent,
            "child_id": child,
            "relation": "split",
            "parent_from_m": 0.0,
            "parent_to_m": 9.0,
            "child_from_m": 0.0,
            "child_to_m": 9.0,
        }
        for parent, child in pairs
    ]
    return pd.DataFrame(rows).astype(dict.fromkeys(("parent_id", "child_id", "relation"), "str"))


def two_runs() -> tuple[pd.DataFrame, pd.DataFrame]:
    evidence = town()
    segments = evidence.segments.copy()
    segments.loc["S0002", "material"] = "pe100"
    segments.loc["S0002", "installed_year_min"] = segments.loc["S0002", "installed_year_max"] = 2026
    later = replace(evidence, segments=segments, as_of=date(2031, 11, 1))
    return evidence.scores(), later.scores()


def test_a_run_is_the_same_as_itself() -> None:
    scores = town().scores()
    changes = compare_scores(scores, scores.iloc[::-1], NO_LINEAGE)
    check_frame(changes, "score_changes")
    assert set(changes["move"]) == {"same"}
    assert (changes["risk_ratio"] == 1).all()
    assert changes["cause"].isna().all()
    assert changes["rank_before"].equals(changes["rank_after"].rename("rank_before"))


def test_moves_ratios_and_causes_are_what_loops_find() -> None:
    before, after = two_runs()
    changes = compare_scores(before, after, NO_LINEAGE)
    check_frame(changes, "score_changes")
    seen = set()
    for segment_id in before.index:
        old: dict[str, Any] = before.loc[segment_id].to_dict()
        new: dict[str, Any] = after.loc[segment_id].to_dict()
        told: dict[str, Any] = changes.loc[segment_id].to_dict()
        step = ORDER.index(new["grade"]) - ORDER.index(old["grade"])
        assert told["move"] == {0: "same", 1: "up", -1: "down"}[int(np.sign(step))]
        assert told["risk_ratio"] == pytest.approx(new["risk_per_km_year"] / old["risk_per_km_year"])
        assert told["rank_after"] == 1 + int((after["risk_per_km_year"] > new["risk_per_km_year"]).sum())
        by_cause = {cause: sum(new[term] - old[term] for term in terms) for cause, terms in CAUSES.items()}
        sign = 1.0 if told["risk_ratio"] >= 1 else -1.0
        assert by_cause[told["cause"]] * sign == pytest.approx(max(step * sign for step in by_cause.values()))
        assert told["cause_multiplier"] == pytest.approx(np.exp(by_cause[told["cause"]]))
        seen.add(told["move"])
    assert {"same", "up", "down"} & seen >= {"same", "down"}
    assert changes.loc["S0002", "cause"] in {"age", "pipe"}


def test_changes_of_the_terms_add_up_to_the_ratio_of_the_risks() -> None:
    before, after = two_runs()
    total = term_changes(before, after)[list(TERMS)].sum(axis=1)
    ratio = after["risk_per_km_year"] / before["risk_per_km_year"]
    assert total.to_numpy() == pytest.approx(np.log(ratio[total.index].to_numpy()), abs=1e-9)


def test_new_and_gone_are_told_by_lineage_and_no_kilometre_is_lost() -> None:
    before = town().scores()
    after = before.drop(index=["S0004", "S0005"]).rename(index={"S0006": "S0006-a"})
    after.index.name = "segment_id"
    changes = compare_scores(before, after, lineage(("S0006", "S0006-a"), ("S0004", "S0007"), ("S0004", "S0001")))
    told = changes[["move", "came_from", "became"]].fillna("")
    assert list(told.loc["S0006-a"]) == ["new", "S0006", ""]
    assert list(told.loc["S0006"]) == ["gone", "", "S0006-a"]
    assert list(told.loc["S0004"]) == ["gone", "", "S0001,S0007"]
    assert list(told.loc["S0005"]) == ["gone", "", ""]
    assert list(told.loc["S0007"]) == ["same", "", ""]
    assert changes["grade_after"].isna().sum() == 3
    assert changes["grade_before"].isna().sum() == 1
    moves = moves_by_km(changes).set_index("move")
    assert list(moves.index) == list(value_list("score_move"))
    assert moves.loc["gone", "segment_count"] == 3
    assert moves["km"].sum() == pytest.approx(changes["length_m"].sum() / 1000)
    assert moves["segment_count"].sum() == len(changes) == len(before) + 1


def test_causes_are_those_of_what_moved() -> None:
    changes = compare_scores(*two_runs(), NO_LINEAGE)
    moved = changes[changes["move"].isin(["up", "down"])]
    table = causes_by_km(changes)
    assert table["segment_count"].sum() == len(moved) > 0
    assert table["km"].sum() == pytest.approx(moved["length_m"].sum() / 1000)
    assert table["km"].is_monotonic_decreasing


def test_policies_are_told_apart_figure_by_figure() -> None:
    before = POLICY.to_dict() | {"hash": "a"}
    after: Any = POLICY.to_dict() | {"hash": "b"}
    assert policy_differences(before, after) == []
    after["weights"]["likelihood"]["gap_penalty"]["value"] = 1.5
    steel = next(entry for entry in after["weights"]["likelihood"]["material"]["factors"] if entry["code"] == "steel")
    steel["factor"] = 9.0
    del after["gbt27512"]
    found = policy_differences(before, after)
    assert ("weights.likelihood.gap_penalty.value", 1.15, 1.5) in found
    assert [row[1:] for row in found if row[0] == "weights.likelihood.material.factors[steel].factor"] == [(2.5, 9.0)]
    assert len(found) <= 3
