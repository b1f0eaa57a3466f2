"""Rows on their way in: each row keeps its own shape, also where a delivery is sent in several pieces."""

from __future__ import annotations

from pathlib import Path

import pytest
import shapely

from registry import frames
from registry.store import Registry
from tests.conftest import TODAY
from tests.registry.deliveries import segments, write


def test_a_delivery_sent_in_pieces_keeps_each_shape_with_its_row(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "BATCH_ROWS", 3)
    delivered = segments(8)
    registry.import_file("segments", write(delivered, tmp_path / "census.gpkg"), today=TODAY)
    stored = registry.frame("segments", as_of=TODAY)
    wanted = delivered.set_index("管段编号").geometry.loc[stored.index]
    assert shapely.equals_exact(stored.geometry.to_numpy(), wanted.to_numpy(), tolerance=1e-6).all()
