"""Undo gives back what was known before, keeps what was believed meanwhile, and never pulls the ground from others."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from registry.errors import DependentDeliveriesError, ReviewError
from registry.history.edit import Warrant, correct
from registry.history.undo import dependents, undo_delivery
from registry.kinds import KINDS
from registry.store import Registry
from tests.conftest import TODAY
from tests.registry.deliveries import line, segments, write

WARRANT = Warrant("tester")
SEGMENTS = KINDS["segments"]


def deliver(registry: Registry, path: Path, material: str, count: int = 3) -> str:
    frame = segments(count, 管材=material)
    return registry.import_file("segments", write(frame, path), today=TODAY, is_accepted=True).delivery_id


def now(registry: Registry) -> datetime:
    row = registry.connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    instant: datetime = row[0]
    return instant


def materials(registry: Registry, known_at: datetime | None = None) -> dict[str, str]:
    found: dict[str, str] = registry.frame("segments", ["material"], as_of=TODAY, known_at=known_at)[
        "material"
    ].to_dict()
    return found


def test_an_undone_delivery_leaves_the_state_of_before_and_the_belief_of_meanwhile(
    registry: Registry, tmp_path: Path
) -> None:
    deliver(registry, tmp_path / "a.gpkg", "灰口铸铁")
    before = registry.state_hash()
    second = deliver(registry, tmp_path / "b.gpkg", "PE100", count=4)
    meanwhile = now(registry)
    done = undo_delivery(registry.connection, second, "tester", reason="wrong file")
    assert registry.state_hash() == before
    assert (done.withdrawn, done.restored) == (4, 3)
    assert set(materials(registry).values()) == {"grey_iron"}
    assert materials(registry, meanwhile) == dict.fromkeys(["GAS-0", "GAS-1", "GAS-2", "GAS-3"], "pe100")
    with pytest.raises(ReviewError) as fault:
        undo_delivery(registry.connection, second, "tester")
    assert fault.value.code == "delivery_is_undone"


def test_the_first_delivery_can_be_undone_too(registry: Registry, tmp_path: Path) -> None:
    empty = registry.state_hash()
    first = deliver(registry, tmp_path / "a.gpkg", "钢")
    undo_delivery(registry.connection, first, "tester")
    assert registry.state_hash() == empty
    assert materials(registry) == {}


def test_an_undo_can_be_undone(registry: Registry, tmp_path: Path) -> None:
    deliver(registry, tmp_path / "a.gpkg", "灰口铸铁")
    second = deliver(registry, tmp_path / "b.gpkg", "PE100")
    after = registry.state_hash()
    undo = undo_delivery(registry.connection, second, "tester").delivery_id
    undo_delivery(registry.connection, undo, "tester")
    assert registry.state_hash() == after
    states = registry.deliveries().set_index("delivery_id")["state"]
    assert (states[second], states[undo]) == ("accepted", "undone")


def test_a_file_whose_delivery_was_undone_may_come_again(registry: Registry, tmp_path: Path) -> None:
    first = deliver(registry, tmp_path / "a.gpkg", "钢")
    after = registry.state_hash()
    undo_delivery(registry.connection, first, "tester")
    again = registry.import_file("segments", tmp_path / "a.gpkg", today=TODAY)
    assert not again.is_repeat
    assert registry.state_hash() == after


def test_what_others_built_on_it_is_named_and_nothing_is_done(registry: Registry, tmp_path: Path) -> None:
    first = deliver(registry, tmp_path / "a.gpkg", "灰口铸铁")
    second = deliver(registry, tmp_path / "b.gpkg", "PE100")
    third = correct(registry.connection, SEGMENTS, "GAS-1", {"material": "steel"}, WARRANT).delivery_id
    before = registry.state_hash()
    with pytest.raises(DependentDeliveriesError) as fault:
        undo_delivery(registry.connection, second, "tester")
    assert str(third) in str(fault.value)
    assert first not in fault.value.parameters["deliveries"].split(", ")  # type: ignore[attr-defined]
    assert registry.state_hash() == before
    assert dependents(registry.connection, first)["delivery_id"].tolist() == [third, second]


def test_a_cascade_takes_back_all_that_builds_on_it(registry: Registry, tmp_path: Path) -> None:
    deliver(registry, tmp_path / "a.gpkg", "灰口铸铁")
    before = registry.state_hash()
    second = deliver(registry, tmp_path / "b.gpkg", "PE100")
    third = correct(registry.connection, SEGMENTS, "GAS-1", {"material": "steel"}, WARRANT).delivery_id
    done = undo_delivery(registry.connection, second, "tester", is_cascade=True)
    assert set(done.undone) == {second, third}
    assert registry.state_hash() == before


def test_deliveries_of_other_objects_stay(registry: Registry, tmp_path: Path) -> None:
    first = deliver(registry, tmp_path / "a.gpkg", "灰口铸铁")
    others = segments(2, 管段编号=["X-0", "X-1"], 管材="钢", geometry=[line(500, 0), line(500, 60)])
    registry.import_file("segments", write(others, tmp_path / "x.gpkg"), today=TODAY)
    assert undo_delivery(registry.connection, first, "tester").undone == (first,)
    assert materials(registry) == {"X-0": "steel", "X-1": "steel"}


def test_a_correction_that_was_taken_back_stands_in_nobodys_way(registry: Registry, tmp_path: Path) -> None:
    deliver(registry, tmp_path / "a.gpkg", "灰口铸铁")
    before = registry.state_hash()
    second = deliver(registry, tmp_path / "b.gpkg", "PE100")
    third = correct(registry.connection, SEGMENTS, "GAS-1", {"material": "steel"}, WARRANT).delivery_id
    undo_delivery(registry.connection, str(third), "tester")
    assert undo_delivery(registry.connection, second, "tester").undone == (second,)
    assert registry.state_hash() == before


def test_saved_plans_that_used_it_are_named(registry: Registry, tmp_path: Path) -> None:
    registry.save_run("plan", "before", {}, policy={}, summary={}, as_of=TODAY)
    first = deliver(registry, tmp_path / "a.gpkg", "钢")
    registry.save_run("plan", "after", {}, policy={}, summary={}, as_of=TODAY)
    assert undo_delivery(registry.connection, first, "tester").used_by["name"].tolist() == ["after"]
