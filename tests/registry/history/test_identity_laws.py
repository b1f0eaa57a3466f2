"""Whatever ids a survey gives: no leak is lost, the network keeps its length, every id leads on, and undo undoes."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from registry.city import make_city, write_city
from registry.fields import fields
from registry.history.lineage import descendants
from registry.history.undo import undo_delivery
from registry.intake.merge import PLAIN_CLASSES
from registry.intake.recognition import Decisions
from registry.intake.review import accept_delivery, change_report
from registry.store import Registry
from tests.conftest import TODAY
from tests.registry.history.test_model import fresh
from tests.registry.identity.disturb import disturb

shares = st.sampled_from([0.0, 0.05, 0.3])
small = st.sampled_from([0.0, 0.03])


def names_of_leaks(registry: Registry) -> Any:
    """Return the leaks that name a segment which is there today."""
    named = registry.frame("leaks", ["segment_id"], as_of=TODAY)["segment_id"].dropna()
    return named[named.isin(registry.frame("segments", ["medium"], as_of=TODAY).index)]


def with_named_leaks(registry: Registry, folder: Path) -> Any:
    """Take a small city in and let each of its leaks name the nearest segment; return the segments."""
    write_city(make_city(300, 3), folder)
    registry.import_file("segments", folder / "segments.gpkg", today=TODAY)
    known: Any = registry.frame("segments", as_of=TODAY)
    leaks = known.geometry.interpolate(0.3, normalized=True)
    rows = leaks.to_frame("geometry").set_geometry("geometry", crs=known.crs)
    rows = rows.assign(leak_id=[f"L-{name}" for name in rows.index], segment_id=rows.index, leaked_on="2020-01-01")
    path = folder / "leaks.parquet"
    rows.reset_index(drop=True).to_parquet(path)
    registry.import_file("leaks", path, today=TODAY)
    return known


@pytest.mark.slow
@hypothesis_settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    seed=st.integers(0, 1000), renumber=shares, split=small, merge=small, drop=small, add=small, decides=st.booleans()
)
def test_a_census_under_other_ids_loses_nothing(
    home: Path,
    template: str,
    tmp_path: Path,
    seed: int,
    renumber: float,
    split: float,
    merge: float,
    drop: float,
    add: float,
    *,
    decides: bool,
) -> None:
    with fresh(home, template) as registry:
        folder = tmp_path / uuid.uuid4().hex
        folder.mkdir()
        known = with_named_leaks(registry, folder)
        newer, _edits = disturb(
            known, seed, renumber=renumber, split=split, merge=merge, drop=drop, add=add, jitter_m=0.1
        )
        names = [name for name, field in fields()["segments"].items() if field.role == "attribute" and name in newer]
        path = folder / "newer.parquet"
        newer[[*names, "geometry"]].reset_index().to_parquet(path)
        before, leaks = registry.state_hash(), names_of_leaks(registry)
        assert len(leaks) == len(known)

        receipt = registry.import_file("segments", path, today=TODAY)
        report = change_report(registry.connection, receipt.delivery_id)
        whole = report[report["column_name"] == ""]
        # nothing is told twice: what is recognised is neither new nor gone
        recognised = whole[whole["known_id"].notna()]
        assert not set(whole.loc[whole["class"] == "gone", "object_id"]) & set(recognised["known_id"])
        assert not set(whole.loc[whole["class"] == "added", "object_id"]) & set(recognised["object_id"])
        doubtful = recognised[recognised["class"] == "doubtful"]
        said = Decisions(tuple(zip(doubtful["known_id"], doubtful["object_id"], strict=True)) if decides else ())
        done = accept_delivery(registry.connection, receipt.delivery_id, registry.srid, PLAIN_CLASSES, decisions=said)
        assert set(done.undecided) == (set() if decides else set(doubtful["object_id"]))

        followed = names_of_leaks(registry)
        assert set(followed.index) == set(leaks.index)
        there = set(registry.frame("segments", ["medium"], as_of=TODAY).index)
        for name in sorted(set(known.index) - there):
            became = descendants(registry.connection, name)
            assert set(became.loc[became["is_last"], "segment_id"]) <= there
            assert became["is_last"].any()
            # the parts of what is known cover it end to end
            parts = became[became["parent_id"] == name].sort_values("parent_from_m")
            assert parts["parent_from_m"].iloc[0] == pytest.approx(0.0)
            assert parts["parent_to_m"].iloc[-1] == pytest.approx(known.geometry[name].length, abs=0.01)
            ends, starts = parts["parent_to_m"].iloc[:-1].tolist(), parts["parent_from_m"].iloc[1:].tolist()
            assert ends == pytest.approx(starts, abs=0.01)
        assert registry.import_file("segments", path, today=TODAY).is_repeat

        undo_delivery(registry.connection, receipt.delivery_id, "tester")
        assert registry.state_hash() == before
        assert set(names_of_leaks(registry).index) == set(leaks.index)
