"""Every benchmark runs, at a size at which its figures mean nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

SMALL = {
    "forecast": [
        "--models",
        "default",
        "--first",
        "2021",
        "--thin-seeds",
        "1",
        "--thin-models",
        "default",
        "--skip-speed",
    ],
    "history": ["--segments", "1000", "--repeats", "1"],
    "imports": ["--segments", "1000", "--repeats", "1"],
    "leak_quality": ["--segments", "300", "--seeds", "1"],
    "leaks": ["--segments", "1000", "--leaks", "100", "--repeats", "1"],
    "matching": ["--segments", "1000", "--repeats", "1"],
    "million": ["--segments", "1000"],
    "overlap": ["--segments", "1000", "--repeats", "1"],
    "places": [],
    "pools": ["--cities", "1", "--streets", "4", "--segments", "300"],
    "programme": [
        *("--kind", "pairs", "--kind", "budgets", "--kind", "overlapping"),
        *("--batches", "1500", "--seeds", "1", "--peer-seconds", "0.1"),
    ],
    "score": ["--segments", "1000", "--rows", "100", "--repeats", "1"],
    "overlap_database": ["--segments", "1000", "--repeats", "1", "--changes", "2"],
}


def benchmarks() -> set[str]:
    return {path.stem for path in (REPOSITORY / "bench").glob("*.py") if "def main(" in path.read_text("utf-8")}


def test_each_benchmark_has_a_small_size() -> None:
    assert set(SMALL) == benchmarks()


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SMALL))
def test_a_benchmark_runs_and_prints_figures(home: Path, name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{name}", *SMALL[name]],
        cwd=REPOSITORY,
        env=os.environ | {"DIGONCE_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert any(letter.isdigit() for letter in done.stdout)
