from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import Result

from planner.forecast.gate import decide
from planner.forecast.summary import summarise
from registry.city import make_city
from registry.city.delivery import write_city
from registry.settings import Settings
from registry.store import open_registry

AS_OF = ("--as-of", "2026-11-01")
YEARS = ("--from", "2020", "--to", "2025")
MODELS = ("--models", "rate_table,poisson_glm,age")


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("city")
    write_city(make_city(600, 3), folder)
    return folder


@pytest.fixture
def census(digonce: Callable[..., Result], deliveries: Path) -> Callable[..., Result]:
    for kind, name in {"segments": "segments.gpkg", "leaks": "leaks.csv"}.items():
        took = digonce("import", kind, deliveries / name, "--crs", "EPSG:4549")
        assert took.exit_code == 0, took.output
    return digonce


def test_a_backtest_is_stored_whole_with_what_it_was_made_from(
    census: Callable[..., Result], settings: Settings, tmp_path: Path
) -> None:
    tested = census("backtest", *YEARS, "--horizon", "3", *MODELS, *AS_OF, "--json", "-o", tmp_path / "out")
    assert tested.exit_code == 0, tested.output
    result = json.loads(tested.stdout)
    with open_registry(settings) as registry:
        run = registry.load_run("backtest")
    windows = run.frames["backtest_windows"]
    assert run.run_id == result["run_id"]
    assert run.summary["policy"]["hash"] == run.policy["hash"]
    assert set(windows["model"]) == {"default", "rate_table", "poisson_glm", "age"}
    # one year is always tested, because the gate judges by it
    keys = set(windows[["year", "horizon_years"]].itertuples(index=False, name=None))
    assert keys == {(year, 1) for year in range(2020, 2026)} | {(2020, 3), (2023, 3)}
    # what is stored says the same as what it was summed up from
    pd.testing.assert_frame_equal(
        _sorted(run.frames["backtest_summary"]), _sorted(summarise(windows)), check_dtype=False
    )
    learned = ["rate_table", "poisson_glm"]
    decision = decide(windows, run.frames["backtest_materials"], learned, run.summary["leaks"])
    assert (run.summary["ships"], run.summary["candidate"]) == (decision.ships, decision.candidate)
    assert sorted(path.stem for path in (tmp_path / "out").iterdir()) == [
        "backtest_lift",
        "backtest_materials",
        "backtest_summary",
        "backtest_windows",
        "gate_criteria",
    ]


def test_every_leak_of_the_record_is_counted_or_told(census: Callable[..., Result], settings: Settings) -> None:
    assert census("backtest", *YEARS, "--models", "age", *AS_OF).exit_code == 0
    assert census("score", *AS_OF).exit_code == 0
    with open_registry(settings) as registry:
        told = registry.load_run("backtest").summary
        links = registry.load_run("score").frames["leak_links"]
    left_out = sum(told["leaks_left_out"].values())
    assert told["leaks"] + left_out == pytest.approx(links["probability"].sum())
    # nothing learned was tested, so nothing may replace the default
    assert (told["ships"], told["candidate"], told["is_open"]) == ("default", None, False)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_decision_is_told_in_words_and_on_the_card(
    census: Callable[..., Result], tmp_path: Path, language: str
) -> None:
    page = tmp_path / "card.html"
    # before any back-test there is nothing to make a card of
    assert census("card", "-o", page).exit_code == 1
    assert not page.exists()
    tested = census("backtest", *YEARS, *MODELS, *AS_OF, "--lang", language)
    assert tested.exit_code == 0, tested.output
    stays = {"en": "The default stays", "zh": "沿用默认模型"}
    opens = {"en": "The gate is open", "zh": "准入通过"}
    assert (stays[language] in tested.output) != (opens[language] in tested.output)
    assert {"en": "water mains", "zh": "供水管道"}[language] in " ".join(tested.output.split())
    card = census("card", "-o", page, "--lang", language)
    assert card.exit_code == 0, card.output
    told = page.read_text(encoding="utf-8")
    assert (stays[language] in tested.output) == (stays[language] in told)
    assert {"en": "Model card", "zh": "模型说明卡"}[language] in told


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--from", "2025", "--to", "2020"), 2),
        (("--from", "2020", "--to", "2026"), 2),
        ((*YEARS, "--horizon", "0"), 2),
        ((*YEARS, "--horizon", "one"), 2),
        ((*YEARS, "--models", "oracle"), 2),
        (("--from", "1990", "--to", "2025"), 1),
    ],
)
def test_what_cannot_be_tested_is_refused(census: Callable[..., Result], options: tuple[str, ...], code: int) -> None:
    refused = census("backtest", *options, *AS_OF)
    assert refused.exit_code == code, refused.output
    assert "Traceback" not in refused.output


def _sorted(summary: pd.DataFrame) -> pd.DataFrame:
    keys = ["model", "is_hold_out", "horizon_years", "measure"]
    return summary.sort_values(keys).reset_index(drop=True)
