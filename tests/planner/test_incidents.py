"""What the index means: incidents, harm, grades, and the matrix with what it adds up to."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.incidents import Index, grades_of, incident_columns, matrix_columns
from planner.policy import Policy, read_policy
from planner.policy_risk import GRADES
from planner.risk_summary import risk_by_medium, risk_matrix
from planner.value_terms import PairFrames, leak_costs, pair_places
from registry.errors import PolicyError
from registry.fields import check_frame, columns_of
from tests.planner.frames import segments_of
from tests.planner.priced import site_of

POLICY = read_policy()
MATRIX = POLICY.weights.matrix
MEDIA = ["gas", "water", "heat", "drain", "other", "unknown"]


def index_of(likelihood: list[float], consequence: list[float], length_m: float = 100.0) -> Index:
    return Index(np.array(likelihood), np.array(consequence), np.full(len(likelihood), length_m))


def changed(**weights: Any) -> Policy:
    content = POLICY.to_dict()
    content["weights"] |= weights
    return Policy.from_dict(content)


def test_incidents_are_leaks_times_those_of_the_reference_times_consequence() -> None:
    columns = incident_columns(pd.Series(["gas", "strange"]), index_of([0.2, 0.2], [10.0, 10.0]), POLICY)
    np.testing.assert_allclose(columns["incidents_per_km_year"], [0.2 * 10 * 1.5e-5, 0.2 * 10 * 1e-4])
    np.testing.assert_allclose(columns["incidents_per_year"], columns["incidents_per_km_year"] * 0.1)
    np.testing.assert_allclose(columns["incidents_low_per_year"], [0.2 * 2e-6, 0.2 * 1e-6])
    np.testing.assert_allclose(columns["incidents_high_per_year"], [0.2 * 2e-4, 0.2 * 1e-2])
    np.testing.assert_allclose(columns["harm_cny_per_year"], [0.2 * 6000, 0.2 * 4000])
    np.testing.assert_allclose(columns["harm_low_cny_per_year"], [0.2 * 600, 0.2 * 500])
    np.testing.assert_allclose(columns["harm_high_cny_per_year"], [0.2 * 60000, 0.2 * 40000])


def test_the_figure_for_gas_follows_from_the_accidents_of_the_country() -> None:
    """57 accidents were 90.48 % in half a year: 6 others, twice a year, on 1.047 million km; 0.05 leaks, index 15."""
    others = round(57 / 0.9048) - 57
    per_km_year = 2 * others / 1.047e6
    gas = next(entry for entry in POLICY.weights.incidents_per_leak if entry.code == "gas")
    assert gas.value == pytest.approx(per_km_year / 0.05 / 15, rel=0.05)
    moderate = next(limit for limit in POLICY.weights.grades if limit.grade == "moderate")
    assert moderate.minimum_incidents_per_km_year == pytest.approx(per_km_year, rel=0.2)


def test_the_harm_is_that_which_joining_a_project_avoids() -> None:
    """One harm for score and pairs: nothing is priced twice, and the repair stays apart."""
    site = site_of({"likelihood": 0.8, "consequence": 3.0}, {"likelihood": 0.1, "consequence": 40.0})
    frames = PairFrames(site.segments, site.scores, site.pairs, site.pair_times, site.projects)
    costs = leak_costs(frames, pair_places(frames), POLICY)
    scores = site.scores
    index = Index(
        scores["likelihood_per_km_year"].to_numpy(),
        scores["consequence_index"].to_numpy(),
        site.segments["length_m"].to_numpy(),
    )
    columns = incident_columns(site.segments["medium"], index, POLICY)
    np.testing.assert_allclose(columns["harm_cny_per_year"] * POLICY.planning.removed_share.value, costs.harm.alone_cny)


def test_without_prices_of_harm_there_is_none() -> None:
    content = POLICY.to_dict()
    content["prices"]["value"] = None
    columns = incident_columns(pd.Series(["gas"]), index_of([0.2], [10.0]), Policy.from_dict(content))
    assert np.isnan(columns["harm_cny_per_year"]).all()
    assert not np.isnan(columns["incidents_per_year"]).any()


@settings(deadline=None, max_examples=50)
@given(medium=st.sampled_from(MEDIA), incidents=st.floats(0, 1), more=st.floats(0, 1))
def test_grades_never_fall_and_begin_at_their_limit(medium: str, incidents: float, more: float) -> None:
    limits = POLICY.weights.grades
    own = [limit for limit in limits if limit.medium == medium] or [limit for limit in limits if limit.medium is None]
    values = np.array([incidents, incidents + more, *(limit.minimum_incidents_per_km_year for limit in own)])
    found = [GRADES.index(grade) for grade in grades_of(values, pd.Series([medium] * len(values)), limits)]
    assert found[0] <= found[1]
    assert found[2:] == [0, 1, 2, 3]


def test_each_medium_has_its_own_limits() -> None:
    media = pd.Series(["water", "gas", "other", None, "heat"])
    found = grades_of(np.full(5, 1.5e-4), media, POLICY.weights.grades)
    assert found.tolist() == ["low", "severe", "severe", "severe", "low"]


def test_bands_begin_at_their_limits() -> None:
    columns = matrix_columns(index_of([0.0, 0.00999, 0.01, 1.0], [99.9, 100.0, 0.1, 3.0]), MATRIX)
    assert list(columns["likelihood_band"]) == [1, 1, 2, 5]
    assert list(columns["consequence_band"]) == [4, 5, 1, 2]
    assert list(columns["matrix_grade"]) == ["low", "moderate", "low", "severe"]


def test_the_packaged_cells_are_the_grades_of_their_middles() -> None:
    def middles(limits: tuple[float, ...]) -> list[float]:
        inner = [(low * high) ** 0.5 for low, high in pairwise(limits)]
        return [limits[0] / 2, *inner, limits[-1] * 2]

    gas = next(entry.value for entry in POLICY.weights.incidents_per_leak if entry.code == "gas")
    columns = middles(MATRIX.consequence_index.limits)
    for likelihood, cells in zip(middles(MATRIX.likelihood_per_km_year.limits), MATRIX.cells, strict=True):
        incidents = np.array(columns) * likelihood * gas
        assert grades_of(incidents, pd.Series(["gas"] * 5), POLICY.weights.grades).tolist() == list(cells)


@pytest.mark.parametrize(
    ("part", "value", "said"),
    [
        ("limits", [0.05, 0.01, 0.2, 1.0], "rise"),
        ("cells", [["low"] * 5] * 4, "5 rows"),
        ("cells", [["low"] * 5] * 4 + [["low", "low", "low", "high", "moderate"]], "may fall"),
        ("cells", [["high"] * 5] + [["low"] * 5] * 4, "may fall"),
    ],
)
def test_a_crooked_matrix_is_refused(part: str, value: Any, said: str) -> None:
    matrix = MATRIX.model_dump(mode="json")
    if part == "limits":
        matrix["likelihood_per_km_year"]["limits"] = value
    else:
        matrix["cells"] = value
    with pytest.raises(PolicyError, match=said):
        changed(matrix=matrix)


def test_grades_that_do_not_rise_are_refused_for_each_medium() -> None:
    grades = [limit.model_dump(mode="json") for limit in POLICY.weights.grades]
    with pytest.raises(PolicyError, match="medium heat"):
        changed(grades=grades[:-1])
    with pytest.raises(PolicyError, match="medium any"):
        changed(grades=[limit for limit in grades if limit["medium"]])


def scored(rows: list[tuple[str, str | None, float, float]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    segments = segments_of(*({"medium": medium, "tier": tier} for medium, tier, _, _ in rows))
    index = index_of([row[2] for row in rows], [row[3] for row in rows])
    columns = {"length_m": index.length_m, "likelihood_per_km_year": index.likelihood_per_km_year}
    columns |= incident_columns(segments["medium"], index, POLICY)
    return pd.DataFrame(columns, index=segments.index).assign(**matrix_columns(index, MATRIX)), segments


rows_of_scores = st.lists(
    st.tuples(
        st.sampled_from(MEDIA[:-1]),
        st.sampled_from(["municipal", "courtyard", None]),
        st.floats(0.0, 3.0),
        st.floats(0.1, 300.0),
    ),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, max_examples=20)
@given(rows=rows_of_scores)
def test_the_matrix_holds_every_segment_once_and_every_cell(rows: list[tuple[str, str | None, float, float]]) -> None:
    scores, segments = scored(rows)
    table = risk_matrix(scores, segments, MATRIX)
    check_frame(table, "risk_matrix")
    assert list(table.columns) == columns_of("risk_matrix")
    networks = {(medium, tier or "unknown") for medium, tier, _, _ in rows}
    assert len(table) == 25 * len(networks)
    assert table["segment_count"].sum() == len(rows)
    assert table["km"].sum() == pytest.approx(0.1 * len(rows))
    for (medium, tier, _, _), row in zip(rows, scores.to_dict("records"), strict=True):
        mine = table[(table["medium"] == medium) & (table["tier"] == (tier or "unknown"))]
        cell = mine[
            (mine["likelihood_band"] == row["likelihood_band"]) & (mine["consequence_band"] == row["consequence_band"])
        ]
        assert cell["segment_count"].item() > 0
        assert cell["matrix_grade"].item() == row["matrix_grade"]


def test_media_are_added_up_apart() -> None:
    scores, segments = scored([("gas", None, 0.1, 10), ("gas", None, 0.3, 10), ("water", None, 0.1, 2)])
    table = risk_by_medium(scores, segments).set_index("medium")
    assert table.index.tolist() == ["gas", "water"]
    np.testing.assert_allclose(table["leaks_per_year"], [0.04, 0.01])
    np.testing.assert_allclose(table["incidents_per_year"], [0.04 * 10 * 1.5e-5, 0.01 * 2 * 7e-4])
    np.testing.assert_allclose(table["harm_high_cny_per_year"], [0.04 * 10 * 60000, 0.01 * 2 * 20000])
