"""What was last verified when: by deliveries that say it again, by corrections, by inspections; and what is stale."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import Result

from registry.errors import EditError
from registry.fields import check_frame
from registry.history.edit import Warrant, correct
from registry.history.lineage import split
from registry.history.staleness import Limit, chosen_limits, find_stale, packaged_limits, read_staleness, summarise
from registry.history.undo import undo_delivery
from registry.intake.review import accept_delivery
from registry.kinds import KINDS
from registry.store import Registry
from tests.registry.deliveries import segments, write
from tests.registry.history.test_events import events_csv

WARRANT = Warrant("tester")
FIRST, SECOND, NOW = date(2015, 6, 1), date(2023, 6, 1), date(2099, 1, 1)
KNOWN = ("material", "cover_depth_m")


def verified(registry: Registry, attribute: str, as_of: date = NOW) -> dict[str, str | None]:
    """The day on which each segment was last verified in this respect."""
    table = read_staleness(registry, [Limit(attribute, 5, "", "")], as_of)
    check_frame(table, "staleness")
    return {str(name): None if pd.isna(day) else f"{day:%Y-%m-%d}" for name, day in table["verified_on"].items()}


@pytest.fixture
def census(registry: Registry, tmp_path: Path) -> Registry:
    """Three segments of 2015; a census of 2023 brings two of them again, without cover, one with another street."""
    first = segments(3, 埋深=[1.1, 1.2, 1.3])
    registry.import_file("segments", write(first, tmp_path / "first.gpkg"), today=FIRST)
    again = segments(2, 所在道路=["金城路", "温泉路"])
    waiting = registry.import_file("segments", write(again, tmp_path / "second.gpkg"), today=SECOND)
    accept_delivery(registry.connection, waiting.delivery_id, registry.srid)
    return registry


def test_an_unchanged_row_of_a_newer_census_verifies_what_it_says(census: Registry) -> None:
    assert verified(census, "material") == {"GAS-0": "2023-06-01", "GAS-1": "2023-06-01", "GAS-2": "2015-06-01"}
    assert set(verified(census, "cover_depth_m").values()) == {"2015-06-01"}
    assert set(verified(census, "material", date(2020, 1, 1)).values()) == {"2015-06-01"}


def test_a_census_that_only_repeats_counts_at_once_and_its_undo_takes_that_back(
    registry: Registry, tmp_path: Path
) -> None:
    registry.import_file("segments", write(segments(2), tmp_path / "first.gpkg"), today=FIRST)
    told = registry.import_file("segments", write(segments(2), tmp_path / "again.gpkg"), crs="EPSG:4549", today=SECOND)
    assert (told.state, told.unchanged) == ("accepted", 2)
    assert set(verified(registry, "material").values()) == {"2023-06-01"}
    undo_delivery(registry.connection, told.delivery_id, "tester")
    assert set(verified(registry, "material").values()) == {"2015-06-01"}


def test_a_correction_verifies_what_it_sets_and_nothing_else(census: Registry) -> None:
    today = census.today().isoformat()
    correct(census.connection, KINDS["segments"], "GAS-2", {"cover_depth_m": "0.9"}, WARRANT)
    assert verified(census, "cover_depth_m")["GAS-2"] == today
    assert verified(census, "material")["GAS-2"] == "2015-06-01"
    assert verified(census, "segment")["GAS-2"] == today


def test_parts_of_a_split_pipe_were_verified_when_the_pipe_was(census: Registry) -> None:
    split(census.connection, "GAS-0", [20.0], date(2024, 1, 1), WARRANT)
    found = verified(census, "material")
    assert {found[name] for name in ("GAS-0-1", "GAS-0-2")} == {"2023-06-01"}


def test_an_inspection_verifies_the_pipe_and_no_attribute(census: Registry, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"管段编号": "GAS-2", "发生日期": "2024-02-03"},
        {"管段编号": "GAS-1", "发生日期": "2024-02-03", "事件类别": "隐患"},
    ]
    census.import_file("events", events_csv(tmp_path / "events.csv", *rows), today=NOW)
    assert verified(census, "segment") == {"GAS-0": "2023-06-01", "GAS-1": "2023-06-01", "GAS-2": "2024-02-03"}
    assert verified(census, "material")["GAS-2"] == "2015-06-01"


def test_what_is_not_known_cannot_be_stale(census: Registry) -> None:
    assert not read_staleness(census, [Limit("coating", 1, "", "")], NOW)["is_stale"].any()
    assert read_staleness(census, [Limit("material", 1, "", "")], NOW)["is_stale"].all()


def test_the_limit_itself_is_not_stale(census: Registry) -> None:
    limit = [Limit("segment", 5, "", "")]
    last = FIRST + timedelta(days=round(5 * 365.25))
    assert not read_staleness(census, limit, last).loc["GAS-2", "is_stale"]
    assert read_staleness(census, limit, last + timedelta(days=1)).loc["GAS-2", "is_stale"]


def test_the_verb_reports_by_group_and_lists(digonce: Callable[..., Result], census: Registry, tmp_path: Path) -> None:
    assert census.counts()["segments"] == 3
    told = digonce("stale", "--years", "5", "--attribute", "segment", "--as-of", "2026-11-01", "--json")
    assert told.exit_code == 0, told.output
    figures = json.loads(told.stdout)
    assert (figures["segments"], figures["stale"]) == (3, 1)
    (row,) = figures["by_material"]
    assert (row["value"], row["segment_count"], row["stale_segment_count"]) == ("grey_iron", 3, 1)
    assert (row["km"], row["stale_km"]) == pytest.approx((0.15, 0.05))
    shown = digonce("stale", "--by", "material", "--as-of", "2026-11-01", "-o", tmp_path / "stale.csv", language="zh")
    assert shown.exit_code == 0, shown.output
    assert "灰口铸铁" in shown.output
    assert "GAS-2" in (tmp_path / "stale.csv").read_text(encoding="utf-8-sig")
    assert digonce("stale", "--by", "colour").exit_code == 2
    assert digonce("stale", "--attribute", "colour").exit_code == 1


def test_limits_are_those_of_the_file_unless_years_are_given() -> None:
    assert chosen_limits(None, None) == packaged_limits()
    assert [(limit.attribute, limit.years) for limit in chosen_limits(3, "coating")] == [("coating", 3)]
    assert {limit.years for limit in chosen_limits(3, None)} == {3}
    known = {"segment", *KINDS["segments"].attributes}
    assert all(limit.attribute in known and limit.source and limit.years > 0 for limit in packaged_limits())
    with pytest.raises(EditError) as fault:
        chosen_limits(None, "coating")
    assert fault.value.code == "stale_limit_absent"


days = st.dates(date(2000, 1, 1), date(2026, 1, 1))
deliveries = st.lists(
    st.tuples(days, st.one_of(st.none(), st.lists(st.sampled_from(KNOWN), unique=True))), min_size=1, max_size=4
)
pipes = st.lists(
    st.tuples(st.sets(st.integers(0, 3)), st.one_of(st.none(), days), st.booleans(), st.booleans()),
    min_size=1,
    max_size=6,
)


@settings(deadline=None, max_examples=60)
@given(said=deliveries, rows=pipes, years=st.integers(0, 10))
def test_staleness_is_that_of_a_slow_oracle(
    said: Sequence[tuple[date, list[str] | None]], rows: Sequence[tuple[set[int], date | None, bool, bool]], years: int
) -> None:
    """Segment by segment, delivery by delivery, attribute by attribute."""
    spoken = [sorted(number for number in row[0] if number < len(said)) for row in rows]
    table = pd.DataFrame(
        {
            "segment_id": [f"S{number}" for number in range(len(rows))],
            "spoken": [",".join(str(number + 1) for number in numbers) or None for numbers in spoken],
            "inspected_on": np.array([row[1] for row in rows], dtype="datetime64[D]"),
            "knows_material": [row[2] for row in rows],
            "knows_cover_depth_m": [row[3] for row in rows],
            "length_m": 100.0,
        }
    ).assign(owner=None, district=None, material=None)
    told = pd.DataFrame(
        {"day": [day for day, _ in said], "said_columns": pd.Series([c for _, c in said], dtype=object)}
    )
    limits = [Limit(name, years, "", "") for name in ("segment", *KNOWN)]
    as_of = date(2026, 1, 1)
    found = find_stale(table, told, limits, as_of)
    for number, (_, inspected, *knows) in enumerate(rows):
        stale = []
        seen = [said[n][0] for n in spoken[number] if said[n][1] is None or said[n][1]]
        every = [*seen, *([inspected] if inspected else [])]
        if not any(day >= as_of - timedelta(days=round(years * 365.25)) for day in every):
            stale.append("segment")
        for name, is_known in zip(KNOWN, knows, strict=True):
            mine = [said[n][0] for n in spoken[number] if said[n][1] is None or name in (said[n][1] or [])]
            if is_known and not any(day >= as_of - timedelta(days=round(years * 365.25)) for day in mine):
                stale.append(name)
        assert found["stale_attributes"].iloc[number] == ",".join(stale)
        assert found["is_stale"].iloc[number] == bool(stale)
        assert pd.isna(found["verified_on"].iloc[number]) == (not every)
    summary = summarise(found, "owner")
    assert summary["segment_count"].sum() == len(rows)
    assert summary["stale_segment_count"].sum() == found["is_stale"].sum()
