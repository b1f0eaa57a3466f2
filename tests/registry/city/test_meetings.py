"""What the sample city tells a coordination meeting: its places can be found, its days make sense."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from registry.city import City, make_city
from registry.city.parameters import load
from registry.places.locate import locate
from registry.places.network import Network

ROADS = {
    "道路编号": "road_id",
    "道路名称": "name",
    "左侧起始门牌号": "left_number_from",
    "左侧终止门牌号": "left_number_to",
    "右侧起始门牌号": "right_number_from",
    "右侧终止门牌号": "right_number_to",
}


def asked(rows: pd.DataFrame) -> pd.DataFrame:
    words = {"道路名称": "street_name", "起点路口": "cross_street_from", "终点路口": "cross_street_to"}
    return rows[list(words)].rename(columns=words)


def test_every_stretch_of_the_programme_and_of_the_bans_is_found(town: City) -> None:
    network = Network.of(town.roads.rename(columns=ROADS))
    known = set(town.roads["道路名称"])
    for rows in (town.road_programme, town.moratoria):
        rows = rows[rows["道路名称"].isin(known)]
        found = locate(asked(rows), network)
        is_stretch = rows["起点路口"].notna()
        assert found["problem"].isna().all()
        assert set(found["located_by"][is_stretch]) <= {"stretch"}
        whole = town.roads.geometry.length.groupby(town.roads["道路名称"]).sum()
        share = shapely.length(found["geometry"].to_numpy()) / rows["道路名称"].map(whole).to_numpy()
        assert (share < 1.001).all()
        assert np.allclose(share[~is_stretch], 1.0)
    placed = town.road_programme[town.road_programme["起点路口"].notna()]
    assert (placed["起点路口"] != placed["终点路口"]).all()
    assert len(placed) > 0


def test_house_numbers_run_along_the_street_without_a_number_twice(town: City) -> None:
    for _name, rows in town.roads.groupby("道路名称"):
        for side, parity in (("左侧", 1), ("右侧", 0)):
            first, last = rows[f"{side}起始门牌号"].to_numpy(int), rows[f"{side}终止门牌号"].to_numpy(int)
            assert (first % 2 == parity).all()
            assert (last % 2 == parity).all()
            assert (first <= last).all()
            assert (first[1:] > last[:-1]).all()


def test_days_of_freedom_lie_around_the_works_and_only_before_they_begin(town: City) -> None:
    programme = town.road_programme
    said = programme[programme["最早可开工"].notna()]
    assert len(said) > 0
    assert set(said["项目状态"]) <= {"计划", "确定"}
    assert (said["最早可开工"].str[:7] <= said["开工日期"].str[:7].str.ljust(7, "~")).all()
    assert (said["最晚须完工"].str[:4] >= said["完工日期"].str[:4]).all()
    assert (programme["实际竣工日期"].notna() == (programme["项目状态"] == "完工")).all()
    assert (programme["实际竣工日期"].dropna() < str(load("city")["as_of"])).all()


def test_a_ban_begins_the_day_after_completion_and_lasts_whole_years(town: City) -> None:
    done = town.road_programme.set_index("道路名称")
    after_works = town.moratoria[town.moratoria["禁掘原因"] != load("meetings")["bans"]["exam_cause"]]
    for _row, ban in after_works.iterrows():
        begin, last = pd.Timestamp(str(ban["起始日期"])), pd.Timestamp(str(ban["终止日期"]))
        if ban["道路名称"] in done.index:
            assert begin == pd.Timestamp(str(done.loc[ban["道路名称"], "实际竣工日期"])) + pd.Timedelta(days=1)
        assert (last + pd.Timedelta(days=1)).year - begin.year in {3, 5}


def test_a_small_city_has_bans_too() -> None:
    assert len(make_city(300, 2).moratoria) >= 1


def test_pavements_hold_their_streets(town: City) -> None:
    areas = town.pavements.set_index("道路名称").geometry
    lines = town.roads[town.roads["道路名称"].isin(areas.index)]
    of = np.asarray(areas.reindex(lines["道路名称"]), dtype=object)
    within = shapely.length(shapely.intersection(of, np.asarray(lines.geometry, dtype=object)))
    inside = within / lines.geometry.length.to_numpy()
    assert (inside > 0.99).all()


def test_renovations_say_their_class_and_batch(town: City) -> None:
    assert set(town.compound_programme["改造内容分类"]) <= {"基础类", "完善类", "提升类"}
    assert town.compound_programme["年度批次"].equals(town.compound_programme["计划年度"].rename("年度批次"))
