"""Reasons in the dossier: those of the run, from a small part of the city, in words, with the policy and the day."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from pandas.testing import assert_frame_equal
from typer.testing import Result

from planner.cli_job import Job, read_evidence, run_as_job
from planner.cli_near import read_near
from planner.explain import cause_differences, term_differences
from planner.explain_facts import find_facts
from planner.explain_text import top_reasons
from registry.console import Session
from registry.saved import latest_scores, run_rows
from registry.settings import Settings
from registry.store import open_registry
from tests.planner.test_cli import AS_OF
from tests.planner.test_cli import census as census
from tests.planner.test_cli import deliveries as deliveries


@pytest.fixture
def scored(census: Callable[..., Result], deliveries: Path) -> Callable[..., Result]:
    took = census("import", "context", deliveries / "context.gpkg")
    assert took.exit_code == 0, took.output
    # a replaced pipe is gone, and its leaks are those of its street
    made = census("replace", "RQ0000010", "material=pe100", "--id", "NEW", "--on", "2024-01-01", "--source", "as built")
    assert made.exit_code == 0, made.output
    made = census("score", *AS_OF)
    assert made.exit_code == 0, made.output
    return census


@pytest.mark.usefixtures("scored")
def test_the_facts_of_a_part_of_the_city_are_those_of_the_whole(settings: Settings, rng: np.random.Generator) -> None:
    session = Session(settings, is_json=True)
    with open_registry(settings) as registry, session.progress() as bars:
        saved = latest_scores(registry, "RQ0000001")
        assert saved is not None
        job: Job = run_as_job(session, registry, saved, bars)
        segments = job.segments()
        whole, _ = read_evidence(job, segments, job.frame("leaks"))
        scores = run_rows(registry, saved.run_id, "scores", segments.index)
        nameless = segments.index[segments["street_name"].isna() & segments["compound_name"].isna()]
        asked = ["NEW", *nameless[:6], *rng.choice(segments.index, 20, replace=False)]
        assert len(nameless)
        asked = list(dict.fromkeys(asked))
        wanted = find_facts(whole, scores, asked)
        for segment_id in asked:
            near = read_near(job, saved.run_id, [segment_id])
            assert len(near.segments) < len(segments) / 4
            found = find_facts(near, scores.loc[[segment_id]], [segment_id])
            assert_frame_equal(found, wanted.loc[[segment_id]], check_dtype=False)


def test_the_dossier_says_the_reasons_with_policy_and_day(
    scored: Callable[..., Result], settings: Settings, tmp_path: Path
) -> None:
    with open_registry(settings) as registry:
        run = registry.load_run("score")
        medium = registry.frame("segments", ["medium"], as_of=run.as_of)["medium"]
        scores = run.frames["scores"]
    worst = str(scores["risk_per_km_year"].idxmax())
    causes = cause_differences(term_differences(scores, medium))
    told = json.loads(scored("history", worst, "--json", *AS_OF).stdout)["reasons"]
    up, _ = top_reasons(causes.loc[[worst]].iloc[0])
    assert len(told["reasons"]["up"]) == len(up) > 0
    assert len(told["reasons"]["gaps"]) == int(scores["gap_count"].loc[[worst]].sum())
    assert told["policy"]["hash"] == run.policy["hash"]
    assert told["as_of"] == "2026-11-01"
    for language, word in (("en", "What raises it most"), ("zh", "主要原因")):
        path = tmp_path / f"{language}.html"
        assert scored("history", worst, "-o", path, *AS_OF, language=language).exit_code == 0
        page = path.read_text(encoding="utf-8")
        assert word in page
        assert run.policy["hash"][:12] in page
    english = scored("history", worst, *AS_OF).stdout
    for cause in told["reasons"]["up"]:
        assert f"+ {cause}" in english
    explained = scored("explain", worst, *AS_OF).stdout
    for cause in told["reasons"]["up"]:
        assert cause in explained


def test_without_a_score_known_by_then_there_are_no_reasons(scored: Callable[..., Result], settings: Settings) -> None:
    told = json.loads(scored("history", "RQ0000010", "--json", *AS_OF).stdout)
    assert told["reasons"] is None
    with open_registry(settings) as registry:
        made = registry.load_run("score").made_at
        assert latest_scores(registry, "NEW", made) is not None
        assert latest_scores(registry, "NEW", made - timedelta(seconds=1)) is None


def test_a_quick_explanation_is_the_whole_one_without_the_changes(
    scored: Callable[..., Result], settings: Settings
) -> None:
    with open_registry(settings) as registry:
        scores = registry.load_run("score").frames["scores"]
    asked = ["NEW", *scores.sort_values("risk_per_km_year").index[[5, 200, -1]]]
    whole = json.loads(scored("explain", *asked, "--json", *AS_OF).stdout)
    quick = json.loads(scored("explain", *asked, "--quick", "--json").stdout)
    assert quick["as_of"] == whole["as_of"]
    for found, wanted in zip(quick["explanations"], whole["explanations"], strict=True):
        assert found == pytest.approx(wanted)
    for found, wanted in zip(quick["texts"], whole["texts"], strict=True):
        for name in ("text_en", "text_zh"):
            sentences = [part for part in found[name].replace("。", ". ").split(". ") if part.strip()]
            assert len(sentences) >= 5
            assert all(part.rstrip(".") in wanted[name].replace("。", ". ") for part in sentences)
        assert len(found["text_en"]) < len(wanted["text_en"])
    assert scored("explain", "NO-SUCH", "--quick").exit_code == 1
    assert scored("explain", asked[0], "--quick", *AS_OF).exit_code == 2
