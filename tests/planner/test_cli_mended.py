"""Verbs that score, on one small city that they share: what they say, and that they end well."""

from __future__ import annotations

import json
import math
import re
import shutil
import uuid
from collections.abc import Callable, Generator
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from digonce import app
from registry.city import make_city
from registry.city.delivery import write_city
from registry.cluster import Cluster
from registry.settings import Settings
from tests.conftest import REPOSITORY
from tests.registry.deliveries import EAST, NORTH, leaks_csv, segments, write

AS_OF = ("--as-of", "2026-11-01")
PIPE = "RQ0000002"
Run = Callable[..., Result]


def run_in(settings: Settings) -> Run:
    """Return the command line on one registry; what it prints must end with the exit code that is expected."""

    def run(*arguments: str | Path, language: str = "en", columns: str = "200", code: int = 0) -> Result:
        environment = {
            "DIGONCE_HOME": str(settings.home),
            "DIGONCE_REGISTRY": settings.registry,
            "DIGONCE_LANG": language,
            "COLUMNS": columns,
        }
        done = CliRunner().invoke(app, [str(argument) for argument in arguments], env=environment)
        assert done.exit_code == code, done.output
        return done

    return run


@pytest.fixture(scope="module")
def city(home: Path, template: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[Run]:
    """A small city, of which tests only read."""
    folder = tmp_path_factory.mktemp("city")
    write_city(make_city(300, 3), folder)
    own = Settings(home, f"test_{uuid.uuid4().hex[:12]}", None, "tester", "en")
    Cluster(home).create_database(own.registry, template)
    run = run_in(own)
    for kind, name in {"segments": "segments.gpkg", "buildings": "buildings.gpkg", "leaks": "leaks.csv"}.items():
        run("import", kind, folder / name, "--crs", "EPSG:4549")
    yield run
    Cluster(home).drop_database(own.registry)


def test_gbt27512_shows_the_rows_and_writes_both_sheets(city: Run, tmp_path: Path) -> None:
    city("gbt27512", *AS_OF, "-o", tmp_path / "view.xlsx")
    segments, rows = openpyxl.load_workbook(tmp_path / "view.xlsx").worksheets
    assert segments.max_row > 100
    assert rows.max_row > segments.max_row


@pytest.fixture(scope="module")
def scored(city: Run) -> Run:
    """The same city with scores by the default, and later ones by a model that the gate did not pass."""
    city("score", "--save", "plain", *AS_OF)
    city("score", "--model", "rate_table", "--force-model", "--save", "forced", *AS_OF)
    return city


def test_what_a_forced_model_ranks_is_read_only_where_it_is_asked_for(scored: Run, tmp_path: Path) -> None:
    quick = scored("explain", PIPE, "--quick").stdout
    assert "By the kept scores of run plain, as of 2026-11-01, ranked by “Default”." in quick
    assert quick.count("water mains") == 1
    told = json.loads(scored("explain", PIPE, "--quick", "--json").stdout)
    assert (told["run"]["name"], told["run"]["model"], told["ranking"]["ranks"]) == ("plain", "default", "default")
    shown = scored("history", PIPE, *AS_OF).stdout
    assert shown.count("water mains") == 1
    assert "By the scores of run plain as of 2026-11-01" in shown
    assert "ranked by “Default”" in shown
    told = json.loads(scored("history", PIPE, *AS_OF, "--json").stdout)["reasons"]
    assert (told["name"], told["model"], told["ranking"]["reason"]) == ("plain", "default", "no_decision")
    scored("history", PIPE, *AS_OF, "-o", tmp_path / "page.html", language="zh")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "依据运行 plain 的评分（截至 2026-11-01，" in page
    assert "按“默认模型”排序" in page
    warned = scored("explain", PIPE, "--run", "forced", "--quick")
    assert "although the gate did not pass it" in warned.stderr
    assert "of run forced, as of 2026-11-01, ranked by “Rate table”." in warned.stdout


def test_kept_scores_of_a_forced_model_alone_explain_nothing_unasked(
    digonce: Callable[..., Result], tmp_path: Path
) -> None:
    deliver_one_pipe(digonce, tmp_path)
    forced = digonce("score", "--model", "rate_table", "--force-model", "--save", "forced", *AS_OF)
    assert forced.exit_code == 0, forced.output
    refused = digonce("explain", "GAS-0", "--quick")
    assert refused.exit_code == 1
    assert "did not pass" in refused.output
    assert json.loads(digonce("history", "GAS-0", *AS_OF, "--json").stdout)["reasons"] is None


def test_what_is_printed_of_a_segment_adds_up_to_its_headline(scored: Run, tmp_path: Path) -> None:
    shown = scored("explain", PIPE, "--quick", "-o", tmp_path / "why.xlsx").stdout
    rows = [
        [cell.strip() for cell in line.strip("│").split("│")] for line in shown.splitlines() if line.startswith("│")
    ]
    *parts, whole = rows
    assert parts[-1][0].startswith("the other ")
    assert whole[0] == "all together"
    assert math.prod(float(row[2]) for row in parts) == pytest.approx(float(whole[2]), rel=0.1)
    assert sum(float(row[3]) for row in parts) == pytest.approx(float(whole[3]), abs=0.1)
    headline = re.search(r"its risk is ([\d.,]+) times", shown)
    assert headline is not None
    assert float(headline[1].replace(",", "")) == pytest.approx(float(whole[2]), rel=0.1)
    sheet = pd.read_excel(tmp_path / "why.xlsx", sheet_name="contributions", engine="openpyxl")
    assert list(sheet.columns[:3]) == ["Segment", "Code of the term", "Term"]
    assert sheet["Term"].iloc[0] == "Likelihood: Base rate"
    assert sheet["Term"].iloc[-1] == "all together"
    assert float(sheet["Times the usual"].iloc[-1]) == pytest.approx(float(whole[2]), abs=0.01)


def test_scores_say_what_pipe_each_row_is_and_keep_labels_on_a_narrow_terminal(scored: Run, tmp_path: Path) -> None:
    shown = scored("score", *AS_OF, "-o", tmp_path / "risk.xlsx", columns="60").stdout
    risks = pd.read_excel(tmp_path / "risk.xlsx", engine="openpyxl").set_index("Segment")
    assert list(risks.columns[:3]) == ["Network tier", "Material", "Street"]
    assert {"grey cast iron", "PE100"} <= set(risks["Material"])
    assert " ".join(shown.split()).count("water mains") == 1
    matrix = shown[shown.index("C5") :]
    assert [f"P{band}" for band in (5, 4, 3, 2, 1)] == re.findall(r"\bP\d\b", matrix)[:5]


def test_a_segment_named_twice_is_explained_once(scored: Run) -> None:
    told = json.loads(scored("explain", PIPE, PIPE, "--quick", "--json").stdout)
    assert [text["segment_id"] for text in told["texts"]] == [PIPE]


def test_messages_say_what_is_so(scored: Run, tmp_path: Path) -> None:
    for command in (["compare-scores", "plain", "nope"], ["explain", PIPE, "--run", "nope"]):
        assert "digonce score --save NAME" in scored(*command, code=1).output
    assert "301 years; at most 50" in scored("forecast", "--years", "2027-2327", code=2).output
    assert "None of the segments has the id “nope”" in scored("history", "nope", code=1).output
    shutil.copytree(REPOSITORY / "planner/weights", tmp_path / "weights")
    text = (REPOSITORY / "planner/policies/default.toml").read_text(encoding="utf-8")
    policy = tmp_path / "own.toml"
    policy.write_text(re.sub(r'(\[weights\]\nid = .*\nversion = )".*"', r'\1"99"', text), encoding="utf-8")
    (known,) = re.findall(r"Known: ([^.]+)\.", scored("score", "--policy", policy, code=1).output)
    listed = known.split(", ")
    assert len(listed) == len(set(listed)) >= 1


def test_gas_is_told_to_rest_on_water_mains_once(scored: Run) -> None:
    for command in (["forecast", "--years", "2027", "--draws", "10"], ["inspect-first", "--count", "1"]):
        told = scored(*command, *AS_OF).stdout
        assert told.count("water mains") == 1, command
    counted = re.search(r"The first 1 of (\d+) segments that are worth inspecting", told)
    assert counted is not None
    assert int(counted[1]) > 1


def deliver_one_pipe(digonce: Callable[..., Result], folder: Path) -> None:
    """Deliver a city of one segment with two leaks."""
    leaks = [
        {"漏点编号": f"L{number}", "发现日期": day, "X": NORTH, "Y": EAST + 20.0, "原因": "腐蚀"}
        for number, day in enumerate(("2012-05-01", "2021-05-01"))
    ]
    write(segments(1), folder / "segments.gpkg")
    leaks_csv(folder / "leaks.csv", leaks)
    for kind, name in {"segments": "segments.gpkg", "leaks": "leaks.csv"}.items():
        took = digonce("import", kind, folder / name, "--crs", "EPSG:4549")
        assert took.exit_code == 0, took.output


def test_a_tiny_record_leaves_out_what_cannot_be_fitted_and_explains_by_the_pipe_itself(
    digonce: Callable[..., Result], tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    pytest.importorskip("lifelines", reason="the extra `models` is not installed")
    deliver_one_pipe(digonce, tmp_path)
    tested = digonce("backtest", "--from", "2022", "--to", "2024", "--models", "survival,boosting", *AS_OF)
    assert tested.exit_code == 0, tested.output
    assert "Left out, because the record says too little to fit them: Survival regression." in tested.output
    assert not recwarn.list
    assert digonce("score", *AS_OF).exit_code == 0
    for verb in ("explain", "history"):
        told = digonce(verb, "GAS-0", *AS_OF)
        assert told.exit_code == 0, told.output
        assert "Against a neutral pipe" in told.stdout
        assert re.search(r"grey cast iron laid in 1985 \(\d+ times\)", told.stdout)
