"""Split, merge, redraw, retire, replace: nothing of a pipe is lost, and every id leads to what it became."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
import shapely.ops
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import EditError, NotFoundError
from registry.history.edit import Edited, Warrant, correct
from registry.history.joining import Current, joined_line
from registry.history.lineage import ancestors, descendants, merge, redraw, replace, retire, split
from registry.history.undo import undo_delivery
from registry.kinds import KINDS
from registry.store import Registry
from tests.conftest import TODAY
from tests.registry.deliveries import EAST, NORTH, leaks_csv, line, segments, write

DAY = date(2026, 6, 1)
BEFORE = date(2026, 5, 31)
WARRANT = Warrant("tester", "as-built drawing 12", "new tee")
SEGMENTS = KINDS["segments"]


@pytest.fixture
def street(registry: Registry, tmp_path: Path) -> Registry:
    """Three pipes end to end, the middle one turned round, and two leaks that name the first, at 10 m and 40 m."""
    shapes = [
        shapely.LineString([(EAST, NORTH), (EAST + 50, NORTH)]),
        shapely.LineString([(EAST + 80, NORTH), (EAST + 50, NORTH)]),
        shapely.LineString([(EAST + 80, NORTH), (EAST + 100, NORTH)]),
    ]
    frame = segments(3, geometry=shapes, 建设年代=["1985", "1990", "1988"])
    registry.import_file("segments", write(frame, tmp_path / "census.gpkg"), today=TODAY)
    leaks = [
        {"漏点编号": f"L{at}", "发现日期": "2020-01-01", "管段编号": "GAS-0", "X": NORTH + 1, "Y": EAST + at}
        for at in (10, 40)
    ]
    registry.import_file("leaks", leaks_csv(tmp_path / "leaks.csv", leaks), today=TODAY)
    return registry


def at(registry: Registry, day: date = TODAY) -> gpd.GeoDataFrame:
    frame = registry.frame("segments", as_of=day)
    assert isinstance(frame, gpd.GeoDataFrame)
    return frame


def test_children_cover_the_parent_and_leaks_follow_by_measure(street: Registry) -> None:
    parent = at(street).geometry["GAS-0"]
    split(street.connection, "GAS-0", [25.0], DAY, WARRANT)
    now = at(street)
    assert "GAS-0" not in now.index
    children = now.geometry[["GAS-0-1", "GAS-0-2"]]
    assert sum(child.length for child in children) == pytest.approx(parent.length, abs=1e-6)
    assert shapely.hausdorff_distance(shapely.line_merge(shapely.union_all(children)), parent) < 0.01
    assert now.loc["GAS-0-2", "material"] == "grey_iron"
    leaks = street.frame("leaks", ["segment_id"], as_of=TODAY)["segment_id"]
    assert leaks.to_dict() == {"L10": "GAS-0-1", "L40": "GAS-0-2"}
    assert "GAS-0" in at(street, BEFORE).index
    assert set(street.frame("leaks", ["segment_id"], as_of=BEFORE)["segment_id"]) == {"GAS-0"}


def test_every_id_leads_to_what_it_became_and_back(street: Registry) -> None:
    split(street.connection, "GAS-0", [25.0], DAY, WARRANT)
    merge(street.connection, ["GAS-0-2", "GAS-1"], "GAS-9", DAY.replace(day=2), WARRANT)
    found = descendants(street.connection, "GAS-0")
    assert found.loc[found["is_last"], "segment_id"].tolist() == ["GAS-0-1", "GAS-9"]
    assert set(ancestors(street.connection, "GAS-9")["segment_id"]) == {"GAS-0", "GAS-0-2", "GAS-1"}
    assert descendants(street.connection, "GAS-2").empty


def test_a_merge_is_one_line_whose_years_span_its_parts(street: Registry) -> None:
    merge(street.connection, ["GAS-0", "GAS-1", "GAS-2"], "GAS-9", DAY, WARRANT)
    whole = at(street).loc["GAS-9"]
    assert shapely.equals(whole["geometry"], shapely.LineString([(EAST + x, NORTH) for x in (0, 50, 80, 100)]))
    assert (whole["installed_year_min"], whole["installed_year_max"]) == (1985, 1990)
    parts = ancestors(street.connection, "GAS-9").set_index("segment_id")
    assert (parts["child_from_m"]["GAS-1"], parts["child_to_m"]["GAS-1"]) == (80.0, 50.0)
    assert list(at(street).index) == ["GAS-9"]


def test_pipes_that_are_not_one_are_not_merged(street: Registry) -> None:
    with pytest.raises(EditError) as fault:
        merge(street.connection, ["GAS-0", "GAS-2"], "GAS-9", DAY, WARRANT)
    assert fault.value.code == "not_end_to_end"
    correct(street.connection, SEGMENTS, "GAS-1", {"material": "PE100", "diameter_mm": "110"}, WARRANT)
    with pytest.raises(EditError) as fault:
        merge(street.connection, ["GAS-0", "GAS-1"], "GAS-9", DAY, WARRANT)
    assert fault.value.code == "parents_differ"
    assert fault.value.parameters["columns"] == "material, diameter_mm"


def test_a_pipe_is_renewed_in_its_place(street: Registry) -> None:
    replace(street.connection, "GAS-1", "GAS-1N", {"material": "PE100"}, DAY, WARRANT)
    old, new = at(street, BEFORE).loc["GAS-1"], at(street, DAY).loc["GAS-1N"]
    assert old["retired_on"].date() == DAY
    assert "GAS-1" not in at(street, DAY).index
    assert shapely.equals(new["geometry"], old["geometry"])
    assert (new["material"], new["installed_year_min"], new["street_name"]) == ("pe100", 2026, "金城路")
    assert descendants(street.connection, "GAS-1")["relation"].tolist() == ["replace"]


def test_a_pipe_may_be_away_for_a_time(street: Registry) -> None:
    retire(street.connection, ["GAS-1"], DAY, WARRANT, until=date(2026, 7, 1))
    there = [day for day in (BEFORE, DAY, date(2026, 6, 30), date(2026, 7, 1)) if "GAS-1" in at(street, day).index]
    assert there == [BEFORE, date(2026, 7, 1)]


def test_a_course_is_redrawn_for_all_time_or_from_a_day_on(street: Registry) -> None:
    better = line(5, 5)
    redraw(street.connection, "GAS-0", better, None, WARRANT)
    assert at(street, date(1990, 1, 1)).geometry["GAS-0"].equals(better)
    later = line(9, 9)
    redraw(street.connection, "GAS-0", later, DAY, WARRANT)
    assert at(street, BEFORE).geometry["GAS-0"].equals(better)
    assert at(street, DAY).geometry["GAS-0"].equals(later)


def test_an_id_is_never_used_twice(street: Registry) -> None:
    tries: list[Callable[[], Edited]] = [
        lambda: split(street.connection, "GAS-0", [25.0], DAY, WARRANT, ["GAS-1", "GAS-8"]),
        lambda: merge(street.connection, ["GAS-0", "GAS-1"], "GAS-2", DAY, WARRANT),
        lambda: replace(street.connection, "GAS-0", "GAS-1", {}, DAY, WARRANT),
    ]
    for work in tries:
        with pytest.raises(EditError) as fault:
            work()
        assert fault.value.code == "id_taken"


@pytest.mark.parametrize(
    ("cuts", "names", "code"),
    [
        ([0.0], None, "cut_outside"),
        ([50.0], None, "cut_outside"),
        ([-3.0], None, "cut_outside"),
        ([20.0, 20.005], None, "cut_outside"),
        ([20.0], ["A"], "children_miscounted"),
        ([20.0], ["A", "A"], "children_miscounted"),
    ],
)
def test_a_cut_that_cannot_be_made_changes_nothing(
    street: Registry, cuts: list[float], names: list[str] | None, code: str
) -> None:
    before = street.state_hash()
    with pytest.raises(EditError) as fault:
        split(street.connection, "GAS-0", cuts, DAY, WARRANT, names)
    assert fault.value.code == code
    assert street.state_hash() == before


def test_a_preview_writes_nothing(street: Registry) -> None:
    before = (street.state_hash(), street.row_counts(), street.version)
    shown = split(street.connection, "GAS-0", [25.0], DAY, Warrant("tester", is_dry_run=True))
    assert shown.delivery_id is None
    assert set(shown.changes["object_id"]) == {"GAS-0", "GAS-0-1", "GAS-0-2"}
    assert (street.state_hash(), street.row_counts(), street.version) == before


def test_undo_of_a_split_takes_the_lineage_back(street: Registry) -> None:
    before = street.state_hash()
    made = split(street.connection, "GAS-0", [25.0], DAY, WARRANT).delivery_id
    undo = undo_delivery(street.connection, str(made), "tester").delivery_id
    assert street.state_hash() == before
    assert descendants(street.connection, "GAS-0").empty
    undo_delivery(street.connection, undo, "tester")
    assert set(descendants(street.connection, "GAS-0")["segment_id"]) == {"GAS-0-1", "GAS-0-2"}


def test_a_correction_needs_an_object_a_column_and_a_value(street: Registry) -> None:
    tries: list[tuple[str, dict[str, str], str]] = [
        ("GAS-0", {"colour": "red"}, "column_not_editable"),
        ("GAS-0", {"material": "鉄鉄鉄"}, "value_not_understood"),
        ("GAS-0", {"medium": ""}, "value_required"),
        ("GAS-0", {"material": "灰口铸铁"}, "edit_changes_nothing"),
        ("GAS-77", {"material": "钢"}, "object_unknown"),
    ]
    before = street.state_hash()
    for name, values, code in tries:
        with pytest.raises((EditError, NotFoundError)) as fault:
            correct(street.connection, SEGMENTS, name, values, WARRANT)
        assert fault.value.code == code
    assert street.state_hash() == before


def test_the_second_of_two_editors_is_told(street: Registry) -> None:
    row = street.connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    first, second = (Warrant(name, seen_at=row[0]) for name in ("first", "second"))
    correct(street.connection, SEGMENTS, "GAS-0", {"material": "钢"}, first)
    with pytest.raises(EditError) as fault:
        correct(street.connection, SEGMENTS, "GAS-0", {"material": "PE100"}, second)
    assert fault.value.code == "object_changed_meanwhile"
    assert at(street).loc["GAS-0", "material"] == "steel"


@given(
    st.lists(st.integers(1, 30), min_size=2, max_size=7),
    st.randoms(use_true_random=False),
)
def test_pieces_of_a_line_join_to_it_in_any_order_and_direction(steps: list[int], random: Any) -> None:
    ends = np.concatenate([[0], np.cumsum(steps)]).astype(float)
    pieces = [shapely.LineString([(start, 0), (stop, 0)]) for start, stop in pairwise(ends)]
    parents = [
        Current(f"P{number}", shapely.reverse(piece) if random.random() < 0.5 else piece, {})
        for number, piece in enumerate(pieces)
    ]
    random.shuffle(parents)
    joined, placed = joined_line(parents, 0.01)
    assert shapely.equals(joined, shapely.LineString([(0, 0), (ends[-1], 0)]))
    shapes = {parent.segment_id: parent.shape for parent in parents}
    assert {place.parent_id for place in placed} == set(shapes)
    for place in placed:
        stretch = shapely.ops.substring(joined, place.from_m, place.to_m)
        assert shapely.equals_exact(stretch, shapes[place.parent_id], tolerance=1e-6)
