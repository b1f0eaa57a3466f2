"""What a coordination meeting needs of programmes and roads: house numbers, cross streets, freedom, bans, pavements."""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from registry.city.census import texts
from registry.city.names import numbered
from registry.city.parameters import Bools, Floats, Objects, load

_DONE: Final = "完工"
_NOT_BEGUN: Final = ("计划", "确定")
_NUMBERS: Final = ("左侧起始门牌号", "左侧终止门牌号", "右侧起始门牌号", "右侧终止门牌号")
_PAVED: Final = ("主干路", "次干路")


def number_roads(roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the roads with house numbers: along each street from its beginning, odd on the left, even on the right."""
    lot_m = load("meetings")["numbers"]["metres_per_lot"]
    length = roads.geometry.length
    end = length.groupby(roads["道路名称"]).cumsum()
    # every road has at least one lot on each side
    last = np.maximum(np.floor(end / lot_m), np.floor((end - length) / lot_m) + 1)
    first = last.groupby(roads["道路名称"]).shift(fill_value=0.0)
    ends = (2 * first + 1, 2 * last - 1, 2 * first + 2, 2 * last)
    columns = {name: values.astype("Int64") for name, values in zip(_NUMBERS, ends, strict=True)}
    others = [name for name in roads.columns if name != "geometry"]
    return roads.assign(**columns)[[*others, *_NUMBERS, "geometry"]]


def crossings(roads: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return where streets meet others, in the order along each: street, other, place (number of the road before it).

    Only the first run of a street without a gap counts, and others that it meets once.
    """
    lines = roads.geometry.to_numpy()
    name = roads["道路名称"].to_numpy(dtype=object)
    begin, end = (shapely.to_wkb(shapely.get_point(lines, at)) for at in (0, -1))
    order = pd.Series(name).groupby(name).cumcount().to_numpy()
    nodes = pd.concat(
        [
            pd.DataFrame({"street": name, "node": begin, "place": order}),
            pd.DataFrame({"street": name, "node": end, "place": order + 1}),
        ]
    )
    follows = pd.Series(begin).to_numpy() == pd.Series(end).groupby(name).shift().to_numpy(dtype=object)
    is_gap = (order > 0) & ~follows
    run = pd.Series(is_gap).groupby(name).cumsum().to_numpy()
    whole = set(pd.Series(name)[run == 0]) - set(pd.Series(name)[run > 0])
    met = nodes.merge(nodes, on="node", suffixes=("", "_other")).query("street != street_other")
    met = met.rename(columns={"street_other": "other"})[["street", "other", "node", "place"]]
    met = met.drop_duplicates(["street", "other", "node"])
    once = ~met.duplicated(["street", "other"], keep=False)
    kept = met[once & met["street"].isin(whole)]
    return kept.sort_values(["street", "place", "other"], kind="stable")[["street", "other", "place"]]


def place_works(
    programme: pd.DataFrame, roads: gpd.GeoDataFrame, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the road programme with cross streets, freedom, certainty and contact, and the bans of finished works."""
    settings = load("meetings")
    count = len(programme)
    begins, ends = _cross_streets(programme, roads, rng.random((count, 2)), rng.random(count))
    start, finish = (programme[name].to_numpy(dtype=object) for name in ("开工日期", "完工日期"))
    state = programme["项目状态"].to_numpy(dtype=object)
    is_by_year = np.array([len(str(day)) == 4 for day in start])
    words = pd.Series(state).map(settings["certainty"]).mask(is_by_year, settings["certainty"]["year_only"])
    certainty = words.to_numpy(dtype=object)
    earliest, latest = _freedom(start, finish, state, rng)
    completed = _completed(finish, state, rng)
    contacts = np.array(settings["bans"]["contacts"], dtype=object)[
        rng.integers(0, len(settings["bans"]["contacts"]), count)
    ]
    added = {"起点路口": begins, "终点路口": ends}
    dates = {"日期可靠程度": certainty, "最早可开工": earliest, "最晚须完工": latest, "实际竣工日期": completed}
    placed = programme.assign(
        **{name: texts(values) for name, values in (added | dates).items()}, 联系人=texts(contacts)
    )
    where = list(programme.columns).index("道路名称") + 1
    columns = [*programme.columns[:where], *added, *programme.columns[where:], *dates, "联系人"]
    return placed[columns], _bans(placed, str(roads["道路名称"].iloc[0]), completed, rng)


def _cross_streets(
    programme: pd.DataFrame, roads: gpd.GeoDataFrame, draws: Floats, chance: Floats
) -> tuple[Objects, Objects]:
    """Choose two cross streets for some works; the first comes before the second along the street."""
    known = dict(list(crossings(roads).groupby("street", sort=False)))
    begins, ends = (np.full(len(programme), None, dtype=object) for _ in range(2))
    for row, street in enumerate(programme["道路名称"]):
        met = known.get(street)
        if chance[row] >= load("meetings")["stretches"]["share"] or met is None or met["place"].nunique() < 3:
            continue
        places = np.sort(met["place"].unique())
        # a third of the street at least
        first = places[int(draws[row, 0] * (len(places) - 1) * 2 / 3)]
        later = places[places > first]
        last = later[int(draws[row, 1] * len(later))]
        at = met.drop_duplicates("place").set_index("place")["other"]
        begins[row], ends[row] = at[first], at[last]
    return begins, ends


def _freedom(start: Objects, finish: Objects, state: Objects, rng: np.random.Generator) -> tuple[Objects, Objects]:
    settings = load("meetings")["freedom"]
    count = len(start)
    before, after = (
        rng.integers(settings[name][0], settings[name][1], count) for name in ("months_before", "months_after")
    )
    says: Bools = np.isin(state, _NOT_BEGUN) & (rng.random(count) < settings["share"])
    # a year alone begins in January and ends in December
    begin = np.array([str(day)[:7] for day in start], dtype="datetime64[M]") - before
    end = (
        np.array([str(day)[:7] if len(str(day)) > 4 else f"{day}-12" for day in finish], dtype="datetime64[M]") + after
    )
    days = begin.astype("datetime64[D]").astype("str"), ((end + 1).astype("datetime64[D]") - 1).astype("str")
    earliest, latest = (_said(np.asarray(day, dtype=object), says) for day in days)
    return earliest, latest


def _said(values: Objects, says: Bools) -> Objects:
    """Return values where something is said, else nothing."""
    told = np.full(len(values), None, dtype=object)
    told[says] = values[says]
    return told


def _completed(finish: Objects, state: Objects, rng: np.random.Generator) -> Objects:
    """Return the day on which finished works were taken over, within three weeks of their last day on site."""
    is_done = state == _DONE
    last = np.array([str(day) if done else "2000-01-01" for day, done in zip(finish, is_done, strict=True)])
    days = last.astype("datetime64[D]") + rng.integers(0, 21, len(finish))
    days = np.minimum(days, np.datetime64(load("city")["as_of"], "D") - 1)
    return _said(days.astype("str").astype(object), is_done)


def _bans(programme: pd.DataFrame, school_street: str, completed: Objects, rng: np.random.Generator) -> pd.DataFrame:
    """Return the bans as the authority lists them: for finished works, and for days of examination."""
    settings = load("meetings")["bans"]
    is_banned = (programme["项目状态"] == _DONE).to_numpy() & (rng.random(len(programme)) < settings["share"])
    works = programme[is_banned].reset_index(drop=True)
    begin = pd.to_datetime(pd.Series(completed[is_banned])) + pd.Timedelta(days=1)
    years = works["工程类别"].map(settings["years"]).to_numpy(dtype=np.int64)
    last = [day + pd.DateOffset(years=int(more)) - pd.Timedelta(days=1) for day, more in zip(begin, years, strict=True)]
    exam = {"禁掘原因": settings["exam_cause"], "道路名称": school_street}
    exam |= {
        "起始日期": settings["exam_days"][0],
        "终止日期": settings["exam_days"][1],
        "发布单位": settings["authority"],
    }
    after_works = pd.DataFrame(
        {
            "禁掘原因": texts(works["工程类别"].map(settings["causes"]).to_numpy(dtype=object)),
            "道路名称": works["道路名称"],
            "起点路口": works["起点路口"],
            "终点路口": works["终点路口"],
            "起始日期": texts(begin.dt.strftime("%Y-%m-%d").to_numpy(dtype=object)),
            "终止日期": texts(np.array([day.strftime("%Y-%m-%d") for day in last], dtype=object)),
            "发布单位": settings["authority"],
        }
    )
    bans = pd.concat([after_works, pd.DataFrame([exam]).astype("str")], ignore_index=True)
    bans.insert(0, "禁掘令编号", texts(numbered("JJ", len(bans), 4)))
    return bans


def class_renovations(programme: pd.DataFrame) -> pd.DataFrame:
    """Return the compound programme with its class of works and yearly batch in columns of their own."""
    return programme.assign(改造内容分类=programme["改造类别"], 年度批次=programme["计划年度"])


def make_pavements(roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the surfaces of main and secondary streets: each road widened to its full width, united by street."""
    paved = roads[roads["道路等级"].isin(_PAVED) & roads["路宽"].notna()]
    strips = np.asarray(shapely.buffer(paved.geometry.to_numpy(), paved["路宽"].to_numpy() / 2, cap_style="flat"))
    order = np.argsort(paved["道路名称"].to_numpy(dtype=object), kind="stable")
    names, first = np.unique(paved["道路名称"].to_numpy(dtype=object)[order], return_index=True)
    united = [shapely.union_all(part) for part in np.split(strips[order], first[1:])]
    columns = {
        "路面编号": texts(numbered("LM", len(united), 5)),
        "道路名称": texts(names),
        "敷设环境": "机动车道",
    }
    return gpd.GeoDataFrame(columns, geometry=[_multi(shape) for shape in united], crs=roads.crs)


def _multi(area: shapely.Geometry) -> shapely.MultiPolygon:
    return shapely.MultiPolygon(list(shapely.get_parts(np.array([area], dtype=object))))
