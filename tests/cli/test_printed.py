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
from tests.test_docs import verbs

REGISTRY = "printed"
README = REPOSITORY / "README.md"
PLANS = REPOSITORY / "docs" / "how-plans-work.md"
SAID = ("Delivery ", "Planned ", "Risk removed ")


def planner_commands() -> list[list[str]]:
    section = README.read_text(encoding="utf-8").partition("## For planners")[2].partition("\n## ")[0]
    lines = re.findall(r"^digonce .*$", section, re.M)
    words = [shlex.split(line.replace("zhaoyuan", REGISTRY))[1:] for line in lines]
    return [command for command in words if command[0] != "use"]


def engineer_commands() -> list[list[str]]:
    """The commands about one segment in the README, and the examples of help about one; what would write only shows."""
    section = README.read_text(encoding="utf-8").partition("## For engineers")[2].partition("\n## ")[0]
    written = re.findall(r"^digonce (.*RQ\d{7}.*)$", section, re.M)
    assert len(written) >= 2
    lines: list[str] = []
    for name, verb in verbs().items():
        examples = re.findall(r"Example: digonce (.*RQ\d{7}.*)", verb.help)
        can_only_show = any("--dry-run" in parameter.opts for parameter in verb.params)
        lines += [f"{line} --dry-run" if can_only_show else line for line in examples]
        assert can_only_show or name in {"history", "explain"} or not examples, name
    # what the README corrects comes last: to correct it again would change nothing
    return [shlex.split(line) for line in [*lines, *written]]


def programme_commands() -> list[list[str]]:
    """The commands that follow the plan: by hand, proposed and adopted; reports of progress are the reader's own."""
    section = README.read_text(encoding="utf-8").partition("## From the plan")[2].partition("\n## ")[0]
    words = [shlex.split(line)[1:] for line in re.findall(r"^digonce .*$", section, re.M)]
    assert [command[0] for command in words[:3]] == ["edit-plan", "propose", "adopt"]
    return words[:3]


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
        for command in [*programme_commands(), *engineer_commands()]:
            result = CliRunner().invoke(app, command, env=environment)
            assert result.exit_code == 0, (command, result.output)
    finally:
        Cluster(home).drop_database(REGISTRY)
    assert len(shown(README, SAID)) >= 6
    assert len(shown(PLANS, SAID)) >= 1
    assert [*missing(README, SAID, printed), *missing(PLANS, SAID, printed)] == [], printed
