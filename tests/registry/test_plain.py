"""Results as strict JSON: what is missing or not finite is null, everything else survives."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.plain import as_json, plain

scalars = st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(st.dictionaries(st.text(), values))
def test_what_json_knows_comes_back_as_it_was(result: dict[str, object]) -> None:
    assert json.loads(as_json(result)) == result


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.float64("nan"), np.float32("-inf"), pd.NaT, pd.NA])
def test_what_is_missing_or_not_finite_is_null_wherever_it_stands(value: object) -> None:
    told = json.loads(as_json({"a": value, "b": [value], "c": {"d": (value,)}, "e": np.array([value], dtype=object)}))
    assert told == {"a": None, "b": [None], "c": {"d": [None]}, "e": [None]}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.True_, True),
        (np.arange(3), [0, 1, 2]),
        (date(2026, 11, 1), "2026-11-01"),
        (pd.Timestamp("2026-11-01", tz=UTC), "2026-11-01T00:00:00+00:00"),
        (datetime(2026, 11, 1, tzinfo=UTC), "2026-11-01T00:00:00+00:00"),
        (Path("city"), "city"),
        ({2027: 1}, {"2027": 1}),
    ],
)
def test_other_types_become_what_json_knows(value: object, told: object) -> None:
    assert plain(value) == told
