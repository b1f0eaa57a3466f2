"""The main job on a real city: every row is accounted for and every output is written.

The data lie outside the repository; without them these tests are skipped.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from registry.settings import Settings
from registry.store import open_registry
from tests.conftest import REPOSITORY, real_data
from tests.kitchener.derive import derive
from tests.printed import missing

pytestmark = pytest.mark.real_data
MAPPINGS = Path(__file__).parent
DELIVERIES = {
    "segments": ("kitchener", "tidy", "mains_2023-05.parquet"),
    "leaks": ("kitchener", "tidy", "breaks_2023-05.parquet"),
    "roads": ("kitchener", "tidy", "roads_2025.parquet"),
    "buildings": ("kitchener_district_model", "tidy", "buildings.parquet"),
}
DELIVERED = {"segments": 15_903, "leaks": 2_766, "roads": 6_066, "buildings": 2_891}
AS_OF = "2026-11-01"
PAGE = REPOSITORY / "docs" / "kitchener.md"
# deliveries as the page calls them
NAMES = {"road programme": "roadworks", "compound programme": "renovations"}


def run(settings: Settings, *arguments: str | Path) -> dict[str, Any]:
    """Run a verb as a person would and return its JSON."""
    result: dict[str, Any] = json.loads(printed(settings, *arguments, "--json"))
    return result


def printed(settings: Settings, *arguments: str | Path) -> str:
    """Run a verb as a person would, in a process of its own, and return what it prints."""
    environment = os.environ | {"DIGONCE_HOME": str(settings.home), "DIGONCE_REGISTRY": settings.registry}
    environment |= {"COLUMNS": "400", "DIGONCE_LANG": "en"}
    done = subprocess.run(
        [sys.executable, "-m", "digonce", *map(str, arguments)],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def told_rows() -> dict[str, list[int]]:
    """What the page says became of the rows of each delivery: read, accepted, held back."""
    rows: list[tuple[str, ...]] = re.findall(
        r"^\| ([a-z ]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|", PAGE.read_text(encoding="utf-8"), re.M
    )
    return {NAMES.get(row[0], row[0]): [int(number.replace(",", "")) for number in row[1:]] for row in rows}


def became(receipt: dict[str, Any]) -> list[int]:
    return [receipt["rows_read"], receipt["accepted"], receipt["held"]]


def test_the_main_job_on_a_real_city(kitchener_settings: Settings, tmp_path: Path) -> None:
    data = real_data("kitchener").parent
    real_data("kitchener_district_model")
    receipts: dict[str, dict[str, Any]] = {}
    for kind, parts in DELIVERIES.items():
        receipts[kind] = run(
            kitchener_settings,
            "import",
            kind,
            data.joinpath(*parts),
            "--map",
            MAPPINGS / f"{kind}.toml",
            "--received-on",
            "2026-11-01",
        )
    for path, kind in zip(derive(data, tmp_path / "derived"), ("projects", "compounds", "projects"), strict=True):
        if kind == "compounds":
            receipts["compounds"] = run(kitchener_settings, "import", kind, path)
    road_programme, _, compound_programme = derive(data, tmp_path / "derived")
    receipts["roadworks"] = run(kitchener_settings, "import", "projects", road_programme)
    receipts["renovations"] = run(kitchener_settings, "import", "projects", compound_programme)

    for kind, count in DELIVERED.items():
        assert receipts[kind]["rows_read"] == count
    with open_registry(kitchener_settings) as registry:
        stored = registry.counts()
        held = registry.held_summary()
    for kind, receipt in receipts.items():
        assert receipt["accepted"] + receipt["held"] == receipt["rows_read"]
        assert len({fault["row"] for fault in receipt["faults"]}) == receipt["held"], kind
    for kind in DELIVERED:
        assert stored[kind] == receipts[kind]["accepted"]
    assert stored["projects"] == receipts["roadworks"]["accepted"] + receipts["renovations"]["accepted"] > 50
    assert int(held["row_count"].sum()) == sum(receipt["held"] for receipt in receipts.values())
    # what is held back is what PROVENANCE warns of: rows without geometry, and points drawn as lines
    assert receipts["segments"]["held"] == 159
    assert {fault["code"] for fault in receipts["segments"]["faults"]} == {"geometry_empty", "geometry_too_short"}

    said = printed(kitchener_settings, "score", "--as-of", AS_OF, "-o", tmp_path / "scores.csv")
    assert missing(PAGE, ("Scored ",), said) == [], said
    rows = pd.read_csv(tmp_path / "scores.csv")
    assert len(rows) == stored["segments"]
    limits = ("--years", "2027-2031", "--as-of", AS_OF)
    said = printed(kitchener_settings, "overlap", *limits, "-o", tmp_path / "overlaps.csv")
    assert len(pd.read_csv(tmp_path / "overlaps.csv")) > 500
    said += printed(kitchener_settings, "plan", *limits, "--budget-cny", "30000000", "--save", "kitchener")
    with open_registry(kitchener_settings) as registry:
        planned = registry.load_run("plan", "kitchener").summary
    assert 0.0 <= planned["gap_share"] <= 0.01
    assert planned["objective"] <= planned["bound"]
    # the usual choice is worth more only where it is late by law
    assert planned["greedy"] <= planned["objective"] or planned["certificate"]["greedy_broken"] == ["deadline"]
    assert missing(PAGE, ("11", "1"), said) == [], said
    assert {name: row for name, row in told_rows().items() if row != became(receipts[name])} == {}
    drawn = run(kitchener_settings, "map", "kitchener", "-o", tmp_path / "map.html")
    assert drawn["counts"]["segments"] == stored["segments"]
    assert drawn["counts"]["leaks"] == stored["leaks"]
    run(kitchener_settings, "report", "kitchener", "-o", tmp_path)
    assert (tmp_path / "overlap-report.xlsx").stat().st_size > 20_000
    assert (tmp_path / "overlap-report.html").stat().st_size > 20_000
    said = printed(
        kitchener_settings, "backtest", "--from", "2018", "--to", "2022", "--models", "glm_eb,age", "--as-of", AS_OF
    )
    assert missing(PAGE, ("│ Default", "The default stays"), said) == [], said
    run(kitchener_settings, "card", "-o", tmp_path / "card.html")
    assert (tmp_path / "card.html").read_text(encoding="utf-8").count("Water mains only") == 3
