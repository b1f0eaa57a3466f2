"""The checker of plans finds each kind of violation that is planted, and nothing in a plan that keeps all."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from planner.verify import Promises, verify_plan
from planner.verify_findings import Finding, findings_frame, tell_findings
from registry.catalogue import catalogue
from registry.fields import check_frame
from tests.conftest import REPOSITORY
from tests.planner.frames import EAST, NORTH, line, segments_of

YEARS = range(2027, 2031)
SITE_CNY = 30_000.0
# street x: S0000-S0002 in a row, S0003 beside it across a corner; S0004, S0005 one compound in two pieces; S0006 water
SEGMENTS = segments_of(
    {"street_name": "x", "geometry": line((0, 0), (100, 0))},
    {"street_name": "x", "geometry": line((100, 0.04), (300, 0))},
    {"street_name": "x", "geometry": line((300, 0), (600, 0))},
    {"street_name": "y", "geometry": line((600, 0), (600, 150))},
    {"tier": "courtyard", "compound_name": "a", "geometry": line((0, 500), (80, 500))},
    {"tier": "courtyard", "compound_name": "a", "geometry": line((0, 600), (40, 600))},
    {"street_name": "z", "geometry": line((0, 900), (250, 900)), "medium": "water"},
)
NAMES = SEGMENTS.index
MEMBERS = {"B1": [0, 1], "B2": [2, 3], "B3": [4, 5], "B4": [6]}
PLACED = {"B1": 2027, "B2": 2030, "B3": 2028, "B4": None}


@dataclass
class Case:
    """A plan and what it must keep."""

    segments: gpd.GeoDataFrame
    batches: pd.DataFrame
    batch_segments: pd.DataFrame
    promises: Promises

    def found(self) -> pd.DataFrame:
        return verify_plan(self.segments, self.batches, self.batch_segments, self.promises)

    def codes(self) -> list[str]:
        return sorted(set(self.found()["code"]))

    def keep(self, **promises: Any) -> None:
        self.promises = replace(self.promises, **promises)


def case(members: dict[str, list[int]] | None = None, placed: dict[str, int | None] | None = None) -> Case:
    """A plan that keeps all: 1,000 yuan a metre, of which a project saves 200, and 300 of trench."""
    members, placed = members or MEMBERS, placed or PLACED
    prices = pd.DataFrame(
        {"cost_cny_per_m": 1000.0, "reinstatement_cny_per_m": 200.0, "trench_cny_per_m": 300.0}, index=NAMES
    )
    pairs = pd.DataFrame(
        {
            "segment_id": [NAMES[2], NAMES[2], NAMES[0]],
            "project_id": ["road", "pipe", "road"],
            "overlap_m": [300.0, 100.0, 50.0],
            "meets_years": [True, True, False],
            "first_year": pd.array([2029, 2030, None], dtype="Int64"),
            "last_year": pd.array([2030, 2030, None], dtype="Int64"),
        }
    )
    length_m = {batch: float(SEGMENTS["length_m"].iloc[rows].sum()) for batch, rows in members.items()}
    # the road saves 300 m x 200 yuan in 2029 and 2030, more than the pipe with 100 m x 500 yuan
    saving = {batch: 60_000.0 * (2 in rows and placed[batch] in (2029, 2030)) for batch, rows in members.items()}
    index = pd.Index(list(members), dtype="str", name="batch_id")
    batches = pd.DataFrame(
        {
            "kind": ["compound" if 4 in rows else "street" for rows in members.values()],
            "year": pd.array([placed[batch] for batch in members], dtype="Int64"),
            "length_m": list(length_m.values()),
            "household_count": pd.array([100, 200, 50, None][: len(members)], dtype="Int64"),
            "risk_per_year": 1.0,
            "cost_cny": [1000.0 * length_m[batch] + SITE_CNY - saving[batch] for batch in members],
        },
        index=index,
    )
    rows = [(NAMES[row], batch) for batch, held in members.items() for row in held]
    batch_segments = pd.DataFrame(
        {"batch_id": [batch for _, batch in rows], "year": pd.array([placed[b] for _, b in rows], dtype="Int64")},
        index=pd.Index([segment for segment, _ in rows], dtype="str", name="segment_id"),
    )
    promises = Promises(
        years=YEARS,
        budget_cny=(350_000.0, 200_000.0, 100_000.0, 450_000.0),
        end_tolerance_m=0.05,
        longest_m=500.0,
        mobilisation_cny=SITE_CNY,
        prices=prices,
        pairs=pairs,
        opens_ground={"road": "paving", "pipe": "full_trench"},
        streets=SEGMENTS["street_name"],
        closed_years=3,
        districts=pd.Series(["east"] * 4 + ["west"] * 3, NAMES),
        km_per_year=0.5,
        km_per_district_year={"east": 0.5, "west": 0.15},
        households_per_district_year={"east": 200.0, "west": 50.0},
        deadlines=pd.Series({NAMES[0]: 2027, NAMES[4]: 2029}),
        floors=pd.DataFrame({"district": ["west", None], "measure": ["km", "risk_per_year"], "floor": [0.1, 3.0]}),
        precedence=pd.DataFrame({"first_id": [NAMES[0]], "then_id": [NAMES[2]]}),
        locks=pd.Series({NAMES[5]: 2028}),
        closed=pd.DataFrame({"segment_id": [NAMES[0]], "starts_on": ["2028-01-01"], "ends_on": [pd.NaT]}),
        decisions=pd.DataFrame({"segment_id": [NAMES[2]], "project_id": ["road"], "verdict": ["together"]}),
    )
    return Case(SEGMENTS, batches, batch_segments, promises)


def test_a_plan_that_keeps_all_has_no_finding() -> None:
    found = case().found()
    assert found.empty
    check_frame(found, "plan_findings")


def move(made: Case, batch: str, year: int) -> None:
    made.batches.loc[batch, "year"] = year
    made.batch_segments.loc[made.batch_segments["batch_id"] == batch, "year"] = year


def change(**promises: Any) -> Callable[[Case], None]:
    return lambda made: made.keep(**promises)


def set_cell(frame: str, row: object, column: str, value: object) -> Callable[[Case], None]:
    def plant(made: Case) -> None:
        getattr(made, frame).loc[row, column] = value

    return plant


def mix_labels(made: Case) -> None:
    made.keep(apart=pd.Series(NAMES[0] == NAMES, NAMES))


def mix_media(made: Case) -> None:
    made.segments = made.segments.assign(medium=pd.Series(["gas", "water", *["gas"] * 4, "water"], NAMES, dtype="str"))


def mix_compounds(made: Case) -> None:
    made.segments = made.segments.assign(compound_name=pd.Series([None] * 4 + ["a", "b", None], NAMES, dtype="str"))


def tear(made: Case) -> None:
    shapes = made.segments.geometry.to_numpy().copy()
    shapes[1] = line((100, 0.06), (300, 0.06))
    length_m = made.segments["length_m"].to_numpy()
    made.segments = made.segments.set_geometry(gpd.GeoSeries(shapes, NAMES, crs=made.segments.crs))
    made.segments["length_m"] = length_m


def renew_twice(made: Case) -> None:
    again = made.batch_segments.loc[[NAMES[1]]].assign(batch_id="B2", year=2030)
    made.batch_segments = pd.concat([made.batch_segments, again])
    made.batches.loc["B2", ["length_m", "cost_cny"]] += [200.0, 200_000.0]
    made.keep(
        longest_m=700.0,
        budget_cny=(350_000.0, 200_000.0, 100_000.0, 650_000.0),
        km_per_year=1.0,
        km_per_district_year={},
    )
    made.keep(streets=None)


def ban(first: str, last: str | None, *shape: tuple[float, float]) -> gpd.GeoDataFrame:
    ground = shapely.box(EAST + shape[0][0], NORTH + shape[0][1], EAST + shape[1][0], NORTH + shape[1][1])
    frame = {name: pd.Series([day], dtype="datetime64[s]") for name, day in (("starts_on", first), ("ends_on", last))}
    return gpd.GeoDataFrame(frame, geometry=[ground], crs=SEGMENTS.crs)


def part_by_valve(made: Case) -> None:
    """The compound lies in two sections too, which it may."""
    made.keep(isolation=pd.Series([*NAMES[:1], None, *NAMES[2:]], NAMES, dtype="str").replace({NAMES[3]: NAMES[2]}))


PLANTED: dict[str, Callable[[Case], None]] = {
    "segment_unknown": lambda made: made.keep() or setattr(made, "segments", made.segments.iloc[:-1]),  # type: ignore[func-returns-value]
    "batch_unknown": set_cell("batch_segments", NAMES[6], "batch_id", "B9"),
    "year_differs": set_cell("batch_segments", NAMES[0], "year", 2028),
    "year_outside": lambda made: move(made, "B1", 2026),
    "length_differs": set_cell("batches", "B1", "length_m", 301.0),
    "packing": renew_twice,
    "media_mixed": mix_media,
    "labels_mixed": mix_labels,
    "isolation_mixed": part_by_valve,
    "compound_mixed": mix_compounds,
    "parts_apart": tear,
    "too_long": change(longest_m=449.0),
    "too_short": change(shortest_m=310.0, longest_m=601.0),
    "cost_differs": set_cell("batches", "B2", "cost_cny", 480_000.0),
    "budget": change(budget_cny=(350_000.0, 200_000.0, 100_000.0, 419_000.0)),
    "km": change(km_per_year=0.449),
    "km_district": change(km_per_district_year={"west": 0.119}),
    "households": change(households_per_district_year={"west": 49.0}),
    "second_cut": change(closed_years=4),
    "due_missed": change(deadlines=pd.Series({NAMES[6]: 2030})),
    "due_late": change(deadlines=pd.Series({NAMES[2]: 2029})),
    "floor": change(floors=pd.DataFrame({"district": ["west"], "measure": ["km"], "floor": [0.121]})),
    "ban": change(bans=ban("2026-06-01", "2027-12-31", (50, -5), (60, 5))),
    "decided": lambda made: move(made, "B2", 2028),
    "lock": change(locks=pd.Series({NAMES[5]: 2029})),
    "precedence": change(precedence=pd.DataFrame({"first_id": [NAMES[2]], "then_id": [NAMES[0]]})),
}


@pytest.mark.parametrize("code", PLANTED)
def test_what_is_planted_is_found_and_told(code: str) -> None:
    made = case()
    PLANTED[code](made)
    found = made.found()
    check_frame(found, "plan_findings")
    assert code in set(found["code"])
    for language in ("en", "zh"):
        told = tell_findings(found, language)
        assert len(told) == len(found)
        assert not any("nan" in text or "plan_check" in text for text in told)


@pytest.mark.parametrize("code", sorted(set(PLANTED) - {"decided", "year_outside"}))
def test_nothing_else_is_found_beside_it(code: str) -> None:
    made = case()
    PLANTED[code](made)
    assert made.codes() == [code]


def test_a_batch_without_segments_is_found() -> None:
    made = case()
    made.batch_segments = made.batch_segments.drop(index=[NAMES[4], NAMES[5]])
    assert "batch_empty" in made.codes()


def test_every_rule_has_words_and_every_word_a_rule() -> None:
    said = {code.removeprefix("plan_check_") for code in catalogue() if code.startswith("plan_check_")}
    assert said == {*PLANTED, "batch_empty"}


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_what_is_left_over_goes_on_by_its_share(share: float) -> None:
    """330,000 of 400,000 yuan are spent in 2027; of 150,000 in 2028 the compound wants exactly all."""
    made = case()
    left = 400_000.0 - 330_000.0
    for more, codes in ((0.0, []), (-1.0, ["budget"])):
        made.keep(carried_share=share, budget_cny=(400_000.0, 150_000.0 - share * left + more, 0.0, 420_000.0))
        assert made.codes() == codes


def test_a_site_is_paid_once_a_year() -> None:
    placed: dict[str, int | None] = {"B1": 2027, "B2": 2030, "B3": 2027, "B4": None}
    made = case(placed=placed)
    made.keep(locks=None, districts=None, floors=None, budget_cny=(450_000.0, 0.0, 0.0, 420_000.0))
    assert made.codes() == ["budget"]
    made.keep(sites={"B1": "north", "B3": "north"})
    assert made.codes() == []
    move(made, "B3", 2028)
    made.keep(budget_cny=(330_000.0, 149_999.0, 0.0, 420_000.0))
    assert made.codes() == ["budget"]


def test_work_done_apart_saves_nothing() -> None:
    made = case()
    made.keep(decisions=pd.DataFrame({"segment_id": [NAMES[2]], "project_id": ["road"], "verdict": ["separate"]}))
    found = made.found().set_index("code")
    # without the road the pipe is the best project: 100 m x 500 yuan
    assert found.loc["cost_differs", "limit"] == 480_000.0 - 50_000.0


@pytest.mark.parametrize(
    ("last", "least", "codes"),
    [("2027-12-31", 1, ["ban"]), ("2027-12-30", 1, []), ("2027-12-30", 2, ["ban"]), (None, 1, ["ban"])],
)
def test_a_year_is_closed_when_too_few_days_are_open(last: str | None, least: int, codes: list[str]) -> None:
    made = case()
    made.keep(bans=ban("2027-01-01", last, (20, -5), (30, 5)), least_open_days=least)
    assert made.codes() == codes


def test_ground_that_a_pipe_hardly_touches_closes_nothing() -> None:
    made = case()
    made.keep(bans=ban("2026-01-01", None, (20, -5), (30, 5)), least_closed_m=10.5)
    assert made.codes() == []
    made.keep(least_closed_m=9.5)
    assert made.codes() == ["ban"]


def test_a_short_run_is_fine_where_no_neighbour_fits() -> None:
    made = case()
    made.keep(shortest_m=460.0, longest_m=460.0)
    # B1 is 300 m: its neighbour of 300 m would not fit; B2 is 450 m: its neighbour of 200 m would not
    assert made.codes() == []


def test_late_segments_are_listed_by_id() -> None:
    made = case()
    made.keep(deadlines=pd.Series(dict.fromkeys(NAMES[::-1], 2027)))
    found = made.found()
    assert found["segment_id"].tolist() == sorted(found["segment_id"])
    assert found["code"].tolist() == ["due_late"] * 4 + ["due_missed"]


def test_what_is_not_stated_is_not_checked() -> None:
    made = case()
    made.promises = Promises(YEARS, (1e9,) * 4, 0.05, 500.0)
    made.batches["cost_cny"] = 7.0
    assert made.codes() == []


def test_the_checker_shares_no_code_with_what_it_checks() -> None:
    for path in sorted((REPOSITORY / "planner").glob("verify*.py")):
        names = {
            node.module or ""
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
        }
        ours = {name for name in names if name.startswith(("planner", "registry"))}
        assert all(name.startswith(("planner.verify", "registry.")) for name in ours), path.name


def test_findings_without_a_figure_are_told() -> None:
    told = tell_findings(findings_frame([Finding("lock", segment_id="S1", limit=2028)]), "en")
    assert told == ["Segment S1 is locked to 2028; the plan has —."]
    assert np.isnan(findings_frame([Finding("lock")])["value"].iloc[0])
