"""The command line as a contract: verbs, exit codes, JSON keys, messages with a mend, languages."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from typer.testing import Result

from registry.console import command, parse_day, parse_instant, parse_years
from registry.errors import SettingsError
from registry.kinds import KINDS
from registry.settings import Settings
from tests.conftest import REPOSITORY
from tests.registry.deliveries import leaks_csv, segments, write

Digonce = Callable[..., Result]
MAIN_JOB_VERBS = (
    ("demo",), ("doctor",), ("use",), ("init",), ("make-city",), ("import",), ("deliveries",), ("held",),
    ("score",), ("overlap",), ("plan",), ("map",), ("report",),
    ("db", "up"), ("db", "down"), ("db", "status"), ("db", "migrate"),
    ("db", "check"), ("db", "backup"), ("db", "restore"), ("db", "upgrade"),
)  # fmt: skip
TRUTH_VERBS = (
    ("changes",), ("accept",), ("decline",), ("undo",), ("fix",), ("retry",), ("history",), ("correct",), ("split",),
    ("merge",), ("redraw",), ("retire",), ("replace",), ("decide",), ("decisions",), ("bans",), ("audit",),
    ("live-pairs",), ("gbt27512",), ("compare",), ("frontier",),
)  # fmt: skip
LATER_VERBS = (
    "tiles", "pack", "atlas", "check",
    "baseline", "watch", "hazards", "isolate", "trace", "sensors", "serve", "scale",
)  # fmt: skip


@pytest.mark.parametrize("verb", MAIN_JOB_VERBS + TRUTH_VERBS, ids=" ".join)
def test_every_verb_explains_itself_with_an_example(digonce: Digonce, verb: tuple[str, ...]) -> None:
    told = digonce(*verb, "--help")
    assert told.exit_code == 0
    assert "Example: digonce " + " ".join(verb) in " ".join(told.output.split())
    assert "--json" in told.output
    assert "--registry" in told.output


@pytest.mark.parametrize("verb", LATER_VERBS)
def test_what_is_not_built_does_not_pretend_to_exist(digonce: Digonce, verb: str) -> None:
    assert digonce(verb).exit_code == 2
    assert f" {verb} " not in digonce("--help").output


@pytest.mark.parametrize("arguments", [("score", "--colour"), ("import",), ("plan",), ("init", "--crs")])
def test_bad_usage_ends_with_2(digonce: Digonce, arguments: tuple[str, ...]) -> None:
    assert digonce(*arguments).exit_code == 2


def test_import_accounts_for_every_row_in_json(digonce: Digonce, tmp_path: Path) -> None:
    path = write(segments(3, 管材=["钢", "灰口铸鉄", "PE"]), tmp_path / "census.gpkg")
    told = digonce("import", "segments", path, "--json", "--source", "2025 census")
    assert told.exit_code == 0
    receipt = json.loads(told.stdout)
    assert (receipt["rows_read"], receipt["accepted"], receipt["held"]) == (3, 2, 1)
    assert receipt["faults"][0]["row"] == 2
    assert receipt["faults"][0]["offered"] == "灰口铸铁 (grey_iron)"
    listed = json.loads(digonce("deliveries", "--json").stdout)["deliveries"]
    assert [(row["delivery_id"], row["source"]) for row in listed] == [(receipt["delivery_id"], "2025 census")]
    held = json.loads(digonce("held", receipt["delivery_id"], "--json").stdout)["held"]
    assert [(row["row_number"], row["value"]) for row in held] == [(2, "灰口铸鉄")]


def test_strict_makes_a_held_row_a_fault(digonce: Digonce, tmp_path: Path) -> None:
    path = write(segments(2, 管材=["钢", "灰口铸鉄"]), tmp_path / "census.gpkg")
    assert digonce("import", "segments", path, "--strict").exit_code == 1


def test_held_rows_can_be_taken_to_excel(digonce: Digonce, tmp_path: Path) -> None:
    path = write(segments(2, 管材=["钢", "灰口铸鉄"]), tmp_path / "census.gpkg")
    delivery = json.loads(digonce("import", "segments", path, "--json").stdout)["delivery_id"]
    assert digonce("held", delivery, "-o", tmp_path / "held.xlsx", language="zh").exit_code == 0
    rows = pd.read_excel(tmp_path / "held.xlsx", engine="openpyxl")
    assert rows["行号"].tolist() == [2]
    assert rows["管材"].tolist() == ["灰口铸鉄"]
    assert "灰口铸铁" in rows["原因"].iloc[0]


@pytest.mark.parametrize(("language", "words"), [("en", "does not exist"), ("zh", "不存在")])
def test_a_fault_ends_with_1_and_a_message_in_the_language_asked_for(
    digonce: Digonce, language: str, words: str
) -> None:
    told = digonce("import", "segments", "nowhere.gpkg", "--lang", language)
    assert told.exit_code == 1
    assert words in told.stderr
    assert "Traceback" not in told.output


FAULTS: dict[str, tuple[tuple[str, ...], str]] = {
    "unknown delivery": (("held", "D1"), "digonce deliveries"),
    "unknown registry": (("use", "nowhere_land"), "nowhere_land"),
    "unusable registry": (("score", "--registry", "Bad Name"), "small letter"),
    "nothing to score": (("score", "--as-of", "2026-11-01"), "import segments"),
    "registry exists": (("init", "--crs", "EPSG:4549", "--name", "招远"), "exists already"),
    "degrees": (("init", "--registry", "another", "--crs", "EPSG:4326", "--name", "x"), "degrees"),
    "stretched": (("init", "--registry", "another", "--crs", "EPSG:3857", "--name", "x"), "zone in which"),
    "no name": (("init", "--registry", "another", "--crs", "EPSG:4549", "--name", " "), "needs a name"),
    "registry that is not there": (("deliveries", "--registry", "another"), "The registry “another” does not exist"),
    "output format": (("score", "-o", "x.docx"), ".xlsx"),
    "frontier format": (("frontier", "p", "-o", "x.docx"), "Use one of: .csv .xlsx .parquet .html."),
    "frontier on a map": (("frontier", "p", "-o", "x.gpkg"), "Use one of: .csv .xlsx .parquet .html."),
    "comparison format": (("compare", "p", "q", "-o", "x.docx"), ".csv .xlsx .gpkg .geojson .parquet .html."),
    "dossier format": (("history", "S", "-o", "x.docx"), "Use one of: .csv .xlsx .parquet .html."),
    "output folder": (("score", "-o", "nowhere/x.csv"), "nowhere"),
    "plan that is not there": (("map", "spring"), "spring"),
    "map format": (("map", "-o", "map.pdf"), ".html"),
}


USAGE: dict[str, tuple[tuple[str, ...], str]] = {
    "unknown kind": (("import", "pipes", "x.csv"), "segments"),
    "unreadable day": (("score", "--as-of", "yesterday"), "2026-11-01"),
    "unreadable day of a delivery": (("import", "leaks", "x.csv", "--received-on", "soon"), "2026-11-01"),
    "unreadable day of a change": (("import", "leaks", "x.csv", "--valid-from", "soon"), "2026-11-01"),
    "unreadable instant": (("score", "--known-at", "noon"), "2026-11-01T09:30"),
    "unreadable years": (("plan", "--years", "2031-2027", "--budget-cny", "1"), "2027-2031"),
}


@pytest.mark.parametrize("name", USAGE)
def test_an_argument_that_does_not_exist_ends_with_2_and_says_what_does(digonce: Digonce, name: str) -> None:
    arguments, words = USAGE[name]
    told = digonce(*arguments)
    assert told.exit_code == 2, told.output
    assert words in " ".join(told.stderr.split())


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_names_what_is_wrong_or_what_to_do(digonce: Digonce, name: str) -> None:
    arguments, words = FAULTS[name]
    told = digonce(*arguments)
    assert told.exit_code == 1, told.output
    assert words in " ".join(told.stderr.split())
    assert "Traceback" not in told.output


def test_a_bug_ends_with_3_and_a_log_that_can_be_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import typer
    from typer.testing import CliRunner

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    app = typer.Typer()

    def break_(session: object) -> None:
        """Break."""
        message = f"管线 {session is not None}"
        raise ZeroDivisionError(message)

    command(app, "break")(break_)
    told = CliRunner().invoke(app, [])
    assert told.exit_code == 3
    (log,) = tmp_path.glob("digonce-bug-*.md")
    assert "ZeroDivisionError: 管线 True" in log.read_text(encoding="utf-8")
    assert str(log) in "".join(told.stderr.split("\n"))


PIPED = """
import typer
from registry.console import command
app = typer.Typer()
def talk(session: object) -> None:
    '''Talk.'''
    {body}
command(app, "talk")(talk)
app()
"""


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("typer.echo('x' * 1_000_000)", 141),
        # a pipe that breaks inside, while somebody still reads us, is a fault of ours
        ("raise BrokenPipeError(32, 'Broken pipe')", 3),
    ],
)
def test_a_reader_that_has_read_enough_is_no_bug(tmp_path: Path, body: str, code: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PIPED.format(body=body)],
        cwd=REPOSITORY,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    if code == 141:
        process.stdout.close()
    told = process.stderr.read()
    assert process.wait() == code
    assert (told == "") == (code == 141)
    assert bool(list(tmp_path.glob("digonce-bug-*.md"))) == (code == 3)
    process.stderr.close()
    process.stdout.close()


def test_db_status_counts_rows_and_hashes_the_state(digonce: Digonce, tmp_path: Path) -> None:
    before = json.loads(digonce("db", "status", "--json").stdout)
    digonce("import", "segments", write(segments(3), tmp_path / "census.gpkg"))
    after = json.loads(digonce("db", "status", "--json").stdout)
    assert after["rows"]["segment_version"] == before["rows"]["segment_version"] + 3 == 3
    assert after["rows"]["segment"] == 3
    assert after["state_hash"] != before["state_hash"]
    assert after["server"]["is_running"]


def test_db_verbs_leave_a_citys_own_server_alone(digonce: Digonce) -> None:
    told = digonce("db", "down", "--dsn", "host=db.example dbname=pipes")
    assert told.exit_code == 1
    assert "--dsn" in told.stderr


def test_a_citys_own_server_is_used_when_named(digonce: Digonce, settings: Settings, tmp_path: Path) -> None:
    from registry.db import conninfo

    digonce("import", "segments", write(segments(2), tmp_path / "census.gpkg"))
    told = digonce("db", "status", "--json", "--dsn", conninfo(settings), "--registry", "named_by_dsn")
    assert told.exit_code == 0, told.stderr
    assert json.loads(told.stdout)["rows"]["segment"] == 2


def test_doctor_finds_this_installation_sound(digonce: Digonce) -> None:
    told = digonce("doctor", "--json")
    assert told.exit_code == 0, told.output
    codes = {finding["code"] for finding in json.loads(told.stdout)["findings"]}
    assert {"doctor_python", "doctor_names_free", "doctor_server", "doctor_extension"} <= codes


def test_doctor_says_what_is_wrong_with_a_server(digonce: Digonce) -> None:
    told = digonce("doctor", "--dsn", "host=/nowhere dbname=x")
    assert told.exit_code == 1
    assert "✗" in told.output


def test_a_mapping_is_drafted_and_works(digonce: Digonce, tmp_path: Path) -> None:
    rows = [{"漏点编号": "L1", "发现日期": "2024-03-05", "漏的原因": "锈蚀", "X": 4_137_000.0, "Y": 535_000.0}]
    path = leaks_csv(tmp_path / "leaks.csv", rows)
    draft = tmp_path / "leaks.toml"
    assert digonce("import", "leaks", path, "--draft-map", draft).exit_code == 0
    text = draft.read_text(encoding="utf-8")
    assert 'leaked_on = "发现日期"' in text
    assert "# unused: 漏的原因" in text
    draft.write_text(text.replace("# unused: 漏的原因", 'cause = "漏的原因"'), encoding="utf-8")
    receipt = json.loads(digonce("import", "leaks", path, "--map", draft, "--json").stdout)
    assert (receipt["accepted"], receipt["held"]) == (1, 0)


def test_make_city_writes_the_files_of_the_contract(digonce: Digonce, tmp_path: Path) -> None:
    told = digonce("make-city", "--segments", "300", "--seed", "7", "-o", tmp_path / "city", "--json")
    assert told.exit_code == 0, told.output
    assert abs(json.loads(told.stdout)["segments"] - 300) <= 9
    names = {path.name for path in (tmp_path / "city").iterdir()}
    layers = {f"{name}.gpkg" for name in ("segments", "roads", "buildings", "compounds", "valves", "districts")}
    tables = {"leaks.csv", "events.csv", "customers.csv", "risers.csv", "compounds.xlsx", "road_programme.xlsx"}
    assert names >= layers | tables | {"truth"}


def test_the_module_runs_too_and_help_loads_nothing_heavy() -> None:
    program = (
        "import sys, digonce\n"
        "heavy = {'pandas', 'geopandas', 'numpy', 'shapely', 'pyarrow', 'numba', 'folium', 'psycopg', 'scipy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    helped = subprocess.run(
        [sys.executable, "-m", "digonce", "--help"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"COLUMNS": "100"},
    )
    assert "make-city" in helped.stdout


@pytest.mark.parametrize("text", ["2027", "2027-2031"])
def test_years_are_read(text: str) -> None:
    assert parse_years(text)[0] == 2027
    assert parse_years(text)[-1] == int(text[-4:])


@pytest.mark.parametrize("text", ["", "20", "2031-2027", "1800-1900", "2027-2099", "now"])
def test_years_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        parse_years(text)


def test_instants_without_offset_are_utc() -> None:
    instant = parse_instant("2026-11-01T09:30")
    assert instant is not None
    assert instant.isoformat() == "2026-11-01T09:30:00+00:00"
    offset = parse_instant("2026-11-01T09:30+08:00")
    assert offset is not None
    assert (instant - offset).total_seconds() == 8 * 3600
    assert parse_instant(None) is None
    assert parse_day(None) is None


def test_json_of_a_registry_is_strict(digonce: Digonce, tmp_path: Path) -> None:
    digonce("import", "segments", write(segments(2, 管材=["鉄", None]), tmp_path / "census.gpkg"))
    for text in (digonce("deliveries", "--json").stdout, digonce("db", "status", "--json").stdout):
        json.loads(text, parse_constant=pytest.fail)
    assert json.loads(digonce("deliveries", "--json").stdout)["deliveries"][0]["source"] is None


def test_the_version_is_said(digonce: Digonce) -> None:
    from importlib.metadata import version

    told = digonce("--version")
    assert (told.exit_code, told.stdout.strip()) == (0, f"digonce {version('digonce')}")


def test_import_names_every_kind(digonce: Digonce) -> None:
    help_ = digonce("import", "--help").output
    assert [kind for kind in KINDS if kind not in help_] == []


def test_a_file_of_the_user_that_cannot_be_used_is_no_bug(digonce: Digonce, tmp_path: Path) -> None:
    path = leaks_csv(tmp_path / "leaks.csv", [{"漏点编号": "L1", "发现日期": "2024-03-05"}])
    mapping = tmp_path / "map.toml"
    mapping.write_text("[source]\nheader_rows = 99\n", encoding="utf-8")
    for arguments, words in (
        (("--draft-map", tmp_path / "nowhere" / "d.toml"), "No such file"),
        (("--draft-map", tmp_path), "Is a directory"),
        (("--map", tmp_path), "it is a folder"),
        (("--map", mapping), "row 99"),
    ):
        told = digonce("import", "leaks", path, *arguments)
        assert (told.exit_code, words in told.stderr) == (1, True), told.stderr
    assert tmp_path.is_dir()
    told = digonce("import", "leaks", tmp_path)
    assert (told.exit_code, "is a folder" in told.stderr) == (1, True), told.stderr


def test_a_system_fault_without_a_file_of_the_user_stays_a_bug(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import typer
    from typer.testing import CliRunner

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for number, expected in ((errno.EBADF, 3), (errno.ENOSPC, 1)):
        app = typer.Typer()

        def fail(session: object, number: int = number) -> None:
            """Fail."""
            raise OSError(number, os.strerror(number), str(session is None))

        command(app, "fail")(fail)
        assert CliRunner().invoke(app, []).exit_code == expected


def test_a_dry_run_says_how_to_see_the_rest_and_looks_at_a_known_file_again(digonce: Digonce, tmp_path: Path) -> None:
    path = write(segments(13, 管材="鉄"), tmp_path / "census.gpkg")
    told = digonce("import", "segments", path, "--dry-run").output
    assert "3 more; --json" in told
    assert "held —" not in told
    delivery = json.loads(digonce("import", "segments", path, "--json").stdout)["delivery_id"]
    again = json.loads(digonce("import", "segments", path, "--json", "--dry-run").stdout)
    assert (again["is_dry_run"], len(again["faults"]), again["held"]) == (True, 13, 13)
    assert {"code": "note_known_delivery", "delivery": delivery} in again["notes"]
    repeated = digonce("import", "segments", path, "--strict")
    assert repeated.exit_code == 1
    assert f"13 of its rows are held back: digonce held {delivery}" in " ".join(repeated.output.split())


@pytest.mark.parametrize(("step", "words"), [("before", "nothing was written"), ("after", "digonce undo")])
def test_an_interrupted_import_says_what_became_of_it(
    digonce: Digonce, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, words: str
) -> None:
    from registry.intake.promote import Writer

    write_ = Writer.write

    def stopped(self: Writer, *arguments: Any, **options: Any) -> None:
        if step == "after":
            write_(self, *arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(Writer, "write", stopped)
    told = digonce("import", "segments", write(segments(2), tmp_path / "census.gpkg"))
    assert told.exit_code == 130
    assert words in told.stderr
    listed = json.loads(digonce("deliveries", "--json").stdout)["deliveries"]
    assert len(listed) == (step == "after")


@pytest.mark.parametrize("columns", ["80", "200"])
def test_deliveries_fit_the_terminal_and_their_ids_stay_whole(digonce: Digonce, tmp_path: Path, columns: str) -> None:
    path = write(segments(2), tmp_path / "census_of_the_whole_city_in_the_year_2025.gpkg")
    delivery = json.loads(digonce("import", "segments", path, "--json").stdout)["delivery_id"]
    instant = json.loads(digonce("deliveries", "--json").stdout)["deliveries"][0]["received_at"]
    told = digonce("deliveries", columns=columns).stdout
    assert delivery in told
    assert max(map(len, told.splitlines())) <= int(columns)
    local = datetime.fromisoformat(instant).astimezone(ZoneInfo("Asia/Shanghai"))
    assert (f"{local:%Y-%m-%d %H:%M} " in told) == (columns == "200")
