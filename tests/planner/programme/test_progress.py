"""Tasks, reports and promises: sums agree with a slow count, nothing is counted twice, and tiers stay apart."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.done_shares import completed_parts, done_shares
from planner.programme import plan_parts, task_differences, yearly_tasks
from planner.progress import progress_by_district, progress_by_tier
from planner.promises import InForce, finished_batches, promises
from registry.fields import check_frame, columns_of, fields
from tests.planner.frames import EAST, NORTH, frame_of, line, segments_of

TYPES: dict[str, Any] = {"text": "str", "integer": "Int64", "double": "float64", "date": "datetime64[s]"}
# batch -> year, and of each segment the batch, the tier and the length
BATCHES = {"B-a": 2027, "B-b": 2027, "B-c": 2028, "B-d": None}
PIPES = {
    "S0": ("B-a", "municipal", 100.0),
    "S1": ("B-a", "municipal", 300.0),
    "S2": ("B-a", "courtyard", 100.0),
    "S3": ("B-b", "riser", 50.0),
    "S4": ("B-c", "municipal", 200.0),
    "S5": ("B-d", "municipal", 70.0),
}
HOMES = {"B-a": 40, "B-b": None, "B-c": 7, "B-d": 5}


def plain(contract: str, rows: list[dict[str, Any]], index: str | None = None) -> pd.DataFrame:
    declared = fields()[contract]
    table = pd.DataFrame(
        {name: pd.Series([row.get(name) for row in rows], dtype=TYPES[field.dtype]) for name, field in declared.items()}
    )
    return table.set_index(index) if index else table


def town() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The parts and the batches of the plan above; segments lie in two districts."""
    shapes = {name: line((0, 10.0 * row), (pipe[2], 10.0 * row)) for row, (name, pipe) in enumerate(PIPES.items())}
    pipes = segments_of(
        *({"segment_id": name, "tier": pipe[1], "geometry": shapes[name]} for name, pipe in PIPES.items())
    )
    batches = pd.DataFrame(
        {
            "label": pd.array(["east road", "green court", "west road", "—"], dtype="str"),
            "household_count": pd.array([HOMES[name] for name in BATCHES], dtype="Int64"),
        },
        index=pd.Index(list(BATCHES), dtype="str", name="batch_id"),
    )
    index = pd.Index(list(PIPES), dtype="str", name="segment_id")
    members = pd.DataFrame(
        {
            "batch_id": pd.Series([pipe[0] for pipe in PIPES.values()], index, dtype="str"),
            "year": pd.Series([BATCHES[pipe[0]] for pipe in PIPES.values()], index, dtype="Int64"),
        }
    )
    import shapely

    districts = frame_of(
        "districts",
        [
            {"district_id": "D1", "name": "north", "geometry": shapely.box(EAST, NORTH + 25, EAST + 999, NORTH + 99)},
            {"district_id": "D2", "name": "south", "geometry": shapely.box(EAST, NORTH - 9, EAST + 999, NORTH + 25)},
        ],
    )
    return plan_parts("p1", batches, members, pipes, districts), batches


PARTS, PLANNED = town()


def reports(*rows: dict[str, Any]) -> pd.DataFrame:
    filled = [{"progress_report_id": f"R{number}"} | row for number, row in enumerate(rows)]
    return plain("progress", filled, "progress_report_id")


def test_parts_are_the_placed_segments_with_their_districts() -> None:
    check_frame(PARTS, "plan_parts")
    assert set(PARTS["segment_id"]) == set(PIPES) - {"S5"}
    assert dict(zip(PARTS["segment_id"], PARTS["district"], strict=True)) == {
        "S0": "south", "S1": "south", "S2": "south", "S3": "north", "S4": "north"
    }  # fmt: skip


def test_tasks_by_tier_are_the_sums_over_the_segments_of_the_batches() -> None:
    tasks = yearly_tasks(PARTS, PLANNED)
    check_frame(tasks, "tasks")
    expected: dict[tuple[int, str], float] = defaultdict(float)
    for batch, tier, length in PIPES.values():
        year = BATCHES[batch]
        if year is not None:
            expected[year, tier] += length / 1000.0
    found = {(int(row["year"]), str(row["tier"])): row["km"] for row in tasks.to_dict("records")}
    assert found == pytest.approx(dict(expected))
    assert tasks["batch_count"].sum() == 3
    # a batch of two tiers counts once, with the longer one; nobody knows the households of the risers
    by_tier = tasks[tasks["year"] == 2027].set_index("tier")
    assert by_tier["household_count"].fillna(-1).to_dict() == {"courtyard": -1, "municipal": 40, "riser": -1}
    assert by_tier["batch_count"].to_dict() == {"courtyard": 0, "municipal": 1, "riser": 1}


def test_bureau_and_plan_stand_side_by_side() -> None:
    bureau = plain("tasks", [
        {"yearly_task_id": "T1", "year": 2027, "tier": "municipal", "medium": "gas", "km": 0.3, "household_count": 20},
        {"yearly_task_id": "T2", "year": 2027, "tier": "municipal", "medium": "water", "km": 0.2},
        {"yearly_task_id": "T3", "year": 2029, "tier": "riser", "km": 1.0},
    ], "yearly_task_id")  # fmt: skip
    table = task_differences(pd.concat([yearly_tasks(PARTS, PLANNED), bureau])).set_index(["year", "tier"])
    assert table.loc[(2027, "municipal"), "difference_km"] == pytest.approx(0.4 - 0.5)
    assert table.loc[(2027, "municipal"), "bureau_household_count"] == 20
    assert table["plan_km"].isna()[2029, "riser"]
    assert table["bureau_km"].isna()[2028, "municipal"]
    assert list(table.reset_index().columns) == columns_of("task_differences")


def test_reports_are_spread_by_length_within_what_they_speak_of() -> None:
    told = reports(
        {"month": "2027-03-31", "batch_id": "B-a", "km_done": 0.25, "households_done": 9},
        {"month": "2027-03-01", "batch_id": "B-a", "km_done": 0.04, "tier": "courtyard"},
        {"month": "2027-04-01", "segment_ids": "S3、S4", "km_done": 0.1},
        {"month": "2027-05-01", "street_name": "west road", "km_done": 0.05},
        {"month": "2027-05-01", "street_name": "nowhere", "km_done": 0.7, "tier": "riser", "district": "north"},
        {"month": "2027-05-01", "street_name": "elsewhere", "km_done": 0.2},
    )
    shares = done_shares(told, PARTS, PLANNED)
    check_frame(shares, "done_shares")
    km = shares.groupby(["progress_report_id", "tier"])["km"].sum()
    assert km["R0"].to_dict() == pytest.approx({"municipal": 0.2, "courtyard": 0.05})
    assert km["R1"].to_dict() == pytest.approx({"courtyard": 0.04})
    assert km["R2"].to_dict() == pytest.approx({"riser": 0.02, "municipal": 0.08})
    assert km["R3"].to_dict() == pytest.approx({"municipal": 0.05})
    assert km["R4"].to_dict() == pytest.approx({"riser": 0.7})
    assert km["R5"].to_dict() == pytest.approx({"unknown": 0.2})
    assert shares.loc[shares["segment_id"].isna(), "progress_report_id"].tolist() == ["R4", "R5"]
    assert shares["household_count"].sum() == 9
    assert set(shares["month"]) == {pd.Timestamp(2027, month, 1) for month in (3, 4, 5)}


@settings(max_examples=15)
@given(
    stated=st.lists(
        st.tuples(st.sampled_from(["B-a", "B-b", "B-c"]), st.integers(1, 12), st.integers(0, 80)), max_size=6
    ),
    ends=st.dictionaries(st.sampled_from(["B-a", "B-b", "B-c"]), st.integers(1, 12)),
    again=st.booleans(),
)
def test_a_completed_batch_counts_its_length_once(
    stated: list[tuple[str, int, int]], ends: dict[str, int], again: bool
) -> None:
    """Whatever was stated stays; a completion adds what was not told by its month, and a second one adds nothing."""
    rows: list[dict[str, Any]] = [
        {"month": f"2027-{month:02}-01", "batch_id": batch, "km_done": metres / 1000.0}
        for batch, month, metres in stated
    ]
    for batch, month in ends.items():
        rows += [{"month": f"2027-{month:02}-01", "batch_id": batch, "work_state": "completed"}] * (2 if again else 1)
    shares = done_shares(reports(*rows), PARTS, PLANNED)
    found = shares.groupby("batch_id")["km"].sum()
    length = PARTS.groupby("batch_id")["length_m"].sum() / 1000.0
    for batch in ("B-a", "B-b", "B-c"):
        told = sum(metres for name, _, metres in stated if name == batch) / 1000.0
        before = sum(m for name, month, m in stated if name == batch and month <= ends.get(batch, 0)) / 1000.0
        expected = told + (max(length[batch] - before, 0.0) if batch in ends else 0.0)
        assert found.get(batch, 0.0) == pytest.approx(expected)
    assert shares["household_count"].sum() == sum(HOMES[name] or 0 for name in ends)


def test_the_table_by_tier_adds_up_month_by_month() -> None:
    told = reports(
        {"month": "2027-02-01", "batch_id": "B-a", "km_done": 0.1, "tier": "municipal"},
        {"month": "2027-04-01", "batch_id": "B-a", "km_done": 0.2, "tier": "municipal"},
        {"month": "2027-04-01", "street_name": "nowhere", "km_done": 0.3, "tier": "municipal"},
        {"month": "2027-06-01", "batch_id": "B-b", "work_state": "completed"},
        {"month": "2026-12-01", "batch_id": "B-b", "km_done": 0.01},
    )
    shares = done_shares(told, PARTS, PLANNED)
    table = progress_by_tier(yearly_tasks(PARTS, PLANNED), shares, 2027, 5)
    check_frame(table, "progress_tiers")
    assert set(table["tier"]) == {"municipal", "courtyard", "riser"}
    rows = table[table["tier"] == "municipal"]
    assert rows["done_km"].tolist() == pytest.approx([0, 0.1, 0, 0.5, 0])
    assert rows["cumulative_km"].tolist() == pytest.approx([0, 0.1, 0.1, 0.6, 0.6])
    assert rows["outside_km"].tolist() == pytest.approx([0, 0, 0, 0.3, 0.3])
    assert rows["plan_share"].iloc[-1] == pytest.approx((0.6 - 0.3) / 0.4)
    assert table.loc[table["tier"] == "riser", "cumulative_km"].sum() == 0
    june = progress_by_tier(yearly_tasks(PARTS, PLANNED), shares, 2027, 6)
    assert june.loc[june["tier"] == "riser", "cumulative_km"].iloc[-1] == pytest.approx(0.04)
    districts = progress_by_district(PARTS, shares, 2027, 4)
    check_frame(districts, "progress_districts")
    south = districts[(districts["district"] == "south") & (districts["tier"] == "municipal")].iloc[0]
    assert (south["plan_km"], south["done_km"], south["cumulative_km"]) == pytest.approx((0.4, 0.2, 0.3))
    assert districts["plan_km"].sum() == pytest.approx(PARTS.loc[PARTS["year"] == 2027, "length_m"].sum() / 1000.0)


def test_a_batch_is_finished_when_all_is_called_completed_or_its_length_is_told() -> None:
    told = reports(
        {"month": "2027-02-01", "segment_ids": "S0,S1", "work_state": "completed"},
        {"month": "2027-05-01", "segment_ids": "S2", "work_state": "completed"},
        {"month": "2027-05-01", "batch_id": "B-b", "km_done": 0.03},
        {"month": "2027-07-01", "batch_id": "B-b", "km_done": 0.02},
        {"month": "2027-07-01", "batch_id": "B-c", "km_done": 0.19},
    )
    shares = done_shares(told, PARTS, PLANNED)
    finished = finished_batches(PARTS, completed_parts(told, PARTS), shares)
    assert finished.to_dict() == {"B-a": pd.Timestamp(2027, 5, 1), "B-b": pd.Timestamp(2027, 7, 1)}


def verdicts(plans: list[InForce], finished: dict[str, str], as_of: date) -> dict[tuple[str, str], tuple[str, Any]]:
    months = pd.Series({name: pd.Timestamp(month) for name, month in finished.items()}, dtype="datetime64[s]")
    shares = plain("done_shares", [])
    table = promises(plans, months.rename_axis("batch_id"), shares, as_of)
    check_frame(table, "promises")
    moved = [None if pd.isna(year) else int(year) for year in table["moved_to_year"]]
    keys = zip(table["plan_name"], table["batch_id"], strict=True)
    return dict(zip(keys, zip(table["verdict"], moved, strict=True), strict=True))


@pytest.mark.parametrize(
    ("finished", "as_of", "verdict"),
    [
        (None, date(2027, 12, 31), "open"),
        (None, date(2028, 1, 1), "broken"),
        ("2026-11-01", date(2027, 1, 1), "kept"),
        ("2027-12-01", date(2028, 6, 1), "kept"),
        ("2028-01-01", date(2028, 6, 1), "late"),
    ],
)
def test_a_promise_is_kept_by_the_end_of_its_year(finished: str | None, as_of: date, verdict: str) -> None:
    plan = InForce("p1", PARTS, PLANNED, date(2026, 12, 1))
    found = verdicts([plan], {} if finished is None else {"B-a": finished}, as_of)
    assert found["p1", "B-a"] == (verdict, None)


def test_a_later_plan_moves_drops_or_takes_over_a_promise() -> None:
    later = PARTS.assign(plan_name="p2")
    later.loc[later["batch_id"] == "B-b", "year"] = 2029
    later = later[later["batch_id"] != "B-c"]
    plans = [
        InForce("p1", PARTS, PLANNED, date(2026, 12, 1), date(2027, 6, 1)),
        InForce("p2", later, PLANNED, date(2027, 6, 1)),
    ]
    assert verdicts(plans, {}, date(2027, 7, 1)) == {
        ("p2", "B-a"): ("open", None),
        ("p1", "B-b"): ("moved", 2029),
        ("p2", "B-b"): ("open", None),
        ("p1", "B-c"): ("dropped", None),
    }
    # a promise whose year was over before the plan changed is broken, wherever it went
    late = [InForce("p1", PARTS, PLANNED, date(2026, 12, 1), date(2028, 6, 1)), plans[1]]
    found = verdicts(late, {}, date(2028, 7, 1))
    assert found["p1", "B-a"] == ("broken", 2027)
    assert found["p1", "B-b"] == ("broken", 2029)
    assert found["p1", "B-c"] == ("dropped", None)
    # and one that was finished in time was kept, whatever the later plan says
    assert verdicts(plans, {"B-c": "2027-05-01"}, date(2027, 7, 1))["p1", "B-c"] == ("kept", None)


@pytest.mark.parametrize(
    "told", [reports(), reports({"month": "2027-01-01", "street_name": "nowhere", "km_done": 0.3})]
)
@pytest.mark.parametrize("has_plan", [True, False])
def test_nothing_planned_or_nothing_reported_is_no_fault(told: pd.DataFrame, has_plan: bool) -> None:
    parts, batches = (PARTS, PLANNED) if has_plan else (PARTS.iloc[:0], PLANNED.iloc[:0])
    shares = done_shares(told, parts, batches)
    tables = {
        "done_shares": shares,
        "tasks": yearly_tasks(parts, batches),
        "progress_tiers": progress_by_tier(yearly_tasks(parts, batches), shares, 2027, 3),
        "progress_districts": progress_by_district(parts, shares, 2027, 3),
    }
    for contract, table in tables.items():
        check_frame(table, contract)
    assert shares["km"].sum() == pytest.approx(told["km_done"].sum())
    assert finished_batches(parts, completed_parts(told, parts), shares).empty


def test_no_plan_promises_nothing() -> None:
    table = promises(
        [], pd.Series(dtype="datetime64[s]").rename_axis("batch_id"), plain("done_shares", []), date(2027, 1, 1)
    )
    check_frame(table, "promises")
    assert table.empty
