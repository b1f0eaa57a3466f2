"""What verbs of plans answer to what was asked for in vain or amiss, on one small city that the tests share."""

from __future__ import annotations

import uuid
from collections.abc import Generator
from pathlib import Path

import pytest

from registry.catalogue import say
from registry.city import make_city
from registry.city.delivery import write_city
from registry.cluster import Cluster
from registry.errors import UsageError
from registry.runs import check_run_name
from registry.settings import Settings
from tests.planner.test_cli_mended import Run, run_in

AS_OF = ("--as-of", "2026-11-01")
PLAN = ("plan", "--years", "2027-2028", "--budget-cny", "400000", *AS_OF)
BY_DISTRICT = ("--district-floor", "0.9", "--district-km", "0.5")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("city")
    write_city(make_city(300, 3), folder)
    return folder


@pytest.fixture(scope="module")
def city(home: Path, template: str, folder: Path) -> Generator[Run]:
    """A small city without districts, and a plan of it."""
    own = Settings(home, f"test_{uuid.uuid4().hex[:12]}", None, "tester", "en")
    Cluster(home).create_database(own.registry, template)
    run = run_in(own)
    for kind in ("segments", "roads"):
        run("import", kind, folder / f"{kind}.gpkg", "--crs", "EPSG:4549")
    run(*PLAN, "--save", "p")
    yield run
    Cluster(home).drop_database(own.registry)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_limits_by_district_without_districts_are_said_to_do_nothing(city: Run, language: str) -> None:
    told = say("plan_no_districts", language, options="--district-km, --district-floor")
    assert told in city(*PLAN, *BY_DISTRICT, language=language).stderr
    assert "--district" not in city(*PLAN, language=language).stderr


def test_limits_by_district_of_a_scenario_are_said_to_do_nothing(city: Run, tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('name = "s"\n[limits]\ndistrict_households = 50\n', encoding="utf-8")
    told = say("plan_no_districts", "en", options="--district-households")
    assert told in city(*PLAN, "--scenario", tmp_path / "s.toml").stderr


def test_limits_by_district_are_obeyed_in_silence_where_there_are_districts(settings: Settings, folder: Path) -> None:
    run = run_in(settings)
    for kind in ("segments", "roads", "districts"):
        run("import", kind, folder / f"{kind}.gpkg", "--crs", "EPSG:4549")
    assert "import districts" not in run(*PLAN, "--district-km", "0.5").stderr


@pytest.mark.parametrize(
    "verb",
    [("score",), PLAN, ("edit-plan", "p", "--drop", "B-1"), (*PLAN, "--from", "p")],
    ids=["score", "plan", "edit-plan", "plan anew"],
)
def test_no_run_is_kept_under_a_blank_name(city: Run, verb: tuple[str, ...]) -> None:
    before = city("plans", "--json").stdout
    assert city(*verb, "--save", "", code=2).stderr.strip() == say("run_name_blank", "en")
    assert city(*verb, "--save", " ", language="zh", code=2).stderr.strip() == say("run_name_blank", "zh")
    assert city("plans", "--json").stdout == before


NAMES = ["", "   ", "\u3000", " p2", "p2 ", "p\n2", "p\t2", "p\x1b[31m", "p\u200b2", "p\u202e2", "p\udce92", "p\u2028"]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_that_nobody_can_type_is_refused(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_run_name(name)
    assert caught.value.message("en").encode() != caught.value.message("zh").encode()


@pytest.mark.parametrize("name", ["p-2 b", "五年计划", "计划　甲", "p/2", "№ 3"])
def test_names_that_people_use_are_good_names(name: str) -> None:
    check_run_name(name)
    check_run_name(None)


@pytest.mark.parametrize("reason", ["", "  ", "\n"])
def test_a_limit_is_broken_for_a_reason_only(city: Run, reason: str) -> None:
    asked = ("edit-plan", "p", "--drop", "B-1", "--save", "p2", "--anyway", reason)
    assert "--anyway" in city(*asked, code=2).stderr
    assert "理由" in city(*asked, language="zh", code=2).stderr


@pytest.mark.parametrize("more", [(), ("--check",), ("--quick",)])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_plan_without_segments_is_told_that_they_are_to_be_named(
    city: Run, language: str, more: tuple[str, ...]
) -> None:
    asked = city("explain", "p", *more, language=language, code=2)
    assert asked.stderr.strip() == say("explain_plan_alone", language, plan="p")
    assert "no score of q" in city("explain", "q", code=1).stderr
