"""The reasons in a popup are those that an explanation tells."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from maps.facts import list_words, top_causes
from planner.explain import cause_differences, term_differences
from tests.planner.test_explain import town

COUNT = 3


def test_the_reasons_are_the_strongest_causes_and_nothing_without_a_score() -> None:
    evidence = town()
    medium = evidence.segments["medium"]
    scores = evidence.scores().drop(index=["S0005"])
    causes = cause_differences(term_differences(scores, medium))
    words, codes, logarithms = top_causes(scores.reindex(evidence.segments.index), medium, COUNT)
    assert words == [list_words("explanation_cause", cause) for cause in causes.columns]
    for place, segment_id in enumerate(evidence.segments.index):
        if segment_id == "S0005":
            assert [code[place] for code in codes] == [0] * COUNT
            continue
        own = sorted(causes.loc[segment_id].to_numpy(), key=abs, reverse=True)[:COUNT]
        assert [ln[place] for ln in logarithms] == pytest.approx(own)
        told = [causes.columns[code[place] - 1] for code in codes]
        assert causes.loc[segment_id, told].to_numpy() == pytest.approx(np.array(own))
        assert "network" not in told


def test_old_scores_without_new_terms_are_drawn_all_the_same() -> None:
    evidence = town(6)
    scores = evidence.scores().drop(columns=["ln_likelihood_soil"])
    _, codes, _ = top_causes(scores, evidence.segments["medium"], COUNT)
    assert pd.Series(codes[0]).gt(0).all()
