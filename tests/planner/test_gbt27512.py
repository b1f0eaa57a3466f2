"""GB/T 27512: every row that a source confirms, what is not available, and no level with a gap."""

from __future__ import annotations

from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from planner.gbt27512 import View, gbt27512_view
from planner.policy import Policy, read_policy
from planner.policy_gbt27512 import SECTIONS, Standard, read_standard
from planner.surroundings import Near
from registry.errors import PolicyError
from registry.fields import check_frame, columns_of
from tests.conftest import REPOSITORY
from tests.planner.frames import EAST, NORTH, frame_of, line, places_of, segments_of

TODAY = date(2026, 11, 1)
STANDARD = read_standard()
POLICY = read_policy()
MAIN = line((0, 0), (100, 0))


def mains(*rows: dict[str, Any]) -> gpd.GeoDataFrame:
    """Build steel mains; a column that frames.py does not know gets its dtype here."""
    segments = segments_of(*({"geometry": MAIN} | row for row in rows))
    for name, dtype in (("laying", "str"), ("owner", "str"), ("cover_depth_m", "float64")):
        default = "buried" if name == "laying" else np.nan
        segments[name] = pd.Series([row.get(name, default) for row in rows], segments.index, dtype=dtype)
    return segments


def view_of(
    *rows: dict[str, Any], near: Near | None = None, policy: Policy = POLICY, standard: Standard | None = None
) -> View:
    return gbt27512_view(mains(*rows), near or Near(), policy, TODAY, standard)


def points_of(part: str, code: str, *rows: dict[str, Any], near: Near | None = None) -> list[float]:
    table = view_of(*rows, near=near).rows
    chosen = table[(table["part"] == part) & (table["row_code"] == code)]
    return [round(float(points), 9) for points in chosen["points"]]


def given(*rows: dict[str, Any]) -> Policy:
    filled = [{"source": "told", "confidence": "sourced"} | row for row in rows]
    return Policy.from_dict(POLICY.to_dict() | {"gbt27512": {"rows": filled}})


# --- the rows ------------------------------------------------------------------------------------------------------

SOURCED = {
    "S1": {
        "population_density": 5, "construction_activity": 7, "construction_briefing": 7, "traffic": 8,
        "geological_survey": 3, "cover_depth": 8, "devices_above_ground": 8, "encroachment": 6, "markers": 8,
        "patrol_frequency": 12, "patrol_method": 8, "patrol_skill": 5, "public_education": 15,
    },
    "S2": {
        "atmospheric_corrosion": 10, "water_content": 2, "carbon_dioxide": 1, "hydrogen_sulphide": 1, "flow_speed": 1,
        "gas_quality_monitoring": 5, "internal_rest": 1, "soil_resistivity": 6, "stray_direct_current": 4,
        "stray_alternating_current": 2, "protection_design": 10, "coating": 3, "coating_manufacture": 4,
        "coating_application": 8, "coating_inspection": 20, "coating_maintenance": 2, "deep_roots": 1,
        "cathodic_protection": 19,
    },
    "S3": {
        "equipment": 26, "maintenance": 15, "operation": 23, "training": 22, "safety_rules": 8, "fault_proofing": 6,
    },
    "S4": {
        "design_and_construction": 46, "service_years": 5, "leak_survey": 4, "pipe_defects": 25,
        "natural_disasters": 15, "safety_margin": 5,
    },
    "C": {
        "pressure": 4, "gas_hazard": 32, "largest_release": 20, "terrain": 6, "wind": 9, "population": 20,
        "surroundings": 15, "leak_cause": 8, "repair_time": 9, "supply_extent": 15, "supply_dependence": 12,
    },
}  # fmt: skip


@pytest.mark.parametrize(("part", "code"), [(part, code) for part, rows in SOURCED.items() for code in rows])
def test_each_row_has_its_highest_points_and_a_source(part: str, code: str) -> None:
    row = next(row for row in STANDARD.rows if (row.part, row.code) == (part, code))
    assert row.maximum == SOURCED[part][code]
    assert row.source
    assert all(step.points <= row.maximum for step in row.steps)


def test_the_rows_are_those_of_the_source_and_add_up() -> None:
    assert {(row.part, row.code) for row in STANDARD.rows} == {
        (p, code) for p, rows in SOURCED.items() for code in rows
    }
    assert [STANDARD.maximum(part) for part in SECTIONS] == [100, 100, 100, 100, 150]
    assert sum(STANDARD.shares.values()) == pytest.approx(1)


def test_rows_without_steps_in_the_source_are_not_available_and_listed() -> None:
    rows = [{}, {"material": "galvanised_steel", "coating": "pe3", "cover_depth_m": 1.0, "is_encroached": False}]
    table = view_of(*rows).rows
    page = (REPOSITORY / "docs" / "how-scores-work.md").read_text(encoding="utf-8")
    listed = page.split("<!-- gbt27512-without-steps -->")[1].split("<!-- end of")[0]
    without = [row for row in STANDARD.rows if row.lacks and not row.steps]
    assert len(without) > 15
    for row in without:
        own = table[(table["part"] == row.part) & (table["row_code"] == row.code)]
        assert len(own) == len(rows)
        assert own["points"].isna().all()
        assert set(own["why_missing"]) <= {"not_in_source", "not_in_either"}
        assert f"| {row.part} | {row.label_en} | {row.label_zh} | {row.maximum:g} | not available |" in listed
    assert listed.count("not available") == len(without)


@pytest.mark.parametrize(
    ("surface", "cover_m", "points"),
    [
        ("carriageway", 0.9, 8),
        ("carriageway", 2.0, 8),
        ("carriageway", 0.45, 4),
        ("pavement", 0.3, 4),
        ("soil", 1, None),
    ],
)
def test_points_of_cover(surface: str, cover_m: float, points: float | None) -> None:
    (found,) = points_of("S1", "cover_depth", {"surface": surface, "cover_depth_m": cover_m})
    assert np.isnan(found) if points is None else found == pytest.approx(points)


@pytest.mark.parametrize(
    ("coating", "points"),
    [
        ("none", 0),
        ("paint", 1),
        ("asphalt", 2),
        ("coal_tar", 2.5),
        ("pe3", 3),
        ("tape", None),
        ("epoxy", None),
        (None, None),
    ],
)
def test_points_of_the_coating(coating: str | None, points: float | None) -> None:
    (found,) = points_of("S2", "coating", {"coating": coating})
    assert np.isnan(found) if points is None else found == points


@pytest.mark.parametrize(
    ("first", "last", "points"),
    [(2023, 2024, 0), (1990, 1999, 0), (2008, 2012, 5), (1995, 2010, None), (2019, 2024, None), (None, None, None)],
)
def test_points_of_the_years_in_service(first: int | None, last: int | None, points: float | None) -> None:
    row = {"installed_year_min": first, "installed_year_max": last}
    (found,) = points_of("S4", "service_years", row)
    assert np.isnan(found) if points is None else found == points


@pytest.mark.parametrize(
    ("kpa", "name", "points"),
    [
        (340.0, None, 0), (340.1, None, 2), (1360.0, None, 2), (1361.0, None, 4), (None, "low", 0),
        (None, "medium_b", 0), (None, "medium_a", None), (None, "sub_high_b", 2), (None, "sub_high_a", None),
        (None, "high_b", 4), (None, "high_a", 4), (None, "unknown", None), (100.0, "high_a", 0),
    ],
)  # fmt: skip
def test_points_of_the_pressure(kpa: float | None, name: str | None, points: float | None) -> None:
    (found,) = points_of("C", "pressure", {"pressure_kpa": kpa, "pressure_class": name})
    assert np.isnan(found) if points is None else found == points


def test_points_of_structures_above_and_of_the_air() -> None:
    rows = [{"is_encroached": False}, {"is_encroached": True}, {}]
    found = points_of("S1", "encroachment", *rows)
    assert found[0] == 6
    assert np.isnan(found[1:]).all()
    assert points_of("S2", "atmospheric_corrosion", *rows) == [10, 10, 10]


def test_points_of_people() -> None:
    place = shapely.Point(EAST + 50, NORTH - 30)
    near = Near(context=places_of(("sensitive_place", place)))
    assert points_of("S1", "population_density", {}, near=near) == [0]
    assert np.isnan(points_of("S1", "population_density", {"geometry": line((0, 9), (100, 9))}, near=near)).all()
    for households, is_known in ((193, True), (192, False)):
        house = {"building_id": "B", "use": "residential", "household_count": households}
        block = house | {"geometry": shapely.box(EAST, NORTH + 190, EAST + 9, NORTH + 200)}
        found = points_of("C", "population", {}, near=Near(frame_of("buildings", [block])))
        assert found == [20] if is_known else np.isnan(found).all()


# --- what it is for, and what it never says ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({}, None),
        ({"material": "galvanised_steel"}, None),
        ({"material": "pe100"}, "not_steel"),
        ({"material": "grey_iron"}, "not_steel"),
        ({"material": "steel_pe"}, "not_steel"),
        ({"material": None}, "material_unknown"),
        ({"medium": "heat"}, "not_gas"),
        ({"laying": "overhead"}, "not_buried"),
        ({"laying": None}, "laying_unknown"),
    ],
)
def test_only_buried_steel_gas_pipes_are_judged(row: dict[str, Any], why: str | None) -> None:
    view = view_of(row)
    told = view.summary["why_not"].fillna("").tolist()
    assert told == [why or ""]
    assert view.summary["is_applicable"].tolist() == [why is None]
    assert len(view.rows) == (0 if why else len(STANDARD.rows))
    assert view.summary["s1_points"].notna().tolist() == [why is None]


def test_with_any_row_missing_there_is_no_level() -> None:
    operator = [row for row in STANDARD.rows if row.scope == "operator"]
    policy = given(*({"part": row.part, "row": row.code, "points": row.maximum} for row in operator))
    view = view_of({}, {"material": "pe100"}, policy=policy)
    check_frame(view.rows, "gbt27512_view")
    check_frame(view.summary, "gbt27512_summary")
    assert list(view.summary.columns) == columns_of("gbt27512_summary")
    assert view.summary[["s", "r", "level"]].isna().all(axis=None)
    known = view.rows["points"].notna()
    assert (known == view.rows["why_missing"].isna()).all()
    first = view.summary.iloc[0]
    assert first["missing_count"] == (~known).sum() > 0
    for part in SECTIONS:
        rows = view.rows[view.rows["part"] == part]
        assert first[f"{part.lower()}_points"] == pytest.approx(rows["points"].sum())
        assert first[f"{part.lower()}_possible"] == rows.loc[rows["points"].notna(), "maximum"].sum()
        assert first[f"{part.lower()}_maximum"] == STANDARD.maximum(part)


def shortened(*kept: tuple[str, str]) -> Standard:
    """The standard as if it had these rows only."""
    content = STANDARD.model_dump(mode="json")
    content["rows"] = [row for row in content["rows"] if (row["part"], row["code"]) in kept]
    return Standard.model_validate(content)


def test_where_every_row_is_known_the_level_follows_the_formula() -> None:
    kept = (("S1", "encroachment"), ("S2", "coating"), ("S3", "training"), ("S4", "service_years"), ("C", "pressure"))
    policy = given({"part": "S3", "row": "training", "points": 18})
    row = {"is_encroached": False, "coating": "pe3", "installed_year_min": 2010, "installed_year_max": 2010}
    view = view_of(row | {"pressure_kpa": 1500.0}, row | {"coating": None}, policy=policy, standard=shortened(*kept))
    whole, holed = view.summary.to_dict("records")
    assert whole["s"] == pytest.approx(100 - (0.3 * 6 + 0.3 * 3 + 0.1 * 18 + 0.3 * 5))
    assert whole["r"] == pytest.approx(whole["s"] * 4)
    assert whole["level"] == "low"
    assert np.isnan(holed["s"])
    assert holed["missing_count"] == 1


@pytest.mark.parametrize(("r", "level"), [(0, "low"), (3600, "medium"), (7800, "higher"), (12600, "high")])
def test_levels_begin_at_their_limit(r: float, level: str) -> None:
    assert {entry.code: entry.minimum_r for entry in STANDARD.levels}[level] == r


def test_an_operator_speaks_for_its_own_pipes_first() -> None:
    policy = given(
        {"part": "S1", "row": "patrol_frequency", "points": 8, "owner": "A"},
        {"part": "S1", "row": "patrol_frequency", "points": 2},
    )
    table = view_of({"owner": "A"}, {"owner": "B"}, {"owner": None}, policy=policy).rows
    assert table.loc[table["row_code"] == "patrol_frequency", "points"].tolist() == [8, 2, 2]


@pytest.mark.parametrize(
    "row",
    [
        {"part": "S1", "row": "markers", "points": 8},
        {"part": "S1", "row": "training", "points": 8},
        {"part": "S3", "row": "training", "points": 22.5},
    ],
)
def test_what_is_not_an_operators_to_say_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(PolicyError, match="no row that an operator may give"):
        given(row)
