"""A real city delivered again: known edits are told exactly, and under new ids no break loses its main."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from registry.fields import fields
from registry.history.undo import undo_delivery
from registry.intake.merge import CLASSES
from registry.intake.recognition import Decisions, open_doubts
from registry.intake.review import accept_delivery, change_report, decide_doubts
from registry.settings import Settings
from registry.store import Registry, open_registry
from tests.conftest import REPOSITORY, TODAY, real_data
from tests.registry.identity.disturb import Edits, disturb
from tests.registry.identity.test_cities import LEAST, twins

MAPPINGS = REPOSITORY / "tests" / "kitchener"
SURVEYED_ANEW = {"renumber": 0.3, "jitter_m": 0.3, "split": 0.03, "merge": 0.02}


def take_in(registry: Registry) -> gpd.GeoDataFrame:
    """Import the mains of 2023-05 and their breaks, and return the mains as the registry has them."""
    for kind, name in (("segments", "mains_2023-05.parquet"), ("leaks", "breaks_2023-05.parquet")):
        path = real_data("kitchener", "tidy", name)
        registry.import_file(kind, path, map_path=MAPPINGS / f"{kind}.toml", today=TODAY)
    mains: gpd.GeoDataFrame = registry.frame("segments", as_of=TODAY)
    return mains


def written(frame: gpd.GeoDataFrame, path: Path) -> Path:
    """Write segments under the names of our fields, as a delivery."""
    names = [name for name, field in fields()["segments"].items() if field.role == "attribute" and name in frame]
    frame[[*names, "geometry"]].reset_index().to_parquet(path)
    return path


@pytest.mark.real_data
def test_the_report_of_a_changed_census_is_the_known_edits(kitchener_settings: Settings, tmp_path: Path) -> None:
    with open_registry(kitchener_settings) as registry:
        known = take_in(registry)
        newer, edits = disturb(known, 7, drop=0.01, add=0.01, alter=0.02, move=0.01)
        receipt = registry.import_file("segments", written(newer, tmp_path / "newer.parquet"), today=TODAY)
        report = change_report(registry.connection, receipt.delivery_id)
    told = {name: set(rows["object_id"]) for name, rows in report.groupby("class")}
    altered = edits.altered[edits.altered["segment_id"].isin(set(edits.unchanged_ids))]
    assert told["gone"] == set(edits.dropped)
    assert told["added"] == set(edits.added)
    assert told["moved"] == set(edits.moved)
    assert told["changed"] == set(altered["segment_id"]) - set(edits.moved)
    assert set(told) == {"gone", "added", "moved", "changed"}
    values = report[report["class"].isin(["changed", "moved"]) & (report["column_name"] != "geometry")]
    assert {
        *zip(values["object_id"], values["column_name"], values["old_value"], values["new_value"], strict=True)
    } == {
        (row["segment_id"], row["column"], _text(row["old"]), _text(row["new"])) for row in altered.to_dict("records")
    }
    moved = report[report["column_name"] == "geometry"].set_index("object_id")["moved_m"].astype(float)
    assert moved.to_dict() == {name: pytest.approx(length, abs=0.01) for name, length in edits.moved.items()}


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def right(report: pd.DataFrame, edits: Edits, classes: pd.Series) -> tuple[float, float]:
    """Return precision and recall of the pairs of a report; of mains that are equal in everything any one is right."""
    found = report[(report["column_name"] == "") & report["known_id"].notna()]
    found = found[found["object_id"] != found["known_id"]]
    truth = {(delivered, int(classes[known])) for delivered, known in edits.changed_pairs}
    said = list(zip(found["object_id"], classes[found["known_id"]], strict=True))
    is_right = [pair in truth for pair in said]
    return float(np.mean(is_right)), len({pair for pair in said if pair in truth}) / len(truth)


def leaks_of(registry: Registry) -> pd.Series:
    leaks = registry.frame("leaks", ["segment_id"], as_of=TODAY)["segment_id"].dropna()
    there = registry.frame("segments", ["medium"], as_of=TODAY).index
    return leaks[leaks.isin(there)]


@pytest.mark.real_data
def test_under_new_ids_no_break_loses_its_main(kitchener_settings: Settings, tmp_path: Path) -> None:
    with open_registry(kitchener_settings) as registry:
        known = take_in(registry)
        classes = twins(known)
        leaks = leaks_of(registry)
        assert len(leaks) > 1000
        newer, edits = disturb(known, 1, **SURVEYED_ANEW)
        before = registry.state_hash()
        receipt = registry.import_file("segments", written(newer, tmp_path / "newer.parquet"), today=TODAY)
        report = change_report(registry.connection, receipt.delivery_id)
        assert min(right(report, edits, classes)) >= LEAST
        sure = report[report["class"].isin(["renumbered", "split", "merged"])]
        assert right(sure, edits, classes)[0] >= LEAST
        name = receipt.delivery_id

        # what is not in doubt is accepted: each leak names a main that is there
        done = accept_delivery(registry.connection, name, registry.srid, set(CLASSES) - {"gone"})
        assert len(done.undecided) == receipt.doubtful > 0
        pd.testing.assert_index_equal(leaks_of(registry).index, leaks.index)

        # a person says of the rest that the first choice is right
        doubts = open_doubts(registry.connection, name)
        said = Decisions(same=tuple(zip(doubts["known_id"], doubts["delivered_id"], strict=True)))
        decided = decide_doubts(registry.connection, name, registry.srid, said, "tester")
        assert decided.undecided == ()
        followed = leaks_of(registry)
        pd.testing.assert_index_equal(followed.index, leaks.index)
        assert set(registry.frame("segments", ["medium"], as_of=TODAY).index) == set(newer.index)
        _lie_where_they_lay(followed, leaks, known, newer)

        for made in (decided.delivery_id, name):
            undo_delivery(registry.connection, made, "tester")
        assert registry.state_hash() == before


def _lie_where_they_lay(
    followed: pd.Series, leaks: pd.Series, known: gpd.GeoDataFrame, newer: gpd.GeoDataFrame
) -> None:
    """Leaks that follow name a main on the course of the one that they named."""
    changed = leaks.index[followed != leaks]
    assert len(changed) > 300
    old, new = known.geometry[leaks[changed]].to_numpy(), newer.geometry[followed[changed]].to_numpy()
    assert (shapely.distance(old, new) < 1.5).all()
