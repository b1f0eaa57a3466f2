"""The census of segments as a city hands it over: words of many hands, blanks, estimates and errors."""

from __future__ import annotations

from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from registry.city.names import owners
from registry.city.parameters import Bools, Floats, Ints, Objects, load, rows
from registry.city.pipes import HEAT, Pipes
from registry.city.truth import (
    COATINGS,
    JOINTS,
    LAYINGS,
    MATERIALS,
    PE80,
    PRESSURES,
    PROTECTIONS,
    STEEL,
    SURFACES,
    Truth,
    words,
)


@cache
def _spellings(column: str) -> dict[str, tuple[tuple[str, ...], tuple[float, ...]]]:
    found: dict[str, tuple[tuple[str, ...], tuple[float, ...]]] = {}
    for row in rows("spellings"):
        if row["column"] == column:
            texts, weights = found.get(row["code"], ((), ()))
            found[row["code"]] = ((*texts, row["word"]), (*weights, float(row["weight"])))
    return found


def spelled(column: str, codes: Objects, rng: np.random.Generator) -> Objects:
    """Write each code with one of the words that surveys use for it; None stays None."""
    drawn = rng.random(len(codes))
    result = np.full(len(codes), None, dtype=object)
    for code, (texts, weights) in _spellings(column).items():
        mine = codes == code
        edges = np.cumsum(weights)
        at = np.minimum(np.searchsorted(edges, drawn[mine] * edges[-1], side="right"), len(texts) - 1)
        result[mine] = np.array(texts, dtype=object)[at]
    return result


def blanked(values: Objects, share: float | Floats, rng: np.random.Generator) -> Objects:
    """Leave a share of the values blank."""
    result = values.copy()
    result[rng.random(len(values)) < share] = None
    return result


def texts(values: Objects) -> pd.Series:
    """Return a text column; None becomes missing."""
    return pd.Series(values, dtype="str")


def told_years(years: Ints, settings: dict[str, list[float]], rng: np.random.Generator) -> tuple[Objects, Objects]:
    """Write install years as registers have them: exact, estimated, by interval, blank, unknown; and the source."""
    is_late = (years >= 2000).astype(np.int64)
    share = {name: np.asarray(settings[f"year_{name}_share"])[is_late] for name in _TOLD}
    edges = np.cumsum(np.column_stack([share[name] for name in _TOLD]), axis=1)
    how = (rng.random(len(years))[:, None] > edges).sum(axis=1)
    error = np.round(rng.normal(0, float(settings["year_error_years"][0]), len(years))).astype(np.int64)
    last = load("city")["as_of"].year
    estimate = np.clip(years + error, 1950, last)
    low = years - rng.integers(0, 6, len(years))
    high = np.minimum(low + 5 + rng.integers(0, 3, len(years)), last)
    told = years.astype("str").astype(object)
    source = np.where(rng.random(len(years)) < 0.7, "竣工", "实测").astype(object)
    for number, text in enumerate((estimate, years // 10 * 10, low)):
        mine = how == number
        told[mine] = text[mine].astype("str")
        source[mine] = "推定"
    told[how == 1] += "年代"
    told[how == 2] = told[how == 2] + "-" + high[how == 2].astype("str").astype(object)
    told[how == 3], source[how == 3] = None, None
    told[how == 4], source[how == 4] = "不明", "不明"
    return told, source


_TOLD = ("estimated", "decade", "interval", "blank", "unknown")


def year_settings(**changes: float) -> dict[str, list[float]]:
    """Return the shares of told years; `changes` replaces shares for smaller registers."""
    settings = load("census")["segments"]
    told = {f"year_{name}_share": settings[f"year_{name}_share"] for name in _TOLD}
    told["year_error_years"] = [settings["year_error_years"]]
    return told | {name: [value, value] for name, value in changes.items()}


def told_materials(truth: Truth, rng: np.random.Generator) -> tuple[Objects, Bools]:
    """Write materials; also say where the census is wrong."""
    settings = load("census")["segments"]
    codes = words(MATERIALS, truth.material)
    count = len(codes)
    wrong = rng.random(count) < settings["material_wrong_share"]
    codes[wrong] = np.where(truth.material[wrong] >= PE80, "steel", "pe80")
    iron = np.isin(truth.material, (0, 1)) & ~wrong & (rng.random(count) < settings["cast_iron_unspecific_share"])
    codes[iron] = "cast_iron"
    codes[rng.random(count) < settings["material_unknown_share"]] = "unknown"
    codes = blanked(codes, settings["material_blank_share"], rng)
    return spelled("material", codes, rng), wrong


def told_diameters(truth: Truth, rng: np.random.Generator) -> Objects:
    """Write diameters as numbers or as DN200, De160, 219x6."""
    number = truth.diameter_mm.astype("str").astype(object)
    drawn = rng.random(len(number))
    told = number.copy()
    told[truth.is_outer & (drawn < 0.55)] = "De" + number[truth.is_outer & (drawn < 0.55)]
    told[~truth.is_outer & (drawn < 0.55)] = "DN" + number[~truth.is_outer & (drawn < 0.55)]
    outer = {50: "57x3.5", 65: "76x4", 80: "89x4", 100: "108x4", 150: "159x4.5", 200: "219x6", 250: "273x7"}
    by_wall = (truth.material == STEEL) & (drawn > 0.9)
    told[by_wall] = [outer.get(size, str(size)) for size in truth.diameter_mm[by_wall]]
    return blanked(told, load("census")["segments"]["diameter_blank_share"], rng)


def _assessments(truth: Truth, rng: np.random.Generator) -> tuple[Objects, pd.Series]:
    """Assess part of the old pipes, one of the four outcomes of the guide."""
    as_of = load("city")["as_of"]
    age = as_of.year - truth.installed_year
    is_done = (age >= 20) & (rng.random(len(age)) < load("census")["segments"]["assessed_share"])
    is_bad = np.isin(truth.material, (0, 3)) | np.isin(truth.coating, (0, 1))
    drawn = rng.random(len(age)) + np.where(is_bad, 0.35, 0.0)
    outcomes = np.array(["符合安全运行要求", "落实安全管控措施，可继续运行", "限期改造", "立即改造"], dtype=object)
    outcome = outcomes[np.searchsorted([0.42, 0.8, 1.22], drawn)]
    ago = rng.integers(60, 1500, len(age)).astype("timedelta64[D]")
    days: Objects = np.full(len(age), as_of, dtype="datetime64[D]") - ago
    outcome[~is_done] = None
    return outcome, pd.Series(days.astype("datetime64[s]")).where(pd.Series(is_done))


def segment_lines(pipes: Pipes) -> Objects:
    """Return the courses of all segments."""
    ends = np.stack([pipes.nodes[pipes.start], pipes.nodes[pipes.end]], axis=1)
    return np.asarray(shapely.linestrings(ends), dtype=object)


def segment_census(
    ids: Objects, pipes: Pipes, truth: Truth, street: Objects, compound: Objects, crs: str, rng: np.random.Generator
) -> tuple[gpd.GeoDataFrame, Bools]:
    """Write the delivery of segments; also say where the material is wrong."""
    settings = load("census")["segments"]
    count = pipes.count
    told, source = told_years(truth.installed_year, year_settings(), rng)
    material, is_wrong = told_materials(truth, rng)
    is_courtyard = pipes.parcel >= 0
    is_heat = pipes.kind == HEAT
    owner = owners("gas", count, rng)
    owner[is_heat] = load("names")["owners"]["heat"][0]
    blank = settings["attribute_blank_share"]
    outcome, assessed_on = _assessments(truth, rng)
    pressure = words(PRESSURES, truth.pressure)
    pressure[is_heat] = None
    encroached = rng.random(count) < np.asarray(settings["encroached_share"])[is_courtyard.astype(int)]
    remark = np.full(count, None, dtype=object)
    noted = rng.random(count) < settings["remark_share"]
    remark[noted] = rng.choice(np.array(load("names")["sheets"]["remarks"], dtype=object), int(noted.sum()))
    cover = truth.cover_depth_m.copy()
    cover[rng.random(count) < settings["cover_blank_share"]] = np.nan
    columns = {
        "管段编号": texts(ids),
        "介质": texts(spelled("medium", np.where(is_heat, "heat", "gas").astype(object), rng)),
        "管段类别": texts(spelled("tier", np.where(is_courtyard, "courtyard", "municipal").astype(object), rng)),
        "管材": texts(material),
        "管径": texts(told_diameters(truth, rng)),
        "压力级别": texts(blanked(spelled("pressure_class", pressure, rng), blank / 3, rng)),
        "建设年代": texts(told),
        "年代来源": texts(blanked(source, blank, rng)),
        "防腐层": texts(blanked(spelled("coating", words(COATINGS, truth.coating), rng), blank, rng)),
        "阴极保护": texts(
            blanked(spelled("cathodic_protection", words(PROTECTIONS, truth.cathodic_protection), rng), blank, rng)
        ),
        "接口型式": texts(
            blanked(spelled("joint", words(JOINTS, truth.joint), rng), settings["joint_blank_share"], rng)
        ),
        "埋设方式": texts(blanked(spelled("laying", words(LAYINGS, truth.laying), rng), blank / 2, rng)),
        "敷设环境": texts(blanked(spelled("surface", words(SURFACES, truth.surface), rng), blank, rng)),
        "埋深": pd.Series(cover),
        "所在道路": texts(blanked(street, settings["street_blank_share"], rng)),
        "所在小区": texts(blanked(compound, settings["street_blank_share"], rng)),
        "权属单位": texts(owner),
        "使用状态": texts(spelled("status", np.full(count, "in_use", dtype=object), rng)),
        "评估结果": texts(outcome),
        "评估日期": assessed_on,
        "是否占压": texts(np.where(encroached, "是", "否").astype(object)),
        "备注": texts(remark),
    }
    frame = gpd.GeoDataFrame(columns, geometry=segment_lines(pipes), crs=crs)
    return frame, is_wrong
