"""The view of GB/T 27512 on buried steel gas pipes: points by row, and a level only where every row is known.

    S = 100 - (0.30 S1 + 0.30 S2 + 0.10 S3 + 0.30 S4)      S1..S4 are points of safety: more is safer
    R = S x C                                              C are points of consequence: more is worse

The rows are those of `planner/standards/gbt27512-2011.toml`. What the registry or the text that was read lacks has no
points and is listed; then there are sums of the known rows only, and never S, R or a level: a sum with a hole in it
would read as a danger or as safety that nobody has found. The score of digonce is another thing and not mixed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.ages import age_interval
from planner.factors import Flags, Floats, number_column, text_column
from planner.policy import Policy
from planner.policy_gbt27512 import SAFETY, SECTIONS, OperatorRows, Row, Section, Standard, read_standard
from planner.policy_models import Weights
from planner.policy_tables import PressureLimit
from planner.surroundings import SENSITIVE_PLACE, Near, Surroundings, find_surroundings
from registry.fields import check_frame, columns_of


@dataclass(frozen=True)
class Facts:
    """What the rows ask about, for the segments that the standard is for; distances as in `Surroundings`."""

    segments: gpd.GeoDataFrame
    standard: Standard
    least_years: Floats
    most_years: Floats
    assembly: Surroundings
    people_count: Floats
    pressure_limits: tuple[PressureLimit, ...]


@dataclass(frozen=True)
class View:
    """The frames `gbt27512_view` (a row of each segment and row) and `gbt27512_summary` (one of each segment)."""

    rows: pd.DataFrame
    summary: pd.DataFrame


def gbt27512_view(
    segments: gpd.GeoDataFrame, near: Near, policy: Policy, as_of: date, standard: Standard | None = None
) -> View:
    """Judge every buried steel gas pipe by the rows that are known.

    Other pipes are listed with the reason why the standard is not for them. Points that the policy gives for an
    operator hold for the segments of that owner, else those without an owner.

    Parameters
    ----------
    near
        Buildings and context: who gathers and lives about a pipe.
    standard
        The rows of the standard; those that come with digonce if not given.

    Raises
    ------
    FrameError
        If `segments` does not keep its contract.
    """
    check_frame(segments, "segments", ["medium", "geometry"])
    standard = standard or read_standard()
    why_not = _why_not(segments, standard)
    chosen = segments[why_not.isna().to_numpy(dtype=bool)]
    facts = _facts(chosen, near, policy.weights, as_of, standard)
    owner = text_column(chosen, "owner")
    points: dict[tuple[Section, str], Floats] = {
        (row.part, row.code): _points(row, facts, owner, policy.gbt27512) for row in standard.rows
    }
    summary = pd.DataFrame({"is_applicable": why_not.isna().astype("boolean"), "why_not": why_not})
    sums = _sums(points, standard, chosen.index)
    summary = summary.join(sums)
    summary.index.name = "segment_id"
    summary["missing_count"] = summary["missing_count"].astype("Int64")
    return View(_long(points, standard, chosen.index), summary[columns_of("gbt27512_summary")])


def _why_not(segments: pd.DataFrame, standard: Standard) -> pd.Series:
    """Return why the standard is not for a segment; missing where it is."""
    material = text_column(segments, "material").fillna("unknown")
    laying = text_column(segments, "laying").fillna("unknown")
    cases = [
        (~segments["medium"].isin(list(standard.media)), "not_gas"),
        (material == "unknown", "material_unknown"),
        (~material.isin(list(standard.materials)), "not_steel"),
        (laying == "unknown", "laying_unknown"),
        (~laying.isin(list(standard.layings)), "not_buried"),
    ]
    found = np.select([case.to_numpy(dtype=bool) for case, _ in cases], [code for _, code in cases], default="")
    return pd.Series(found, segments.index, dtype="str").replace("", np.nan)


def _facts(segments: gpd.GeoDataFrame, near: Near, weights: Weights, as_of: date, standard: Standard) -> Facts:
    ages = age_interval(segments, as_of)
    assembly, people = (
        find_surroundings(segments, near, weights.consequence.model_copy(update={"building_reach_m": reach}))
        for reach in (standard.assembly_reach_m, standard.population_reach_m)
    )
    return Facts(segments, standard, ages.least, ages.most, assembly, people.people_count, weights.pressure_limits)


def _population_density(row: Row, facts: Facts) -> Floats:
    kinds = facts.assembly.kinds
    gathers = np.zeros(len(facts.segments), dtype=bool) if kinds is None else kinds[SENSITIVE_PLACE]
    return _where(gathers, row.points("place_of_assembly_within_30_m"))


def _cover_depth(row: Row, facts: Facts) -> Floats:
    asked = {entry.code: entry.factor for entry in facts.standard.required_cover_m}
    required = _numbers(text_column(facts.segments, "surface"), asked)
    lacking = np.maximum(required - number_column(facts.segments, "cover_depth_m"), 0.0)
    return np.asarray(row.maximum * (1.0 - lacking / required), dtype=np.float64)


def _encroachment(row: Row, facts: Facts) -> Floats:
    said = facts.segments.get("is_encroached", pd.Series(pd.NA, index=facts.segments.index, dtype="boolean"))
    return _where((~said).fillna(False).to_numpy(dtype=bool), row.points("none"))


def _atmospheric(row: Row, facts: Facts) -> Floats:
    return np.full(len(facts.segments), row.points("buried"))


def _coating(row: Row, facts: Facts) -> Floats:
    steps = {step.code: step.points for step in row.steps}
    return _numbers(text_column(facts.segments, "coating"), steps)


def _service_years(row: Row, facts: Facts) -> Floats:
    """Points only where every year of the install interval gives the same."""
    least, most = facts.least_years, facts.most_years
    young, old = row.limit("up_to_5"), row.limit("from_25")
    cases = [most <= young, least >= old, (least > young) & (most < old)]
    codes = ("up_to_5", "from_25", "between")
    return np.select(cases, [np.full(len(least), row.points(code)) for code in codes], default=np.nan)


def _pressure(row: Row, facts: Facts) -> Floats:
    """By the design pressure, else by the class where all of it lies within one step."""
    stated = number_column(facts.segments, "pressure_kpa")
    classes = text_column(facts.segments, "pressure_class")
    tops = {limit.code: limit.maximum_kpa or np.inf for limit in facts.pressure_limits}
    # a class begins above the top of the one below it
    bottoms = dict(zip(tops, np.nextafter([0.0, *list(tops.values())[:-1]], np.inf), strict=True))
    low, high = (np.where(np.isnan(stated), _numbers(classes, ends), stated) for ends in (bottoms, tops))
    found = [_pressure_points(row, ends) for ends in (low, high)]
    return np.where(found[0] == found[1], found[0], np.nan)


def _pressure_points(row: Row, kpa: Floats) -> Floats:
    codes = ("up_to_340_kpa", "up_to_1360_kpa")
    points = np.select(
        [kpa <= row.limit(code) for code in codes], [row.points(code) for code in codes], row.points("above")
    )
    return np.where(np.isnan(kpa), np.nan, points)


def _population(row: Row, facts: Facts) -> Floats:
    return _where(facts.people_count >= row.limit("from_500"), row.points("from_500"))


_EVALUATORS: Final[dict[tuple[str, str], Callable[[Row, Facts], Floats]]] = {
    ("S1", "population_density"): _population_density,
    ("S1", "cover_depth"): _cover_depth,
    ("S1", "encroachment"): _encroachment,
    ("S2", "atmospheric_corrosion"): _atmospheric,
    ("S2", "coating"): _coating,
    ("S4", "service_years"): _service_years,
    ("C", "pressure"): _pressure,
    ("C", "population"): _population,
}


def _numbers(codes: pd.Series, numbers: Mapping[str, float]) -> Floats:
    """Return the number of each code, NaN for a code that has none."""
    return np.asarray(codes.map(dict(numbers)), dtype=np.float64)


def _where(is_so: Flags, points: float) -> Floats:
    return np.where(is_so, points, np.nan)


def _points(row: Row, facts: Facts, owner: pd.Series, given: OperatorRows | None) -> Floats:
    """Return the points of a row, NaN where they are not available."""
    evaluate = _EVALUATORS.get((row.part, row.code))
    if evaluate is not None:
        return evaluate(row, facts)
    points = np.full(len(facts.segments), np.nan)
    said = [entry for entry in (given.rows if given else ()) if (entry.part, entry.row) == (row.part, row.code)]
    # those of every operator first, so that an own word stands
    for entry in sorted(said, key=lambda entry: entry.owner is not None):
        mine = np.ones(len(points), dtype=bool) if entry.owner is None else (owner == entry.owner).to_numpy(dtype=bool)
        points = np.where(mine, entry.points, points)
    return points


def _sums(points: dict[tuple[Section, str], Floats], standard: Standard, index: pd.Index) -> pd.DataFrame:
    """Add up the known rows of each part; S, R and the level only where every row is known."""
    sums: dict[str, object] = {}
    table = {key: pd.Series(found, index) for key, found in points.items()}
    reached: dict[Section, pd.Series] = {}
    empty = pd.Series(0.0, index)
    for part in SECTIONS:
        rows = [row for row in standard.rows if row.part == part]
        own = {row: table[part, row.code] for row in rows}
        reached[part] = sum((found.fillna(0.0) for found in own.values()), empty)
        possible = sum((found.notna() * row.maximum for row, found in own.items()), empty)
        sums |= {f"{part.lower()}_points": reached[part], f"{part.lower()}_possible": possible}
        sums[f"{part.lower()}_maximum"] = pd.Series(standard.maximum(part), index, dtype="float64")
    missing = sum((found.isna().astype("int64") for found in table.values()), pd.Series(0, index))
    is_whole = missing == 0
    safety = sum((standard.shares[part] * reached[part] for part in SAFETY), empty)
    s_points = (100.0 - safety).where(is_whole)
    r_points = s_points * reached["C"]
    bottoms = np.array([level.minimum_r for level in standard.levels])
    place = np.searchsorted(bottoms, r_points.fillna(0.0), side="right") - 1
    level = pd.Series(np.array([entry.code for entry in standard.levels], dtype=object)[place], index, dtype="str")
    return pd.DataFrame(sums).assign(s=s_points, r=r_points, level=level.where(is_whole), missing_count=missing)


def why_missing(row: Row) -> str:
    """Return why a row has no points where it has none: code of the list `gbt27512_missing`."""
    if row.lacks == "registry" and not row.steps:
        return "not_in_either"
    return f"not_in_{row.lacks}" if row.lacks else "not_decided"


def _long(points: dict[tuple[Section, str], Floats], standard: Standard, index: pd.Index) -> pd.DataFrame:
    """Return a row for each segment and row of the standard, with the reason where it has no points."""
    parts = []
    for row in standard.rows:
        found = points[row.part, row.code]
        why = why_missing(row)
        parts.append(
            pd.DataFrame(
                {
                    "segment_id": index.astype("str"),
                    "part": row.part,
                    "row_code": row.code,
                    "row_label_en": row.label_en,
                    "row_label_zh": row.label_zh,
                    "points": found,
                    "maximum": float(row.maximum),
                    "why_missing": pd.Series(np.where(np.isnan(found), why, ""), dtype="str").replace("", np.nan),
                    "source": row.source,
                    "confidence": row.confidence,
                }
            )
        )
    table = pd.concat(parts, ignore_index=True)
    texts = ["part", "row_code", "row_label_en", "row_label_zh", "source", "confidence"]
    return table.astype(dict.fromkeys(texts, "str"))[columns_of("gbt27512_view")]
