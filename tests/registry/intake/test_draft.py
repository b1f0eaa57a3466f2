"""A drafted mapping is a mapping: it can be used as it is, and keeps where in the file the rows are."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.errors import FileFaultError
from registry.intake.draft import draft_mapping
from registry.intake.mapping import Source, read_mapping
from registry.kinds import kind_named
from registry.store import Registry
from tests.conftest import TODAY
from tests.registry.deliveries import segments


@pytest.fixture
def two_layers(tmp_path: Path) -> Path:
    """A GeoPackage that holds a census and another layer beside it."""
    path = tmp_path / "city.gpkg"
    segments(2).rename(columns={"管段编号": "管段编号 "}).to_file(path, layer="燃气管线", engine="pyogrio")
    segments(1).to_file(path, layer="other", engine="pyogrio")
    return path


def test_a_file_of_several_layers_is_drafted_for_the_one_that_is_named(
    registry: Registry, two_layers: Path, tmp_path: Path
) -> None:
    with pytest.raises(FileFaultError, match="other"):
        draft_mapping("segments", two_layers, tmp_path / "no.toml", Source())
    draft = tmp_path / "draft.toml"
    mapped = draft_mapping("segments", two_layers, draft, Source(layer="燃气管线", encoding="UTF-8"))
    mapping = read_mapping(draft, kind_named("segments"))
    assert mapping.source == Source(layer="燃气管线", encoding="UTF-8")
    assert mapped == len(mapping.columns)
    receipt = registry.import_file("segments", two_layers, map_path=draft, today=TODAY)
    assert (receipt.accepted, receipt.held) == (2, 0)
