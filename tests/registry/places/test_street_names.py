"""One street has one name, however it is written; two streets never have the same."""

from __future__ import annotations

import pandas as pd
import pytest

from registry.places.street_names import is_street_end, name_parts, read_street_name


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("Main Street", "MAIN ST"),
        ("  main   st. ", "MAIN ST"),
        ("ＭＡＩＮ　ＳＴ", "MAIN ST"),
        ("West Fullerton Avenue", "W FULLERTON AVE"),
        ("KING ST EAST", "KING ST E"),
        ("St. Leger Street", "ST LEGER ST"),
        ("W NORTH AVE", "W NORTH AVE"),
        ("North Avenue", "NORTH AVE"),
        ("N BROADWAY", "N BROADWAY"),
        ("S AVENUE B", "S AVENUE B"),
        ("Chicopee Terrace", "CHICOPEE TER"),
        ("65TH ST", "65TH ST"),
        ("罗峰 大街", "罗峰大街"),
        ("建设３路", "建设3路"),
    ],
)
def test_a_name_has_one_form(written: str, key: str) -> None:
    assert read_street_name(written).key == key
    # a name in its one form stays as it is
    assert read_street_name(key).key == key


@pytest.mark.parametrize(("one", "other"), [("罗峰路", "罗峰大街"), ("KING ST E", "KING ST W"), ("A ST", "A AVE")])
def test_two_streets_stay_two(one: str, other: str) -> None:
    assert read_street_name(one).key != read_street_name(other).key


def test_names_are_taken_apart_in_their_order_and_absent_ones_stay_absent() -> None:
    names = pd.Series(["W NORTH AVE", None, "KING ST E", "W NORTH AVE"], index=[7, 3, 5, 1])
    parts = name_parts(names)
    assert list(parts.index) == [7, 3, 5, 1]
    assert parts["stem"].where(parts["stem"].notna(), None).tolist() == ["NORTH", None, "KING", "NORTH"]
    assert parts.loc[[5]].to_numpy().tolist() == [["", "KING", "ST", "E"]]


def test_words_for_the_end_of_a_street() -> None:
    assert all(is_street_end(word) for word in ("dead end", "Cul-de-sac", "END", "尽头"))
    assert not is_street_end("END ST")
