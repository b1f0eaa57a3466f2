"""The decision of the gate, kept in a real registry: by what `score` ranks, when it is stale, and who says so."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from digonce import app
from planner.explain import TERMS
from registry.cluster import Cluster
from registry.fields import check_frame
from registry.gate_decisions import data_stamps, last_verdict
from registry.settings import Settings
from registry.store import open_registry
from tests.planner.fatigue import WEAK_AGES, write_fatigue_city

AS_OF = ("--as-of", "2026-11-01")
YEARS = ("--from", "2020", "--to", "2025")
DATA_KINDS = ("segments", "leaks", "roads", "surveys", "districts")
Run = Callable[..., Result]


def run_in(settings: Settings) -> Run:
    """Return the command line on one registry."""

    def run(*arguments: str | Path, language: str = "en") -> Result:
        environment = {
            "DIGONCE_HOME": str(settings.home),
            "DIGONCE_REGISTRY": settings.registry,
            "DIGONCE_LANG": language,
            "COLUMNS": "200",
        }
        return CliRunner().invoke(app, [str(argument) for argument in arguments], env=environment)

    return run


def told(run: Run, *arguments: str | Path) -> dict[str, Any]:
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def scores_of(settings: Settings, name: str) -> pd.DataFrame:
    with open_registry(settings) as registry:
        return registry.load_run("score", name).frames["scores"]


@pytest.fixture(scope="module")
def fatigued(home: Path, template: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[Settings]:
    """A city whose pipes fail at one age only."""
    folder = tmp_path_factory.mktemp("fatigue")
    write_fatigue_city(folder)
    own = Settings(home, f"test_{uuid.uuid4().hex[:12]}", None, "tester", "en")
    Cluster(home).create_database(own.registry, template)
    run = run_in(own)
    for kind, name in {"segments": "segments.gpkg", "leaks": "leaks.csv"}.items():
        took = run("import", kind, folder / name, "--crs", "EPSG:4549")
        assert took.exit_code == 0, took.output
    yield own
    Cluster(home).drop_database(own.registry)


@pytest.fixture(scope="module")
def decided(fatigued: Settings, home: Path) -> Generator[Settings]:
    """The same city, where a back-test has opened the gate for boosted trees."""
    pytest.importorskip("sklearn", reason="the extra `models` is not installed")
    own = replace(fatigued, registry=f"{fatigued.registry}_d")
    Cluster(home).create_database(own.registry, fatigued.registry)
    tested = told(run_in(own), "backtest", *YEARS, "--models", "boosting", *AS_OF)
    assert (tested["ships"], tested["is_open"]) == ("boosting", True)
    yield own
    Cluster(home).drop_database(own.registry)


@pytest.fixture
def city(decided: Settings, home: Path) -> Generator[Settings]:
    """A copy of the decided city for one test."""
    own = replace(decided, registry=f"test_{uuid.uuid4().hex[:12]}")
    Cluster(home).create_database(own.registry, decided.registry)
    yield own
    Cluster(home).drop_database(own.registry)


def test_a_decision_is_kept_with_all_that_it_was_made_from(decided: Settings) -> None:
    with open_registry(decided) as registry:
        verdict = last_verdict(registry)
        run = registry.load_run("backtest")
        stamps = data_stamps(registry, DATA_KINDS)
    assert verdict is not None
    assert (verdict.ships, verdict.candidate, verdict.models) == ("boosting", "boosting", ["boosting"])
    assert (verdict.run_id, verdict.policy_hash, verdict.as_of) == (run.run_id, run.policy["hash"], run.as_of)
    assert (verdict.code_version, verdict.known_at) == (run.code_version, None)
    assert verdict.windows == list(range(2020, 2026))
    assert verdict.data_stamps == stamps
    # two deliveries, and no roads
    assert 0 == stamps["roads"] < stamps["segments"] < stamps["leaks"]
    kept = pd.DataFrame(verdict.criteria)
    assert kept["passed"].all()
    stored = run.frames["gate_criteria"]
    assert dict(zip(kept["criterion"], kept["value"], strict=True)) == pytest.approx(
        dict(zip(stored["criterion"], stored["value"], strict=True))
    )


def test_an_open_gate_ranks_and_every_verb_says_so(city: Settings, tmp_path: Path) -> None:
    run = run_in(city)
    ranked = told(run, "score", "--save", "learned", *AS_OF, "-o", tmp_path / "scores.csv")
    assert {name: ranked["ranking"][name] for name in ("asked", "ranks", "reason")} == {
        "asked": "auto",
        "ranks": "boosting",
        "reason": "passed",
    }
    scores = scores_of(city, "learned")
    check_frame(scores, "scores")
    assert set(scores["ranking_model"]) == {"boosting"}
    assert set(pd.read_csv(tmp_path / "scores.csv")["Ranked by"]) == {"Gradient boosting"}
    total = scores[list(TERMS)].sum(axis=1).to_numpy()
    assert total == pytest.approx(np.log(scores["risk_per_km_year"].to_numpy()), abs=1e-9)
    assert scores["learned_per_km_year"].to_numpy() == pytest.approx(scores["likelihood_per_km_year"].to_numpy())
    # it found out what was planted: pipes of the weak ages stand out far more than by the default
    age = scores["age_years"]
    weak = scores[(age >= WEAK_AGES[0] + 1) & (age < WEAK_AGES[1])].median(numeric_only=True)
    above = weak / scores.median(numeric_only=True)
    assert above["likelihood_per_km_year"] > 2 * above["default_per_km_year"]

    assert told(run, "score", "--model", "default", "--save", "plain", *AS_OF)["ranking"]["reason"] == "asked"
    plain = scores_of(city, "plain")
    assert set(plain["ranking_model"]) == {"default"}
    assert plain["learned_per_km_year"].isna().all()
    assert plain["likelihood_per_km_year"].equals(plain["default_per_km_year"])
    assert plain["default_per_km_year"].equals(scores["default_per_km_year"])

    compared = told(run, "compare-scores", "plain", "learned")
    assert {name for name, stamp in compared["runs"].items() if not stamp["is_same"]} == {"model"}
    assert compared["runs"]["model"] == {"before": "default", "after": "boosting", "is_same": False}
    assert {row["cause"] for row in compared["causes"]} == {"learned_model"}
    assert "Ranked by: Default → Gradient boosting" in run("compare-scores", "plain", "learned").stdout

    segment = str(scores["ln_likelihood_learned_model"].idxmax())
    explained = told(run, "explain", segment, *AS_OF)
    assert explained["ranking"] == ranked["ranking"]
    assert "Gradient boosting" in explained["texts"][0]["text_en"]
    terms = {row["term"]: row["ln"] for row in explained["explanations"]}
    assert terms["likelihood_learned_model"] > 1
    # a saved run is explained as it was ranked, without learning again
    saved = run("explain", "--run", "learned", segment, language="zh").stdout
    assert explained["texts"][0]["text_zh"] in saved
    assert "按“梯度提升”排序" in saved
    assert told(run, "forecast", "--years", "2027-2028", *AS_OF)["ranking"] == ranked["ranking"]


def test_a_changed_policy_makes_the_decision_stale(city: Settings, tmp_path: Path) -> None:
    run = run_in(city)
    text = Path("planner/policies/default.toml").read_text(encoding="utf-8")
    changed = tmp_path / "changed.toml"
    changed.write_text(text.replace("\nversion = ", '\nversion = "9" # ', 1), encoding="utf-8")
    scored = run("score", "--save", "changed", "--policy", changed, *AS_OF)
    assert scored.exit_code == 0, scored.output
    assert "Ranked by the default model: the last decision of the gate is out of date (the policy has changed" in (
        scored.stdout
    )
    with open_registry(city) as registry:
        assert registry.load_run("score", "changed").summary["ranking"]["stale"] == ["policy"]


def test_changed_data_make_the_decision_stale_until_they_are_as_they_were_known(city: Settings) -> None:
    run = run_in(city)
    with open_registry(city) as registry:
        verdict = last_verdict(registry)
    assert verdict is not None
    edit = ("cover_depth_m=0.9", "--source", "photo", "--valid-from", "2020-01-01", "--reason", "seen")
    assert run("correct", "W0003", *edit).exit_code == 0
    after = told(run, "score", *AS_OF)
    assert (after["ranking"]["ranks"], after["ranking"]["reason"], after["ranking"]["stale"]) == (
        "default",
        "stale",
        ["data"],
    )
    # a learned model that is asked for by name is held to the same
    refused = run("score", "--model", "boosting", *AS_OF)
    assert refused.exit_code == 1
    assert "may not rank" in refused.output
    forced = run("score", "--model", "boosting", "--force-model", *AS_OF)
    assert forced.exit_code == 0
    assert "although the gate did not pass it" in forced.output
    # as the registry knew it before the edit, the decision holds
    known_at = ("--known-at", verdict.made_at.isoformat())
    assert told(run, "score", *AS_OF, *known_at)["ranking"]["ranks"] == "boosting"
    # a decision that was made on later years is none for an earlier day
    earlier = told(run, "score", "--as-of", "2026-10-31", *known_at)
    assert earlier["ranking"]["stale"] == ["day"]


def test_a_shut_gate_leaves_the_default_and_stores_the_learned_rate_beside_it(fatigued: Settings, home: Path) -> None:
    own = replace(fatigued, registry=f"{fatigued.registry}_s")
    Cluster(home).create_database(own.registry, fatigued.registry)
    try:
        run = run_in(own)
        assert told(run, "score", "--save", "before", *AS_OF)["ranking"]["reason"] == "no_decision"
        tested = told(run, "backtest", *YEARS, "--models", "glm_eb", *AS_OF)
        assert (tested["ships"], tested["candidate"]) == ("default", "glm_eb")
        shut = run("score", "--save", "after", *AS_OF, language="zh")
        assert "按默认模型排序：最近一次回测中最接近的“经自身漏损史修正的泊松回归”未通过" in shut.stdout
        with open_registry(own) as registry:
            ranking = registry.load_run("score", "after").summary["ranking"]
        assert (ranking["ranks"], ranking["beside"], ranking["reason"]) == ("default", "glm_eb", "not_passed")
        assert "capture" in ranking["failed"]
        before, after = (scores_of(own, name) for name in ("before", "after"))
        pd.testing.assert_frame_equal(
            before, after.assign(learned_per_km_year=np.nan), check_exact=True, check_column_type=False
        )
        assert (after["learned_per_km_year"] > 0).all()
        assert run("score", "--model", "glm_eb", *AS_OF).exit_code == 1
        unknown = run("score", "--model", "oracle", *AS_OF)
        assert unknown.exit_code == 2
        assert "auto, default, rate_table" in unknown.output
    finally:
        Cluster(home).drop_database(own.registry)
