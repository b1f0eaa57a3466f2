"""Print the part of requirements.lock that a machine needs to run digonce: `python scripts/bundle/locked.py fast`.

The arguments are the extras wanted. The lock file says under each entry which others asked for it (`# via`).
"""

from __future__ import annotations

import re
import sys
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_NAME = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)")


def normalised(name: str) -> str:
    """Return the name of a distribution as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted_names(extras: list[str]) -> set[str]:
    """Return what setup.cfg asks for, with the extras."""
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = settings["options"]["install_requires"].splitlines()
    for extra in extras:
        lines += settings["options.extras_require"][extra].splitlines()
    return {normalised(found[1]) for line in lines if (found := _NAME.match(line.strip()))}


@dataclass(frozen=True)
class Entry:
    """One entry of the lock file; a name may have several, for different versions of Python."""

    name: str
    text: str
    asked_by: frozenset[str]


def read_lock(text: str) -> list[Entry]:
    """Return the entries in the order of the file."""
    entries: list[Entry] = []
    for part in re.split(r"\n(?=[A-Za-z0-9])", text):
        found = _NAME.match(part)
        if not found:
            continue
        requirement, _, reasons = part.partition("    # via")
        asked_by = {normalised(line.strip(" #")) for line in reasons.splitlines() if line.strip(" #")}
        entries.append(Entry(normalised(found[1]), requirement.rstrip() + "\n", frozenset(asked_by)))
    return entries


def needed(entries: list[Entry], names: set[str]) -> set[str]:
    """Return these names and all that they ask for."""
    found = set(names)
    while more := {entry.name for entry in entries if entry.asked_by & found} - found:
        found |= more
    return found


def main() -> int:
    """Print the entries in the order of the lock file."""
    entries = read_lock((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    names = wanted_names(sys.argv[1:])
    absent = sorted(names - {entry.name for entry in entries})
    if absent:
        sys.stderr.write(f"requirements.lock lacks {', '.join(absent)}: run make lock\n")
        return 1
    chosen = needed(entries, names)
    sys.stdout.write("".join(entry.text for entry in entries if entry.name in chosen))
    return 0


if __name__ == "__main__":
    sys.exit(main())
