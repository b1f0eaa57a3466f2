from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from maps.lift_chart import Axis, line_chart
from maps.model_card import model_card
from planner.forecast.backtest import walk_forward, windows_between
from planner.forecast.catalogue import forecast_models
from planner.forecast.gate import decide
from planner.forecast.panel import Panel
from planner.forecast.summary import summarise
from registry.store import SavedRun
from tests.maps.conftest import Tab
from tests.planner.forecast.towns import FromSegments

COUNT = 60
YEARS = range(2008, 2020)
MODELS = ("default", "rate_table", "age", "prior_count")


def a_panel(rate: float) -> Panel:
    rng = np.random.default_rng(4)
    count = COUNT
    installed = rng.integers(1960, 2000, count)
    segments = pd.DataFrame(
        {
            "medium": "water",
            "tier": "municipal",
            "material": rng.choice(["cast_iron", "ductile_iron"], count),
            "diameter_mm": 150.0,
            "installed_year_min": pd.array(installed, dtype="Int64"),
            "installed_year_max": pd.array(installed, dtype="Int64"),
            "street_name": pd.Series(rng.choice(["A", "B", "C"], count), dtype="str"),
            "length_m": rng.uniform(50.0, 500.0, count),
        }
    ).set_axis(pd.Index([f"S{row}" for row in range(count)], name="segment_id"), axis=0)
    km = segments["length_m"].to_numpy()[:, None] / 1000.0 * np.ones((1, len(YEARS)))
    age = np.array(YEARS)[None, :] + 0.5 - installed[:, None]
    return Panel(segments, YEARS, km, rng.poisson(rate * km).astype("float64"), age)


@cache
def a_run(first: int = 2012, rate: float = 2.0) -> SavedRun:
    panel = a_panel(rate)
    models = [model for name, model in forecast_models().items() if name in MODELS]
    tested = walk_forward(panel, models, windows_between(first, 2019))
    decision = decide(tested.windows, tested.materials, ["rate_table"], float(panel.leaks.sum()))
    frames = {
        "backtest_windows": tested.windows,
        "backtest_materials": tested.materials,
        "backtest_lift": tested.lift,
        "backtest_summary": summarise(tested.windows),
        "gate_criteria": decision.criteria,
    }
    facts = {
        "first_year": first,
        "last_year": 2019,
        "record_from": 2008,
        "km": 16.0,
        "leaks": float(panel.leaks.sum()),
        "media": ["water"],
        "knowledge": {"event_dates": list(range(first, 2020))},
        "ships": decision.ships,
        "candidate": decision.candidate,
        "is_open": decision.is_open,
        "policy": {"id": "base", "version": "1", "hash": "0" * 64},
    }
    made = datetime(2026, 11, 1, tzinfo=UTC)
    return SavedRun("r", "backtest", None, made, "me", date(2026, 11, 1), None, 1, "0.3", {}, facts, frames)


class _Words(HTMLParser):
    """The words of a page that a reader sees, without style and pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self.hidden += tag in {"style", "svg"}

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in {"style", "svg"}

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.text.append(data)


def words(page: str) -> str:
    parser = _Words()
    parser.feed(page)
    return " ".join(" ".join(parser.text).split())


@pytest.mark.parametrize(
    ("language", "media", "note"),
    [
        ("en", ["water"], "Water mains only"),
        ("zh", ["water"], "仅为供水管道数据"),
        ("en", ["gas", "water"], "Of gas, water pipes; public evidence on real networks is of water mains only"),
        ("zh", ["gas"], "本图为燃气管道；公开的实际验证数据仅限供水管道"),
    ],
)
def test_every_chart_says_of_which_pipes_the_evidence_is(language: str, media: list[str], note: str) -> None:
    run = a_run()
    page = model_card(replace(run, summary=run.summary | {"media": media}), "K", language)
    figures = re.findall(r"<figure>.*?</figure>", page, re.S)
    assert len(figures) == 3
    assert all(note in figure for figure in figures)
    assert "http" not in re.sub(r"http://www\.w3\.org/\S+", "", page)


def test_the_table_of_the_card_says_what_the_summary_says() -> None:
    run = a_run()
    page = words(model_card(run, "K", "en"))
    summary = run.frames["backtest_summary"]
    own = summary[summary["measure"].isin(["capture_at_1", "capture_at_5", "capture_at_10", "capture_at_20"])]
    for _, rows in own.groupby("model"):
        assert " ".join(f"{value:.1%}" for value in rows["weighted_mean"]) in page
    gain = summary[(summary["model"] == "age") & (summary["measure"] == "capture_at_10")].iloc[0]
    assert f"{gain['difference']:+.3f} ± {gain['difference_standard_error']:.3f}" in page


def test_a_card_says_where_the_record_is_too_short_or_too_thin() -> None:
    short, thin = "fewer than five say little", "the figures scatter"
    told = {name: words(model_card(run, "K", "en")) for name, run in (
        ("enough", a_run()), ("short", a_run(2017)), ("thin", a_run(2012, 0.2))
    )}  # fmt: skip
    assert (short in told["enough"], thin in told["enough"]) == (False, False)
    assert short in told["short"]
    assert thin in told["thin"]
    assert short not in told["thin"]


def test_a_card_says_where_the_model_that_ships_is_out_of_its_own_range() -> None:
    run = a_run()
    assert "asked of challengers" not in words(model_card(run, "K", "en"))
    is_off = run.frames["backtest_materials"]["material"] == "cast_iron"
    parts = run.frames["backtest_materials"].assign(leaks=100.0, predicted_leaks=is_off.map({True: 140.0, False: 90.0}))
    summary = run.frames["backtest_summary"].copy()
    summary.loc[summary["measure"] == "calibration", "weighted_mean"] = 0.7
    off = replace(run, frames=run.frames | {"backtest_materials": parts, "backtest_summary": summary})
    wanted = (
        "the 0.8 to 1.25 of predicted / observed asked of challengers: the city 0.70, cast iron (kind unknown) 1.40."
    )
    assert wanted in words(model_card(off, "K", "en")).lower()


def test_a_card_names_the_test_year_that_the_series_leaves_out() -> None:
    said = "leaves out 2016, which the tables above hold"
    assert said in words(model_card(the_fullest_run(), "K", "en"))
    assert said not in words(model_card(a_run(), "K", "en"))


def a_guess(name: str) -> FromSegments:
    """A forecast by name: what a model says is of no matter to the page."""
    seed = sum(map(ord, name))
    return FromSegments(name, lambda past: np.random.default_rng(seed).uniform(30.0, 90.0, len(past.segments)))


@cache
def the_fullest_run() -> SavedRun:
    """A run of everything that a card can hold: all models, two horizons, many materials, both kinds of knowledge."""
    panel = a_panel(60.0)
    materials = ["cast_iron", "ductile_iron", "grey_iron", "asbestos_cement", "prestressed_concrete", "steel"]
    panel = replace(panel, segments=panel.segments.assign(material=np.resize(materials, COUNT)))
    names = [*forecast_models()]
    windows = [*windows_between(2016, 2019), *windows_between(2012, 2019, 3)]
    tested = walk_forward(panel, [a_guess(name) for name in names], windows)
    decision = decide(tested.windows, tested.materials, names[1:-3], float(panel.leaks.sum()))
    run = a_run(2012)
    facts = run.summary | {"candidate": "glm_eb", "is_open": False, "media": ["gas", "water", "heat"]}
    facts |= {"unplayed_years": list(decision.unplayed)}
    facts |= {"knowledge": {"event_dates": [2014, 2016, 2017], "recorded": [2018, 2019]}}
    lift = tested.lift.assign(leaks=3.0)
    frames = {
        "backtest_windows": tested.windows.assign(leaks=3.0),
        "backtest_materials": tested.materials,
        "backtest_lift": lift,
        "backtest_summary": summarise(tested.windows),
        "gate_criteria": decision.criteria,
    }
    return replace(run, summary=facts, frames=frames)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_fullest_card_is_one_sheet_of_paper(tab: Tab, tmp_path: Path, language: str) -> None:
    run = the_fullest_run()
    page = model_card(
        run, "招远市玲珑镇燃气供热供水管网" if language == "zh" else "City of Kitchener, Ontario", language
    )
    # what makes it long is there: every model twice in the table, warnings, criteria by material
    assert words(page).count("Gradient boosting" if language == "en" else "梯度提升") >= 1
    assert page.count('class="limits"') >= 2 * 11
    assert page.count('class="held"') == 3
    path = tmp_path / "card.html"
    path.write_text(page, encoding="utf-8")
    tab.open(path)
    paper = tab.page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 1
    width, height = map(float, re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)", paper)[0])
    # A4 in points
    assert width == pytest.approx(595.0, abs=1.0)
    assert height == pytest.approx(842.0, abs=1.0)
    assert tab.complaints == tab.requests == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_card_fits_a_phone_and_cuts_no_word(phone: Tab, tmp_path: Path, language: str) -> None:
    path = tmp_path / "card.html"
    path.write_text(model_card(the_fullest_run(), "招远", language), encoding="utf-8")
    phone.open(path)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 400
    # no text of a chart reaches beyond its picture
    beyond = """() => [...document.querySelectorAll('svg.chart')].flatMap(chart => {
        const box = chart.getBoundingClientRect();
        return [...chart.querySelectorAll('text')].filter(text => {
            const own = text.getBoundingClientRect();
            return own.left < box.left - 2 || own.right > box.right + 2 || own.bottom > box.bottom + 2;
        }).map(text => text.textContent);
    })"""
    assert phone.evaluate(beyond) == []


def test_higher_values_are_drawn_higher_and_stay_inside() -> None:
    axis = Axis("share", 0.0, 1.0, [(0.0, "0"), (1.0, "1")])
    drawn = ElementTree.fromstring(line_chart({"a": [(0.0, 0.0), (0.5, 0.7), (1.0, 3.0)]}, axis, axis, "a < b"))  # noqa: S314 - our own
    line = next(part for part in drawn if part.tag == "polyline")
    places = [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]
    across, down = zip(*places, strict=True)
    assert list(across) == sorted(across)
    assert list(down) == sorted(down, reverse=True)
    assert min(down) >= 0
    assert drawn.attrib["aria-label"] == "a < b"
