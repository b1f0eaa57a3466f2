from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from maps.index_page import write_index
from maps.inputs import Inputs


def test_every_file_is_linked_relatively_with_its_size(inputs: Inputs, tmp_path: Path) -> None:
    names = ["renewal-map.html", "overlap-report.xlsx", "scores.xlsx", "data/管段 1#.gpkg"]
    (tmp_path / "data").mkdir()
    for name in names:
        (tmp_path / name).write_bytes(b"x" * 2048)
    text = write_index(inputs, tmp_path).read_text(encoding="utf-8")
    links = re.findall(r'href="([^"]+)"', text)
    assert [unquote(link) for link in links] == names
    assert all((tmp_path / unquote(link)).is_file() for link in links)
    assert text.count("2 KB") == len(names)
    assert "3.6 公里" in text


def test_writing_twice_does_not_link_the_index_itself(inputs: Inputs, tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("x", encoding="utf-8")
    first = write_index(inputs, tmp_path, language="en").read_bytes()
    assert write_index(inputs, tmp_path, language="en").read_bytes() == first
    assert b"index.html" not in first


def test_truth_of_a_synthetic_city_is_no_delivered_data(inputs: Inputs, tmp_path: Path) -> None:
    for name in ("city/segments.gpkg", "city/truth/hazard.parquet", "city/truth/parameters.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    text = write_index(inputs, tmp_path, language="en").read_text(encoding="utf-8")
    assert re.findall(r'href="([^"]+)"', text) == ["city/segments.gpkg"]
