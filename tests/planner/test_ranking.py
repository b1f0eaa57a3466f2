"""Which model ranks: every case of asking and deciding, and what the learned rate does to a score."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.counterfactuals import grade_changes
from planner.explain import TERMS
from planner.forecast.catalogue import forecast_models, learned_models
from planner.forecast.learned_rates import learned_rates
from planner.learned import Learned
from planner.ranking import AUTO, Now, Ranking, Wish, choose_ranking, ranking_phrases, stale_by
from planner.score import DEFAULT_MODEL
from planner.score_changes import compare_scores
from registry.catalogue import say
from registry.errors import MissingExtraError, PlanningError, UsageError
from registry.fields import check_frame, value_list
from registry.gate_decisions import KeptVerdict
from tests.planner.test_explain import AS_OF, POLICY, town
from tests.planner.test_score_changes import NO_LINEAGE

NOW = Now("p", {"segments": 3, "leaks": 4, "roads": 0}, "1.0", date(2026, 11, 1))
LEARNED = ["glm_eb", "boosting"]
FAILED = [
    {"model": "glm_eb", "criterion": "capture", "passed": False},
    {"model": "boosting", "criterion": "deviance", "passed": False},
    {"model": "glm_eb", "criterion": "windows", "passed": True},
]


def verdict_of(**changed: Any) -> KeptVerdict:
    facts: dict[str, Any] = {
        "run_id": "r",
        "as_of": NOW.as_of,
        "known_at": None,
        "policy_hash": "p",
        "data_stamps": {"leaks": 4, "roads": 0, "segments": 3},
        "windows": [2021, 2022],
        "models": LEARNED,
        "ships": "glm_eb",
        "candidate": "glm_eb",
        "criteria": FAILED,
        "decision_id": "d",
        "made_at": datetime(2026, 11, 1, tzinfo=UTC),
        "actor": "tester",
        "code_version": "1.0",
    }
    return KeptVerdict(**facts | changed)


def chosen(verdict: KeptVerdict | None, model: str = AUTO, *, is_forced: bool = False, **now: Any) -> Ranking:
    return choose_ranking(Wish(model, is_forced), verdict, replace(NOW, **now), LEARNED, ["glm_eb"])


def said(ranking: Ranking, language: str = "en") -> str:
    return " ".join(phrase.say(language) for phrase in ranking_phrases(ranking.facts()))


@pytest.mark.parametrize(
    ("verdict", "ranks", "beside", "reason"),
    [
        (None, "default", None, "no_decision"),
        (verdict_of(), "glm_eb", "glm_eb", "passed"),
        (verdict_of(ships="default"), "default", "glm_eb", "not_passed"),
        (verdict_of(ships="default", candidate=None), "default", None, "unplayed"),
        (verdict_of(ships="boosting", candidate="boosting"), "default", None, "library_absent"),
        (verdict_of(ships="default", candidate="boosting"), "default", None, "not_passed"),
        (verdict_of(policy_hash="q"), "default", None, "stale"),
    ],
)
def test_left_alone_the_last_decision_ranks(
    verdict: KeptVerdict | None, ranks: str, beside: str | None, reason: str
) -> None:
    ranking = chosen(verdict)
    assert (ranking.ranks, ranking.beside, ranking.reason) == (ranks, beside, reason)
    # every reason is said, in both languages and without a code or a brace left over
    for language in ("en", "zh"):
        words = said(ranking, language)
        assert words
        assert not any(sign in words for sign in ("_", "{", "('"))


@pytest.mark.parametrize(
    ("changed", "stale"),
    [
        ({}, ()),
        ({"policy_hash": "q"}, ("policy",)),
        ({"data_stamps": {"segments": 3, "leaks": 5, "roads": 0}}, ("data",)),
        ({"data_stamps": {"segments": 3, "leaks": 4}}, ("data",)),
        ({"code_version": "1.1"}, ("program",)),
        ({"as_of": date(2026, 11, 2)}, ("day",)),
        ({"as_of": date(2025, 1, 1)}, ()),
        ({"policy_hash": "q", "code_version": "2"}, ("policy", "program")),
    ],
)
def test_a_decision_is_stale_where_it_rests_on_something_else(changed: dict[str, Any], stale: tuple[str, ...]) -> None:
    verdict = verdict_of(**changed)
    assert stale_by(verdict, NOW) == stale
    assert (chosen(verdict).ranks == "default") == bool(stale)


def test_a_model_by_name_must_have_passed_or_be_forced() -> None:
    assert chosen(verdict_of(), "glm_eb").reason == "passed"
    assert chosen(verdict_of(), "default").reason == "asked"
    for verdict, model in (
        (None, "glm_eb"),
        (verdict_of(ships="default"), "glm_eb"),
        (verdict_of(), "boosting"),
        (verdict_of(policy_hash="q"), "glm_eb"),
    ):
        with pytest.raises(PlanningError, match="may not rank"):
            chosen(verdict, model)
        forced = chosen(verdict, model, is_forced=True)
        assert (forced.ranks, forced.beside, forced.reason) == (model, model, "forced")
        assert "did not pass" in said(forced)
    with pytest.raises(PlanningError, match="More leaks found than by the default"):
        chosen(verdict_of(ships="default"), "glm_eb")
    with pytest.raises(UsageError, match="auto, default, glm_eb, boosting"):
        chosen(None, "oracle")
    for name in (AUTO, "default"):
        with pytest.raises(UsageError, match="glm_eb, boosting"):
            chosen(verdict_of(), name, is_forced=True)


def test_models_have_the_words_of_their_list() -> None:
    assert set(value_list("forecast_model")) == {DEFAULT_MODEL, *learned_models()}
    for code, entry in value_list("forecast_model").items():
        assert entry.label("zh") == say(f"forecast_model_{code}", "zh")
        assert code == DEFAULT_MODEL or entry.label("en") == say(f"forecast_model_{code}")


@pytest.fixture(scope="module")
def plain() -> pd.DataFrame:
    return town().scores()


RATES = st.lists(st.none() | st.floats(1e-6, 1e3), min_size=40, max_size=40)


@settings(max_examples=10)
@given(rates=RATES)
def test_contributions_add_up_and_risk_follows_the_learned_rate(plain: pd.DataFrame, rates: list[float | None]) -> None:
    told = pd.Series([np.nan if rate is None else rate for rate in rates], plain.index)
    medium = town().segments["medium"]
    scores = Learned.of_rates("glm_eb", told, plain, ranks=True).apply(plain, medium, POLICY)
    check_frame(scores, "scores")
    assert list(scores.columns) == list(plain.columns)
    total = scores[list(TERMS)].sum(axis=1).to_numpy()
    assert total == pytest.approx(np.log(scores["risk_per_km_year"].to_numpy()), abs=1e-9)
    has_rate = told.notna()
    assert (scores["ranking_model"] == "glm_eb").equals(has_rate.rename("ranking_model"))
    assert scores.loc[has_rate, "likelihood_per_km_year"].to_numpy() == pytest.approx(told[has_rate].to_numpy())
    # everything that the likelihood scales is scaled by the same, and nothing else has changed
    share = scores["likelihood_per_km_year"] / plain["likelihood_per_km_year"]
    for name in ("risk_per_km_year", "risk_per_year", "incidents_per_km_year", "incidents_high_per_year"):
        assert scores[name].to_numpy() == pytest.approx((plain[name] * share).to_numpy())
    same = scores[~has_rate].drop(columns="learned_per_km_year")
    pd.testing.assert_frame_equal(same, plain[~has_rate].drop(columns="learned_per_km_year"), check_exact=True)


def test_a_rate_stored_beside_changes_no_score(plain: pd.DataFrame) -> None:
    told = pd.Series(np.linspace(0.1, 5, len(plain)), plain.index)
    medium = town().segments["medium"]
    beside = Learned.of_rates("glm_eb", told, plain, ranks=False).apply(plain, medium, POLICY)
    assert beside["learned_per_km_year"].to_numpy() == pytest.approx(told.to_numpy())
    pd.testing.assert_frame_equal(
        beside.drop(columns="learned_per_km_year"), plain.drop(columns="learned_per_km_year"), check_exact=True
    )
    assert Learned.of_scores(beside) is None


def test_the_learned_model_is_the_cause_of_what_it_moves_and_stays_so_when_scored_again(plain: pd.DataFrame) -> None:
    evidence = town()
    told = plain["default_per_km_year"] * np.where(np.arange(len(plain)) % 2, 8.0, 0.2)
    learned = Learned.of_rates("glm_eb", told, plain, ranks=True)
    scores = learned.apply(plain, evidence.segments["medium"], POLICY)
    changes = compare_scores(plain, scores, NO_LINEAGE)
    assert set(changes["cause"]) == {"learned_model"}
    assert changes["cause_multiplier"].to_numpy() == pytest.approx(changes["risk_ratio"].to_numpy())
    # what is stored is enough to rank by it again
    again = Learned.of_scores(scores)
    assert again is not None
    pd.testing.assert_frame_equal(replace(evidence, learned=again).scores(), scores, check_exact=True)
    for before, after in zip(
        grade_changes(evidence, plain, "S0003"), grade_changes(evidence, scores, "S0003"), strict=True
    ):
        assert after.multiple == pytest.approx(before.multiple)


def test_learned_rates_are_those_of_the_record_until_the_day() -> None:
    evidence = town(60, 9)
    names = (evidence.segments, evidence.leak_links, evidence.leaks, POLICY)
    model = forecast_models(POLICY)["glm_eb"]
    rates = learned_rates(model, *names, AS_OF, evidence.told)
    assert rates.index.equals(evidence.segments.index)
    assert (rates > 0).all()
    # leaks of later days are not seen
    day, is_early = date(2020, 6, 1), evidence.leaks["leaked_on"] < "2020"
    late = evidence.leaks.assign(leaked_on=evidence.leaks["leaked_on"].where(is_early, pd.Timestamp("2020-07-01")))
    known = learned_rates(model, *names[:2], late, POLICY, day, evidence.told)
    links = evidence.leak_links[evidence.leak_links["leak_id"].isin(is_early.index[is_early])]
    fewer = learned_rates(model, names[0], links, evidence.leaks, POLICY, day, evidence.told)
    pd.testing.assert_series_equal(known, fewer)
    with pytest.raises(PlanningError, match="No leak can be counted"):
        learned_rates(model, *names, date(2000, 1, 1), evidence.told)


def test_a_medium_without_a_record_keeps_the_default() -> None:
    evidence = town(60, 9)
    gas = evidence.segments.index[evidence.segments["medium"] == "gas"]
    links = evidence.leak_links[evidence.leak_links["segment_id"].isin(gas)]
    model = forecast_models(POLICY)["rate_table"]
    rates = learned_rates(model, evidence.segments, links, evidence.leaks, POLICY, AS_OF, evidence.told)
    assert set(rates.dropna().index) == set(gas)


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = town(20, 9)
    monkeypatch.setitem(sys.modules, "lifelines", None)
    names = (evidence.segments, evidence.leak_links, evidence.leaks, POLICY, AS_OF, evidence.told)
    with pytest.raises(MissingExtraError, match="lifelines"):
        learned_rates(forecast_models(POLICY)["survival"], *names)
