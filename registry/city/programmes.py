"""Road programme and compound programme as bureaus write them: names, classes of works, years; no geometry."""

from __future__ import annotations

import numpy as np
import pandas as pd

from registry.city.census import texts
from registry.city.names import owners
from registry.city.parameters import Ints, Objects, load, pick, within

_PLANNED, _CONFIRMED, _UNDER_WAY, _DONE = "计划", "确定", "在建", "完工"


def _years(shares: list[float], count: int, rng: np.random.Generator) -> Ints:
    years: Ints = load("programmes")["years"]["first"] + pick(rng, shares, count)
    return years


def _states(years: Ints, rng: np.random.Generator) -> Objects:
    """Say how firm a project is: past years done, this year under way, next year mostly confirmed."""
    now = load("city")["as_of"].year
    firm = rng.random(len(years))
    later = np.where((years == now + 1) & (firm < 0.75), _CONFIRMED, np.where(firm < 0.15, _CONFIRMED, _PLANNED))
    this = np.where(firm < 0.55, _UNDER_WAY, np.where(firm < 0.8, _DONE, _CONFIRMED))
    return np.where(years < now, _DONE, np.where(years == now, this, later)).astype(object)


def make_road_programme(roads: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Choose streets for works and date them: finished and firm works to the day, later ones by month or year."""
    settings = load("programmes")["roads"]
    lengths = pd.DataFrame(
        {"name": roads["道路名称"], "class": roads["道路等级"], "width": roads["路宽"], "length": roads.geometry.length}
    )
    streets = lengths.groupby("name", sort=True).agg({"class": "first", "width": "median", "length": "sum"})
    order = {"主干路": 0, "次干路": 1, "支路": 2, "街巷": 3}
    number = streets["class"].map(order).to_numpy(dtype=np.int64)
    chosen = streets[rng.random(len(streets)) < np.asarray(settings["share"])[number]]
    count = len(chosen)
    kind = pick(rng, settings["kind_shares"], count)
    year = _years(settings["year_shares"], count, rng)
    state = _states(year, rng)
    start, finish = _site_days(year, state, rng)
    half = np.round(chosen["width"].to_numpy() / 2, 1)
    half[rng.random(count) < settings["half_width_blank_share"]] = np.nan
    cost = chosen["length"].to_numpy() * np.asarray(settings["cost_cny_per_m"])[kind] * within(rng, [0.8, 1.25], count)
    kinds = np.array(settings["kinds"], dtype=object)[kind]
    serial = pd.Series(np.arange(1, count + 1)).astype("str").str.zfill(4)
    frame = pd.DataFrame(
        {
            "项目编号": "DL" + pd.Series(year).astype("str") + "-" + serial,
            "项目名称": texts(chosen.index.to_numpy(dtype=object) + kinds + "工程"),
            "道路名称": texts(chosen.index.to_numpy(dtype=object)),
            "工程类别": texts(kinds),
            "项目状态": texts(state),
            "开工日期": texts(start),
            "完工日期": texts(finish),
            "道路产权单位": texts(owners("road", count, rng)),
            "半宽": pd.Series(half),
            "投资(元)": pd.Series(np.round(cost, -4)),
        }
    )
    return frame.sort_values(["项目编号"], kind="stable").reset_index(drop=True)


def _site_days(year: Ints, state: Objects, rng: np.random.Generator) -> tuple[Objects, Objects]:
    count = len(year)
    month = rng.integers(3, 8, count)
    begin = (year - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (month - 1)
    begin_day = begin.astype("datetime64[D]") + rng.integers(0, 27, count)
    days = begin_day + rng.integers(60, 240, count)
    last = ((year - 1969).astype("datetime64[Y]").astype("datetime64[D]")) - 1
    end_day = np.minimum(days, last)
    is_planned = state == _PLANNED
    by_month = is_planned & (rng.random(count) < 0.3)
    start, finish = begin_day.astype("str").astype(object), end_day.astype("str").astype(object)
    start[is_planned] = finish[is_planned] = year[is_planned].astype("str")
    start[by_month] = begin[by_month].astype("str")
    finish[by_month] = end_day[by_month].astype("datetime64[M]").astype("str")
    return start, finish


def make_compound_programme(compounds: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Choose old compounds for renovation, the oldest first, with year, class and investment."""
    settings, names = load("programmes")["compounds"], load("names")["sheets"]
    built = compounds["建成年代"].astype("int64").to_numpy()
    eligible = built <= settings["last_built_year"]
    older = np.clip((settings["last_built_year"] - built) / 25, 0, 1)
    chosen = np.flatnonzero(eligible & (rng.random(len(built)) < settings["share"] * (0.6 + 0.8 * older)))
    rows = compounds.iloc[chosen].reset_index(drop=True)
    count = len(rows)
    year = _years(settings["year_shares"], count, rng)
    state = _states(year, rng)
    kind = pick(rng, settings["kind_shares"], count)
    cost = rows["户数"].to_numpy(dtype=np.float64) * within(rng, settings["cost_cny_per_household"], count)
    serial = pd.Series(np.arange(1, count + 1)).astype("str").str.zfill(4)
    frame = pd.DataFrame(
        {
            "项目编号": "XQGZ" + pd.Series(year).astype("str") + "-" + serial,
            "项目名称": rows["小区名称"] + names["compound_project_suffix"],
            "小区名称": rows["小区名称"],
            "改造类别": texts(np.array(settings["kinds"], dtype=object)[kind]),
            "项目状态": texts(state),
            "计划年度": pd.Series(year, dtype="Int64"),
            "实施主体": texts(owners("compound", count, rng)),
            "楼栋数": rows["楼栋数"],
            "户数": rows["户数"],
            "投资(元)": pd.Series(np.round(cost, -4)),
        }
    )
    return frame.sort_values(["项目编号"], kind="stable").reset_index(drop=True)
