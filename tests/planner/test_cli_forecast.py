"""The verb `forecast` from deliveries to files, and what it says of a plan."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import Result

from registry.fields import check_frame
from registry.saved import forecast_since
from registry.settings import Settings
from registry.store import open_registry
from tests.cities import write_small_city

AS_OF = ("--as-of", "2026-11-01")
FORECAST = ("forecast", "--years", "2027-2029", "--draws", "200", *AS_OF)


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_city(tmp_path_factory.mktemp("city"), 300, 3)


@pytest.fixture
def census(digonce: Callable[..., Result], deliveries: Path) -> Callable[..., Result]:
    for kind, name in {"segments": "segments.gpkg", "leaks": "leaks.csv", "buildings": "buildings.gpkg"}.items():
        took = digonce("import", kind, deliveries / name, "--crs", "EPSG:4549")
        assert took.exit_code == 0, took.output
    return digonce


def test_a_forecast_of_a_plan_is_told_kept_and_written(
    census: Callable[..., Result], settings: Settings, tmp_path: Path
) -> None:
    planned = census("plan", "--years", "2027-2029", "--budget-cny", "3000000", *AS_OF, "--save", "p1")
    assert planned.exit_code == 0, planned.output
    made = census(*FORECAST, "--plan", "p1", "--json", "-o", tmp_path / "forecast.csv")
    assert made.exit_code == 0, made.output
    result = json.loads(made.stdout)
    assert result["renewed_count"] > 0
    last = {row["scenario"]: row for row in result["network"] if (row["year"], row["medium"]) == (2029, "gas")}
    for name in ("leaks", "methane_t", "harm_cny"):
        assert last["plan"][name] < last["nothing"][name]
    with open_registry(settings) as registry:
        run = registry.load_run("forecast", "p1")
        for name in ("leak_forecast", "network_forecast", "emissions", "scores"):
            check_frame(run.frames[name], name)
        assert run.summary["network"] == result["network"]
        rows = run.frames["leak_forecast"]
        # the report of the plan draws it, as long as the plan is not made anew
        plan_made = registry.load_run("plan", "p1").made_at
        drawn = forecast_since(registry, "p1", plan_made)
        assert drawn is not None
        assert drawn["leaks"].sum() == pytest.approx(run.frames["network_forecast"]["leaks"].sum())
        assert forecast_since(registry, "p1", run.made_at + timedelta(seconds=1)) is None
    written = pd.read_csv(tmp_path / "forecast.csv")
    assert len(written) == len(rows) == 3 * rows["segment_id"].nunique()
    again = json.loads(census(*FORECAST, "--plan", "p1", "--json").stdout)
    assert again["network"] == result["network"]


def test_people_read_the_forecast_in_their_language(census: Callable[..., Result], tmp_path: Path) -> None:
    chinese = census(*FORECAST, "-o", tmp_path / "forecast.xlsx", language="zh")
    assert chinese.exit_code == 0, chinese.output
    assert "不改造" in chinese.output
    assert "按方案改造" not in chinese.output
    assert list(pd.read_excel(tmp_path / "forecast.xlsx", sheet_name=None, engine="openpyxl")) == ["管网", "管段"]
    english = census(*FORECAST)
    assert "nothing renewed" in english.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("forecast", "--years", "2020-2024", *AS_OF), "2020-2024"),
        (("forecast", "--years", "2027-2029", *AS_OF, "--plan", "no such plan"), "no such plan"),
    ],
)
def test_faults_are_told(digonce: Callable[..., Result], arguments: tuple[str, ...], told: str) -> None:
    refused = digonce(*arguments)
    assert refused.exit_code == 1
    assert told in refused.stderr
