"""The verb `inspect-first` on a small registry: one pipe of unknown material among known ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import openpyxl
import pytest
from typer.testing import Result

from tests.planner.frames import CRS, line, segments_of
from tests.planner.test_policy import copied

AS_OF = ("--as-of", "2026-11-01")


@pytest.fixture
def surveyed(digonce: Callable[..., Result], tmp_path: Path) -> Callable[..., Result]:
    place = {"tier": "municipal", "street_name": "金城路"}
    pipes = segments_of(
        *(place | {"material": "grey_iron", "geometry": line((0, at), (200, at))} for at in (0, 50)),
        *(place | {"material": "pe100", "geometry": line((0, at), (400, at))} for at in (100, 150)),
        place | {"material": None, "geometry": line((0, 200), (300, 200))},
    )
    pipes.reset_index().drop(columns="length_m").to_file(tmp_path / "segments.gpkg", engine="pyogrio")
    took = digonce("import", "segments", tmp_path / "segments.gpkg", "--crs", CRS)
    assert took.exit_code == 0, took.output
    # these few pipes are harmless: a city that renews from a moderate risk on
    policy = copied(tmp_path / "city")
    policy.write_text(policy.read_text(encoding="utf-8").replace('"severe"', '"moderate"'), encoding="utf-8")
    return partial(digonce, "inspect-first", *AS_OF, "--policy", policy)


def test_the_pipe_of_unknown_material_is_named_with_its_attribute(
    surveyed: Callable[..., Result], tmp_path: Path
) -> None:
    done = surveyed("--json", "-o", tmp_path / "inspections.xlsx")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)["inspections"]
    assert [row["segment_id"] for row in found if row["attribute"] == "material"] == ["S0004"]
    assert found[0]["segment_id"] == "S0004"
    values = [row["value_per_year"] for row in found]
    assert values == sorted(values, reverse=True)
    sheet = openpyxl.load_workbook(tmp_path / "inspections.xlsx").worksheets[0]
    assert sheet.max_row == len(found) + 1


@pytest.mark.parametrize(("language", "word"), [("en", "Material"), ("zh", "管材")])
def test_the_attribute_is_spelt_in_the_language_of_the_reader(
    surveyed: Callable[..., Result], language: str, word: str
) -> None:
    done = surveyed("--count", "1", "--lang", language)
    assert done.exit_code == 0, done.output
    assert word.lower() in done.output.lower()


@pytest.mark.usefixtures("surveyed")
def test_where_every_value_leads_to_one_decision_the_list_is_empty(digonce: Callable[..., Result]) -> None:
    done = digonce("inspect-first", "--json", *AS_OF)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["inspections"] == []
