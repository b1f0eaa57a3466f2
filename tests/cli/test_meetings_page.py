"""The commands of `docs/meetings.md` are run line by line."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from digonce import app
from registry.cluster import Cluster
from tests.conftest import REPOSITORY

PAGE = REPOSITORY / "docs" / "meetings.md"


@pytest.mark.slow
def test_the_commands_of_the_page_run(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("digonce ")]
    assert len(lines) > 8
    environment = {"DIGONCE_HOME": str(home), "DIGONCE_LANG": "en", "COLUMNS": "200"}
    try:
        for line in lines:
            done = CliRunner().invoke(app, shlex.split(line)[1:], env=environment)
            assert done.exit_code == 0, (line, done.output)
    finally:
        Cluster(home).drop_database("meeting")
