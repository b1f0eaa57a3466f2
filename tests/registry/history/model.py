"""A registry so simple that it can be seen to be right: slices of time in lists, and a copy of all after each write."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field

# before all days and after all days of a test
EVER, NEVER = -10_000, 10_000


@dataclass(frozen=True)
class Slice:
    """What an object is from one day up to another."""

    first: int
    last: int
    value: str

    def holds(self, day: int) -> bool:
        return self.first <= day < self.last

    def meets(self, first: int, last: int) -> bool:
        return max(self.first, first) < min(self.last, last)

    def without(self, first: int, last: int) -> list[Slice]:
        parts = [
            Slice(self.first, min(self.last, first), self.value),
            Slice(max(self.first, last), self.last, self.value),
        ]
        return [part for part in parts if part.first < part.last] if self.meets(first, last) else [self]

    def within(self, first: int, last: int) -> Slice:
        return Slice(max(self.first, first), min(self.last, last), self.value)


Objects = dict[str, list[Slice]]


@dataclass
class Model:
    """The registry as its test believes it to be."""

    objects: Objects = field(default_factory=dict)
    # what was believed after each write, and which objects that write changed
    beliefs: list[Objects] = field(default_factory=lambda: [{}])
    writes: list[set[str]] = field(default_factory=list)

    def put(self, name: str, first: int, last: int, value: str | None) -> None:
        """Let the object be this, or nothing, on these days; it stays what it was on all others."""
        kept = [part for known in self.objects.get(name, []) for part in known.without(first, last)]
        self.objects[name] = kept if value is None else [*kept, Slice(first, last, value)]

    def known_slice(self, name: str, day: int) -> Slice | None:
        """The slice that a delivery of that day speaks of: the latest that has begun, else the first to come."""
        slices = sorted(self.objects.get(name, []), key=lambda entry: entry.first)
        begun = [entry for entry in slices if entry.first <= day]
        return begun[-1] if begun else (slices[0] if slices else None)

    def deliver(self, rows: dict[str, str], day: int, valid_from: int | None, parts: dict[str, list[str]]) -> None:
        """Take rows in; `parts` holds what the names that were split became."""
        for name, value in rows.items():
            known = self.known_slice(name, day)
            if name in parts and (known is None or known.last <= day):
                self.join_again(name, value, parts[name], day, day if valid_from is None else valid_from)
            elif known is None:
                self.put(name, EVER if valid_from is None else valid_from, NEVER, value)
            elif known.last <= day:
                self.put(name, day if valid_from is None else valid_from, NEVER, value)
            elif known.value != value:
                is_inside = valid_from is not None and known.first < valid_from < known.last
                self.put(name, valid_from if is_inside and valid_from is not None else known.first, known.last, value)

    def join_again(self, name: str, value: str, parts: list[str], day: int, first: int) -> None:
        """Let a name that was split go on for its parts that are there on the day; without them it is in doubt."""
        there = [part for part in parts if any(entry.holds(day) for entry in self.objects.get(part, []))]
        if there:
            last = max(entry.last for part in there for entry in self.objects[part] if entry.meets(first, NEVER))
            for part in there:
                self.put(part, first, NEVER, None)
            self.put(name, first, last, value)

    def correct(self, name: str, first: int, last: int, value: str) -> bool:
        """Set the value on the days on which the object is there; tell whether that changes anything."""
        changed = [s for s in self.objects.get(name, []) if s.meets(first, last) and s.value != value]
        for entry in changed:
            part = entry.within(first, last)
            self.put(name, part.first, part.last, value)
        return bool(changed)

    def close(self, name: str, first: int, last: int) -> bool:
        """Let the object not be there on these days; tell whether that changes anything."""
        meets = any(entry.meets(first, last) for entry in self.objects.get(name, []))
        self.put(name, first, last, None)
        return meets

    def turn_into(self, parent: str, children: list[str], day: int) -> bool:
        """Let children be what the parent is from a day on; tell whether it is there on that day."""
        if not any(entry.holds(day) for entry in self.objects.get(parent, [])):
            return False
        for child in children:
            self.objects[child] = [s.within(day, NEVER) for s in self.objects[parent] if s.meets(day, NEVER)]
        return self.close(parent, day, NEVER)

    def commit(self) -> None:
        """Remember what is believed now, and what the write has changed."""
        before = self.beliefs[-1]
        names = set(before) | set(self.objects)
        self.writes.append({name for name in names if _of(before, name) != _of(self.objects, name)})
        self.beliefs.append(deepcopy(self.objects))

    def value(self, belief: int, name: str, day: int) -> str | None:
        return next((entry.value for entry in self.beliefs[belief].get(name, []) if entry.holds(day)), None)


def _of(objects: Objects, name: str) -> list[Slice]:
    return sorted(objects.get(name, []), key=lambda entry: entry.first)
