"""Run the commands of a page of the docs as a reader would, line by line in one folder."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from typer.testing import CliRunner

from digonce import app
from registry.cluster import Cluster
from tests.conftest import REPOSITORY

# a block that names no language is of the command line
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


def blocks(page: str, language: str = "") -> list[str]:
    """The blocks of a page that are in one language."""
    text = (REPOSITORY / "docs" / page).read_text(encoding="utf-8")
    return [block for name, block in _BLOCK.findall(text) if name == language]


def run_page(page: str, home: Path, registry: str) -> int:
    """Run every command of a page in the working folder, drop its registry, and return how many there were."""
    lines = [line for block in blocks(page) for line in block.splitlines() if line.startswith("digonce ")]
    environment = {"DIGONCE_HOME": str(home), "DIGONCE_LANG": "en", "COLUMNS": "200"}
    try:
        for line in lines:
            done = CliRunner().invoke(app, shlex.split(line)[1:], env=environment)
            assert done.exit_code == 0, (line, done.output)
    finally:
        Cluster(home).drop_database(registry)
    return len(lines)
