"""The walk-forward with the default, done a second time with dictionaries and loops: equal to 1e-9."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from planner.age_course import age_course
from planner.forecast.backtest import Window, walk_forward
from planner.forecast.default import DefaultModel
from planner.forecast.panel import Panel
from planner.policy import read_policy
from planner.table_rates import steady_rates
from tests.planner.forecast.test_backtest import slow_window
from tests.planner.forecast.towns import make_town

BANDS_MM = (63.0, 110.0, 149.0, 250.0, 400.0)
STEPS = (("level", 20.0), ("cohort", 5.0), ("vintage", 3.0), ("diameter", 5.0), ("street", 3.0))


@dataclass
class Pipe:
    """One pipe known at a cut-off, with what its groups are called."""

    name: str
    installed: int
    leaks: list[float]
    expected: list[float]
    groups: dict[str, str]
    table_rate: float
    factor: float = 1.0


class Tables:
    """The rate of the tables of one pipe at one age, asked for one at a time."""

    def __init__(self, segments: pd.DataFrame) -> None:
        weights = read_policy().weights
        self.steady = {}
        self.courses = {}
        for name in segments.index:
            one = segments.loc[[name]]
            self.steady[name] = float(steady_rates(one, weights)[0])
            self.courses[name] = age_course(one, weights.likelihood)

    def rate(self, name: str, age: float) -> float:
        return self.steady[name] * math.exp(float(self.courses[name].ln_factor(np.array([age]))[0]))


def known_pipes(panel: Panel, tables: Tables, year: int) -> list[Pipe]:
    pipes = []
    for row, name in enumerate(panel.segments.index):
        count = year - panel.years.start
        exposure = panel.km_years[row, :count].tolist()
        if sum(exposure) == 0:
            continue
        segment = panel.segments.iloc[row]
        installed = int(segment["installed_year_min"])
        expected = [
            tables.rate(name, float(panel.age_years[row, place])) * exposure[place] if exposure[place] else 0.0
            for place in range(count)
        ]
        band = sum(segment["diameter_mm"] > top for top in BANDS_MM)
        material = segment["material"]
        groups = {"level": "water", "cohort": material, "vintage": f"{material} {installed // 10}"}
        groups |= {"diameter": str(band), "street": segment["street_name"]}
        pipes.append(Pipe(name, installed, panel.leaks[row, :count].tolist(), expected, groups, tables.steady[name]))
    return pipes


def move_by_the_record(pipes: list[Pipe]) -> None:
    for step, strength in STEPS:
        found: dict[str, float] = defaultdict(float)
        awaited: dict[str, float] = defaultdict(float)
        for pipe in pipes:
            found[pipe.groups[step]] += sum(pipe.leaks)
            awaited[pipe.groups[step]] += sum(pipe.expected) * pipe.factor
        for pipe in pipes:
            group = pipe.groups[step]
            pipe.factor *= (strength + found[group]) / (strength + awaited[group])
    for pipe in pipes:
        pipe.factor *= (0.9 + sum(pipe.leaks)) / (0.9 + sum(pipe.expected) * pipe.factor)
    # the last ten years set the level once more
    leaks = sum(sum(pipe.leaks[-10:]) for pipe in pipes)
    expected = sum(sum(pipe.expected[-10:]) * pipe.factor for pipe in pipes)
    for pipe in pipes:
        pipe.factor *= (20 + leaks) / (20 + expected)


@pytest.fixture(scope="module")
def asked() -> tuple[Panel, Tables]:
    """A town, and the tables that its pipes are looked up in: one by one is slow, so once for all years."""
    panel = make_town(count=400, spread=1.0, retires=True)
    return panel, Tables(panel.segments)


@pytest.mark.parametrize(("year", "horizon"), [(2008, 1), (2013, 1), (2010, 3)])
def test_the_default_walks_forward_as_a_slow_plain_loop_does(
    asked: tuple[Panel, Tables], year: int, horizon: int
) -> None:
    panel, tables = asked
    pipes = known_pipes(panel, tables, year)
    move_by_the_record(pipes)
    # installed some time in its year, a pipe is as old as the years apart in each year after it
    rates = {
        pipe.name: [
            pipe.factor * tables.rate(pipe.name, later - pipe.installed) for later in range(year, year + horizon)
        ]
        for pipe in pipes
    }
    slow = slow_window(panel, year, horizon, rates)
    tested = walk_forward(panel, [DefaultModel(read_policy().weights)], [Window(year, horizon)])
    row = tested.windows.iloc[0]
    materials = tested.materials.set_index("material")["predicted_leaks"]
    for name, value in slow.items():
        found = materials[name.removeprefix("predicted ")] if name.startswith("predicted ") else row[name]
        assert found == pytest.approx(value, rel=1e-9, abs=1e-9), name
    assert row["leaks"] > 5
