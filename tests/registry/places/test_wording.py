"""Address texts as cities write them."""

from __future__ import annotations

import pytest

from registry.places.wording import Wording, read_wording


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("120-180 MAIN ST", [Wording("MAIN ST", number_from=120, number_to=180)]),
        ("180-120 MAIN ST", [Wording("MAIN ST", number_from=120, number_to=180)]),
        ("2440 N WESTERN AVE", [Wording("N WESTERN AVE", number_from=2440, number_to=2440)]),
        ("12A-14B KING ST E", [Wording("KING ST E", number_from=12, number_to=14)]),
        ("3 65TH ST", [Wording("65TH ST", number_from=3, number_to=3)]),
        ("65TH ST", [Wording("65TH ST")]),
        ("W FULLERTON AVE & N WESTERN AVE", [Wording(corners=("W FULLERTON AVE", "N WESTERN AVE"))]),
        ("A ST & B ST & C ST & D ST", [Wording(corners=("A ST", "B ST", "C ST", "D ST"))]),
        (
            "ON N LOREL AVE FROM W OHIO ST (600 N)TO W HURON ST (700 N)",
            [Wording("N LOREL AVE", "W OHIO ST", "W HURON ST")],
        ),
        ("MAIN ST BETWEEN KING ST AND QUEEN ST", [Wording("MAIN ST", "KING ST", "QUEEN ST")]),
        ("MAIN ST (KING ST to QUEEN ST)", [Wording("MAIN ST", "KING ST", "QUEEN ST")]),
        ("MAIN ST, KING ST to QUEEN ST", [Wording("MAIN ST", "KING ST", "QUEEN ST")]),
        (
            "3300 W MARQUETTE RD; 3301 W 66TH PL",
            [
                Wording("W MARQUETTE RD", number_from=3300, number_to=3300),
                Wording("W 66TH PL", number_from=3301, number_to=3301),
            ],
        ),
        ("罗峰大街（魁星路至温泉路）", [Wording("罗峰大街", "魁星路", "温泉路")]),
        ("罗峰大街（魁星路—温泉路段）", [Wording("罗峰大街", "魁星路", "温泉路")]),
        ("罗峰大街从魁星路至温泉路段", [Wording("罗峰大街", "魁星路", "温泉路")]),
        ("罗峰大街１２０号", [Wording("罗峰大街", number_from=120, number_to=120)]),
        ("罗峰大街120-180号", [Wording("罗峰大街", number_from=120, number_to=180)]),
        ("罗峰大街120号至180号", [Wording("罗峰大街", number_from=120, number_to=180)]),
        ("罗峰大街（12号至80号）", [Wording("罗峰大街", number_from=12, number_to=80)]),
        ("建设3路120号", [Wording("建设3路", number_from=120, number_to=120)]),
        ("罗峰大街与魁星路交叉口", [Wording(corners=("罗峰大街", "魁星路"))]),
        ("罗峰大街", [Wording("罗峰大街")]),
        (" ; ", []),
    ],
)
def test_a_text_names_its_places(text: str, places: list[Wording]) -> None:
    assert read_wording(text) == places


def test_the_same_place_twice_is_one() -> None:
    assert read_wording("12 A ST; 12 A ST") == read_wording("12 A ST")
