"""`docs/windows.md`: its commands are run line by line, its example of time is computed anew."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest

from planner.bans import find_bans
from planner.overlap import find_overlaps
from planner.policy import read_policy
from planner.relations import relate
from registry.fields import value_list
from tests.cli.pages import blocks, run_page
from tests.conftest import REPOSITORY
from tests.planner.frames import line, moratoria_of, projects_of, roads_of, segments_of

PAGE = REPOSITORY / "docs" / "windows.md"


def time_example() -> dict[str, Any]:
    return next(
        found for found in map(tomllib.loads, blocks("windows.md", "toml")) if "relation" in found.get("told", {})
    )


def computed(example: dict[str, Any], kind: str) -> dict[str, Any]:
    """The relation of one pipe and one project in the same street."""
    ground = line((0, 0), (100, 0))
    segments = segments_of({"geometry": ground})
    projects = projects_of(example["project"] | {"kind": kind, "geometry": ground})
    policy, as_of = read_policy(), example["as_of"]
    scores = pd.DataFrame({"policy_class": [example["segment"]["policy_class"]]}, index=segments.index, dtype="str")
    pairs = find_overlaps(segments, projects, range(2027, 2031), policy)
    bans = find_bans(roads_of(), projects, moratoria_of(), policy, as_of)
    times = relate(pairs, scores, segments, projects, bans, policy, as_of)
    return {name: times[name].iloc[0] for name in times.columns}


def test_the_example_is_what_the_code_computes() -> None:
    example = time_example()
    told = example["told"]
    assert len(told) >= 9
    found = computed(example, example["project"]["kind"])
    assert {name: found[name].date() if isinstance(told[name], date) else found[name] for name in told} == told
    overhaul, overlay = (computed(example, kind) for kind in ("road_overhaul", "road_overlay"))
    assert (overhaul["relation"], str(overhaul["locked_until"].date())) == ("race", "2030-10-31")
    assert (overlay["relation"], pd.isna(overlay["locked_until"])) == ("near_miss", True)


@pytest.mark.parametrize("listed", ["time_relation", "season"])
def test_the_tables_of_relations_and_seasons_name_each_as_the_list_does(listed: str) -> None:
    words = {code: value.label_zh for code, value in value_list(listed).items()}
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \| [^|]+ \|$", PAGE.read_text(encoding="utf-8"), re.M)
    named = [(code, label) for code, label in rows if code in words]
    assert {code for code, _ in named} == set(words)
    assert all(label == words[code] for code, label in named)


@pytest.mark.slow
def test_the_commands_of_the_page_run(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_page("windows.md", home, "windows") >= 8
    closed = gpd.read_file(tmp_path / "bans.gpkg")
    assert {"road_building", "road_overhaul"} >= set(closed["cause"]) != set()
    assert closed.geometry.notna().all()
