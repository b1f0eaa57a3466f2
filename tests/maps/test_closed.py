"""Closed ground on the map and in the report: which bans, in which state, in whose words, and how one sees them."""

from __future__ import annotations

import dataclasses
from datetime import date
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maps.ban_facts import ban_facts
from maps.inputs import Inputs
from maps.layers import make_layers
from maps.meeting import Closed, find_closed
from maps.numbers import notices
from maps.palette import stroke
from maps.plan_map import draw_map
from maps.views import make_views
from planner.bans import find_bans
from planner.policy import read_policy
from registry.catalogue import LANGUAGES, catalogue
from tests.maps import frames
from tests.maps.conftest import Tab
from tests.maps.test_palette import BLINDNESS, lab

POLICY = read_policy()
INK = """(pixel) => {
  const canvas = digonce.canvases.ground;
  const box = canvas._element.getBoundingClientRect();
  const ratio = canvas._element.width / box.width;
  const [x, y] = pixel;
  return Array.from(canvas.context.getImageData((x - box.left) * ratio - 8, (y - box.top) * ratio - 8, 16, 16).data);
}"""
# near the west end of the ban, west of all pipes, in pixels of the window
SPOT = """([key, id]) => {
  const sheet = digonce.sheets[key], i = sheet.header.ids.indexOf(id);
  const [west, north, east, south] = sheet.boxOf([i]);
  const x = west + 0.017 * (east - west), y = (north + south) / 2;
  digonce.map.setView(digonce.map.unproject(L.point(x, y), 0), 18, { animate: false });
  const point = digonce.map.latLngToContainerPoint(digonce.map.unproject(L.point(x, y), 0));
  const corner = digonce.map.getContainer().getBoundingClientRect();
  return [point.x + corner.left, point.y + corner.top];
}"""


def closed_on(inputs: Inputs, day: date) -> Closed:
    assert inputs.roads is not None
    assert inputs.projects is not None
    return find_closed(inputs.roads, inputs.projects, frames.moratoria(), POLICY, day)


@settings(deadline=None)
@given(st.dates(date(2019, 1, 1), date(2034, 1, 1)))
def test_bans_are_shown_until_their_last_day_and_stand_in_their_state(inputs: Inputs, day: date) -> None:
    closed = closed_on(inputs, day)
    assert inputs.roads is not None
    assert inputs.projects is not None
    known = find_bans(inputs.roads, inputs.projects, frames.moratoria(), POLICY, day)
    expected: dict[str, str] = {}
    for ban_id, ban in known.iterrows():
        if pd.notna(ban["ends_on"]) and ban["ends_on"].date() < day:
            continue
        is_later = ban["starts_on"].date() > day
        expected[str(ban_id)] = "to_come" if is_later else "unconfirmed" if ban["is_planned"] else "in_force"
    assert closed.states.to_dict() == expected
    assert closed.count("in_force", "unconfirmed", "to_come") == len(expected)
    for language in LANGUAGES:
        street = closed.streets[language]
        assert list(street.index) == list(closed.states.index)
        # what opens next comes first; what is to come stands after what is in force
        ends = street["ends_on"].fillna(pd.Timestamp("9999-01-01"))
        keys = [(state == "to_come", end) for state, end in zip(closed.states, ends, strict=True)]
        assert keys == sorted(keys)


def test_days_left_reach_one_on_the_last_day(inputs: Inputs) -> None:
    last = closed_on(inputs, date(2029, 2, 28)).streets["en"]
    assert last.loc["road:R-0:cn_new_road", "days_left"] == 1
    assert "road:R-0:cn_new_road" not in closed_on(inputs, date(2029, 3, 1)).streets["en"].index


def test_words_of_rules_and_exceptions_are_those_of_the_policy_in_both_languages(inputs: Inputs) -> None:
    assert inputs.closed is not None
    table = inputs.closed.streets["zh"]
    facts = {fact.key: fact for fact in ban_facts(table, inputs.closed)}
    for language in LANGUAGES:
        rules = facts["rule"]
        assert rules.words is not None
        told = [rules.words[str(code)][language] for code in rules.column]
        assert told == list(inputs.closed.streets[language]["rule"])
        exceptions = facts["exceptions"]
        assert exceptions.words is not None
        for codes, quoted in zip(exceptions.column, inputs.closed.streets[language]["exceptions"], strict=True):
            names = exceptions.words[str(codes)][language].split("; ")
            lines = quoted.split("\n")
            assert all(line.startswith(name) for name, line in zip(names, lines, strict=True))


def test_map_without_a_ban_has_no_layer_and_says_so(inputs: Inputs, tab: Tab, tmp_path: Path) -> None:
    assert inputs.roads is not None
    assert inputs.projects is not None
    nothing = (inputs.roads.iloc[:0], inputs.projects.iloc[:0], frames.moratoria().iloc[:0])
    none = find_closed(*nothing, POLICY, inputs.as_of)
    open_town = dataclasses.replace(inputs, closed=none)
    assert not {"bans", "bans_to_come"} & {layer.key for layer in make_layers(open_town, make_views(open_town))}
    tab.open_map(draw_map(open_town).save(tmp_path / "open.html"))
    assert "2026-11-01 没有禁掘道路" in tab.page.locator(".remarks").inner_text()
    assert tab.page.locator(".sign-bans, .sign-bans_to_come").count() == 0
    assert tab.complaints == []


def test_ban_without_a_place_is_told_and_one_of_unknown_rules_too(inputs: Inputs) -> None:
    told = [sentence["en"] for sentence in notices(inputs)]
    assert "3 dig bans in force on 2026-11-01, 2 to come." in told
    assert "Dig bans without a place, which are not drawn: 1." in told
    unknown = [sentence["en"] for sentence in notices(dataclasses.replace(inputs, closed=None))]
    assert catalogue()["maps_bans_unknown"]["en"] in unknown


def test_closed_ground_is_told_apart_by_every_eye() -> None:
    kinds = ["old_residential", "road_overhaul", "road_overlay", "road_building", "utility"]
    for kind in BLINDNESS:
        bans = {key: lab(stroke(key).colour, kind) for key in ("bans", "bans_to_come")}
        for one, other in combinations(bans.values(), 2):
            assert np.linalg.norm(one - other) > 11
        for project in kinds:
            assert np.linalg.norm(bans["bans"] - lab(stroke(f"project_{project}").colour, kind)) > 11


@pytest.mark.browser
@pytest.mark.parametrize(
    ("ban_id", "zh", "en"),
    [
        (
            "road:R-0:cn_new_road",
            [
                "金城路",
                "禁掘中",
                "新改扩建",
                "交付使用后5年内",
                "2024-03-01",
                "2029-02-28",
                "851",
                "特殊情况经政府批准",
            ],
            ["in force", "new or widened road", "5 years from handing over", "Emergency repair of a pipe or cable"],
        ),
        ("moratorium:M-1", ["<script>", "未写明截止日期", "活动或季节性"], ["no end stated", "published ban"]),
    ],
)
def test_click_on_closed_ground_tells_the_ban(
    tab: Tab, map_path: Path, ban_id: str, zh: list[str], en: list[str]
) -> None:
    tab.open_map(map_path)
    tab.page.mouse.click(*tab.evaluate(SPOT, ["bans", ban_id]))
    popup = tab.page.locator(".leaflet-popup-content")
    popup.wait_for()
    assert ban_id in popup.inner_text()
    assert [part for part in zh if part not in popup.inner_text()] == []
    tab.page.locator("[data-language]").click()
    assert [part for part in en if part not in popup.inner_text()] == []
    assert tab.evaluate("window.evil") is None
    assert tab.complaints == []


@pytest.mark.browser
def test_ban_to_come_is_off_until_asked_for_and_leaves_the_project_below_in_the_popup(tab: Tab, map_path: Path) -> None:
    tab.open_map(map_path)
    ban_id = "project:P-2:cn_overhaul"
    spot = tab.evaluate(SPOT, ["bans_to_come", ban_id])
    tab.page.mouse.click(*spot)
    popup = tab.page.locator(".leaflet-popup-content")
    popup.wait_for()
    assert popup.locator("h3").all_inner_texts() == ["P-2"]
    tab.evaluate("digonce.map.closePopup()")
    before = tab.evaluate(INK, spot)
    tab.page.locator("#layers label:has(.sign-bans_to_come) input").check()
    tab.page.wait_for_function("digonce.counts().bans_to_come > 0")
    assert tab.evaluate(INK, spot) != before
    tab.page.mouse.click(*spot)
    popup.wait_for()
    assert popup.locator("h3").all_inner_texts() == [ban_id, "P-2"]


@pytest.mark.browser
def test_hatch_has_gaps_when_near_and_is_one_shade_for_a_whole_city(tab: Tab, map_path: Path) -> None:
    tab.open_map(map_path)
    spot = tab.evaluate(SPOT, ["bans", "moratorium:M-1"])
    shades = set(tab.evaluate(INK, spot)[3::4])
    assert 0 in shades
    assert max(shades) > 150
    tab.evaluate("digonce.map.setZoom(14, { animate: false })")
    centre = tab.evaluate(
        """() => {
          const box = digonce.map.getContainer().getBoundingClientRect();
          return [box.left + box.width / 2, box.top + box.height / 2];
        }"""
    )
    strip = np.array(tab.evaluate(INK, centre)).reshape(16, 16, 4)[:, :, 3]
    # the ban begins in the left half
    assert (strip[:, 8:].max(axis=0) > 0).all()
