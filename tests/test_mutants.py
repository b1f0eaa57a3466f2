"""The list of faults fits the code: each text stands once, each named test exists, all packages are covered."""

from __future__ import annotations

import dataclasses
from typing import Any

from tests.mutants import complaints, read_faults


def test_every_fault_can_be_applied_and_names_its_tests() -> None:
    assert complaints(read_faults()) == []


def test_the_list_is_long_and_covers_all_packages() -> None:
    faults = read_faults()
    assert len(faults) >= 40
    assert {fault.package for fault in faults} == {"registry", "planner", "maps"}


def test_a_list_that_has_rotted_is_noticed() -> None:
    sound = read_faults()[0]
    changes: list[dict[str, Any]] = [
        {"old": "a text that stands nowhere"},
        {"old": "\n"},
        {"tests": ("tests/test_nowhere.py::test_nothing",)},
        {"tests": ("tests/test_mutants.py::test_that_is_not_there",)},
        {"tests": ()},
        {"new": sound.old},
    ]
    for change in changes:
        assert complaints([dataclasses.replace(sound, **change)]), change
    assert complaints([sound, sound])
