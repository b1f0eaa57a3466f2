"""The crew's word ends the doubt about a leak; pipes that are gone get the leaks of their time."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import shapely
from typer.testing import Result

from registry.errors import EditError, NotFoundError
from registry.history.edit import Edited, Warrant
from registry.history.leak_truth import name_segment
from registry.history.lineage import replace, retire, split
from registry.history.retired import read_retired, read_successions
from registry.history.undo import undo_delivery
from registry.store import Registry
from tests.conftest import TODAY
from tests.registry.deliveries import EAST, NORTH, leaks_csv, segments, write

DAY = date(2022, 6, 1)
WARRANT = Warrant("tester", "repair sheet 31")
AS_OF = ("--as-of", TODAY.isoformat())
Digonce = Callable[..., Result]


@pytest.fixture
def twins(registry: Registry, tmp_path: Path) -> Registry:
    """Two pipes side by side and a leak right between them."""
    shapes = [shapely.LineString([(EAST, NORTH + y), (EAST + 50, NORTH + y)]) for y in (0, 4)]
    registry.import_file("segments", write(segments(2, geometry=shapes), tmp_path / "census.gpkg"), today=TODAY)
    leak = {"漏点编号": "L1", "发现日期": "2021-01-01", "X": NORTH + 2, "Y": EAST + 20, "定位方式": "实测"}
    registry.import_file("leaks", leaks_csv(tmp_path / "leaks.csv", [leak]), today=TODAY)
    return registry


def doubtful(digonce: Digonce) -> dict[str, list[dict[str, Any]]]:
    told = digonce("doubtful-leaks", "--json", *AS_OF)
    assert told.exit_code == 0, told.output
    return {leak["leak_id"]: leak["candidates"] for leak in json.loads(told.stdout)["doubtful"]}


def test_a_doubtful_leak_is_listed_with_its_candidates_until_the_crew_has_spoken(
    digonce: Digonce, twins: Registry
) -> None:
    candidates = doubtful(digonce)["L1"]
    assert [row["segment_id"] for row in candidates] == ["GAS-0", "GAS-1"]
    assert candidates[0]["probability"] == pytest.approx(candidates[1]["probability"])
    assert candidates[0]["measure_m"] == pytest.approx(20.0)
    before = twins.state_hash()
    said = digonce("leak", "L1", "--segment", "GAS-1", "--source", "repair sheet 31", "--json")
    assert said.exit_code == 0, said.output
    assert doubtful(digonce) == {}
    assert digonce("score", *AS_OF).exit_code == 0
    history = digonce("history", "GAS-1", *AS_OF)
    assert "probability 100%" in history.output
    assert "at 20.0 m" in history.output
    assert "L1" not in digonce("history", "GAS-0", *AS_OF).output
    undo_delivery(twins.connection, json.loads(said.stdout)["delivery_id"], "tester")
    assert twins.state_hash() == before
    assert set(doubtful(digonce)) == {"L1"}


def test_the_list_is_a_file_for_the_crew_and_a_table_for_the_reader(
    digonce: Digonce, twins: Registry, tmp_path: Path
) -> None:
    assert twins.counts()["leaks"] == 1
    shown = digonce("doubtful-leaks", *AS_OF, language="zh")
    assert "两条管段难以区分" in shown.output
    written = digonce("doubtful-leaks", *AS_OF, "-o", tmp_path / "doubtful.csv")
    assert written.exit_code == 0, written.output
    assert "GAS-0" in (tmp_path / "doubtful.csv").read_text(encoding="utf-8-sig")


@pytest.mark.parametrize("arguments", [(), ("--segment", "GAS-1", "--unknown")])
def test_the_crew_says_one_thing(digonce: Digonce, twins: Registry, arguments: tuple[str, ...]) -> None:
    before = twins.state_hash()
    assert digonce("leak", "L1", *arguments).exit_code == 2
    assert twins.state_hash() == before


def test_a_segment_may_be_unknown_after_all(twins: Registry) -> None:
    before = twins.state_hash()
    name_segment(twins.connection, "L1", "GAS-1", WARRANT)
    name_segment(twins.connection, "L1", None, WARRANT)
    assert twins.state_hash() == before


@pytest.mark.parametrize(
    ("leak", "segment", "error", "code"),
    [
        ("L1", "GAS-9", NotFoundError, "object_unknown"),
        ("L9", "GAS-1", NotFoundError, "object_unknown"),
        ("L1", "GAS-1N", EditError, "leak_segment_not_there"),
    ],
)
def test_only_a_pipe_of_that_day_can_have_leaked(
    twins: Registry, leak: str, segment: str, error: type[EditError | NotFoundError], code: str
) -> None:
    replace(twins.connection, "GAS-1", "GAS-1N", {"material": "PE100"}, DAY, WARRANT)
    with pytest.raises(error) as fault:
        name_segment(twins.connection, leak, segment, WARRANT)
    assert fault.value.code == code
    if code == "leak_segment_not_there":
        assert fault.value.parameters["predecessors"] == "GAS-1"
    name_segment(twins.connection, "L1", "GAS-1", WARRANT)


def test_pipes_that_are_gone_are_read_as_they_were_at_their_end(twins: Registry) -> None:
    def gone(as_of: date = TODAY) -> dict[str, str]:
        frame = read_retired(twins, ["material", "retired_on", "geometry", "length_m"], as_of)
        return {str(name): f"{day:%Y-%m-%d}" for name, day in frame["retired_on"].items()}

    ways: list[Callable[[], Edited]] = [
        lambda: replace(twins.connection, "GAS-1", "GAS-1N", {}, DAY, WARRANT),
        lambda: retire(twins.connection, ["GAS-1"], DAY, WARRANT),
    ]
    for way in ways:
        made = way()
        assert gone() == {"GAS-1": "2022-06-01"}
        assert gone(date(2022, 5, 31)) == {}
        undo_delivery(twins.connection, str(made.delivery_id), "tester")
        assert gone() == {}
    split(twins.connection, "GAS-0", [20.0], DAY, WARRANT)
    retire(twins.connection, ["GAS-1"], DAY, WARRANT, until=date(2023, 1, 1))
    assert gone() == {}
    assert gone(DAY) == {"GAS-1": "2022-06-01"}
    assert read_successions(twins.connection, TODAY)["relation"].tolist() == ["split", "split"]
    assert read_successions(twins.connection, date(2022, 5, 31)).empty


def test_a_retired_pipe_has_its_leak_and_its_successor_only_hears_of_it(digonce: Digonce, twins: Registry) -> None:
    replace(twins.connection, "GAS-1", "GAS-1N", {"material": "PE100"}, DAY, WARRANT)
    name_segment(twins.connection, "L1", "GAS-1", WARRANT)
    assert digonce("score", *AS_OF).exit_code == 0
    run = twins.load_run("score").frames
    assert run["leak_links"]["segment_id"].tolist() == ["GAS-1"]
    assert run["scores"]["predecessor_leak_count"].to_dict() == {"GAS-0": 0.0, "GAS-1N": 1.0}
    assert run["scores"]["leak_count"].tolist() == [0.0, 0.0]
    assert "L1" in digonce("history", "GAS-1", *AS_OF).output


def test_a_leak_between_a_pipe_and_a_gone_one_is_shared_with_the_gone_one(digonce: Digonce, twins: Registry) -> None:
    retire(twins.connection, ["GAS-1"], DAY, WARRANT)
    shares = {row["segment_id"]: row["probability"] for row in doubtful(digonce)["L1"]}
    assert shares["GAS-0"] == pytest.approx(shares["GAS-1"])


def test_a_leak_that_names_a_pipe_by_its_old_id_is_told_for_the_part_at_its_place(
    digonce: Digonce, twins: Registry, tmp_path: Path
) -> None:
    edited = split(twins.connection, "GAS-0", [30.0], DAY, WARRANT)
    assert edited
    late = {"漏点编号": "L2", "发现日期": "2023-01-01", "X": NORTH + 1, "Y": EAST + 40, "管段编号": "GAS-0"}
    took = twins.import_file("leaks", leaks_csv(tmp_path / "late.csv", [late]), today=TODAY)
    assert took.accepted == 1
    assert digonce("score", *AS_OF).exit_code == 0
    told = {name: digonce("history", name, "--json", *AS_OF).stdout for name in ("GAS-0-1", "GAS-0-2")}
    found = {
        name: [event for event in json.loads(text)["timeline"] if event["object_id"] == "L2"]
        for name, text in told.items()
    }
    assert found["GAS-0-1"] == []
    assert [event["probability"] for event in found["GAS-0-2"]] == [1.0]
    assert found["GAS-0-2"][0]["measure_m"] == pytest.approx(10.0)
