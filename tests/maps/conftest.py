from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from maps.inputs import Inputs
from maps.plan_map import PlanMap, draw_map
from tests.maps.frames import town

ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking"]


def chromium_path() -> str | None:
    """Return the browser: DIGONCE_CHROMIUM, else /usr/bin/chromium, else chromium on the PATH."""
    named = os.environ.get("DIGONCE_CHROMIUM")
    if named:
        return named
    usual = Path("/usr/bin/chromium")
    return str(usual) if usual.exists() else shutil.which("chromium")


@dataclass
class Tab:
    """One page of the browser with its network cut off, and everything that must not happen in it."""

    page: Any
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, path: Path) -> None:
        self.page.goto(path.as_uri())

    def open_map(self, path: Path) -> None:
        self.open(path)
        self.page.wait_for_selector("html[data-ready=yes]", timeout=30_000)

    def evaluate(self, script: str, argument: object = None) -> Any:
        return self.page.evaluate(script, argument)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = chromium_path()
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no Chromium: install the package chromium or name one with DIGONCE_CHROMIUM")
        pytest.skip("no Chromium: install the package chromium or name one with DIGONCE_CHROMIUM")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield started
        started.close()


def _tab(browser: Any, width: int, height: int) -> Iterator[Tab]:
    context = browser.new_context(offline=True, viewport={"width": width, "height": height})
    tab = Tab(context.new_page())
    tab.page.on("request", lambda request: _note_request(tab, request.url))
    tab.page.on("console", lambda message: _note_console(tab, message))
    tab.page.on("pageerror", lambda fault: tab.complaints.append(str(fault)))
    yield tab
    context.close()


def _note_request(tab: Tab, address: str) -> None:
    if address.split(":", 1)[0] not in {"file", "data", "blob"}:
        tab.requests.append(address)


def _note_console(tab: Tab, message: Any) -> None:
    if message.type in {"error", "warning"}:
        tab.complaints.append(message.text)


@pytest.fixture
def tab(browser: Any) -> Iterator[Tab]:
    yield from _tab(browser, 1400, 900)


@pytest.fixture
def phone(browser: Any) -> Iterator[Tab]:
    yield from _tab(browser, 400, 800)


@pytest.fixture(scope="session")
def inputs() -> Inputs:
    return town()


@pytest.fixture(scope="session")
def drawn(inputs: Inputs) -> PlanMap:
    return draw_map(inputs)


@pytest.fixture(scope="session")
def map_path(drawn: PlanMap, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drawn.save(tmp_path_factory.mktemp("maps") / "map.html")
