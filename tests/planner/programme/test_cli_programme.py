"""The yearly programme from the command line: edit, propose, adopt, report, complete, and take it all back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from typer.testing import Result

from planner.programme import locked_batches
from registry.history.undo import undo_delivery
from registry.settings import Settings
from registry.store import Registry, open_registry
from tests.registry.deliveries import line, segments, write

Digonce = Callable[..., Result]
AS_OF = ("--as-of", "2026-11-01")
TIERS = ["市政", "市政", "庭院", "市政"]


@pytest.fixture
def planned(digonce: Digonce, tmp_path: Path) -> Digonce:
    """Four grey iron pipes in three streets, planned for two years, with money for all."""
    shapes = [line(0, 0), line(50, 0, 30.0), line(0, 300), line(0, 600, 90.0)]
    streets = ["金城路", "金城路", "温泉路", "罗峰路"]
    census = segments(4, 管段类别=TIERS, 所在道路=streets, geometry=shapes)
    assert digonce("import", "segments", write(census, tmp_path / "census.gpkg")).exit_code == 0
    made = digonce("plan", "--years", "2027-2028", "--budget-cny", "1e6", "--save", "p1", *AS_OF)
    assert made.exit_code == 0, made.output
    return digonce


MISTAKES = (
    ((), 2, "Nothing to edit"),
    (("--drop", "B-1", "--save", "x"), 2, "--save"),
    (("--move", "B-1"), 2, "BATCH=YEAR"),
    (("--lock", "B-1=soon"), 2, "BATCH=YEAR"),
    (("--add", "GAS-1"), 2, "--year"),
    (("--drop", "B-1"), 1, "no batch B-1"),
)


def run(digonce: Digonce, *arguments: str | Path, code: int = 0) -> Any:
    told = digonce(*arguments, "--json")
    assert told.exit_code == code, (arguments, told.output, told.exception)
    return json.loads(told.stdout) if told.stdout else told.stderr


def batches_of(registry: Registry, name: str) -> pd.Series:
    """The batch of each segment."""
    return registry.load_run("plan", name).frames["batch_segments"]["batch_id"]


def adopted(digonce: Digonce, name: str = "p1") -> None:
    run(digonce, "propose", name, "--on", "2026-11-20")
    run(digonce, "adopt", name, "--on", "2026-12-15", "--reason", "minutes 31")


def test_an_edit_makes_a_draft_and_leaves_its_parent_alone(planned: Digonce, settings: Settings) -> None:
    with open_registry(settings) as registry:
        parent = registry.load_run("plan", "p1")
        batch = str(parent.frames["batch_segments"]["batch_id"]["GAS-3"])
    shown = run(planned, "edit-plan", "p1", "--move", f"{batch}=2028", "--dry-run")
    assert shown["before"]["cost_cny"] == pytest.approx(parent.summary["cost_cny"])
    assert shown["run_id"] is None
    # left out, a mandatory pipe is late: that is a limit
    refused = planned("edit-plan", "p1", "--drop", batch, "--save", "p2")
    assert refused.exit_code == 1
    assert "--anyway" in refused.stderr
    kept = run(planned, "edit-plan", "p1", "--drop", batch, "--lock", batch, "--save", "p2", "--anyway", "no permit")
    assert [breach["code"] for breach in kept["breaches"]] == ["plan_breach_mandatory"]
    with open_registry(settings) as registry:
        again, child = registry.load_run("plan", "p1"), registry.load_run("plan", "p2")
    assert again.summary == parent.summary
    for name, frame in parent.frames.items():
        assert_frame_equal(again.frames[name], frame)
    assert child.summary["edited"]["parent_name"] == "p1"
    assert child.summary["edited"]["anyway"] == "no permit"
    assert child.frames["plan_edits"]["cause"].tolist() == ["no permit"] * 2
    assert [(one.segment_ids, one.year) for one in locked_batches(child.frames["plan_locks"])] == [(("GAS-3",), None)]
    assert_frame_equal(child.frames["scores"], parent.frames["scores"])
    listed = {row["name"]: row for row in run(planned, "plans")["plans"]}
    assert (listed["p2"]["parent"], listed["p2"]["breach_count"], listed["p2"]["state"]) == ("p1", 1, "draft")
    assert not listed["p1"]["is_edited"]
    assert "LIMITS BROKEN: 1" in " ".join(planned("plans").output.split())
    for arguments, code, word in MISTAKES:
        told = planned("edit-plan", "p1", *arguments, "--dry-run")
        assert (told.exit_code, word in told.stderr) == (code, True), told.output
    # a parent is a record
    assert "record" in planned("plan", "--years", "2027", "--budget-cny", "1e6", "--save", "p1", *AS_OF).stderr


def test_an_adopted_plan_makes_tasks_that_are_the_sums_of_its_batches(
    planned: Digonce, settings: Settings, tmp_path: Path
) -> None:
    adopted(planned)
    with open_registry(settings) as registry:
        members = registry.load_run("plan", "p1").frames["batch_segments"]
        pipes = registry.frame("segments", ["tier", "medium", "length_m"])
    rows = members.join(pipes)
    expected = (rows.groupby(["year", "tier"])["length_m"].sum() / 1000.0).to_dict()
    told = run(planned, "tasks", "--as-of", "2027-01-01")
    found = {(row["year"], row["tier"]): row["km"] for row in told["tasks"]}
    assert found == pytest.approx(expected)
    assert {row["plan_name"] for row in told["tasks"]} == {"p1"}
    assert run(planned, "tasks", "--as-of", "2026-12-14")["tasks"] == []
    path = tmp_path / "tasks.csv"
    path.write_text("年度,类别,公里数,户数\n2027,市政,0.5,100\n2027,立管,x,5\n", encoding="utf-8")
    took = run(planned, "import", "tasks", path)
    assert (took["accepted"], took["held"]) == (1, 1)
    told = run(planned, "tasks", "--year", "2027", "--as-of", "2027-01-01")
    municipal = next(row for row in told["differences"] if row["tier"] == "municipal")
    assert municipal["bureau_km"] == 0.5
    assert municipal["difference_km"] == pytest.approx(municipal["plan_km"] - 0.5)
    assert planned("tasks", "--as-of", "2027-01-01", "-o", tmp_path / "tasks.xlsx").exit_code == 0
    assert len(openpyxl.load_workbook(tmp_path / "tasks.xlsx").sheetnames) == 2


def test_reports_come_in_month_by_month_and_are_taken_back(
    planned: Digonce, settings: Settings, tmp_path: Path
) -> None:
    adopted(planned)
    with open_registry(settings) as registry:
        batch = batches_of(registry, "p1")
        before = registry.state_hash()
    table = pd.DataFrame(
        {
            "月份": ["2027-03", "2027年4月", "2027-04", "2027-04", "2027-04", "2027-09", "2027-04"],
            "批次编号": [batch["GAS-0"], batch["GAS-0"], None, None, "B-none", batch["GAS-0"], None],
            "管段编号": [None, None, "GAS-2", "GAS-2、GAS-99", None, None, None],
            "道路或小区": [None, None, None, None, None, None, "罗峰路"],
            "本月完成公里数": [0.02, 0.03, None, 0.1, 0.1, 0.1, None],
            "形象进度": ["施工中", "施工中", "竣工", None, None, None, None],
        }
    )
    path = tmp_path / "progress.csv"
    table.to_csv(path, index=False)
    took = run(planned, "import", "progress", path, "--received-on", "2027-05-02")
    assert (took["rows_read"], took["accepted"], took["held"]) == (7, 3, 4)
    held = run(planned, "held", took["delivery_id"])
    words = json.dumps(held, ensure_ascii=False)
    for code in ("segments_unknown", "batch_unknown", "day_in_future", "progress_without_content"):
        assert code in words
    done = run(planned, "progress", "--month", "2027-04", "--as-of", "2027-05-02")
    tiers = {row["tier"]: row for row in done["tiers"] if row["month"].startswith("2027-04")}
    assert tiers["municipal"]["cumulative_km"] == pytest.approx(0.05)
    assert tiers["municipal"]["done_km"] == pytest.approx(0.03)
    assert tiers["courtyard"]["cumulative_km"] == pytest.approx(0.05)
    # the month is reported again, with other kilometres: the same row, which waits for a review
    table.loc[[1], "本月完成公里数"] = 0.05
    table.iloc[:3].to_csv(path, index=False)
    again = run(planned, "import", "progress", path, "--received-on", "2027-05-20", "--accept")
    assert (again["added"], again["changed"], again["unchanged"]) == (0, 1, 2)
    more = run(planned, "progress", "--month", "2027-04", "--as-of", "2027-05-20")
    assert more["tiers"][-1]["cumulative_km"] + more["tiers"][-2]["cumulative_km"] == pytest.approx(0.12)
    with open_registry(settings) as registry:
        for delivery in (again["delivery_id"], took["delivery_id"]):
            undo_delivery(registry.connection, delivery, "tester")
        assert registry.state_hash() == before


def test_completing_every_batch_leaves_nothing_to_renew(planned: Digonce, settings: Settings, tmp_path: Path) -> None:
    with open_registry(settings) as registry:
        members = batches_of(registry, "p1")
    early = planned("complete", "p1", members["GAS-0"], "--on", "2027-06-30", "--dry-run")
    assert (early.exit_code, "not adopted on 2027-06-30 (draft)" in early.stderr) == (0, True), early.stderr
    adopted(planned)
    assert "adopted" not in planned("complete", "p1", members["GAS-0"], "--on", "2027-06-30", "--dry-run").stderr
    with open_registry(settings) as registry:
        before = registry.state_hash()
    shown = run(planned, "complete", "p1", members["GAS-0"], "--on", "2027-06-30", "--dry-run")
    assert shown["delivery_id"] is None
    made: list[str] = []
    for batch in sorted(members.unique()):
        done = run(
            planned, "complete", "p1", batch, "--on", "2027-06-30", "--material", "pe100", "--source", "as-built"
        )
        made.append(done["delivery_id"])
        assert set(done["renewed"]) == set(members.index[members == batch])
    assert "left" in planned("complete", "p1", members["GAS-0"], "--on", "2027-07-01").stderr
    again = planned("plan", "--years", "2028", "--budget-cny", "1e6", "--as-of", "2027-12-31")
    assert again.exit_code == 1
    assert "candidate" in again.stderr
    report = tmp_path / "progress.xlsx"
    told = planned("progress", "--month", "2027-12", "--as-of", "2028-02-01", "-o", report)
    assert told.exit_code == 0, told.output
    assert len(openpyxl.load_workbook(report).sheetnames) == 4
    done = run(planned, "progress", "--month", "2027-12", "--as-of", "2028-02-01")
    assert done["verdicts"] == {"kept": members.nunique()}
    km = {row["tier"]: row["cumulative_km"] for row in done["tiers"] if row["month"].startswith("2027-12")}
    assert km == pytest.approx({"municipal": 0.17, "courtyard": 0.05})
    with open_registry(settings) as registry:
        pipes = registry.frame("segments", ["material", "installed_year_min"], as_of=pd.Timestamp(2027, 12, 1).date())
        assert set(pipes["material"]) == {"pe100"}
        assert set(pipes.index) == {f"GAS-{number}-R2027" for number in range(4)}
    for language, words in (("en", "kept"), ("zh", "按期完成")):
        said = planned("progress", "--month", "2027-12", "--as-of", "2028-02-01", language=language)
        assert words in said.output
    with open_registry(settings) as registry:
        for delivery in reversed(made):
            undo_delivery(registry.connection, delivery, "tester")
        assert registry.state_hash() == before


def test_a_part_of_a_batch_is_completed_with_values_of_its_own(
    planned: Digonce, settings: Settings, tmp_path: Path
) -> None:
    adopted(planned)
    with open_registry(settings) as registry:
        members = batches_of(registry, "p1")
    batch = members["GAS-0"]
    assert batch == members["GAS-1"]
    path = tmp_path / "built.csv"
    path.write_text("segment_id,new_segment_id,material,diameter_mm\nGAS-1,NEW-1,PE100,De160\n", encoding="utf-8")
    part = run(planned, "complete", "p1", batch, "--on", "2027-05-10", "--file", path, "--only-file")
    assert part["renewed"] == {"GAS-1": "NEW-1"}
    told = run(planned, "progress", "--month", "2027-05", "--as-of", "2027-06-01")
    assert told["tiers"][-1]["cumulative_km"] + told["tiers"][-2]["cumulative_km"] == pytest.approx(0.03)
    assert set(told["verdicts"]) == {"open"}
    rest = run(planned, "complete", "p1", batch, "--on", "2027-08-10", "--material", "pe100")
    assert (set(rest["renewed"]), rest["gone"]) == ({"GAS-0"}, 1)
    told = run(planned, "progress", "--month", "2027-08", "--as-of", "2027-09-01")
    at_end = [row for row in told["tiers"] if row["month"].startswith("2027-08")]
    assert sum(row["cumulative_km"] for row in at_end) == pytest.approx(0.08)
    with open_registry(settings) as registry:
        pipe = registry.frame("segments", ["material", "diameter_mm"], as_of=pd.Timestamp(2027, 9, 1).date()).loc[
            "NEW-1"
        ]
    assert (pipe["material"], pipe["diameter_mm"]) == ("pe100", 160)
    for text, word in (("segment_id\nGAS-3\n", "GAS-3"), ("id\nGAS-0\n", "segment_id")):
        path.write_text(text, encoding="utf-8")
        refused = planned("complete", "p1", members["GAS-2"], "--on", "2027-05-10", "--file", path)
        assert refused.exit_code == 1
        assert word in refused.stderr


def test_nothing_to_tell_is_said(digonce: Digonce) -> None:
    for verb in ("plans", "tasks", "progress"):
        told = digonce(verb)
        assert told.exit_code == 0, told.output
        assert told.output.strip()
    assert digonce("progress", "--month", "March").exit_code == 2
    assert digonce("progress", "--month", "2027-03", "--year", "2028").exit_code == 2
    assert digonce("propose", "none").exit_code == 1
