"""The worked example of `docs/how-history-works.md` is run line by line, and its four answers are what it says."""

from __future__ import annotations

import json
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from digonce import app
from registry.cluster import Cluster
from tests.conftest import REPOSITORY

PAGE = REPOSITORY / "docs" / "how-history-works.md"
SEGMENT = "RQ0000100"


def commands() -> list[list[str]]:
    blocks = re.findall(r"^```\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    return [shlex.split(line)[1:] for block in blocks for line in block.splitlines() if line.startswith("digonce ")]


def run(home: Path, *words: str) -> Result:
    environment = {"DIGONCE_HOME": str(home), "DIGONCE_LANG": "en", "COLUMNS": "200"}
    result = CliRunner().invoke(app, list(words), env=environment)
    assert result.exit_code == 0, (words, result.output)
    return result


def cover(home: Path, *options: str) -> float:
    told = json.loads(run(home, "history", SEGMENT, "--registry", "history", "--json", *options).output)
    return float(next(fact["value"] for fact in told["facts"] if fact["column_name"] == "cover_depth_m"))


@pytest.mark.slow
def test_the_worked_example_runs_and_gives_the_four_answers(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = commands()
    correcting = next(number for number, words in enumerate(lines) if words[0] == "correct")
    try:
        for words in lines[:correcting]:
            run(home, *words)
        meeting = datetime.now(UTC).isoformat()
        census = cover(home)
        run(home, *lines[correcting])
        past = ("--as-of", "2023-01-01")
        then = ("--known-at", meeting)
        assert census != 0.4
        assert [cover(home), cover(home, *past), cover(home, *then), cover(home, *past, *then)] == [0.4, *[census] * 3]
        for words in lines[correcting + 1 :]:
            run(home, *words)
        assert (tmp_path / f"{SEGMENT}.html").read_text(encoding="utf-8").count("site visit") >= 2
        told = json.loads(run(home, "history", SEGMENT, "--registry", "history", "--json").output)
        assert {row["segment_id"] for row in told["became"] if row["is_last"]} == {"RQ0000100M"}
    finally:
        Cluster(home).drop_database("history")
