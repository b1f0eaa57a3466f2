"""A census under other ids: the same pipes go on, with leaks and past, and a person decides what is open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely.affinity import translate
from typer.testing import Result

from registry.errors import ReviewError
from registry.history.dossier import read_dossier
from registry.history.edit import Warrant, correct
from registry.history.lineage import ancestors, descendants
from registry.history.undo import undo_delivery
from registry.intake.importer import Receipt
from registry.intake.recognition import Decisions
from registry.intake.review import Acceptance, accept_delivery, change_report, decide_doubts
from registry.kinds import KINDS
from registry.store import Registry
from tests.conftest import TODAY
from tests.registry.deliveries import EAST, NORTH, leaks_csv, line, segments, write

BEFORE = TODAY - timedelta(days=1)
EACH = {
    "管材": ["灰口铸铁", "PE100", "钢", "PE80", "灰口铸铁", "PE100", "钢", "PE80", "灰口铸铁", "PE100"],
    "管径": ["DN200", "DN100", "DN300", "DN150", "DN400", "DN200", "DN100", "DN300", "DN150", "DN400"],
}


def census(count: int = 10) -> gpd.GeoDataFrame:
    """Pipes well apart, each unlike its neighbours."""
    return segments(count, **{name: values[:count] for name, values in EACH.items()})


def deliver(registry: Registry, frame: gpd.GeoDataFrame, path: Path, **options: Any) -> Receipt:
    return registry.import_file("segments", write(frame, path), today=TODAY, **options)


@pytest.fixture
def street(registry: Registry, tmp_path: Path) -> Registry:
    """Ten pipes, each with a leak 10 m and one 40 m along it that names it."""
    deliver(registry, census(), tmp_path / "first.gpkg")
    leaks = [
        {
            "漏点编号": f"L{row}-{along}",
            "发现日期": "2020-01-01",
            "管段编号": f"GAS-{row}",
            "X": NORTH + 60 * row + 1,
            "Y": EAST + along,
        }
        for row in range(10)
        for along in (10, 40)
    ]
    registry.import_file("leaks", leaks_csv(tmp_path / "leaks.csv", leaks), today=TODAY)
    return registry


def renamed(frame: gpd.GeoDataFrame, names: dict[str, str]) -> gpd.GeoDataFrame:
    return frame.assign(管段编号=frame["管段编号"].replace(names))


def cut(frame: gpd.GeoDataFrame, row: int, names: list[str], share: float = 0.5) -> gpd.GeoDataFrame:
    """Return the census with one pipe in two."""
    course: Any = frame.geometry[row]
    pieces = [shapely.ops.substring(course, *ends, normalized=True) for ends in ((0.0, share), (share, 1.0))]
    parts = frame.loc[[row, row]].set_geometry(pieces, crs=frame.crs).assign(管段编号=names)
    return gpd.GeoDataFrame(pd.concat([frame.drop(index=row), parts], ignore_index=True), crs=frame.crs)


def at(registry: Registry, day: date = TODAY) -> Any:
    return registry.frame("segments", as_of=day)


def leaks_of(registry: Registry, day: date = TODAY) -> dict[str, str]:
    found: dict[str, str] = registry.frame("leaks", ["segment_id"], as_of=day)["segment_id"].to_dict()
    return found


def lines(registry: Registry, delivery_id: str) -> set[tuple[str, str, str | None]]:
    """What the report says of whole rows: class, id, known id."""
    report = change_report(registry.connection, delivery_id)
    whole = report[report["column_name"] == ""].astype(object).where(report.notna(), None)
    return {(row["class"], row["object_id"], row["known_id"]) for row in whole.to_dict("records")}


def accept(registry: Registry, delivery_id: str, **options: Any) -> Acceptance:
    return accept_delivery(registry.connection, delivery_id, registry.srid, **options)


def test_a_pipe_with_a_new_id_is_renumbered_and_keeps_its_leaks_and_its_past(street: Registry, tmp_path: Path) -> None:
    correct(street.connection, KINDS["segments"], "GAS-3", {"cover_depth_m": "0.4"}, Warrant("tester", "site visit"))
    before = street.state_hash()
    newer = renamed(census(), {"GAS-3": "N-3"})
    newer.loc[3, "管径"] = "DN160"
    receipt = deliver(street, newer, tmp_path / "second.gpkg")
    assert (receipt.state, receipt.renumbered, receipt.added, receipt.gone, receipt.unchanged) == (
        "pending",
        1,
        0,
        0,
        9,
    )
    assert lines(street, receipt.delivery_id) == {("renumbered", "N-3", "GAS-3")}
    report: Any = change_report(street.connection, receipt.delivery_id).set_index("column_name")
    assert report.loc["", "probability"] > 0.9
    assert report.loc["diameter_mm", ["old_value", "new_value"]].tolist() == ["150", "160"]
    assert set(report.index) == {"", "diameter_mm"}
    accept(street, receipt.delivery_id)
    now = at(street)
    assert "GAS-3" not in now.index
    # what was not delivered is what was known
    assert now.loc["N-3", ["cover_depth_m", "diameter_mm"]].tolist() == [0.4, 160.0]
    assert {leak: leaks_of(street)[leak] for leak in ("L3-10", "L3-40")} == {"L3-10": "N-3", "L3-40": "N-3"}
    assert "GAS-3" in at(street, BEFORE).index
    assert leaks_of(street, BEFORE)["L3-10"] == "GAS-3"
    became = descendants(street.connection, "GAS-3")[["segment_id", "relation", "is_last"]]
    assert became.to_dict("records") == [{"segment_id": "N-3", "relation": "renumber", "is_last": True}]
    assert ancestors(street.connection, "N-3")["segment_id"].tolist() == ["GAS-3"]
    assert deliver(street, newer, tmp_path / "third.geojson").unchanged == 10
    undo_delivery(street.connection, receipt.delivery_id, "tester")
    assert street.state_hash() == before
    assert descendants(street.connection, "GAS-3").empty


def test_the_dossier_of_the_new_id_tells_the_past_of_the_old_one(street: Registry, tmp_path: Path) -> None:
    correct(street.connection, KINDS["segments"], "GAS-3", {"cover_depth_m": "0.4"}, Warrant("tester", "site visit"))
    newer = renamed(census(), {"GAS-3": "N-3"})
    accept(street, deliver(street, newer, tmp_path / "second.gpkg").delivery_id)
    dossier = read_dossier(street.connection, "N-3", TODAY)
    events = set(dossier.timeline["event"])
    assert {"event_import", "event_correct", "event_leak", "event_came_from"} <= events
    assert (dossier.timeline["event"] == "event_leak").sum() == 2
    facts: Any = dossier.facts.set_index("column_name")
    assert facts.loc["cover_depth_m", "source"] == "site visit"
    assert facts.loc["material", "source"] == "first.gpkg"


def test_a_split_pipe_goes_on_as_its_pieces(street: Registry, tmp_path: Path) -> None:
    before = street.state_hash()
    receipt = deliver(street, cut(census(), 4, ["N-1", "N-2"], 0.6), tmp_path / "second.gpkg")
    assert (receipt.split, receipt.added, receipt.gone) == (2, 0, 0)
    assert lines(street, receipt.delivery_id) == {("split", "N-1", "GAS-4"), ("split", "N-2", "GAS-4")}
    accept(street, receipt.delivery_id)
    assert "GAS-4" not in at(street).index
    assert {leak: leaks_of(street)[leak] for leak in ("L4-10", "L4-40")} == {"L4-10": "N-1", "L4-40": "N-2"}
    parts = descendants(street.connection, "GAS-4").sort_values("parent_from_m")
    assert parts[["parent_from_m", "parent_to_m"]].to_numpy().ravel() == pytest.approx([0, 30, 30, 50], abs=0.01)
    undo_delivery(street.connection, receipt.delivery_id, "tester")
    assert street.state_hash() == before


def test_a_piece_may_keep_the_id_of_the_whole(street: Registry, tmp_path: Path) -> None:
    before = street.state_hash()
    receipt = deliver(street, cut(census(), 4, ["GAS-4", "N-2"], 0.6), tmp_path / "second.gpkg")
    assert (receipt.split, receipt.moved, receipt.added) == (2, 0, 0)
    accept(street, receipt.delivery_id)
    assert at(street).geometry["GAS-4"].length == pytest.approx(30)
    assert at(street, BEFORE).geometry["GAS-4"].length == pytest.approx(50)
    assert {leak: leaks_of(street)[leak] for leak in ("L4-10", "L4-40")} == {"L4-10": "GAS-4", "L4-40": "N-2"}
    undo_delivery(street.connection, receipt.delivery_id, "tester")
    assert street.state_hash() == before


def test_merged_pipes_go_on_as_one_and_say_what_was_not_delivered(registry: Registry, tmp_path: Path) -> None:
    frame = segments(2, geometry=[line(0, 0, 30.0), line(30, 0, 50.0)], 埋深=[0.9, 1.4], 建设年代=["1985", "1990"])
    deliver(registry, frame, tmp_path / "first.gpkg")
    leaks = [{"漏点编号": "L", "发现日期": "2020-01-01", "管段编号": "GAS-0", "X": NORTH + 1, "Y": EAST + 10}]
    registry.import_file("leaks", leaks_csv(tmp_path / "leaks.csv", leaks), today=TODAY)
    whole = segments(1, geometry=[line(0, 0, 80.0)], 管段编号=["N-1"]).drop(columns="建设年代")
    receipt = deliver(registry, whole, tmp_path / "second.gpkg")
    assert (receipt.merged, receipt.gone) == (1, 0)
    assert lines(registry, receipt.delivery_id) == {("merged", "N-1", "GAS-0"), ("merged", "N-1", "GAS-1")}
    accept(registry, receipt.delivery_id)
    now = at(registry)
    assert now.index.tolist() == ["N-1"]
    told = now.loc["N-1", ["cover_depth_m", "installed_year_min", "installed_year_max"]]
    assert told.tolist() == [1.4, 1985, 1990]
    assert leaks_of(registry) == {"L": "N-1"}
    parts: Any = ancestors(registry.connection, "N-1").set_index("segment_id")
    assert parts.loc["GAS-1", ["child_from_m", "child_to_m"]].tolist() == pytest.approx([30, 80])


@pytest.fixture
def twins(registry: Registry, tmp_path: Path) -> tuple[Registry, Receipt]:
    """Two equal pipes on one course, delivered again under two new ids; a third pipe is plainly renumbered."""
    shapes = [line(0, 0), line(0, 0), line(0, 200)]
    deliver(registry, segments(3, geometry=shapes), tmp_path / "first.gpkg")
    names = ["N-0", "N-1", "N-2"]
    return registry, deliver(registry, segments(3, geometry=shapes, 管段编号=names), tmp_path / "second.gpkg")


def test_what_is_doubtful_is_not_accepted_and_stays_open(twins: tuple[Registry, Receipt]) -> None:
    registry, receipt = twins
    assert (receipt.doubtful, receipt.renumbered, receipt.gone, receipt.added) == (2, 1, 0, 0)
    report = change_report(registry.connection, receipt.delivery_id)
    doubts = report[report["class"] == "doubtful"]
    assert doubts["probability"].tolist() == pytest.approx([0.5, 0.5], abs=0.01)
    assert set(doubts["reason"]) == {"identity_rival"}
    done = accept(registry, receipt.delivery_id)
    assert done.undecided == ("N-0", "N-1")
    assert set(at(registry).index) == {"GAS-0", "GAS-1", "N-2"}


def test_doubts_are_decided_pair_by_pair_also_later_and_undone_alone(twins: tuple[Registry, Receipt]) -> None:
    registry, receipt = twins
    name = receipt.delivery_id
    done = accept(registry, name, decisions=Decisions(same=(("GAS-1", "N-0"),)))
    assert done.undecided == ("N-1",)
    assert set(at(registry).index) == {"GAS-0", "N-0", "N-2"}
    assert ancestors(registry.connection, "N-0")["segment_id"].tolist() == ["GAS-1"]
    between = registry.state_hash()

    def decide(**said: Any) -> Acceptance:
        return decide_doubts(registry.connection, name, registry.srid, Decisions(**said), "tester")

    with pytest.raises(ReviewError) as fault:
        decide(same=(("GAS-1", "N-1"),))
    assert fault.value.code == "decision_known_absent"
    with pytest.raises(ReviewError) as fault:
        decide(different=("N-0",))
    assert fault.value.code == "decision_not_open"
    later = decide(different=("N-1",))
    assert later.undecided == ()
    assert set(at(registry).index) == {"GAS-0", "N-0", "N-1", "N-2"}
    undo_delivery(registry.connection, later.delivery_id, "tester")
    assert registry.state_hash() == between
    assert decide(same=(("GAS-0", "N-1"),)).undecided == ()
    assert set(at(registry).index) == {"N-0", "N-1", "N-2"}


def test_an_import_that_is_accepted_at_once_leaves_doubts_open_too(registry: Registry, tmp_path: Path) -> None:
    shapes = [line(0, 0), line(0, 0)]
    deliver(registry, segments(2, geometry=shapes), tmp_path / "first.gpkg")
    newer = segments(2, geometry=shapes, 管段编号=["N-0", "N-1"])
    receipt = deliver(registry, newer, tmp_path / "second.gpkg", is_accepted=True)
    assert (receipt.state, receipt.doubtful) == ("accepted", 2)
    assert set(at(registry).index) == {"GAS-0", "GAS-1"}
    said = Decisions(same=(("GAS-0", "N-0"), ("GAS-1", "N-1")))
    decide_doubts(registry.connection, receipt.delivery_id, registry.srid, said, "tester")
    assert set(at(registry).index) == {"N-0", "N-1"}


def test_an_id_given_to_another_pipe_far_away_is_for_a_person_to_decide(street: Registry, tmp_path: Path) -> None:
    newer = renamed(census(), {"GAS-3": "N-3"})
    far = newer.loc[[3]].assign(管段编号="GAS-3").set_geometry([translate(newer.geometry[3], 5000, 0)], crs=newer.crs)
    both = gpd.GeoDataFrame(pd.concat([newer, far], ignore_index=True), crs=newer.crs)
    receipt = deliver(street, both, tmp_path / "second.gpkg")
    assert (receipt.doubtful, receipt.moved, receipt.renumbered) == (2, 0, 0)
    assert lines(street, receipt.delivery_id) == {("doubtful", "N-3", "GAS-3"), ("doubtful", "GAS-3", "GAS-3")}
    before = at(street).geometry["GAS-3"]
    assert accept(street, receipt.delivery_id).undecided == ("GAS-3", "N-3")
    assert at(street).geometry["GAS-3"] == before

    def decide(**said: Any) -> Acceptance:
        return decide_doubts(street.connection, receipt.delivery_id, street.srid, Decisions(**said), "tester")

    with pytest.raises(ReviewError) as fault:
        decide(same=(("GAS-3", "N-3"), ("GAS-3", "GAS-3")))
    assert fault.value.code == "decision_mixed"
    decide(same=(("GAS-3", "N-3"),))
    assert leaks_of(street)["L3-10"] == "N-3"
    # the id was another pipe's: it is never used twice
    with pytest.raises(ReviewError) as fault:
        decide(different=("GAS-3",))
    assert fault.value.code == "decision_id_taken"
    again = deliver(street, both, tmp_path / "third.geojson")
    assert (again.doubtful, again.reopened, again.unchanged) == (1, 0, 10)


def test_a_pipe_that_moved_far_under_its_id_counts_once_it_is_said_to_be_the_same(
    street: Registry, tmp_path: Path
) -> None:
    newer = census()
    shapes = newer.geometry.to_numpy().copy()
    shapes[3] = translate(shapes[3], 0, 2000)
    receipt = deliver(street, newer.set_geometry(shapes, crs=newer.crs), tmp_path / "second.gpkg")
    assert lines(street, receipt.delivery_id) == {("doubtful", "GAS-3", "GAS-3")}
    accept(street, receipt.delivery_id, decisions=Decisions(same=(("GAS-3", "GAS-3"),)))
    assert at(street).geometry["GAS-3"].coords[0] == (EAST, NORTH + 2180)
    assert leaks_of(street)["L3-10"] == "GAS-3"


def test_only_a_part_of_a_doubtful_split_cannot_be_decided(registry: Registry, tmp_path: Path) -> None:
    shapes = [line(0, 0), line(0, 0)]
    deliver(registry, segments(2, geometry=shapes), tmp_path / "first.gpkg")
    pieces = [line(0, 0, 25.0), line(25, 0, 25.0), line(0, 0)]
    newer = segments(3, geometry=pieces, 管段编号=["N-0", "N-1", "N-2"])
    receipt = deliver(registry, newer, tmp_path / "second.gpkg")
    split = {(known, name) for said, name, known in lines(registry, receipt.delivery_id) if name in {"N-0", "N-1"}}
    assert receipt.doubtful == 3
    (known,) = {known for known, _ in split}
    assert known is not None
    with pytest.raises(ReviewError) as fault:
        accept(registry, receipt.delivery_id, decisions=Decisions(same=((known, "N-0"),)))
    assert fault.value.code == "decision_incomplete"
    accept(registry, receipt.delivery_id, decisions=Decisions(same=((known, "N-0"), (known, "N-1"))))
    assert set(ancestors(registry.connection, "N-0")["relation"]) == {"split"}


def test_a_census_that_goes_back_to_the_old_ids_is_recognised_too(street: Registry, tmp_path: Path) -> None:
    names = {f"GAS-{row}": f"N-{row}" for row in range(10)}
    first = deliver(street, renamed(census(), names), tmp_path / "second.gpkg")
    assert (first.renumbered, first.gone) == (10, 0)
    accept(street, first.delivery_id)
    day = TODAY + timedelta(days=30)
    back = street.import_file("segments", write(census(), tmp_path / "third.gpkg"), today=day)
    assert (back.renumbered, back.reopened, back.gone) == (10, 0, 0)
    accept(street, back.delivery_id)
    assert set(at(street, day).index) == set(names)
    assert set(at(street, TODAY).index) == set(names.values())
    assert set(at(street, BEFORE).index) == set(names)
    assert leaks_of(street, day)["L3-10"] == "GAS-3"
    assert {"N-3", "GAS-3"} == set(descendants(street.connection, "GAS-3")["segment_id"])
    found = descendants(street.connection, "GAS-3")
    assert found.loc[found["is_last"], "segment_id"].tolist() == ["GAS-3"]


def test_a_part_of_a_census_recognises_what_lies_near_it(street: Registry, tmp_path: Path) -> None:
    part = renamed(census(), {"GAS-2": "N-2"}).iloc[[2]]
    receipt = deliver(street, part, tmp_path / "part.gpkg")
    assert (receipt.renumbered, receipt.gone, receipt.added) == (1, 0, 0)


def test_classes_can_be_accepted_alone(street: Registry, tmp_path: Path) -> None:
    newer = cut(renamed(census(), {"GAS-3": "N-3"}), 4, ["N-4", "N-5"])
    receipt = deliver(street, newer, tmp_path / "second.gpkg")
    accept(street, receipt.delivery_id, classes=["split"])
    assert {"GAS-3", "N-4", "N-5"} <= set(at(street).index)
    assert not {"N-3", "GAS-4"} & set(at(street).index)


def test_the_commands_say_what_is_open_and_take_decisions(
    twins: tuple[Registry, Receipt], digonce: Callable[..., Result]
) -> None:
    name = twins[1].delivery_id
    shown = digonce("changes", name)
    assert "Another pipe on this course fits nearly or just as well." in shown.output
    assert "待核实" in digonce("changes", name, language="zh").output
    assert digonce("accept", name, "--only", "doubtful").exit_code == 1
    assert digonce("accept", name, "--same", "GAS-1").exit_code == 2
    done = digonce("accept", name, "--same", "GAS-1=N-1")
    assert "1 renumbered" in done.output
    assert "1 doubtful segments do not count yet" in done.output
    later = digonce("accept", name, "--different", "N-0", "--json")
    assert '"undecided": []' in later.output


def test_alike_pipes_may_be_left_out_of_the_matching() -> None:
    from registry.identity import match_census
    from tests.registry.identity.disturb import disturb
    from tests.registry.identity.streets import grid

    known = grid(6, 3)
    delivered, edits = disturb(known, 3, renumber=0.2, move=0.05, split=0.05, merge=0.05, alter=0.1)
    whole = match_census(known, delivered).pairs
    altered = set(edits.altered["segment_id"])
    alike = sorted(set(edits.unchanged_ids) - set(edits.moved) - altered)
    part = match_census(known.drop(index=alike), delivered.drop(index=alike), alike=len(alike)).pairs
    rest = whole[~whole["delivered_id"].isin(alike)].reset_index(drop=True)
    pd.testing.assert_frame_equal(part, rest)
    assert len(alike) > 30
    assert np.isfinite(part["probability"]).all()
