"""The notebooks run from top to bottom on a small city, and are kept without outputs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from typer.testing import CliRunner

from digonce import app
from registry.cluster import Cluster
from registry.settings import Settings
from registry.store import open_registry
from tests.cities import import_city, write_small_city
from tests.conftest import REPOSITORY

NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
USERS = {"planner", "engineer", "coordination"}
Outputs = list[dict[str, Any]]
# the kernel talks over sockets of its own loop; whether they are closed in time is not ours to say
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*:ResourceWarning:(zmq|jupyter_client|tornado|asyncio|nbclient).*"),
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:(zmq|jupyter_client|jupyter_core|tornado|nbclient).*"),
]


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def cells(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return found


@pytest.fixture(scope="module")
def small_city(home: Path, template: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[Settings]:
    """A registry with a whole small city and one saved plan, for all notebooks."""
    settings = Settings(home, "test_notebooks", None, "tester", "en")
    cluster = Cluster(home)
    cluster.create_database(settings.registry, template)
    with open_registry(settings) as registry:
        receipts = import_city(registry, write_small_city(tmp_path_factory.mktemp("city")))
    assert all(receipt.rows_read == receipt.accepted + receipt.held for receipt in receipts)
    verb = ["plan", "--years", "2027-2031", "--budget-cny", "1200000", "--as-of", "2026-11-01", "--save", "meeting"]
    planned = CliRunner().invoke(app, [*verb, "--registry", settings.registry])
    assert planned.exit_code == 0, planned.output
    yield settings
    cluster.drop_database(settings.registry)


@pytest.fixture
def run(small_city: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, Outputs]]:
    """Execute a notebook in a folder of its own and return the outputs of its cells by id."""

    def execute(name: str) -> dict[str, Outputs]:
        monkeypatch.setenv("DIGONCE_REGISTRY", small_city.registry)
        monkeypatch.setenv("DIGONCE_HOME", str(small_city.home))
        notebook = read(REPOSITORY / "notebooks" / f"{name}.ipynb")
        NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
        return {cell["id"]: cell["outputs"] for cell in notebook["cells"] if cell["cell_type"] == "code"}

    return execute


def text_of(outputs: dict[str, Outputs]) -> str:
    """All plain text that the cells have shown; a warning is a failure."""
    shown = [output for cell in outputs.values() for output in cell]
    assert [output["text"] for output in shown if output.get("name") == "stderr"] == []
    return "\n".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in shown)


def test_there_is_a_story_for_each_user() -> None:
    assert {path.stem for path in NOTEBOOKS} == USERS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_kept_without_outputs(path: Path) -> None:
    nbformat.validate(read(path))
    for cell in cells(path):
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_heading_is_in_both_languages(path: Path) -> None:
    headings = [line for cell in cells(path) for line in cell["source"] if line.startswith("#") and " · " in line]
    all_headings = [
        line for cell in cells(path) if cell["cell_type"] == "markdown" for line in cell["source"] if line[0] == "#"
    ]
    assert len(all_headings) >= 4
    assert headings == all_headings


@pytest.mark.slow
def test_the_planner_goes_from_census_to_map(run: Callable[[str], dict[str, Outputs]], tmp_path: Path) -> None:
    shown = text_of(run("planner"))
    assert "Plan(2027-2031" in shown
    assert "grey_iron" in shown
    page = (tmp_path / "renewal-map.html").read_text(encoding="utf-8")
    assert "招远" in page


@pytest.mark.slow
def test_the_engineer_sees_what_is_known_of_a_segment(run: Callable[[str], dict[str, Outputs]]) -> None:
    shown = text_of(run("engineer"))
    assert "segments.gpkg" in shown
    assert "管材" in shown
    assert "probability" in shown
    # who said an attribute first, and what happened when
    assert {"known_since", "old_value"} <= set(re.findall(r"\w+", shown))
    assert "risk_per_km_year" in shown


@pytest.mark.slow
def test_the_meeting_gets_its_report(run: Callable[[str], dict[str, Outputs]], tmp_path: Path) -> None:
    shown = text_of(run("coordination"))
    assert "'meeting'" in shown
    assert {path.suffix for path in (tmp_path / "overlap-report").iterdir()} == {".xlsx", ".html"}
