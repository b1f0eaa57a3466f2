"""What the road office registers of digs, and the programme of other utilities: with what an audit should find."""

from __future__ import annotations

from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from registry.city.census import texts
from registry.city.faults import FaultList
from registry.city.names import numbered
from registry.city.parameters import Bools, Floats, Ints, Objects, load, pick
from registry.city.pipes import HEAT, Pipes
from registry.city.places import as_day
from registry.city.truth import MATERIALS, Truth

_DONE: Final = "完工"
_UNDER_WAY: Final = "在建"
_PLANNED: Final = "计划"
# the first rows of the programme: of the silent party, undated, without a place, in closed ground
_SILENT, _UNDATED, _PLACELESS, _IN_BAN, _FIRST_SOUND = range(5)


def make_digs(
    pipes: Pipes, truth: Truth, segment_ids: Objects, roads: gpd.GeoDataFrame, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Write digs.csv, and the truth: which pipe an emergency was at, which digs were in the ban of an overhaul.

    Ordinary digs are along the mains. Some are on roads overhauled less than the years of the ban ago; emergencies at
    bad pipes name their segment. X is the northing, as in surveys here.
    """
    settings = load("digs")
    count = max(settings["least"], round(pipes.count * settings["per_segment"]))
    closed = closed_roads(roads)
    banned = round(count * settings["ban_share"]) if len(closed) else 0
    bad = _bad_pipes(pipes, truth, rng)
    main = rng.choice(np.flatnonzero(pipes.parcel < 0), count - banned)
    road = closed.iloc[rng.integers(0, max(len(closed), 1), banned)]
    where = np.concatenate([_on_pipes(pipes, main, rng), _on_roads(road, rng), _on_pipes(pipes, bad, rng)])
    where = np.round(where + rng.normal(0, settings["scale_m"], where.shape), 3)
    today = as_day(load("city")["as_of"])
    ago = np.concatenate(
        [
            rng.integers(1, 365 * settings["years"], count - banned),
            1 + np.floor(rng.random(banned) * _days_since(road)).astype(np.int64),
            rng.integers(1, settings["foreseen_days"], len(bad)),
        ]
    )
    is_in_ban, is_foreseen = (np.repeat(flags, [count - banned, banned, len(bad)]) for flags in ((0, 1, 0), (0, 0, 1)))
    is_emergency = (is_foreseen > 0) | ((is_in_ban > 0) & (rng.random(len(ago)) < settings["emergency_share"]))
    segment = np.full(len(ago), None, dtype=object)
    segment[is_foreseen > 0] = segment_ids[bad]
    is_heat = np.zeros(len(ago), dtype=bool)
    is_heat[is_foreseen > 0] = pipes.kind[bad] == HEAT
    order = np.argsort(-ago, kind="stable")
    days = (today - ago.astype("timedelta64[D]"))[order]
    records = _records(days, is_emergency[order], is_heat[order], segment[order], where[order], rng)
    known = {"segment_id": texts(segment[order]), "is_in_ban": is_in_ban[order] > 0}
    return records, pd.DataFrame({"dig_id": records["编号"], **known, "is_foreseen": is_foreseen[order] > 0})


def closed_roads(roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the roads that an overhaul keeps closed to digging on the as-of day."""
    today = as_day(load("city")["as_of"])
    overhauled = roads["大修竣工日期"].to_numpy(dtype="datetime64[D]")
    # a few days short of the term, so that any way of counting it agrees
    first = today - np.timedelta64(365 * load("digs")["overhaul_closes_years"] - 5, "D")
    return roads[(overhauled > first) & (overhauled < today - np.timedelta64(30, "D"))]


def _days_since(roads: gpd.GeoDataFrame) -> Floats:
    today = as_day(load("city")["as_of"])
    since = (today - roads["大修竣工日期"].to_numpy(dtype="datetime64[D]")).astype(np.int64)
    # the day of completion is not yet closed
    return (since - 1).astype(np.float64)


def _bad_pipes(pipes: Pipes, truth: Truth, rng: np.random.Generator) -> Ints:
    """Choose pipes of the worst material, or the oldest where there is none."""
    settings = load("digs")
    count = max(settings["foreseen_least"], round(pipes.count * settings["foreseen_per_segment"]))
    worst = np.flatnonzero(truth.material == MATERIALS.index(settings["foreseen_material"]))
    oldest = np.argsort(truth.installed_year, kind="stable")
    known = worst if len(worst) >= count else oldest[: max(count, 1)]
    return np.sort(rng.choice(known, min(count, len(known)), replace=False)).astype(np.int64)


def _on_pipes(pipes: Pipes, segment: Ints, rng: np.random.Generator) -> Floats:
    start, end = pipes.nodes[pipes.start[segment]], pipes.nodes[pipes.end[segment]]
    places: Floats = start + (end - start) * rng.uniform(0.2, 0.8, (len(segment), 1))
    return places


def _on_roads(roads: gpd.GeoDataFrame, rng: np.random.Generator) -> Floats:
    lines = roads.geometry.to_numpy()
    at = shapely.line_interpolate_point(lines, rng.uniform(0.2, 0.8, len(lines)), normalized=True)
    return np.asarray(shapely.get_coordinates(at), dtype=np.float64).reshape(-1, 2)


def _records(
    days: Objects, is_emergency: Objects, is_heat: Objects, segment: Objects, where: Floats, rng: np.random.Generator
) -> pd.DataFrame:
    settings, count = load("digs"), len(days)
    diggers, reasons = (_drawn(settings[name], count, rng) for name in ("diggers", "reasons"))
    repairer = np.where(is_heat, settings["repairers"]["heat"], settings["repairers"]["gas"])
    urgent = np.array(settings["reasons"]["emergency"], dtype=object)[rng.integers(0, 2, count)]
    closed = days + (1 + np.floor(rng.exponential(settings["days_to_close"], count))).astype("timedelta64[D]")
    closed = np.minimum(closed, as_day(load("city")["as_of"]))
    return pd.DataFrame(
        {
            "编号": texts(numbered("JL", count, 5)),
            "发生日期": texts(days.astype("str").astype(object)),
            "事件类别": texts(np.where(is_emergency, settings["emergency_kind"], settings["kind"]).astype(object)),
            "权属单位": texts(np.where(is_emergency, repairer, diggers).astype(object)),
            "检查结果": texts(np.where(is_emergency, urgent, reasons).astype(object)),
            "管段编号": texts(segment),
            "完成日期": texts(closed.astype("str").astype(object)),
            "X": pd.Series(where[:, 1]),
            "Y": pd.Series(where[:, 0]),
        }
    )


def make_utility_programme(roads: gpd.GeoDataFrame, faults: FaultList, rng: np.random.Generator) -> pd.DataFrame:
    """Write the programme of other utilities, by street and month, with the gaps that programmes have.

    The last party has works of the past alone. Some works have no days or no place; one is on site in a road that an
    overhaul keeps closed, where there is such a road.
    """
    settings, today = load("digs")["programme"], load("city")["as_of"]
    streets = np.unique(roads["道路名称"].to_numpy(dtype=object))
    count = max(settings["least"], round(len(streets) * settings["per_street"]))
    parties = settings["parties"]
    party = rng.integers(0, len(parties) - 1, count)
    party[_SILENT] = len(parties) - 1
    street = streets[rng.integers(0, len(streets), count)]
    closed = closed_roads(roads)
    begin = np.array(
        [f"{year}-{month:02d}" for year, month in zip(*_months(settings, count, rng), strict=True)], "datetime64[M]"
    )
    fewest, most = settings["months_on_site"]
    months = rng.integers(fewest, most, count)
    begin[_SILENT] = np.datetime64(f"{today.year - 1}-04", "M")
    if len(closed):
        street[_IN_BAN] = closed["道路名称"].iloc[int(rng.integers(0, len(closed)))]
        begin[_IN_BAN], months[_IN_BAN] = np.datetime64(today, "M") - 1, 2
    end = (begin + months).astype("datetime64[D]") - 1
    start, last = (day.astype("datetime64[D]") for day in (begin, end))
    is_undated, is_placeless = _gaps(settings, count, rng)
    utility = np.array([row["utility"] for row in parties], dtype=object)[party]
    suffix = np.array([settings["suffix"][word] for word in utility], dtype=object)
    state = np.where(last < as_day(today), _DONE, np.where(start <= as_day(today), _UNDER_WAY, _PLANNED)).astype(object)
    state[is_undated] = _PLANNED
    ids = pd.Series(numbered("GX", count, 4), dtype="str")
    faults.add("utility_programme.xlsx", "extent_missing", np.flatnonzero(is_placeless), ids)
    return pd.DataFrame(
        {
            "项目编号": ids,
            "项目名称": texts(street + suffix),
            "道路名称": texts(street).mask(pd.Series(is_placeless)),
            "工程类别": "管线工程",
            "管线专业": texts(utility),
            "项目状态": texts(state),
            "开工日期": _unless(is_undated, start),
            "完工日期": _unless(is_undated, last),
            "实施主体": texts(np.array([row["name"] for row in parties], dtype=object)[party]),
        }
    )


def _gaps(settings: dict[str, Any], count: int, rng: np.random.Generator) -> tuple[Bools, Bools]:
    """Tell which rows have no days and which no place: of the first rows one each."""
    drawn = rng.random(count)
    drawn[:_FIRST_SOUND] = 1.0
    drawn[_UNDATED], drawn[_PLACELESS] = 0.0, settings["undated_share"]
    is_undated: Bools = drawn < settings["undated_share"]
    return is_undated, ~is_undated & (drawn < settings["undated_share"] + settings["placeless_share"])


def _months(settings: dict[str, Any], count: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    first, last = settings["years"]
    return rng.integers(first, last + 1, count), rng.integers(3, 11, count)


def _unless(absent: Objects, days: Objects) -> pd.Series:
    return texts(days.astype("str").astype(object)).mask(pd.Series(absent))


def _drawn(table: dict[str, Any], count: int, rng: np.random.Generator) -> Objects:
    drawn: Objects = np.array(table["names"], dtype=object)[pick(rng, table["shares"], count)]
    return drawn
