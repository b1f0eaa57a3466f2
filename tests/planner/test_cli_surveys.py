"""Surveys on the command line: from the file of the sample city to scores, forecasts and back-tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

from registry.settings import Settings
from registry.store import open_registry
from tests.planner.test_cli import AS_OF
from tests.planner.test_cli import census as census
from tests.planner.test_cli import deliveries as deliveries


def test_scores_forecasts_and_back_tests_hear_of_surveys(
    census: Callable[..., Result], deliveries: Path, settings: Settings
) -> None:
    def leaks() -> float:
        assert census("score", *AS_OF).exit_code == 0
        with open_registry(settings) as registry:
            scores = registry.load_run("score").frames["scores"]
        return float((scores["likelihood_per_km_year"] * scores["length_m"]).sum())

    before = leaks()
    tested = census("backtest", "--from", "2022", "--to", "2023", "--models", "rate_table", *AS_OF)
    assert tested.exit_code == 0, tested.output
    for kind, name in (("districts", "districts.gpkg"), ("surveys", "surveys.csv")):
        took = census("import", kind, deliveries / name)
        assert took.exit_code == 0, took.output
    # leaks that could not be found were there all the same
    assert 1.0 < leaks() / before < 2.0
    # the exposure that the back-test knew is not that of today
    stale = json.loads(census("score", "--json", *AS_OF).stdout)["ranking"]
    assert (stale["reason"], stale["stale"]) == ("stale", ["data"])
    assert "Leak surveys on record for" in census("explain", "RQ0000001", *AS_OF).output
    told = census("forecast", "--years", "2027-2028", *AS_OF, "--draws", "20")
    assert told.exit_code == 0, told.output
    assert "Leak surveys on record for" in told.output
    tested = census("backtest", "--from", "2022", "--to", "2023", "--models", "rate_table", *AS_OF)
    assert tested.exit_code == 0, tested.output
    assert "Leak surveys on record for" in tested.output
    with open_registry(settings) as registry:
        run = registry.load_run("backtest")
    assert run.summary["has_surveys"]
    # the model that came nearest learns by the same surveys
    ranked = census("score", "--json", *AS_OF)
    assert ranked.exit_code == 0, ranked.output
    assert json.loads(ranked.stdout)["ranking"]["beside"] == "rate_table"
    told = census("forecast", "--years", "2027", *AS_OF, "--draws", "20", "--json")
    assert json.loads(told.stdout)["network"]
