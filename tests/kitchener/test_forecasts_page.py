"""The first table of `docs/forecasts.md` is what the benchmark printed, and the cheap rows are made again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.kitchener import TEST_YEARS, read_kitchener
from planner.forecast.backtest import walk_forward, windows_between
from planner.forecast.catalogue import forecast_models
from planner.forecast.summary import summarise
from registry.catalogue import say
from tests.conftest import REPOSITORY, real_data

PAGE = REPOSITORY / "docs" / "forecasts.md"
# what `python -m bench.forecast` printed; renew it and the page together
PRINTED = Path(__file__).with_name("forecast_figures.txt")
# models that learn in no time; the others would take a quarter of a minute each
CHEAP = ("default", "rate_table_history")
NAMES = {say(f"forecast_model_{name}", "en").lower(): name for name in forecast_models()}


def section(title: str) -> list[str]:
    """Return the rows under a title of what was printed."""
    block = PRINTED.read_text(encoding="utf-8").split(title)[1].split("\n\n")[0]
    return [line.strip() for line in block.splitlines()[1:]]


def printed(title: str) -> dict[str, list[str]]:
    """Return the words after the name of each model."""
    rows = [line.split() for line in section(title)]
    return {row[0]: row[1:] for row in rows if row and row[0] in NAMES.values()}


def tables() -> list[dict[str, list[str]]]:
    """Return the tables of the page by model: cells without the name."""
    found = re.findall(r"((?:^\|.*\|\n)+)", PAGE.read_text(encoding="utf-8"), re.M)
    rows = [[[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:]] for text in found]
    return [{NAMES[row[0].lower()]: row[1:] for row in table} for table in rows if table[0][0] == "default"]


def test_the_table_of_the_page_is_what_was_printed() -> None:
    yearly = tables()[0]
    told = printed("1-year windows")
    for model, cells in yearly.items():
        at_1, at_5, at_10, at_20, never, calibration, _, difference, sign, error, *_ = told[model]
        gain = "" if model == "default" else f"{difference} {sign} {error}"
        assert cells == [at_1, at_5, at_10, at_20, never, calibration, gain], model
    assert len(yearly) >= 4


def test_the_table_of_hidden_zones_is_what_was_printed() -> None:
    hidden = tables()[1]
    told = printed("spatial hold-out")
    assert len(hidden) >= 3
    assert {model: told[model][:4] for model in hidden} == hidden
    zones = next(line for line in PRINTED.read_text(encoding="utf-8").splitlines() if "spatial hold-out" in line)
    assert f"each of the {zones.split()[2]} zones hidden in turn" in PAGE.read_text(encoding="utf-8")


def test_what_the_page_says_of_the_gate_is_what_was_printed() -> None:
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    gate = section("gate: ")
    assert "gate: default ships; nearest learned model: glm_eb" in PRINTED.read_text(encoding="utf-8")
    assert "Among these the gate stays closed" in page
    row = next(line for line in gate if line.startswith("glm_eb") and "material_calibration ductile_iron" in line)
    too_few = round(100 * (1 - float(row.split()[3])))
    assert f"predicts {too_few} % too few for ductile iron" in page
    pvc = next(line for line in section("predicted / observed by material") if line.startswith("pvc"))
    breaks, ratio = re.findall(r"\((\d+) breaks\).*?default ([\d.]+)", pvc)[0]
    assert f"{breaks} breaks, and the default predicted twice as many" in page
    assert round(float(ratio)) == 2


@pytest.mark.real_data
def test_what_was_printed_is_what_the_models_find_today() -> None:
    panel = read_kitchener(real_data("kitchener").parent).panel()
    page = PAGE.read_text(encoding="utf-8")
    km = float(panel.segments["length_m"].sum()) / 1000.0
    assert f"{km:.0f} km, {panel.leaks.sum():,.0f} breaks {panel.years[0]}-{panel.years[-1]}" in page
    models = forecast_models()
    windows = windows_between(TEST_YEARS[0], TEST_YEARS[-1])
    means = summarise(walk_forward(panel, [models[name] for name in CHEAP], windows).windows)
    told = printed("1-year windows")
    for model in CHEAP:
        own = means[means["model"] == model].set_index("measure")
        names = [*(f"capture_at_{share}" for share in (1, 5, 10, 20)), "never_leaked_capture_at_10"]
        shares = [f"{value:.3f}" for value in own["weighted_mean"].reindex(names)]
        calibration = float(own["weighted_mean"].loc[["calibration"]].iloc[0])
        assert [*shares, f"{calibration:.2f}"] == told[model][:6], model
    gain = means[means["measure"] == "capture_at_10"].set_index("model").loc["rate_table_history"]
    error = f"{gain['difference_standard_error']:.3f}"
    assert [f"{gain['difference']:+.3f}", "±", error] == told["rate_table_history"][7:10]
