"""Planners propose plans, editors adopt them, and each organisation has a plan of its own in force."""

from __future__ import annotations

import psycopg
import pytest

from registry.errors import RightsError
from registry.history.edit import Warrant
from registry.settings import Settings
from registry.store import open_registry
from tests.conftest import TODAY
from tests.registry.history.test_programme import saved, step, tasks_of
from tests.registry.rights.conftest import as_login


def test_planners_propose_and_editors_adopt(city: Settings) -> None:
    with open_registry(as_login(city, "t_planner")) as registry:
        saved(registry, "p")
        assert step(registry, "p", "propose", warrant=Warrant("t_planner")).state == "proposed"
        step(registry, "p", "withdraw", warrant=Warrant("t_planner"))
        step(registry, "p", "propose", warrant=Warrant("t_planner"))
        before = registry.state_hash()
    with open_registry(as_login(city, "t_planner")) as registry, pytest.raises((RightsError, psycopg.Error)):
        step(registry, "p", "adopt", warrant=Warrant("t_planner"))
    with open_registry(as_login(city, "t_reader")) as registry, pytest.raises((RightsError, psycopg.Error)):
        step(registry, "p", "withdraw", warrant=Warrant("t_reader"))
    with open_registry(as_login(city, "t_editor")) as registry:
        assert registry.state_hash() == before
        assert step(registry, "p", "adopt", warrant=Warrant("t_editor"), tasks=tasks_of("p", 2027)).state == "adopted"
        adopted = registry.state_hash()
    with open_registry(as_login(city, "t_planner")) as registry, pytest.raises((RightsError, psycopg.Error)):
        step(registry, "p", "withdraw", warrant=Warrant("t_planner"))
    with open_registry(city) as registry:
        assert registry.state_hash() == adopted


def test_each_organisation_has_its_own_plan_in_force(city: Settings) -> None:
    for login in ("t_east_editor", "t_west_editor"):
        with open_registry(as_login(city, login)) as registry:
            saved(registry, "p")
            for verb in ("propose", "adopt"):
                made = step(registry, "p", verb, warrant=Warrant(login), tasks=tasks_of(f"{login}-p", 2027))
            assert made.superseded == ()
    with open_registry(as_login(city, "t_east_editor")) as registry:
        assert registry.frame("plan_states", as_of=TODAY)["name"].tolist() == ["p"]
        assert registry.frame("tasks", as_of=TODAY)["plan_name"].tolist() == ["t_east_editor-p"]
    with open_registry(city) as registry:
        assert len(registry.frame("plan_states", as_of=TODAY)) == 2
