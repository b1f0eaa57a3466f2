"""What a meeting decided: on record with who and until when, in the dossier, and taken back like any delivery."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import Result

from registry.errors import EditError, NotFoundError
from registry.history.decisions import Subject, Verdict, decide
from registry.history.edit import Warrant
from registry.history.undo import undo_delivery
from registry.store import Registry
from tests.conftest import TODAY
from tests.registry.deliveries import EAST, NORTH, segments, write

MEETING = date(2026, 3, 5)
WARRANT = Warrant("tester")
AS_OF = ("--as-of", TODAY.isoformat())
Digonce = Callable[..., Result]


@pytest.fixture
def street(registry: Registry, tmp_path: Path) -> Registry:
    """Two pipes and one road project over the first."""
    registry.import_file("segments", write(segments(2), tmp_path / "census.gpkg"), today=TODAY)
    works = gpd.GeoDataFrame(
        {"工程编号": ["DL@1"], "工程名称": ["罗峰大街"], "工程类别": ["大修"]},
        geometry=[shapely.box(EAST - 5, NORTH - 5, EAST + 200, NORTH + 2)],
        crs="EPSG:4549",
    )
    registry.import_file("projects", write(works, tmp_path / "works.gpkg"), today=TODAY)
    return registry


def test_the_latest_decision_stands_and_the_earlier_stay_on_record(street: Registry) -> None:
    before = street.state_hash()
    subject = Subject("DL@1", "GAS-0")
    first = decide(street.connection, subject, Verdict("separate", MEETING, "联动会商"), WARRANT)
    second = decide(
        street.connection,
        subject,
        Verdict("together", date(2026, 4, 1), "联动会商", date(2026, 9, 1), "纪要4"),
        WARRANT,
    )
    street.connection.commit()
    found = street.frame("decisions", as_of=TODAY)
    assert list(found.sort_values("decided_on")["verdict"]) == ["separate", "together"]
    assert set(found["segment_id"]) == {"GAS-0"}
    # on the day before the second meeting only the first is known of
    assert list(street.frame("decisions", as_of=date(2026, 3, 31))["verdict"]) == ["separate"]
    for made in (second, first):
        assert made.delivery_id is not None
        undo_delivery(street.connection, made.delivery_id, "tester")
    assert street.state_hash() == before
    assert street.frame("decisions", as_of=TODAY).empty


@pytest.mark.parametrize(
    ("subject", "verdict", "error"),
    [
        (Subject("NONE"), Verdict("together", MEETING, "x"), NotFoundError),
        (Subject("DL@1", "NONE"), Verdict("together", MEETING, "x"), NotFoundError),
        (Subject("DL@1"), Verdict("perhaps", MEETING, "x"), EditError),
        (Subject("DL@1"), Verdict("together", MEETING, " "), EditError),
        (Subject("DL@1"), Verdict("together", MEETING, "x", date(2026, 3, 4)), EditError),
    ],
)
def test_what_cannot_have_been_decided_is_refused(
    street: Registry, subject: Subject, verdict: Verdict, error: type[Exception]
) -> None:
    before = street.deliveries()
    with pytest.raises(error):
        decide(street.connection, subject, verdict, WARRANT)
    assert len(street.deliveries()) == len(before)


def test_a_decision_due_on_the_day_of_the_meeting_is_kept(street: Registry) -> None:
    assert decide(street.connection, Subject("DL@1"), Verdict("together", MEETING, "x", MEETING), WARRANT).delivery_id


def test_decisions_stand_in_the_dossier_and_in_the_list(digonce: Digonce, street: Registry) -> None:
    assert len(street.counts())
    said = digonce("decide", "GAS-0@DL@1", "ours-moves", "--by", "联动会商", "--on", "2026-03-05", "--json")
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout)["pair"] == "GAS-0@DL@1"
    found = digonce("overlap", "--years", "2027-2029", *AS_OF)
    assert found.exit_code == 0, found.output
    whole = digonce("decide", "@DL@1", "together", "--by", "联动会商", "--on", "2026-04-01", "--due", "2027-01-01")
    assert whole.exit_code == 0, whole.output
    told = json.loads(digonce("history", "GAS-0", "--json", *AS_OF).stdout)["timeline"]
    meetings = [event for event in told if event["event"] == "event_meeting"]
    assert [(event["new_value"], event["source"]) for event in meetings] == [
        ("ours_moves", "联动会商"),
        ("together", "联动会商"),
    ]
    # the other pipe lies outside the project
    assert "event_meeting" not in digonce("history", "GAS-1", "--json", *AS_OF).stdout
    listed = json.loads(digonce("decisions", "--json", *AS_OF).stdout)["decisions"]
    assert [row["verdict"] for row in listed] == ["together", "ours_moves"]
    assert digonce("decisions", "--project", "NONE", *AS_OF).exit_code == 0


def test_a_preview_keeps_nothing(digonce: Digonce, street: Registry) -> None:
    before = street.state_hash()
    shown = digonce("decide", "@DL@1", "separate", "--by", "x", "--dry-run")
    assert shown.exit_code == 0, shown.output
    assert street.state_hash() == before


@given(st.text(min_size=1), st.none() | st.text(alphabet=st.characters(exclude_characters="@"), min_size=1))
def test_a_pair_is_read_as_it_is_written(project_id: str, segment_id: str | None) -> None:
    subject = Subject(project_id, segment_id)
    assert Subject.parse(str(subject)) == subject
