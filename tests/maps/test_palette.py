from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest

from maps.palette import palette, stroke
from registry.fields import value_list

# Machado, Oliveira and Fernandes (2009), severity 1.0, for linear RGB
BLINDNESS = {
    "none": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
# what lies below all layers
GROUND = "#f1f0ec"
ORDERED = {
    "grade": ["low", "moderate", "high", "severe"],
    "class": ["keep", "assess", "due", "mandatory"],
    "year": ["5", "4", "3", "2", "1"],
    "decade": ["2020", "2010", "2000", "1990", "1980", "1970", "1960", "1950"],
}


def lab(colour: str, kind: str = "none") -> np.ndarray:
    """CIE L*a*b* of a colour as an eye of that kind sees it."""
    encoded = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    seen = np.clip(BLINDNESS[kind] @ linear, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    ratio = (to_xyz @ seen) / np.array([0.9505, 1.0, 1.089])
    f = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("scale", ORDERED)
@pytest.mark.parametrize("kind", BLINDNESS)
def test_ordered_classes_grow_darker_for_every_eye(scale: str, kind: str) -> None:
    lightness = [lab(stroke(f"{scale}_{code}").colour, kind)[0] for code in ORDERED[scale]]
    assert all(lighter > darker - 1 for lighter, darker in pairwise(lightness)), lightness
    assert lightness[0] - lightness[-1] > 40


@pytest.mark.parametrize("scale", ["grade", "class", "year"])
@pytest.mark.parametrize("kind", BLINDNESS)
def test_any_two_classes_differ_for_every_eye(scale: str, kind: str) -> None:
    for one, other in combinations(ORDERED[scale], 2):
        distance = np.linalg.norm(
            lab(stroke(f"{scale}_{one}").colour, kind) - lab(stroke(f"{scale}_{other}").colour, kind)
        )
        assert distance > 11, (one, other)


@pytest.mark.parametrize("kind", BLINDNESS)
@pytest.mark.parametrize("share", [1.0, 0.6])
def test_no_band_of_a_project_looks_like_a_grade(kind: str, share: float) -> None:
    """Bands are drawn with six tenths of their colour on the ground of the map."""
    for project in value_list("project_kind"):
        pairs = zip(_channels(stroke(f"project_{project}").colour), _channels(GROUND), strict=True)
        drawn = "#" + "".join(f"{round(share * own + (1 - share) * below):02x}" for own, below in pairs)
        for grade in ORDERED["grade"][1:]:
            distance = np.linalg.norm(lab(drawn, kind) - lab(stroke(f"grade_{grade}").colour, kind))
            assert distance > 15, (project, grade)


def _channels(colour: str) -> list[int]:
    return [int(colour[place : place + 2], 16) for place in (1, 3, 5)]


@pytest.mark.parametrize("scale", ["grade", "class"])
def test_worse_classes_are_wider(scale: str) -> None:
    widths = [stroke(f"{scale}_{code}").width for code in ORDERED[scale]]
    assert widths == sorted(widths)


@pytest.mark.parametrize(
    ("prefix", "name"),
    [("grade", "risk_grade"), ("class", "policy_class"), ("project", "project_kind"), ("road", "road_class")],
)
def test_every_listed_value_has_a_colour(prefix: str, name: str) -> None:
    assert {f"{prefix}_{code}" for code in value_list(name)} <= set(palette())


def test_every_material_has_a_colour_of_its_own() -> None:
    codes = [code for code in value_list("material") if code != "unknown"]
    assert {f"material_{code}" for code in codes} <= set(palette())
    assert len({stroke(f"material_{code}").colour for code in codes}) == len(codes)


def test_unnamed_class_is_drawn_as_unknown() -> None:
    assert stroke("material_adamant") == palette()["unknown"]
