"""Contributions to the leak rate that the tables of the weights give."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from planner.policy import read_policy
from planner.score import score_segments
from tests.planner.frames import leaks_of, named_links, segments_of


@pytest.mark.parametrize(("diameter_mm", "factor"), [(50.0, 1.5), (63.0, 1.5), (63.1, 1.3), (200.0, 1.0), (400.0, 0.8)])
def test_a_smaller_pipe_leaks_more_by_the_factor_of_its_band(diameter_mm: float, factor: float) -> None:
    leaks = leaks_of()
    segments = segments_of({"diameter_mm": diameter_mm}, {})
    scores = score_segments(segments, named_links(leaks, "S0000"), leaks, None, read_policy(), date(2026, 11, 1))
    np.testing.assert_allclose(np.exp(scores["ln_likelihood_diameter"]), [factor, 1.0])
    rate = scores["likelihood_per_km_year"]
    assert rate.iloc[0] / rate.iloc[1] == pytest.approx(factor)
