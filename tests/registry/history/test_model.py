"""Random deliveries, corrections, closures, splits and undos: each day is what a model says, known at any instant."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from registry.cluster import Cluster
from registry.errors import DigonceError
from registry.history.edit import Warrant, correct
from registry.history.lineage import retire, split
from registry.history.undo import undo_delivery
from registry.kinds import KINDS
from registry.settings import Settings
from registry.store import Registry, open_registry
from tests.registry.deliveries import line, segments
from tests.registry.history.model import EVER, NEVER, Model

FIRST = date(2024, 1, 1)
NAMES = ("GAS-0", "GAS-1", "GAS-2")
VALUES = ("steel", "pe100", "grey_iron")
WARRANT = Warrant("tester", "a drawing", "a test")

days = st.integers(0, 5)
names = st.sampled_from(NAMES)
values = st.sampled_from(VALUES)
rows = st.dictionaries(names, values, min_size=1)
operations = st.one_of(
    st.tuples(st.just("deliver"), rows, days, st.none() | days),
    st.tuples(st.just("correct"), names, values, st.none() | days, st.none() | days),
    st.tuples(st.just("close"), names, days, days),
    st.tuples(st.just("split"), names, days),
    st.tuples(st.just("undo"), st.integers(0, 7)),
)


def the_day(number: int | None) -> date | None:
    return None if number is None else FIRST + timedelta(days=number)


@contextmanager
def fresh(home: Path, template: str) -> Generator[Registry]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    cluster = Cluster(home)
    cluster.create_database(name, template)
    try:
        with open_registry(Settings(home, name, None, "tester", "en")) as registry:
            yield registry
    finally:
        cluster.drop_database(name)


class Both:
    """The registry and its model, changed together."""

    def __init__(self, registry: Registry, folder: Path) -> None:
        self.registry = registry
        self.model = Model()
        self.deliveries: list[str] = []
        self.undone: set[int] = set()
        self.splits: dict[int, tuple[str, list[str]]] = {}
        self._folder = folder

    def run(self, operation: tuple[Any, ...]) -> None:
        getattr(self, f"_{operation[0]}")(*operation[1:])

    def _note(self, delivery_id: str) -> None:
        self.model.commit()
        self.deliveries.append(delivery_id)

    def _deliver(self, rows: dict[str, str], day: int, valid_from: int | None) -> None:
        before = self.registry.state_hash()
        shapes = [line(0, 60.0 * NAMES.index(name)) for name in rows]
        frame = segments(len(rows), 管段编号=list(rows), 管材=list(rows.values()), geometry=shapes)
        path = self._folder / f"{uuid.uuid4().hex}.parquet"
        frame.drop(columns="建设年代").to_parquet(path)
        receipt = self.registry.import_file(
            "segments", path, today=the_day(day), valid_from=the_day(valid_from), is_accepted=True
        )
        if receipt.is_repeat:
            assert self.registry.state_hash() == before
            return
        parts: dict[str, list[str]] = {}
        for number, (name, children) in self.splits.items():
            if number not in self.undone:
                parts.setdefault(name, []).extend(children)
        self.model.deliver(rows, day, valid_from, parts)
        self._note(receipt.delivery_id)

    def _correct(self, name: str, value: str, first: int | None, last: int | None) -> None:
        if first is not None and last is not None and first >= last:
            return
        span = (EVER if first is None else first, NEVER if last is None else last)
        changes = self.model.correct(name, *span, value)
        made = self._try(
            lambda: (
                correct(
                    self.registry.connection,
                    KINDS["segments"],
                    name,
                    {"material": value},
                    WARRANT,
                    (the_day(first), the_day(last)),
                ).delivery_id
            )
        )
        self._agree(changes, made)

    def _close(self, name: str, first: int, last: int) -> None:
        if first >= last:
            return
        changes = self.model.close(name, first, last)
        day, until = the_day(first), the_day(last)
        assert day is not None
        made = self._try(lambda: retire(self.registry.connection, [name], day, WARRANT, until).delivery_id)
        self._agree(changes, made)

    def _split(self, name: str, at: int) -> None:
        children = [f"{name}-{len(self.deliveries)}-{number}" for number in (1, 2)]
        changes = self.model.turn_into(name, children, at)
        day = the_day(at)
        assert day is not None
        made = self._try(lambda: split(self.registry.connection, name, [20.0], day, WARRANT, children).delivery_id)
        if made is not None:
            self.splits[len(self.deliveries)] = (name, children)
        self._agree(changes, made)

    def _undo(self, which: int) -> None:
        standing = [number for number in range(len(self.deliveries)) if number not in self.undone]
        if not standing:
            return
        number = standing[which % len(standing)]
        done = undo_delivery(self.registry.connection, self.deliveries[number], "tester", is_cascade=True)
        taken = [self.deliveries.index(name) for name in done.undone]
        # an object goes back to what it was before the first of them that changed it
        for name in {name for entry in taken for name in self.model.writes[entry]}:
            first = min(entry for entry in taken if name in self.model.writes[entry])
            self.model.objects[name] = list(self.model.beliefs[first].get(name, []))
        self.undone |= {*taken, len(self.deliveries)}
        self._note(done.delivery_id)

    def _try(self, work: Any) -> str | None:
        try:
            return str(work())
        except DigonceError:
            return None

    def _agree(self, changes: bool, made: str | None) -> None:
        assert changes == (made is not None)
        if made is not None:
            self._note(made)

    def assert_agrees(self) -> None:
        """Compare every day, as known after every write and now."""
        instants = [self._instant(name) for name in self.deliveries]
        found = self._read(instants)
        for number, day in itertools.product(range(len(instants)), range(-1, 8)):
            belief = self.model.beliefs[number + 1]
            wanted = {name: value for name in belief if (value := self.model.value(number + 1, name, day)) is not None}
            assert found[number, day] == wanted, (number, day)

    def _instant(self, delivery_id: str) -> datetime:
        row = self.registry.connection.execute(
            "SELECT applied_at FROM registry.delivery WHERE delivery_id = %s", [delivery_id]
        ).fetchone()
        assert row is not None
        instant: datetime = row[0]
        return instant

    def _read(self, instants: list[datetime]) -> dict[tuple[int, int], dict[str, str]]:
        found: dict[tuple[int, int], dict[str, str]] = {
            (number, day): {} for number in range(len(instants)) for day in range(-1, 8)
        }
        known = self.registry.connection.execute(
            """
            SELECT t.number - 1, d.day, s.segment_id, s.material
            FROM unnest(%s::timestamptz[]) WITH ORDINALITY AS t (instant, number)
            CROSS JOIN generate_series(-1, 7) AS d (day)
            CROSS JOIN LATERAL registry_app.segment_at(%s::date + d.day, t.instant) AS s
            """,
            [instants, FIRST],
        ).fetchall()
        for number, day, name, material in known:
            assert name not in found[number, day], "two slices of one object hold on one day"
            found[number, day][name] = material
        return found


@pytest.mark.slow
@hypothesis_settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(operations, min_size=1, max_size=8))
@example(
    [
        ("deliver", {"GAS-0": "steel"}, 3, None),
        ("split", "GAS-0", 2),
        ("deliver", {"GAS-0": "pe100"}, 4, None),
        ("undo", 1),
        ("undo", 0),
    ]
)
@example(
    [
        ("deliver", {"GAS-0": "steel"}, 3, 2),
        ("close", "GAS-0", 3, 4),
        ("correct", "GAS-0", "pe100", None, None),
        ("undo", 1),
    ]
)
@example(
    [
        ("deliver", {"GAS-0": "steel"}, 1, None),
        ("close", "GAS-0", 3, 5),
        ("deliver", {"GAS-0": "pe100"}, 3, None),
    ]
)
@example(
    [
        ("deliver", {"GAS-0": "steel"}, 1, None),
        ("deliver", {"GAS-0": "pe100"}, 3, 3),
        ("close", "GAS-0", 5, 7),
        ("deliver", {"GAS-0": "grey_iron"}, 3, None),
    ]
)
def test_every_day_is_what_the_model_says_as_known_at_every_instant(
    home: Path, template: str, tmp_path: Path, plan: list[tuple[Any, ...]]
) -> None:
    with fresh(home, template) as registry:
        both = Both(registry, tmp_path)
        for operation in plan:
            both.run(operation)
            both.assert_agrees()
