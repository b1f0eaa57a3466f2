from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
from typer.testing import Result

from maps import load_inputs, write_outputs
from registry.errors import NotFoundError
from registry.settings import Settings
from registry.store import open_registry
from tests.maps import frames

Digonce = Callable[..., Result]
AS_OF = date(2026, 11, 1)


@pytest.fixture
def census(digonce: Digonce, tmp_path: Path) -> Digonce:
    """A registry that holds the segments and two projects of the small town."""
    segments = frames.segments().drop(columns="length_m").reset_index()
    segments["street_name"] = "金城路"
    segments.to_file(tmp_path / "segments.gpkg")
    projects = gpd.GeoDataFrame(frames.projects().iloc[:2].reset_index())
    for name in ("starts_on", "ends_on"):
        projects[name] = projects[name].dt.strftime("%Y-%m-%d")
    for kind, rows in (("compounds", projects.iloc[:1]), ("roads", projects.iloc[1:])):
        rows.to_file(tmp_path / f"{kind}.gpkg")
    for kind, name in (("segments", "segments"), ("projects", "compounds"), ("projects", "roads")):
        result = digonce("import", kind, tmp_path / f"{name}.gpkg", "--source", "test")
        assert result.exit_code == 0, result.output
    return digonce


def save_plan(settings: Settings, name: str = "five") -> None:
    with open_registry(settings) as registry:
        segments = registry.frame("segments", as_of=AS_OF)
        scores = frames.scores(segments)
        pairs = frames.pairs()
        pairs = pairs[pairs["project_id"].isin(["P-1", "P-2"])].reset_index(drop=True)
        batches, members = frames.batches()
        results: dict[str, pd.DataFrame] = {
            "scores": scores, "pairs": pairs, "batches": batches, "batch_segments": members,
        }  # fmt: skip
        registry.save_run("plan", name, results, policy={}, summary=frames.SUMMARY, as_of=AS_OF)


def test_map_of_the_census_alone(census: Digonce, tmp_path: Path) -> None:
    result = census("map", "-o", tmp_path / "map.html", "--json")
    assert result.exit_code == 0, result.output
    said: dict[str, Any] = json.loads(result.stdout)
    assert said["counts"] == {"segments": 40, "projects": 2, "bans_to_come": 1}
    assert said["plan"] is None
    assert said["bytes"] == (tmp_path / "map.html").stat().st_size


def test_map_and_report_of_the_latest_plan(census: Digonce, settings: Settings, tmp_path: Path) -> None:
    save_plan(settings)
    result = census("map", "-o", tmp_path / "map.html", "--json")
    assert json.loads(result.stdout)["plan"] == "five"
    assert json.loads(result.stdout)["counts"]["overlaps"] == 13
    result = census("report", "five", "-o", tmp_path / "out", "--json", language="zh")
    assert result.exit_code == 0, result.output
    assert [Path(path).name for path in json.loads(result.stdout)["paths"]] == [
        "overlap-report.xlsx",
        "overlap-report.html",
    ]


def test_faults_end_with_one_and_a_sentence(census: Digonce, tmp_path: Path) -> None:
    for arguments, words in (
        (("map", "nosuch", "-o", tmp_path / "map.html"), "nosuch"),
        (("map", "-o", tmp_path / "map.pdf"), ".html"),
        (("report", "-o", tmp_path / "out"), "digonce overlap"),
    ):
        result = census(*arguments)
        assert result.exit_code == 1
        assert words in result.output
        assert "Traceback" not in result.output
    assert list(tmp_path.glob("*.html")) == []


def test_outputs_of_a_demo_link_each_other(census: Digonce, settings: Settings, tmp_path: Path) -> None:
    save_plan(settings)
    with open_registry(settings) as registry:
        inputs = load_inputs(registry, "five")
        written = write_outputs(registry, tmp_path / "demo", "zh", "five")
        with pytest.raises(NotFoundError):
            load_inputs(registry, "another")
    assert inputs.as_of == AS_OF
    assert inputs.years == [2027, 2028]
    assert [path.name for path in written] == [
        "index.html",
        "renewal-map.html",
        "overlap-report.xlsx",
        "overlap-report.html",
    ]
    index = written[0].read_text(encoding="utf-8")
    assert all(path.name in index for path in written[1:])
    assert census("map", "--help").exit_code == 0


def test_output_of_a_census_without_overlaps_leaves_the_report_out(
    census: Digonce, settings: Settings, tmp_path: Path
) -> None:
    assert census("deliveries").exit_code == 0
    with open_registry(settings) as registry:
        written = write_outputs(registry, tmp_path / "demo", "en")
    assert [path.name for path in written] == ["index.html", "renewal-map.html"]


def test_pages_go_only_into_a_folder_that_exists_and_are_left_whole(
    census: Digonce, settings: Settings, tmp_path: Path
) -> None:
    save_plan(settings)
    for verb, name in (("map", "map.html"), ("report", "report.html"), ("report", "report.xlsx"), ("report", "out")):
        refused = census(verb, "-o", tmp_path / "nowhere" / name)
        assert refused.exit_code == 1, refused.output
        assert "does not exist" in refused.stderr
    assert not (tmp_path / "nowhere").exists()
    for verb, name in (("map", "map.html"), ("report", "report.html"), ("report", "report.xlsx")):
        (tmp_path / name).mkdir()
        refused = census(verb, "-o", tmp_path / name)
        assert refused.exit_code == 1, refused.output
        assert name in refused.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full to stand for a full disk")
def test_a_full_disk_is_a_fault_with_the_reason_of_the_system(
    census: Digonce, settings: Settings, tmp_path: Path
) -> None:
    save_plan(settings)
    for verb in ("map", "report"):
        page = tmp_path / f"{verb}.html"
        page.symlink_to("/dev/full")
        refused = census(verb, "-o", page)
        assert refused.exit_code == 1, refused.output
        assert "No space left" in refused.stderr
