"""Decisions of the gate which forecast model ranks the segments: kept with what they were made from, read again."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from registry.db import query, writing
from registry.store import code_version

if TYPE_CHECKING:
    from registry.store import Registry


@dataclass(frozen=True)
class GateVerdict:
    """What a back-test decided, before it is kept.

    Parameters
    ----------
    run_id
        The back-test.
    data_stamps
        By kind of data that it used, the version of the registry that the last delivery of the kind made.
    windows
        Years of the one-year windows.
    models
        Learned models under test.
    ships, candidate
        The model that ranks, and the learned one that came nearest.
    criteria
        Rows of the frame `gate_criteria` as plain values.
    """

    run_id: str
    as_of: date
    known_at: datetime | None
    policy_hash: str
    data_stamps: dict[str, int]
    windows: list[int]
    models: list[str]
    ships: str
    candidate: str | None
    criteria: list[dict[str, Any]]


@dataclass(frozen=True)
class KeptVerdict(GateVerdict):
    """A decision that was kept: by whom, when, and by which version of digonce."""

    decision_id: str
    made_at: datetime
    actor: str
    code_version: str


def data_stamps(registry: Registry, kinds: Sequence[str], known_at: datetime | None = None) -> dict[str, int]:
    """Return for each kind the version of the registry that its last delivery made; 0 where there is none."""
    rows = registry.connection.execute(query("data_stamps"), {"kinds": list(kinds), "known_at": known_at}).fetchall()
    return dict.fromkeys(kinds, 0) | {str(kind): int(stamp) for kind, stamp in rows}


def keep_verdict(registry: Registry, verdict: GateVerdict) -> str:
    """Keep a decision and return its id; earlier ones stay."""
    decision_id = str(uuid.uuid4())
    facts = {field.name: getattr(verdict, field.name) for field in dataclasses.fields(GateVerdict)}
    facts |= {name: Jsonb(facts[name]) for name in ("data_stamps", "criteria")}
    facts |= {"decision_id": decision_id, "actor": registry.acting.actor, "code_version": code_version()}
    with writing(registry.connection):
        registry.connection.execute(query("insert_gate_decision"), facts)
    return decision_id


def last_verdict(registry: Registry, known_at: datetime | None = None) -> KeptVerdict | None:
    """Return the last decision of one's own organisation, or of nobody's for those who act for none; else None.

    Parameters
    ----------
    known_at
        Decisions that were kept later do not count.
    """
    with registry.connection.cursor() as cursor:
        cursor.execute(query("last_gate_decision"), {"known_at": known_at})
        row = cursor.fetchone()
        names = [column.name for column in cursor.description or []]
    return None if row is None else KeptVerdict(**dict(zip(names, row, strict=True)))
