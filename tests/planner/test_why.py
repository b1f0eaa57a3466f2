"""Why and why not: the reasons of a plan against the plan that is solved again with the segment forced."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from planner.choice import Effort, Programme, choose_programme, make_model
from planner.conditions import NONE
from planner.limits import Limits
from planner.policy import read_policy
from planner.solve.engine import search
from planner.solve.keep import broken_rules
from planner.solve.model import Model
from planner.solve.search import Limits as Search
from planner.why import plan_reasons, worth_of_money
from planner.why_text import why_in_words
from registry.catalogue import say
from registry.fields import check_frame, value_list
from tests.planner.test_choice import YEARS, much_mandatory, small_city

POLICY = read_policy()
IN_PLAN = {"duty", "duty_late", "joint", "worth", "along", "fills"}
# what is left out for the law has no price
BY_LAW = {"duty_left", "duty_first"}


def city_plan(seed: int, budget_cny: float) -> tuple[Any, Programme, pd.DataFrame]:
    candidates, conditions, severity = small_city(seed, 9)
    limits = Limits.per_year(YEARS, budget_cny)
    model, duties = make_model(candidates, conditions, severity, limits, POLICY)
    programme = choose_programme(model, duties, Effort(gap_share=0.0))
    names = pd.Index([f"S{number}" for number in range(10)], name="segment_id")
    return candidates, programme, plan_reasons(names, candidates, programme, YEARS)


def best_value(model: Model) -> float:
    """The value of the best plan, minus infinity where there is none."""
    found = search(model, Search(0, 0.0, 10_000), (), lambda _: None)
    return found.objective


def forced(programme: Programme, segment: int) -> Model:
    """The model in which the segment must be in the plan, or must be out if it is in."""
    model, item = programme.model, programme.duties.item_of_segment[segment]
    holders = model.packing.batch[model.packing.item == item]
    if (programme.year[holders] != NONE).any():
        is_open = model.is_open.copy()
        is_open[holders] = False
        deadline = np.where(np.arange(len(model.packing.deadline)) == item, NONE, model.packing.deadline)
        return replace(model, is_open=is_open, packing=replace(model.packing, deadline=deadline))
    deadline = model.packing.deadline.copy()
    deadline[item] = model.shape[1] - 1
    return replace(model, packing=replace(model.packing, deadline=deadline))


@pytest.mark.parametrize("seed", range(12))
def test_reasons_agree_with_the_plan_solved_again(seed: int) -> None:
    """What the bound says is lost at least is lost at least; what is closed cannot be; what is left in has its use."""
    candidates, programme, reasons = city_plan(seed, 280_000.0)
    check_frame(reasons, "plan_reasons")
    assert set(reasons["reason"]) <= set(value_list("plan_reason"))
    offered = set(candidates.members.row.tolist())
    for segment, row in enumerate(reasons.to_dict("records")):
        if segment not in offered:
            continue
        again = best_value(forced(programme, segment))
        if pd.isna(row["year"]):
            assert again <= programme.solution.objective + 1e-9
            is_asked = programme.duties.deadline[programme.duties.item_of_segment[segment]] != NONE
            assert is_asked == (row["reason"] == "duty_left")
            if row["reason"] in {"closed", "oversized", "duty_left"}:
                assert again == -np.inf
            elif row["reason"] in {"dear", "elsewhere", "street", "no_room"}:
                # a price may only be named where there is a plan at that price
                assert again > -np.inf
            if not np.isnan(row["loss"]):
                assert again <= programme.solution.objective - row["loss"] + 1e-6
            if row["reason"] == "dear":
                assert row["worth_per_million"] < row["price_per_million"] or programme.model.caps
        elif row["reason"] in {"worth", "joint", "along", "fills"}:
            assert again <= programme.solution.objective + 1e-9


def test_each_reason_is_given_where_it_is_so() -> None:
    seen: dict[str, int] = {}
    for seed in range(12):
        for budget in (300_000.0, 400_000.0):
            _, _, reasons = city_plan(seed, budget)
            for row in reasons.to_dict("records"):
                seen[row["reason"]] = seen.get(row["reason"], 0) + 1
                assert pd.isna(row["year"]) == (row["reason"] not in IN_PLAN)
    assert seen.keys() >= {"duty", "duty_late", "joint", "worth", "closed", "duty_first", "along", "fills", "street"}


def test_what_is_in_below_its_price_is_told_with_what_brings_it_in() -> None:
    """By the money that it costs and the price of the money of its year; the law, where its batch holds due work."""
    seen = dict.fromkeys(("along", "fills", "worth"), 0)
    for seed, budget in product(range(20), (200_000.0, 300_000.0)):
        candidates, programme, reasons = city_plan(seed, budget)
        prices, model = programme.solution.prices, programme.model
        assert prices is not None
        due = set(np.flatnonzero(model.packing.deadline != NONE).tolist())
        for segment, row in enumerate(reasons.to_dict("records")):
            if row["reason"] not in seen:
                continue
            (batch,) = [
                one
                for one in candidates.members.batch[candidates.members.row == segment].tolist()
                if programme.year[one] != NONE
            ]
            year = programme.year[batch]
            below = candidates.value[batch, year] - candidates.cost_cny[batch, year] * prices.budget[year]
            holds_due = bool(due & set(model.packing.item[model.packing.batch == batch].tolist()))
            assert (below < -1e-6) == (row["reason"] != "worth")
            assert row["reason"] == "worth" or holds_due == (row["reason"] == "along")
            seen[row["reason"]] += 1
    assert min(seen.values()) > 0, seen


def test_mandatory_work_comes_first_in_kept_years_and_in_no_others() -> None:
    seen = {True: 0, False: 0}
    names = pd.Index([f"S{number}" for number in range(11)], name="segment_id")
    for seed in range(40):
        candidates, programme = much_mandatory(seed, 250_000.0, 0.0)
        reasons = plan_reasons(names, candidates, programme, YEARS)
        members, kept = candidates.members, np.flatnonzero(programme.only_mandatory)
        fits = candidates.stays_open & (candidates.cost_cny <= 250_000.0)
        for segment, row in enumerate(reasons.to_dict("records")):
            if row["reason"] in {"mandatory_first", "duty_first"} and pd.isna(row["best_year"]):
                holders = np.unique(members.batch[members.row == segment])
                in_kept_year = bool(fits[np.ix_(holders, kept)].any())
                assert in_kept_year == (row["reason"] == "mandatory_first")
                seen[in_kept_year] += 1
    assert min(seen.values()) > 0, seen


def beside_law(programme: Programme, batch: int, year: int) -> bool:
    """Whether the plan of what has a deadline, with a batch in the place of those it shares items with, keeps all."""
    model = programme.model
    packing = model.packing
    due = set(np.flatnonzero(packing.deadline != NONE).tolist())
    items_of = {one: {int(item) for item in packing.item[packing.batch == one]} for one in range(len(programme.year))}
    plan = np.full(len(programme.year), NONE)
    for one, at in enumerate(programme.year.tolist()):
        if at != NONE and items_of[one] & due and not items_of[one] & items_of[batch]:
            plan[one] = at
    plan[batch] = year
    return not broken_rules(replace(model, floors=()), plan)


def test_the_law_comes_first_where_nothing_fits_beside_it_and_nowhere_else() -> None:
    seen = {"duty_first": 0, "other": 0}
    for seed, budget in product(range(40), (60_000.0, 150_000.0, 300_000.0)):
        candidates, programme, reasons = city_plan(seed, budget)
        members = candidates.members
        for segment, row in enumerate(reasons.to_dict("records")):
            if row["reason"] not in {"duty_first", "dear", "elsewhere", "street", "no_room"}:
                continue
            holders = np.unique(members.batch[members.row == segment]).tolist()
            fits = any(beside_law(programme, batch, year) for batch, year in product(holders, range(len(YEARS))))
            assert fits == (row["reason"] != "duty_first"), (seed, budget, segment, row)
            seen["other" if fits else "duty_first"] += 1
    assert min(seen.values()) > 0, seen


def test_a_million_more_removes_no_more_than_its_price_says() -> None:
    _, programme, _ = city_plan(4, 280_000.0)
    price = worth_of_money(programme, YEARS)
    prices = programme.solution.prices
    assert prices is not None
    for place in range(len(YEARS)):
        budget = programme.model.budget_cny.copy()
        budget[place] += 50_000.0
        more = best_value(replace(programme.model, budget_cny=budget))
        assert more <= prices.bound + price.iloc[place] * 0.05 + 1e-6


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_reason_has_its_sentence_without_a_gap(language: str) -> None:
    codes = list(value_list("plan_reason"))
    years = {**dict.fromkeys((*IN_PLAN, "floor", "locked", "edited"), 2028), "duty_late": 2029}
    reasons = pd.DataFrame(
        {
            "reason": codes,
            "year": pd.array([years.get(code, pd.NA) for code in codes], dtype="Int64"),
            "best_year": pd.array([2028] * len(codes), dtype="Int64"),
            "value": 3.0,
            "cost_cny": 1_250_000.0,
            "worth_per_million": 2.4,
            "price_per_million": 3.1,
            "loss": [np.nan if code in years or code in BY_LAW else 0.7 for code in codes],
        },
        index=pd.Index([f"S{number}" for number in range(len(codes))], name="segment_id"),
    )
    batches = pd.DataFrame(
        {
            "label": ["Long Street"],
            "length_m": [640.0],
            "due_year": pd.array([2027], dtype="Int64"),
            "policy_class": ["mandatory"],
            "project_id": ["P7"],
            "saving_cny": [90_000.0],
        },
        index=pd.Index(["B-1"], name="batch_id"),
    )
    members = pd.DataFrame({"batch_id": "B-1"}, index=reasons.index)
    texts = why_in_words(reasons, batches, members, language)
    assert len(set(texts)) == len(codes)
    assert all(name in text for name, text in texts.items())
    assert not texts.str.contains(r"[{}]|nan|<NA>|—").any()
    late = texts.iloc[codes.index("duty_late")]
    assert "2029" in late
    assert ("years late: 2" if language == "en" else "逾期 2 年") in late
    assert ("CNY 90,000" if language == "en" else "90,000 元") in texts.iloc[codes.index("joint")]
    closed = codes.index("closed")
    assert texts.iloc[closed].startswith(say("plan_why_closed", language, segment=f"S{closed}"))
    assert texts.str.contains("0.70").tolist() == [code not in years and code not in BY_LAW for code in codes]
    left = codes.index("duty_left")
    assert "2027" in texts.iloc[left]
    own = why_in_words(reasons, batches, members, language, pd.Series([2031], [f"S{left}"], dtype="Int64"))
    assert "2031" in own.iloc[left]
    assert own.drop(f"S{left}").equals(texts.drop(f"S{left}"))
    unnamed = why_in_words(reasons, batches.assign(label="—"), members, language)
    assert ("with an unnamed batch (" if language == "en" else "随未命名批次（") in unnamed.iloc[codes.index("worth")]
    assert not unnamed.str.contains("—").any()
    nothing_lost = why_in_words(reasons.assign(loss=0.004), batches, members, language)
    assert not nothing_lost.str.contains("0.00", regex=False).any()
