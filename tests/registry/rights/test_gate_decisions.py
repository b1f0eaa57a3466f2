"""A decision of the gate rests on what one organisation sees: it counts for that one alone, and is never changed."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from registry.errors import RightsError
from registry.gate_decisions import GateVerdict, data_stamps, keep_verdict, last_verdict
from registry.intake.review import accept_delivery
from registry.settings import Settings
from registry.store import open_registry
from tests.conftest import TODAY
from tests.registry.rights.conftest import as_login

VERDICT = GateVerdict(
    run_id="a back-test",
    as_of=TODAY,
    known_at=None,
    policy_hash="p",
    data_stamps={"segments": 1, "leaks": 2, "roads": 0},
    windows=[2024, 2025],
    models=["glm_eb"],
    ships="default",
    candidate="glm_eb",
    criteria=[{"model": "glm_eb", "criterion": "capture", "value": None, "passed": False}],
)


def test_a_decision_counts_for_its_own_organisation_and_stays(city: Settings) -> None:
    with open_registry(as_login(city, "t_east_planner")) as registry:
        assert last_verdict(registry) is None
        first = keep_verdict(registry, VERDICT)
        second = keep_verdict(registry, replace(VERDICT, ships="glm_eb"))
        kept = last_verdict(registry)
        assert kept is not None
        assert (kept.decision_id, kept.ships, kept.actor) == (second, "glm_eb", "t_east_planner")
        assert (kept.data_stamps, kept.windows, kept.criteria) == (
            VERDICT.data_stamps,
            VERDICT.windows,
            VERDICT.criteria,
        )
        # the earlier one stays, and is what was known before the later one
        before = registry.connection.execute(
            "SELECT made_at FROM registry.gate_decision WHERE decision_id = %s", [first]
        ).fetchone()
        assert before is not None
        known = last_verdict(registry, before[0])
        assert known is not None
        assert known.decision_id == first
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            registry.connection.execute("UPDATE registry.gate_decision SET ships = 'default'")
    for login in ("t_planner", "t_west_editor"):
        with open_registry(as_login(city, login)) as registry:
            assert last_verdict(registry) is None
    with open_registry(as_login(city, "t_east_reader")) as registry:
        assert last_verdict(registry) is not None
    with pytest.raises(RightsError), open_registry(as_login(city, "t_east_reader")) as registry:
        keep_verdict(registry, VERDICT)


def test_the_state_of_the_data_is_that_of_each_kind_and_rises_with_it(city: Settings) -> None:
    kinds = ("segments", "leaks", "roads")
    with open_registry(city) as registry:
        before = data_stamps(registry, kinds)
        assert 0 == before["roads"] < before["segments"] < before["leaks"]
        rows = registry.connection.execute("SELECT min(applied_at) FROM registry.delivery").fetchone()
        assert rows is not None
        # the change report that waits for review counts for nothing yet
        waiting = registry.deliveries().set_index("state").loc["pending", "delivery_id"]
        assert data_stamps(registry, kinds, rows[0]) == before | {"leaks": 0}
        # keeping a decision writes as well, and is no delivery
        keep_verdict(registry, VERDICT)
        assert data_stamps(registry, kinds) == before
        accept_delivery(registry.connection, str(waiting), registry.srid)
        after = data_stamps(registry, kinds)
    assert after["leaks"] == before["leaks"]
    assert after["segments"] > before["leaks"]
