"""A small town made by hand: frames by the contracts of fields.csv, with every case that the map must survive."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from maps.inputs import Inputs
from maps.meeting import Closed, find_closed
from planner.meeting import City, prepare_meeting
from planner.policy import read_policy
from registry.fields import fields

CRS = "EPSG:4549"
EAST, NORTH = 535_000.0, 4_135_000.0
EVIL = '<script>window.evil=1</script><img src=x onerror="window.evil=1">'
_DTYPES: dict[str, Any] = {
    "text": "str",
    "integer": "Int64",
    "double": "float64",
    "boolean": "boolean",
    "date": "datetime64[s]",
}


def contract_frame(frame: str, rows: dict[str, Any], index: list[str] | None = None) -> pd.DataFrame:
    """Return a frame with the dtypes that fields.csv asks for."""
    declared = fields()[frame]
    plain = {name: values for name, values in rows.items() if name != "geometry"}
    table = pd.DataFrame(plain, index=index)
    for column in table.columns:
        table[column] = table[column].astype(_DTYPES[declared[column].dtype])
    name = next((field.column for field in declared.values() if field.role == "index"), None)
    table.index.name = name
    if "geometry" in rows:
        return gpd.GeoDataFrame(table, geometry=list(rows["geometry"]), crs=CRS)
    return table


def line(*points: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString([(EAST + x, NORTH + y) for x, y in points])


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    return shapely.box(EAST + west, NORTH + south, EAST + east, NORTH + north)


STREETS = ["金城路", "罗峰大街", "温泉路", EVIL]


def segments() -> gpd.GeoDataFrame:
    """Forty segments: four streets of ten, the last one with an evil name; some facts missing."""
    count = 40
    rng = np.random.default_rng(7)
    shapes = [
        line((100.0 * (i % 10), 200.0 * (i // 10)), (100.0 * (i % 10) + 90, 200.0 * (i // 10) + 10))
        for i in range(count)
    ]
    years = rng.integers(1958, 2022, count).astype("float64")
    rows: dict[str, Any] = {
        "medium": ["gas"] * count,
        "tier": (["municipal", "courtyard", None, "municipal"] * count)[:count],
        "material": (["grey_iron", "steel", "pe80", None, "ductile_iron", "pe100", "galvanised_steel"] * count)[:count],
        "diameter_mm": [200.0 if i % 5 else np.nan for i in range(count)],
        "diameter_kind": ["DN"] * count,
        "pressure_class": ["low"] * count,
        "installed_year_min": pd.array([None if i % 9 == 4 else int(years[i]) for i in range(count)], dtype="Int64"),
        "installed_year_max": pd.array(
            [None if i % 9 == 4 else int(years[i]) + i % 3 for i in range(count)], dtype="Int64"
        ),
        "street_name": [STREETS[i // 10] for i in range(count)],
        "compound_name": ["龙馨佳苑" if i % 4 == 1 else None for i in range(count)],
        "owner": ["招远燃气"] * count,
        "length_m": [shape.length for shape in shapes],
        "geometry": shapes,
    }
    return contract_frame("segments", rows, [f"GAS-{i:04d}" for i in range(count)])  # type: ignore[return-value]


def scores(of: gpd.GeoDataFrame) -> pd.DataFrame:
    count = len(of)
    rng = np.random.default_rng(3)
    logs = [name for name in fields()["scores"] if name.startswith("ln_")]
    rows: dict[str, Any] = {name: rng.normal(0, 1, count) for name in logs}
    rows |= {
        "policy_class": (["mandatory", "keep", "due", "assess"] * count)[:count],
        "policy_is_certain": pd.array(([True, False] * count)[:count], dtype="boolean"),
        "policy_code": ["grey_iron"] * count,
        "age_years": rng.uniform(1, 60, count),
        "length_m": of["length_m"].to_numpy(),
        "leak_count": rng.uniform(0, 3, count),
        "likelihood_per_km_year": rng.uniform(0, 3, count),
        "consequence_index": rng.uniform(0, 3, count),
        "risk_per_km_year": rng.uniform(0, 3, count),
        "grade": (["low", "moderate", "high", "severe", "low"] * count)[:count],
        "ranking_model": ["default"] * count,
        "is_backward_material": [True] * count,
        "is_long_service": [False] * count,
        "is_heavy_leakage": [False] * count,
        "has_hazard": [False] * count,
        "risk_per_year": rng.uniform(0, 3, count),
        "gaps": [""] * count,
        "expected_household_count": rng.uniform(0, 40, count),
        "gap_count": pd.array([i % 3 for i in range(count)], dtype="Int64"),
    }
    return contract_frame("scores", rows, list(of.index))


def projects() -> gpd.GeoDataFrame:
    rows: dict[str, Any] = {
        "name": ["龙馨佳苑改造", "罗峰大街大修", "远期小区改造", "无范围工程"],
        "kind": ["old_residential", "road_overhaul", "old_residential", "road_overlay"],
        "state": ["confirmed", "planned", "proposed", None],
        "starts_on": ["2027-03-01", "2028-04-01", "2035-01-01", None],
        "ends_on": ["2027-11-30", "2028-10-31", "2035-12-31", None],
        "owner": ["住建局", "市政处", None, None],
        "cost_cny": [12_000_000.0, 8_500_000.0, np.nan, np.nan],
        "geometry": [box(-20, -30, 320, 60), line((-20, 205), (950, 205)), box(500, 380, 800, 480), None],
    }
    return contract_frame("projects", rows, ["P-1", "P-2", "P-3", "P-4"])  # type: ignore[return-value]


def pairs() -> pd.DataFrame:
    segment_ids = ["GAS-0000", "GAS-0001", "GAS-0002", *[f"GAS-{i:04d}" for i in range(10, 20)], "GAS-0025", "GAS-0026"]
    project_ids = ["P-1"] * 3 + ["P-2"] * 10 + ["P-3"] * 2
    starts = {"P-1": "2027-03-01", "P-2": "2028-04-01", "P-3": "2035-01-01"}
    ends = {"P-1": "2027-11-30", "P-2": "2028-10-31", "P-3": "2035-12-31"}
    kinds = {"P-1": "old_residential", "P-2": "road_overhaul", "P-3": "old_residential"}
    first = {"P-1": 2027, "P-2": 2028, "P-3": None}
    rows: dict[str, Any] = {
        "segment_id": segment_ids,
        "project_id": project_ids,
        "project_kind": [kinds[one] for one in project_ids],
        "overlap_m": [50.3 + i for i in range(len(segment_ids))],
        "overlap_share": [0.5] * len(segment_ids),
        "starts_on": [starts[one] for one in project_ids],
        "ends_on": [ends[one] for one in project_ids],
        "meets_years": [one != "P-3" for one in project_ids],
        "first_year": pd.array([first[one] for one in project_ids], dtype="Int64"),
        "last_year": pd.array([first[one] for one in project_ids], dtype="Int64"),
        "distance_m": [0.0] * len(segment_ids),
        "project_share": [1.0 / project_ids.count(one) for one in project_ids],
        "course": ["parallel" if kinds[one] == "road_overhaul" else "inside" for one in project_ids],
        "side": ["left" if kinds[one] == "road_overhaul" else None for one in project_ids],
    }
    return contract_frame("pairs", rows)


def batches() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Three batches: with the compound in 2027, with the street in 2028, and one left out."""
    members = {
        "B-1": ["GAS-0000", "GAS-0001", "GAS-0002"],
        "B-2": [f"GAS-{i:04d}" for i in range(10, 16)],
        "B-3": ["GAS-0030", "GAS-0031"],
    }
    years = {"B-1": 2027, "B-2": 2028, "B-3": None}
    along = {"B-1": "P-1", "B-2": "P-2", "B-3": None}
    lengths = segments()["length_m"]
    metres = [float(lengths[ids].sum()) for ids in members.values()]
    rows: dict[str, Any] = {
        "kind": ["compound", "street", "street"],
        "label": ["龙馨佳苑", "罗峰大街", EVIL],
        "year": pd.array(list(years.values()), dtype="Int64"),
        "policy_class": ["mandatory", "mandatory", "due"],
        "segment_count": pd.array([len(ids) for ids in members.values()], dtype="Int64"),
        "length_m": metres,
        "mandatory_m": [metres[0] / 3, metres[1] / 2, 0.0],
        "household_count": pd.array([420, 310, 0], dtype="Int64"),
        "risk_per_year": [0.5, 0.9, 0.1],
        "value": [3.0, 4.0, 0.4],
        "cost_alone_cny": [600_000.0, 1_400_000.0, 300_000.0],
        "saving_cny": [90_000.0, 310_000.0, 0.0],
        "cost_cny": [510_000.0, 1_090_000.0, 300_000.0],
        "project_id": list(along.values()),
    }
    table = contract_frame("batches", rows, list(members))
    owner = [(segment, batch) for batch, ids in members.items() for segment in ids]
    rows = {
        "batch_id": [batch for _, batch in owner],
        "year": pd.array([years[batch] for _, batch in owner], dtype="Int64"),
        "cost_cny": [100_000.0] * len(owner),
        "project_id": [along[batch] for _, batch in owner],
    }
    return table, contract_frame("batch_segments", rows, [segment for segment, _ in owner])


def leaks() -> gpd.GeoDataFrame:
    rows: dict[str, Any] = {
        "leaked_on": ["2019-05-01", "2021-08-12", "2024-01-30"],
        "cause": ["corrosion", "joint", None],
        "grade": ["grade_1", "grade_2", "unknown"],
        "address": [EVIL, "金城路 12 号", None],
        "geometry": [
            shapely.Point(EAST + 60, NORTH + 120),
            shapely.Point(EAST + 260, NORTH + 320),
            shapely.Point(EAST + 700, NORTH + 610),
        ],
    }
    return contract_frame("leaks", rows, ["L-1", "L-2", "L-3"])  # type: ignore[return-value]


def events() -> gpd.GeoDataFrame:
    """A point, a line, and one that only names its segment and cannot be drawn."""
    rows: dict[str, Any] = {
        "happened_on": ["2022-05-01", "2023-08-12", "2024-01-30"],
        "kind": ["inspection", "encroachment", "hazard"],
        "grade": ["none", "major", None],
        "finding": [EVIL, "停车棚占压", None],
        "segment_id": [None, None, "S-1"],
        "geometry": [
            shapely.Point(EAST + 80, NORTH + 160),
            shapely.LineString([(EAST + 300, NORTH + 300), (EAST + 320, NORTH + 300)]),
            None,
        ],
    }
    return contract_frame("events", rows, ["E-1", "E-2", "E-3"])  # type: ignore[return-value]


def held() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "kind": ["segments", "leaks"],
            "code": ["material_unknown", "date_in_future"],
            "reason_en": ["The material is not in the list.", "The date lies in the future."],
            "reason_zh": ["管材不在值表中。", "日期在未来。"],
            "row_count": [3, 2],
            "length_m": [812.5, np.nan],
        }
    )


SUMMARY: dict[str, Any] = {
    "objective": 7.0,
    "bound": 7.14,
    "gap_share": 0.0196,
    "greedy": 6.5,
    "km": 0.815,
    "batch_count": 2,
    "joint_batch_count": 2,
    "cost_cny": 1_600_000.0,
    "saving_cny": 400_000.0,
    "years": [2027, 2028],
    "budget_cny": [600_000.0, 1_200_000.0],
    "unverified_count": 9,
    "project_blind": {
        "objective": 6.2,
        "km": 0.7,
        "batch_count": 2,
        "joint_batch_count": 0,
        "cost_cny": 1_750_000.0,
        "saving_cny": 50_000.0,
    },
}


def moratoria() -> gpd.GeoDataFrame:
    """Bans of an authority: one without an end, one to come, one over, one without a place."""
    rows: dict[str, Any] = {
        "street_name": [EVIL, "金城路", "金城路", "无处街"],
        "cause": ["event", None, "event", "other"],
        "starts_on": ["2026-10-01", "2027-01-01", "2020-01-01", "2026-01-01"],
        "ends_on": [None, "2027-01-03", "2020-12-31", "2026-11-01"],
        "geometry": [box(-60, 600, 900, 620), box(0, -5, 900, 12), box(0, -5, 900, 12), None],
    }
    return contract_frame("moratoria", rows, ["M-1", "M-2", "M-3", "M-4"])  # type: ignore[return-value]


def meeting_of(inputs: Inputs) -> tuple[pd.DataFrame, Closed]:
    """Relate and price the pairs of a town, and find its closed streets, by the packaged policy."""
    assert inputs.scores is not None
    assert inputs.pairs is not None
    policy = read_policy()
    decided = {
        "project_id": ["P-1"],
        "segment_id": ["GAS-0001"],
        "verdict": ["together"],
        "decided_on": ["2026-10-20"],
        "decided_by": [EVIL],
        "due_on": [None],
        "note": [None],
    }
    city = City(
        segments=inputs.segments,
        roads=inputs.roads,  # type: ignore[arg-type]
        pavements=contract_frame("pavements", {"street_name": [], "geometry": []}),  # type: ignore[arg-type]
        projects=inputs.projects,  # type: ignore[arg-type]
        moratoria=moratoria(),
        decisions=contract_frame("decisions", decided, ["J-1"]),
        successions=contract_frame("successions", {name: [] for name in fields()["successions"]}),
    )
    made = prepare_meeting(city, inputs.scores, inputs.pairs, policy, inputs.as_of, inputs.batch_segments)
    return made.table, find_closed(city.roads, city.projects, city.moratoria, policy, inputs.as_of)


def town(*, is_bare: bool = False) -> Inputs:
    """Return everything, or (bare) segments alone."""
    own = segments()
    if is_bare:
        return Inputs(city="招远市", as_of=date(2026, 11, 1), segments=own)
    grid = [line((-50, 200.0 * k - 15), (1000, 200.0 * k - 15)) for k in range(4)]
    roads = contract_frame(
        "roads",
        {
            "name": STREETS,
            "road_class": ["arterial", "secondary", "branch", "lane"],
            "opened_on": ["2024-02-29", None, "2019-01-01", None],
            "geometry": grid,
        },
        [f"R-{k}" for k in range(4)],
    )
    houses = contract_frame(
        "buildings",
        {"geometry": [box(40.0 * k, 70, 40.0 * k + 25, 90) for k in range(12)]},
        [f"H-{k}" for k in range(12)],
    )
    estates = contract_frame(
        "compounds", {"name": ["龙馨佳苑"], "household_count": [420], "geometry": [box(-10, 40, 480, 110)]}, ["C-1"]
    )
    valves = contract_frame(
        "valves",
        {
            "kind": ["valve", "regulator_box"],
            "geometry": [shapely.Point(EAST + 95, NORTH + 5), shapely.Point(EAST + 300, NORTH + 200)],
        },
        ["V-1", "V-2"],
    )
    table, members = batches()
    whole = Inputs(
        city="招远市",
        as_of=date(2026, 11, 1),
        segments=own,
        scores=scores(own),
        pairs=pairs(),
        batches=table,
        batch_segments=members,
        projects=projects(),
        leaks=leaks(),
        events=events(),
        roads=roads,  # type: ignore[arg-type]
        buildings=houses,  # type: ignore[arg-type]
        compounds=estates,  # type: ignore[arg-type]
        valves=valves,  # type: ignore[arg-type]
        held=held(),
        plan_name="五年计划",
        summary=SUMMARY,
        rules={"grey_iron": {"en": "grey cast iron goes", "zh": "灰口铸铁应改造"}},
    )
    table, closed = meeting_of(whole)
    return replace(whole, meeting=table, closed=closed)
