"""The README's commands for planners are run in their order on the sample city, and print what the pages show."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from digonce import app
from registry.cluster import Cluster
from tests.conftest import REPOSITORY
from tests.printed import missing, shown

REGISTRY = "printed"
README = REPOSITORY / "README.md"
PLANS = REPOSITORY / "docs" / "how-plans-work.md"
SAID = ("Delivery ", "Planned ", "Risk removed ")


def planner_commands() -> list[list[str]]:
    section = README.read_text(encoding="utf-8").partition("## For planners")[2].partition("\n## ")[0]
    lines = re.findall(r"^digonce .*$", section, re.M)
    words = [shlex.split(line.replace("zhaoyuan", REGISTRY))[1:] for line in lines]
    return [command for command in words if command[0] != "use"]


@pytest.mark.slow
def test_the_pages_show_what_the_sample_city_prints(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {"DIGONCE_HOME": str(home), "DIGONCE_REGISTRY": REGISTRY, "DIGONCE_LANG": "en", "COLUMNS": "400"}
    printed = ""
    monkeypatch.chdir(tmp_path)
    commands = [["make-city", "-o", "."], *planner_commands()]
    assert [command[0] for command in commands].count("import") == 8
    try:
        for command in commands:
            result = CliRunner().invoke(app, command, env=environment)
            assert result.exit_code == 0, (command, result.output)
            printed += result.output
    finally:
        Cluster(home).drop_database(REGISTRY)
    assert len(shown(README, SAID)) >= 6
    assert len(shown(PLANS, SAID)) >= 1
    assert [*missing(README, SAID, printed), *missing(PLANS, SAID, printed)] == [], printed
