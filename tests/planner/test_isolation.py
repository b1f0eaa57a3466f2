"""Isolation sections against a flood fill of small cells, and plans whose runs keep to one."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as within
from hypothesis import strategies as st
from pandas.testing import assert_series_equal
from typer.testing import Result

from planner.isolation import isolation_sections
from planner.limits import Limits
from planner.policy import read_policy
from planner.verify import verify_plan
from registry.city import make_city
from registry.city.delivery import write_city
from registry.settings import Settings
from registry.store import open_registry
from tests.planner.frames import frame_of, line, segments_of
from tests.planner.towns import YEARS, small_town
from tests.planner.verified import promises_of

POLICY = read_policy()
# each pipe is filled cell by cell; valves stand between two of them, so that none is at its middle
CELLS, CELL_M = 11, 10.0
Cell = tuple[Any, ...]


@dataclass(frozen=True)
class Net:
    """A grid of pipes by id with their nodes and medium, and valves: pipe, cell that it stands before, named or not."""

    pipes: dict[str, tuple[tuple[int, int], tuple[int, int], str]]
    valves: list[tuple[str, int, bool]]

    def segments(self, seed: int) -> gpd.GeoDataFrame:
        """The pipes, drawn as a survey would: ends that meet differ by up to a centimetre or two."""
        rng = np.random.default_rng(seed)
        side = CELLS * CELL_M
        rows = []
        for name, (first, last, medium) in self.pipes.items():
            (east, north), (far_east, far_north) = (
                np.array(node) * side + rng.uniform(-0.01, 0.01, 2) for node in (first, last)
            )
            rows.append({"segment_id": name, "medium": medium, "geometry": line((east, north), (far_east, far_north))})
        return segments_of(*rows)

    def frame(self, count: int | None = None) -> gpd.GeoDataFrame:
        """The first so many valves, with a drip and a regulator on each pipe, which part nothing."""
        rows = []
        for number, (name, cell, is_named) in enumerate(self.valves[:count]):
            kind = ("valve", "valve_well")[number % 2]
            rows.append({"kind": kind, "segment_id": name if is_named else None, "geometry": self._at(name, cell)})
        for number, name in enumerate(self.pipes):
            kind = ("drip", "regulator_box")[number % 2]
            rows.append({"kind": kind, "segment_id": name, "geometry": self._at(name, 3)})
        return valves_of(*rows)

    def _at(self, name: str, cell: int) -> Any:
        (east, north), (far_east, far_north), _ = self.pipes[name]
        share, side = cell / CELLS, CELLS * CELL_M
        return line(
            ((east + (far_east - east) * share) * side, (north + (far_north - north) * share) * side), (0, 0)
        ).interpolate(0)

    def filled(self) -> pd.Series:
        """The sections by filling cells one after the other, from the middle of each pipe."""
        beside: defaultdict[Cell, set[Cell]] = defaultdict(set)
        stops = {(name, cell) for name, cell, _ in self.valves}
        closed = {
            (self.pipes[name][0 if cell == 0 else 1], self.pipes[name][2])
            for name, cell, is_named in self.valves
            if not is_named and cell in (0, CELLS)
        }
        with_valve: dict[bool, defaultdict[Cell, set[Cell]]] = {False: defaultdict(set), True: beside}
        for name, (first, last, medium) in self.pipes.items():
            steps: list[tuple[Cell, Cell, int]] = [((name, cell - 1), (name, cell), cell) for cell in range(1, CELLS)]
            for node, cell, at in ((first, 0, 0), (last, CELLS - 1, CELLS)):
                steps.append(((name, cell), (*node, medium), at))
            for one, other, at in steps:
                is_shut = (name, at) in stops or (other[:2], medium) in closed
                for parts, beside in with_valve.items():
                    if not (parts and is_shut):
                        beside[one].add(other)
                        beside[other].add(one)
        known: dict[str, str | None] = {}
        for name in sorted(self.pipes):
            cells = fill((name, CELLS // 2), with_valve[True])
            whole = fill((name, CELLS // 2), with_valve[False])
            has_valve = any((valve, 0) in whole for valve, _, _ in self.valves)
            of = min(other for other in self.pipes if (other, CELLS // 2) in cells)
            known[name] = of if has_valve else None
        return pd.Series(known, pd.Index(self.pipes, dtype="str", name="segment_id"), dtype="str").rename(
            "isolation_section"
        )


def fill(start: Cell, beside: dict[Cell, set[Cell]]) -> set[Cell]:
    found, ahead = {start}, [start]
    while ahead:
        for cell in beside[ahead.pop()] - found:
            found.add(cell)
            ahead.append(cell)
    return found


def valves_of(*rows: dict[str, Any]) -> gpd.GeoDataFrame:
    numbered = [{"valve_id": f"V{number}", "kind": "valve"} | row for number, row in enumerate(rows)]
    return frame_of("valves", numbered, ("kind", "segment_id"))


@st.composite
def nets(draw: st.DrawFn) -> Net:
    columns, rows = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    media = draw(st.sampled_from([("gas",), ("gas", "water")]))
    pairs = [((i, j), (i + di, j + dj)) for i in range(columns) for j in range(rows) for di, dj in ((1, 0), (0, 1))]
    kept = [pair for pair in pairs if draw(st.integers(0, 4))] or pairs[:1]
    names = draw(st.permutations([f"P{number:02d}" for number in range(len(kept))]))
    pipes = {
        name: (*((first, last) if draw(st.booleans()) else (last, first)), draw(st.sampled_from(media)))
        for name, (first, last) in zip(names, kept, strict=True)
    }
    count = draw(st.integers(0, 6))
    valves = []
    for _ in range(count):
        cell = draw(st.integers(0, CELLS))
        # where two media meet the nearest pipe of an end is either
        can_be_unnamed = len(media) == 1 or cell not in (0, CELLS)
        valves.append((draw(st.sampled_from(names)), cell, draw(st.booleans()) or not can_be_unnamed))
    return Net(pipes, valves)


def joined(section: pd.Series) -> set[tuple[str, str]]:
    known = section.dropna()
    return {(one, other) for one in known.index for other in known.index if known[one] == known[other]}


@within(max_examples=25, deadline=None)
@given(nets(), st.integers(0, 1000))
def test_sections_are_what_a_flood_fill_finds(net: Net, seed: int) -> None:
    found = isolation_sections(net.segments(seed), net.frame(), POLICY)
    assert_series_equal(found, net.filled())


@within(max_examples=12, deadline=None)
@given(nets(), st.randoms(use_true_random=False))
def test_order_and_names_change_nothing_but_labels(net: Net, random: Any) -> None:
    segments, valves = net.segments(0), net.frame()
    found = isolation_sections(segments, valves, POLICY)
    rows, valve_rows = list(range(len(segments))), list(range(len(valves)))
    random.shuffle(rows)
    random.shuffle(valve_rows)
    assert_series_equal(isolation_sections(segments.iloc[rows], valves.iloc[valve_rows], POLICY), found.iloc[rows])
    called = dict(zip(segments.index, random.sample([f"Q{number}" for number in rows], len(rows)), strict=True))
    renamed = isolation_sections(
        segments.rename(index=called), valves.assign(segment_id=valves["segment_id"].map(called).astype("str")), POLICY
    )
    assert joined(renamed) == {(called[one], called[other]) for one, other in joined(found)}


@within(max_examples=15, deadline=None)
@given(nets())
def test_more_valves_never_join_sections(net: Net) -> None:
    segments = net.segments(0)
    few, many = (isolation_sections(segments, net.frame(count), POLICY) for count in (len(net.valves) // 2, None))
    assert set(few.dropna().index) <= set(many.dropna().index)
    apart = {(one, other) for one in few.dropna().index for other in few.dropna().index} - joined(few)
    assert not joined(many) & apart


def test_a_valve_without_a_name_parts_all_at_its_joint_and_none_that_is_far() -> None:
    """Three gas pipes meet at (100, 0), a water pipe too; one out of service links two that are apart."""
    segments = segments_of(
        {"geometry": line((0, 0), (100, 0))},
        {"geometry": line((100, 0.02), (200, 0))},
        {"geometry": line((100, 0), (100, 90))},
        {"geometry": line((100, 0.3), (100, -90)), "medium": "water"},
        {"geometry": line((200, 0), (100, 90)), "status": "abandoned"},
        {"geometry": line((200, 0), (300, 0))},
    )
    at = {
        name: {"geometry": line(point, (0, 0)).interpolate(0)}
        for name, point in (("joint", (100, 0)), ("far", (50, 1.6)))
    }
    nowhere = isolation_sections(segments, valves_of(at["far"]), POLICY)
    assert nowhere.isna().all()
    gone = isolation_sections(segments, valves_of(at["joint"] | {"segment_id": "S0004"}), POLICY)
    assert gone.isna().all()
    # a name that the census does not have is no name
    for named in (None, "S9999"):
        found = isolation_sections(segments, valves_of(at["joint"] | {"segment_id": named}), POLICY)
        assert found.fillna("").tolist() == ["S0000", "S0001", "S0002", "", "", "S0001"]


def test_no_run_of_a_plan_lies_over_two_sections() -> None:
    town = small_town()
    rng = np.random.default_rng(0)
    section = pd.Series(
        rng.choice(np.array(["a", "b", None], dtype=object), len(town.segments)), town.segments.index, dtype="str"
    )
    limits = Limits.total(YEARS, 4e6)
    for isolation, is_mixed in ((None, True), (section, False)):
        plan = town.plan(limits, replace(town.bearing(gap=0.05), isolation=isolation))
        candidates = town.segments.loc[plan.batch_segments.index]
        promises = promises_of(candidates, town.scores, plan, town.projects, town.policy, limits)
        found = verify_plan(candidates, plan.batches, plan.batch_segments, replace(promises, isolation=section))
        assert set(found["code"]) == ({"isolation_mixed"} if is_mixed else set())
        # what is left out keeps to it as well
        of = plan.batch_segments["batch_id"]
        spread = section.reindex(of.index).fillna("?").groupby(of).nunique()
        assert (spread[plan.batches["kind"] == "street"].max() == 1) is not is_mixed
        assert plan.summary["pool"]["keeps_isolation"] is not is_mixed
    known = section.reindex(candidates.index)
    assert plan.summary["isolation"] == {
        "section_count": 2,
        "without_km": pytest.approx(candidates["length_m"][known.isna()].sum() / 1000),
    }


def test_a_plan_keeps_to_the_sections_that_the_valves_of_the_registry_cut(
    digonce: Callable[..., Result], settings: Settings, tmp_path: Path
) -> None:
    write_city(make_city(300, 3), tmp_path)
    for kind in ("segments", "valves"):
        took = digonce("import", kind, tmp_path / f"{kind}.gpkg", "--crs", "EPSG:4549")
        assert took.exit_code == 0, took.output
    money = ("--years", "2027", "--budget-cny", "2e6", "--gap", "0.05", "--as-of", "2026-11-01")
    shown = digonce("plan", *money, "--one-isolation", "--save", "one")
    assert shown.exit_code == 0, shown.output
    assert "Each run lies in one isolation section" in " ".join(shown.output.split())
    again = digonce("plan", "--from", "one", "--json")
    assert again.exit_code == 0, again.output
    with open_registry(settings) as registry:
        saved = registry.load_run("plan", "one")
        section = isolation_sections(registry.frame("segments"), registry.frame("valves"), POLICY)
    assert section.nunique() > saved.summary["isolation"]["section_count"] > 5
    assert json.loads(again.stdout)["isolation"] == saved.summary["isolation"]
    assert json.loads(again.stdout)["objective"] == saved.summary["objective"]
    batches, ids = saved.frames["batches"], saved.frames["batch_segments"]
    spread = section.reindex(ids.index).fillna("?").groupby(ids["batch_id"]).nunique()
    assert spread[batches["kind"] == "street"].max() == 1
    assert (batches["segment_count"] > 1).any()
    # without its sections the plan could not be put together again
    checked = digonce("explain", "one", str(ids.index[0]), "--check")
    assert checked.exit_code == 0, checked.output
