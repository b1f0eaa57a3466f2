"""What was believed of one object at an instant, and what a delivery changed of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any


@dataclass(frozen=True)
class Version:
    """One version of an object: its values, the days they hold for and the instants they were believed in."""

    first_day: date | None
    last_day: date | None
    known_from: datetime
    known_to: datetime | None
    content: dict[str, Any]

    def holds(self, day: date) -> bool:
        """Tell whether it speaks of a day."""
        return (self.first_day is None or self.first_day <= day) and (self.last_day is None or day < self.last_day)

    def is_believed(self, known_at: datetime | None) -> bool:
        """Tell whether it was believed at an instant; without one, whether it is now."""
        if known_at is None:
            return self.known_to is None
        return self.known_from <= known_at and (self.known_to is None or known_at < self.known_to)


def holding(versions: Sequence[Version], day: date, known_at: datetime | None) -> Version | None:
    """Return the version that speaks of a day, as believed at an instant."""
    return next((version for version in versions if version.holds(day) and version.is_believed(known_at)), None)


def changes_between(versions: Sequence[Version], instant: datetime) -> list[dict[str, Any]]:
    """Return what changed at an instant: column, old and new value, and the days for which.

    An object that begins or ends to be there has one line without a column. Neighbouring days that changed alike are
    one line.
    """
    before = [v for v in versions if v.known_from < instant and (v.known_to is None or v.known_to >= instant)]
    after = [v for v in versions if v.is_believed(instant)]
    found: list[dict[str, Any]] = []
    for first, last in _stretches([*before, *after]):
        day = first or ((last - timedelta(days=1)) if last else date.min)
        old = next((v.content for v in before if v.holds(day)), None)
        new = next((v.content for v in after if v.holds(day)), None)
        for change in _differences(old, new):
            previous = next((c for c in reversed(found) if c["column_name"] == change["column_name"]), None)
            if previous is not None and previous["valid_to"] == first and _alike(previous, change):
                previous["valid_to"] = last
            else:
                found.append(change | {"valid_from": first, "valid_to": last})
    return found


def _stretches(versions: Sequence[Version]) -> list[tuple[date | None, date | None]]:
    """Return the stretches of days in which no version begins or ends."""
    days = sorted({day for v in versions for day in (v.first_day, v.last_day) if day is not None})
    edges: list[date | None] = [None, *days, None]
    return list(pairwise(edges))


def _differences(old: dict[str, Any] | None, new: dict[str, Any] | None) -> list[dict[str, Any]]:
    if old is None or new is None:
        if old is new:
            return []
        change = "gone" if new is None else "added"
        return [{"column_name": "", "old_value": None, "new_value": None, "change": change}]
    return [
        {
            # a course is said by its name alone: coordinates tell a reader nothing
            "column_name": "geometry" if name == "course" else name,
            "old_value": None if name == "course" else _text(old[name]),
            "new_value": None if name == "course" else _text(new[name]),
            "change": "changed",
        }
        for name in new
        if old[name] != new[name]
    ]


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(one[name] == other[name] for name in ("old_value", "new_value", "change"))
