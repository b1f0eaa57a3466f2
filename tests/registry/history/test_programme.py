"""Where plans stand: every step by the table, one plan in force for a year, and everything taken back by undo."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product
from typing import Any

import pandas as pd
import psycopg
import pytest

from registry.errors import DatabaseError, DependentDeliveriesError, EditError, NotFoundError
from registry.fields import fields
from registry.history.edit import Warrant
from registry.history.programme import STEPS, Stepped, read_adopted, read_plans, take_step
from registry.history.undo import undo_delivery
from registry.store import Registry
from registry.upkeep.content import check_laws
from tests.conftest import TODAY

WARRANT = Warrant("tester", reason="minutes 31")
STATES = ("draft", "proposed", "adopted", "superseded")
VERBS = ("propose", "adopt", "withdraw")


def saved(registry: Registry, name: str, first: int = 2027, last: int = 2031) -> str:
    summary = {"years": list(range(first, last + 1)), "objective": 1.0, "bound": 1.0, "gap_share": 0.0, "cost_cny": 1.0}
    return registry.save_run("plan", name, {}, policy={}, summary=summary, as_of=TODAY)


def tasks_of(name: str, *years: int) -> pd.DataFrame:
    rows = [{"yearly_task_id": f"{name}:{year}", "year": year, "tier": "municipal", "km": 1.5} for year in years]
    types: dict[str, Any] = {"text": "str", "integer": "Int64", "double": "float64"}
    table = pd.DataFrame(
        {
            column: pd.Series([row.get(column) for row in rows], dtype=types[field.dtype])
            for column, field in fields()["tasks"].items()
        }
    )
    return table.assign(plan_name=name).set_index("yearly_task_id")


def step(registry: Registry, name: str, verb: str, day: date = TODAY, **options: Any) -> Stepped:
    return take_step(registry.connection, name, verb, day, options.pop("warrant", WARRANT), options.pop("tasks", None))


def state_of(registry: Registry, name: str, day: date = TODAY) -> str:
    states = registry.frame("plan_states", as_of=day)
    found = states.loc[states["name"] == name, "state"].tolist()
    return str(found[0]) if found else "draft"


def brought_to(registry: Registry, name: str, state: str) -> None:
    """Save a plan and bring it to a state by the verbs alone."""
    saved(registry, name)
    for verb in {"draft": (), "proposed": ("propose",)}.get(state, ("propose", "adopt")):
        step(registry, name, verb)
    if state == "superseded":
        brought_to(registry, f"{name}-after", "adopted")


def test_every_state_takes_the_steps_of_the_table_and_no_other(registry: Registry) -> None:
    taken = set()
    for number, (state, verb) in enumerate(product(STATES, VERBS)):
        name = f"plan-{number}"
        brought_to(registry, name, state)
        assert state_of(registry, name) == state
        before = registry.state_hash()
        if (state, verb) in STEPS:
            done = step(registry, name, verb)
            assert done.state == state_of(registry, name) == STEPS[state, verb]
            assert done.delivery_id is not None
            undo_delivery(registry.connection, done.delivery_id, "tester")
            taken.add((state, verb))
        else:
            with pytest.raises(EditError, match=name):
                step(registry, name, verb)
        assert registry.state_hash() == before
        assert state_of(registry, name) == state
    assert taken == set(STEPS)
    assert len(taken) == 4


def test_adopting_supersedes_what_is_in_force_for_any_of_its_years(registry: Registry) -> None:
    for name, years in {"old": (2025, 2027), "far": (2030, 2032), "new": (2027, 2029)}.items():
        saved(registry, name, *years)
        step(registry, name, "propose", TODAY - timedelta(days=30))
    for name in ("old", "far"):
        step(registry, name, "adopt", TODAY - timedelta(days=20), tasks=tasks_of(name, 2027, 2028))
    before = registry.state_hash()
    done = step(registry, "new", "adopt", tasks=tasks_of("new", 2027))
    assert done.superseded == ("old",)
    assert [state_of(registry, name) for name in ("old", "far", "new")] == ["superseded", "adopted", "adopted"]
    # the day before, the old one was still in force, with its tasks
    yesterday = TODAY - timedelta(days=1)
    assert state_of(registry, "old", yesterday) == "adopted"
    assert set(registry.frame("tasks", as_of=yesterday)["plan_name"]) == {"old", "far"}
    assert set(registry.frame("tasks", as_of=TODAY)["plan_name"]) == {"far", "new"}
    row = registry.frame("plan_states", as_of=TODAY).set_index("name").loc["new"]
    assert (row["changed_by"], row["reason"], pd.Timestamp(row["changed_on"])) == (
        "tester",
        "minutes 31",
        pd.Timestamp(TODAY),
    )
    history = read_adopted(registry.connection, TODAY).set_index("name")
    assert (history["ended_on"]["old"], history["next_state"]["old"]) == (TODAY, "superseded")
    assert history["ended_on"]["new"] is None
    assert set(read_adopted(registry.connection, yesterday)["name"]) == {"old", "far"}
    assert list(check_laws(registry.connection, lambda *_: None)) == []
    assert done.delivery_id is not None
    undo_delivery(registry.connection, done.delivery_id, "tester")
    assert registry.state_hash() == before
    assert set(registry.frame("tasks", as_of=TODAY)["plan_name"]) == {"old", "far"}


def test_a_withdrawn_plan_has_no_tasks_from_that_day(registry: Registry) -> None:
    saved(registry, "p")
    step(registry, "p", "propose")
    step(registry, "p", "adopt", tasks=tasks_of("p", 2027))
    later = TODAY + timedelta(days=10)
    step(registry, "p", "withdraw", later)
    assert len(registry.frame("tasks", as_of=later - timedelta(days=1))) == 1
    assert registry.frame("tasks", as_of=later).empty
    # adopted again, it has them again
    step(registry, "p", "adopt", later + timedelta(days=1), tasks=tasks_of("p", 2027))
    assert len(registry.frame("tasks", as_of=later + timedelta(days=1))) == 1


def test_the_database_itself_lets_no_two_plans_be_in_force_for_a_year(registry: Registry) -> None:
    for name in ("a", "b"):
        saved(registry, name)
        step(registry, name, "propose")
    step(registry, "a", "adopt")
    with pytest.raises(psycopg.errors.ExclusionViolation, match="one_plan_is_adopted_for_a_year"):
        registry.connection.execute(
            "UPDATE registry.plan_state_version SET state = 'adopted' WHERE name = 'b' AND upper_inf(recorded)"
        )


def test_a_step_may_not_lie_before_the_last_one(registry: Registry) -> None:
    saved(registry, "p")
    step(registry, "p", "propose")
    with pytest.raises(EditError, match="lies before"):
        step(registry, "p", "adopt", TODAY - timedelta(days=1))
    step(registry, "p", "adopt", TODAY)
    with pytest.raises(NotFoundError, match="none"):
        step(registry, "none", "propose")


def test_what_builds_on_a_step_is_undone_with_it_or_not_at_all(registry: Registry) -> None:
    saved(registry, "p")
    before = registry.state_hash()
    proposed = step(registry, "p", "propose")
    step(registry, "p", "adopt", tasks=tasks_of("p", 2027))
    assert proposed.delivery_id is not None
    with pytest.raises(DependentDeliveriesError):
        undo_delivery(registry.connection, proposed.delivery_id, "tester")
    undo_delivery(registry.connection, proposed.delivery_id, "tester", is_cascade=True)
    assert registry.state_hash() == before


def test_a_preview_changes_nothing(registry: Registry) -> None:
    saved(registry, "p")
    before = (registry.state_hash(), registry.row_counts())
    shown = step(registry, "p", "propose", warrant=Warrant("tester", is_dry_run=True))
    assert (shown.state, shown.delivery_id) == ("proposed", None)
    assert (registry.state_hash(), registry.row_counts()) == before


def test_a_plan_that_was_proposed_or_edited_is_never_replaced(registry: Registry) -> None:
    saved(registry, "p")
    parent = saved(registry, "p")
    registry.save_run("plan", "child", {}, policy={}, summary={"years": [2027]}, as_of=TODAY, parent_id=parent)
    with pytest.raises(DatabaseError, match="record"):
        saved(registry, "p")
    assert registry.load_run("plan", "p", []).run_id == parent
    saved(registry, "child")
    saved(registry, "p")
    step(registry, "p", "propose")
    step(registry, "p", "withdraw")
    with pytest.raises(DatabaseError, match="record"):
        saved(registry, "p")


def test_plans_are_stale_when_what_they_were_made_from_changed(registry: Registry, tmp_path: Any) -> None:
    from tests.registry.deliveries import segments, write

    registry.import_file("segments", write(segments(2), tmp_path / "first.gpkg"), today=TODAY)
    saved(registry, "p")

    def is_stale() -> bool:
        run = read_plans(registry.connection).iloc[0]
        return bool(run["last_version"] > run["seen_version"])

    assert not is_stale()
    step(registry, "p", "propose")
    step(registry, "p", "adopt", tasks=tasks_of("p", 2027))
    assert not is_stale()
    registry.import_file("segments", write(segments(3), tmp_path / "later.gpkg"), today=TODAY)
    assert is_stale()
