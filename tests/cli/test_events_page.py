"""The commands of `docs/events.md` are run line by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.pages import run_page


@pytest.mark.slow
def test_the_commands_of_the_page_run(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_page("events.md", home, "events") > 8
