"""What `docs/own-city.md` tells of projects in words: its programme, its commands and what they print."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from typer.testing import Result

from registry.store import Registry
from tests.conftest import REPOSITORY, TODAY
from tests.printed import anonymous
from tests.registry.deliveries import EAST, NORTH, write

PAGE = REPOSITORY / "docs" / "own-city.md"
MADE = "D20261101-1a2b3c4d"


def at(*points: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString([(EAST + east, NORTH + north) for east, north in points])


def streets() -> gpd.GeoDataFrame:
    """Two streets, three across them, and one that leaves 金城路 and comes back to it."""
    lines = {
        "罗峰大街": at((0, 0), (1000, 0)),
        "环城路": at((0, 300), (1000, 300)),
        "魁星路": at((100, -50), (100, 350)),
        "温泉路": at((500, -50), (500, 350)),
        "金城路": at((900, 0), (900, 800)),
        "月牙街": at((900, 500), (1000, 500), (1000, 700), (900, 700)),
    }
    numbers = {"左侧起始门牌号": 1, "左侧终止门牌号": 99, "右侧起始门牌号": 2, "右侧终止门牌号": 100}
    columns = {"道路编号": [f"R{place}" for place in range(len(lines))], "道路名称": list(lines), **numbers}
    return gpd.GeoDataFrame(pd.DataFrame(columns), geometry=list(lines.values()), crs="EPSG:4549")


def test_the_page_tells_what_the_queue_does(
    registry: Registry,
    digonce: Callable[..., Result],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = PAGE.read_text(encoding="utf-8")
    section = text[text.index("## 4. ") : text.index("## 5. ")]
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", section, re.M | re.S)
    (programme,) = [block for language, block in fences if language == "csv"]
    commands = [line for language, block in fences if not language for line in block.splitlines()]
    told = [squeezed(line) for language, block in fences if language == "text" for line in block.splitlines()]
    assert [line.split()[1] for line in commands] == ["import", "held", "fix", "fix", "retry"]
    registry.import_file("roads", write(streets(), tmp_path / "roads.gpkg"), today=TODAY)
    (tmp_path / "programme.csv").write_text(programme, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    printed = ""
    delivery = MADE
    for line in commands:
        done = digonce(*shlex.split(line.replace(MADE, delivery))[1:], columns="400")
        assert done.exit_code == 0, (line, done.output)
        delivery = (re.findall(r"D\d{8}-[0-9a-f]{8}", done.output) or [delivery])[0] if "import" in line else delivery
        printed += done.output
    lines = {squeezed(line) for line in printed.splitlines()}
    assert len(told) > 6
    assert [line for line in told if line not in lines] == [], printed
    projects = registry.frame("projects", as_of=TODAY)
    assert projects["located_by"].to_dict() == {
        "DL-1": "stretch",
        "DL-2": "numbers",
        "DL-3": "stretch",
        "DL-4": "numbers",
    }


def squeezed(line: str) -> str:
    return " ".join(anonymous(line).split())
