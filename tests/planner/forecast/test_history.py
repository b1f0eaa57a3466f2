"""The panel: exposure as the install interval lets expect, every leak counted once or named as left out."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.forecast.exposure import ages_in, presence
from planner.forecast.history import History, make_history
from planner.forecast.undated import refuse_undated
from planner.policy import read_policy
from registry.errors import PlanningError
from tests.planner.frames import leaks_of, segments_of

YEARS = range(2010, 2021)
AS_OF = date(2020, 12, 31)


def links_of(*rows: tuple[str, float], segment_ids: tuple[str, ...] = ()) -> pd.DataFrame:
    named = segment_ids or ("S0000",) * len(rows)
    return pd.DataFrame(
        {
            "leak_id": pd.array([row[0] for row in rows], dtype="str"),
            "segment_id": pd.array(named, dtype="str"),
            "probability": [row[1] for row in rows],
        }
    )


def history_of(segments: pd.DataFrame, days: list[str], as_of: date = AS_OF, **told: Any) -> History:
    leaks = leaks_of(*({"leaked_on": day} for day in days))
    links = links_of(*((str(leak), 0.5) for leak in leaks.index))
    return make_history(segments, links, leaks, read_policy(), YEARS, as_of, record_from=YEARS.start, **told)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(2000, 2022),
    st.integers(0, 25),
    st.floats(2005.0, 2015.0),
    st.floats(2012.0, 2022.0),
)
def test_exposure_and_age_are_means_over_the_install_interval(first: int, width: int, begin: float, end: float) -> None:
    segments = segments_of({"installed_year_min": first, "installed_year_max": first + width})
    found = presence(segments, YEARS, np.array([begin]), np.array([end]))
    # the slow way: many install days, many instants of each year
    installed = first + (np.arange(400) + 0.5) / 400.0 * (width + 1.0)
    for column, year in enumerate(YEARS):
        instant = year + (np.arange(400) + 0.5) / 400.0
        seen = (instant >= begin) & (instant < end)
        laid = (installed[:, None] <= instant) & seen
        assert found.year_share[0, column] == pytest.approx(laid.mean(), abs=0.01)
        if laid.mean() > 0.05:
            age = np.maximum(instant - installed[:, None], 0.0)
            assert found.age_years[0, column] == pytest.approx(age[laid].mean(), abs=0.1)


def test_a_known_year_counts_half_of_itself_and_all_of_the_next() -> None:
    panel = history_of(segments_of({"installed_year_min": 2015, "installed_year_max": 2015}), []).panel
    np.testing.assert_allclose(panel.km_years[0], [0.0] * 5 + [0.05] + [0.1] * 5)
    np.testing.assert_allclose(panel.age_years[0], [0.0] * 5 + [1 / 3] + [1.0, 2.0, 3.0, 4.0, 5.0])
    np.testing.assert_allclose(ages_in(panel.segments, range(2021, 2023)), [[6.0, 7.0]])


def test_without_a_year_a_pipe_is_there_from_the_start_and_has_no_age() -> None:
    segments = segments_of({"installed_year_min": None, "installed_year_max": None}, {})
    panel = history_of(segments, []).panel
    np.testing.assert_allclose(panel.km_years, 0.1)
    assert np.isnan(panel.age_years[0]).all()
    assert panel.segments["is_undated"].tolist() == [True, False]
    assert panel.segments["installed_year_min"].isna().tolist() == [True, False]


def test_exposure_ends_with_the_retirement_and_with_the_as_of_day() -> None:
    segments = segments_of({"retired_on": pd.Timestamp("2018-12-31")}, {})
    found = history_of(segments, ["2018-12-31", "2019-01-01"], date(2019, 6, 30))
    share = found.panel.km_years / 0.1
    np.testing.assert_allclose(share[0], [1.0] * 9 + [0.0] * 2)
    assert share[1, 9] == pytest.approx(181 / 365)
    assert share[1, 10] == 0.0
    assert found.panel.leaks[0].sum() == 0.5
    assert found.left_out["after_retirement"] == 0.5


def test_every_leak_is_counted_once_or_named_as_left_out() -> None:
    segments = segments_of({"installed_year_min": 2012, "installed_year_max": 2012}, {})
    leaks = leaks_of(
        {"leaked_on": "2010-05-01"},
        {"leaked_on": "2011-05-01"},
        {"leaked_on": "2015-05-01"},
        {"leaked_on": "2015-06-01", "cause": "third_party"},
        {"leaked_on": "2022-05-01"},
        {"leaked_on": "2016-05-01"},
    )
    shares = [0.5, 0.25, 0.75, 0.5, 0.5, 1.0]
    links = links_of(
        *((str(leak), share) for leak, share in zip(leaks.index, shares, strict=True)),
        segment_ids=("S0000",) * 5 + ("GONE",),
    )
    found = make_history(segments, links, leaks, read_policy(), YEARS, AS_OF, record_from=2011)
    assert found.panel.leaks.sum() == found.panel.leaks[0, 5] == 0.75
    expected = {"before_record": 0.5, "before_install": 0.25, "excluded": 0.5, "later": 0.5, "other_segment": 1.0}
    assert found.left_out[found.left_out > 0.0].to_dict() == expected
    assert found.panel.leaks.sum() + found.left_out.sum() == sum(shares)


def test_the_record_of_a_medium_begins_with_its_first_leak() -> None:
    segments = segments_of({}, {"medium": "water"}, {"medium": "heat"})
    leaks = leaks_of({"leaked_on": "2012-01-01"}, {"leaked_on": "2015-07-02"})
    links = links_of(*((str(leak), 1.0) for leak in leaks.index), segment_ids=("S0000", "S0001"))
    panel = make_history(segments, links, leaks, read_policy(), YEARS, AS_OF).panel
    np.testing.assert_allclose(panel.km_years.sum(axis=1) / 0.1, [9.0, 6.0 - 182 / 365, 0.0])
    assert panel.leaks.sum() == 2.0
    stated = make_history(segments, links, leaks, read_policy(), YEARS, AS_OF, record_from={"heat": 2018}).panel
    np.testing.assert_allclose(stated.km_years.sum(axis=1) / 0.1, [9.0, 6.0 - 182 / 365, 3.0])


def test_what_nobody_looked_at_is_no_exposure() -> None:
    segments = segments_of({}, {}, {})
    districts = pd.Series(["east", "west"], index=["S0000", "S0001"])
    effort = pd.DataFrame(
        [
            (year, place, 0.0 if year == 2015 else share)
            for year in YEARS
            for place, share in (("east", 1), ("west", 0.5))
        ],
        columns=["year", "district", "surveyed_share"],
    )
    found = history_of(segments, ["2015-03-01", "2016-03-01"], effort=effort, districts=districts)
    share = found.panel.km_years / 0.1
    np.testing.assert_allclose(share.sum(axis=1), [10.0, 5.0, 7.5])
    assert (found.panel.leaks.sum(), found.left_out["not_looked_at"]) == (0.5, 0.5)
    with pytest.raises(PlanningError, match="2020"):
        history_of(segments, [], effort=effort[effort["year"] < 2020])
    with pytest.raises(PlanningError, match=r"1\.5"):
        history_of(segments, [], effort=effort.assign(surveyed_share=1.5))


def test_models_see_nothing_that_was_found_out_later() -> None:
    segments = segments_of({"assessment": "renew_now", "street_name": None}, {"street_name": "Old Street"})
    segments["remark"] = "leaks badly"
    before = segments.copy()
    streets = pd.DataFrame({"segment_id": ["S0000", "S0001"], "street_name": ["First", "Second"]})
    panel = history_of(segments, [], street_links=streets).panel
    assert panel.segments["street_name"].tolist() == ["First", "Old Street"]
    later = {"status", "assessment", "assessed_on", "is_encroached", "retired_on", "remark", "geometry"}
    assert not later & set(panel.segments.columns)
    # and the walk-forward, which refuses what carries no date, has nothing to refuse
    refuse_undated(panel.segments.columns)
    pd.testing.assert_frame_equal(pd.DataFrame(segments), pd.DataFrame(before))


def test_a_pipe_that_was_split_keeps_its_exposure_and_its_leaks_in_its_parts() -> None:
    leaks = leaks_of({"leaked_on": "2015-05-01"})
    whole = segments_of({})
    halves = pd.concat([whole.set_axis([name], axis=0) for name in ("A", "B")]).rename_axis("segment_id")
    halves["length_m"] /= 2.0
    one = make_history(whole, links_of(("L0000", 1.0)), leaks, read_policy(), YEARS, AS_OF).panel
    parted = links_of(("L0000", 0.4), ("L0000", 0.6), segment_ids=("A", "B"))
    two = make_history(halves, parted, leaks, read_policy(), YEARS, AS_OF).panel
    np.testing.assert_allclose(two.km_years.sum(axis=0), one.km_years[0])
    np.testing.assert_allclose(two.leaks.sum(axis=0), one.leaks[0])
    np.testing.assert_allclose(two.age_years[0], one.age_years[0])
