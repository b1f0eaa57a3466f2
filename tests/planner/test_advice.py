"""The advice of each pair, against a plain reading of its row."""

from __future__ import annotations

from typing import Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from planner.advice import pair_advice
from registry.fields import value_list

SEPARATE = ("too_late", "undated", "not_due")
DAYS = [pd.NaT, pd.Timestamp("2027-03-01"), pd.Timestamp("2028-03-01"), pd.Timestamp("2029-03-01")]
ROW = st.fixed_dictionaries(
    {
        "relation": st.sampled_from([None, *value_list("time_relation")]),
        "mover": st.sampled_from([None, *value_list("mover")]),
        "at_stake_cny": st.sampled_from([None, 0.0, 0.5, 1e6]),
        "project_until": st.sampled_from(DAYS),
        "due_from": st.sampled_from(DAYS),
    }
)


def read(row: dict[str, Any]) -> tuple[str | None, str | None]:
    relation, pays = row["relation"], bool(row["at_stake_cny"])
    if relation is None:
        return None, None
    if relation == "not_due" and pays:
        return "early", None
    if relation not in (*SEPARATE, "race") and not pays:
        return "apart", None
    if relation not in {"race", "near_miss", "conflict"}:
        return relation, None
    mover = row["mover"] or "none"
    if mover == "none":
        return relation, "none"
    # the side that comes second has to hurry, the first has to wait
    we_come_second = row["project_until"] < row["due_from"]
    hurries = we_come_second if mover in {"ours", "either"} else not we_come_second
    return relation, f"{mover}_{'earlier' if hurries else 'later'}"


@given(st.lists(ROW, max_size=12))
def test_advice_is_what_a_person_reads_from_the_row(rows: list[dict[str, Any]]) -> None:
    table = pd.DataFrame(rows, columns=["relation", "mover", "at_stake_cny", "project_until", "due_from"])
    table = table.astype(
        {
            "relation": "str",
            "mover": "str",
            "at_stake_cny": "float64",
            "project_until": "datetime64[s]",
            "due_from": "datetime64[s]",
        }
    )
    before = table.copy()
    advised = pair_advice(table)
    told = [tuple(None if pd.isna(cell) else cell for cell in row) for row in advised.itertuples(index=False)]
    assert told == [read(row) for row in rows]
    assert advised.index.equals(table.index)
    pd.testing.assert_frame_equal(table, before)
