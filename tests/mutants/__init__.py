"""A kept list of one-line faults in our own code; every one of them must make a named test fail."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
LIST = Path(__file__).with_name("faults.toml")


@dataclass(frozen=True)
class Fault:
    """One fault: a text that stands exactly once in a file, what it is turned into, and the tests that must notice."""

    id: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    harm: str

    @property
    def package(self) -> str:
        return self.file.partition("/")[0]


def read_faults() -> list[Fault]:
    entries = tomllib.loads(LIST.read_text(encoding="utf-8"))["fault"]
    return [
        Fault(entry["id"], entry["file"], entry["old"], entry["new"], tuple(entry["tests"]), entry["harm"])
        for entry in entries
    ]


def complaints(faults: Sequence[Fault], root: Path = REPOSITORY) -> list[str]:
    """Say what keeps the list from being applied: texts that have moved, tests that are gone."""
    ids = [fault.id for fault in faults]
    found = [f"{name}: two faults have this id" for name in sorted({name for name in ids if ids.count(name) > 1})]
    for fault in faults:
        path = root / fault.file
        count = path.read_text(encoding="utf-8").count(fault.old) if path.is_file() else 0
        if count != 1:
            found.append(f"{fault.id}: its text stands {count} times in {fault.file}, not once: {fault.old.strip()}")
        if "\n" in fault.old.strip("\n") or fault.old == fault.new or not fault.harm.endswith("."):
            found.append(f"{fault.id}: wants one changed line, and a sentence about its harm")
        found += [f"{fault.id}: no such test: {test}" for test in fault.tests if not _exists(root, test)]
        if not fault.tests:
            found.append(f"{fault.id}: names no test")
    return found


def _exists(root: Path, test: str) -> bool:
    """Tell whether a test `path::name` or `path::name[case]` is written in its file."""
    path, _, name = test.partition("::")
    if not (root / path).is_file():
        return False
    tree = ast.parse((root / path).read_text(encoding="utf-8"))
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return name.partition("[")[0] in functions
